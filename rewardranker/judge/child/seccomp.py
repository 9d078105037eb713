"""System calls that no program needs: refused by a filter that is assembled here, for x86_64 and aarch64.

Everything is allowed but what reaches into other processes, changes the system, adds namespaces or mounts,
opens a network socket, or has a record of kernel bugs. Namespaces come on top where there are any.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from . import kernel

# name: (x86_64, aarch64); None where that machine lacks it
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # namespaces, mounts, roots
    "setns": (308, 268), "unshare": (272, 97), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467), "statmount": (457, 457), "listmount": (458, 458), "listns": (470, 470),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # large and often broken
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "fanotify_init": (300, 262),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "mbind": (237, 235),
    "set_mempolicy": (238, 237), "set_mempolicy_home_node": (450, 450), "lookup_dcookie": (212, 18),
    # what would outlive a program, in the host or for the next one: memory, semaphores and messages by name
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181),
    # what others do to files that are read by all
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    # the system itself
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "syslog": (103, 116), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
    "nfsservctl": (180, 42),
}  # fmt: skip
_SPECIAL = {
    "clone": (56, 220), "clone3": (435, 435), "socket": (41, 198), "ioctl": (16, 29), "fcntl": (72, 25),
    "prlimit64": (302, 261), "kill": (62, 129), "tgkill": (234, 131),
}  # fmt: skip
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020080  # CLONE_NEW: time, mount, cgroup, uts, ipc, user, pid, net
_AF_UNIX, _TIOCSTI, _TIOCLINUX = 1, 0x5412, 0x541C
_F_SETLEASE, _F_NOTIFY = 1024, 1026  # to be told of, and to hold up, what others do to a file
_SIGKILL = 9
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1, _ARGUMENT_2 = 0, 4, 16, 24, 32
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

Instruction = tuple[int, int, int, int]


class Unavailable(Exception):
    """This machine has no table here, or its kernel no filters."""


def program(machine: str = "", first: bool = False) -> bytes:
    """The filter as an array of ``struct sock_filter``. Raises :class:`Unavailable`.

    Args:
        first: for the first process of a namespace, which signals from inside do not end: its attempt to kill
            itself does.
    """
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        raise Unavailable(f"no system call table for {machine}")
    column, architecture = _MACHINES[machine]
    special = {name: numbers[column] for name, numbers in _SPECIAL.items()}
    code: list[Instruction] = [
        _load(_ARCHITECTURE), (_EQUAL, 1, 0, architecture), _return(_KILL), _load(_NUMBER),
        *([(_GREATER_EQUAL, 0, 1, _X32), _fail(errno.ENOSYS)] if machine == "x86_64" else []),
        (_EQUAL, 0, 1, special["clone3"]), _fail(errno.ENOSYS),  # its flags lie in memory; libraries fall back
        *_argument(special["clone"], _ARGUMENT_0, [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), _fail(errno.EPERM)]),
        *_argument(special["socket"], _ARGUMENT_0, [(_EQUAL, 1, 0, _AF_UNIX), _fail(errno.EACCES)]),
        *_argument(special["prlimit64"], _ARGUMENT_0, [(_EQUAL, 1, 0, 0), _fail(errno.EPERM)]),  # only its own
        *_argument(
            special["ioctl"], _ARGUMENT_1,
            [(_EQUAL, 1, 0, _TIOCSTI), (_EQUAL, 0, 1, _TIOCLINUX), _fail(errno.EPERM)],
        ),
        *_argument(
            special["fcntl"], _ARGUMENT_1,
            [(_EQUAL, 1, 0, _F_SETLEASE), (_EQUAL, 0, 1, _F_NOTIFY), _fail(errno.EPERM)],
        ),
    ]  # fmt: skip
    if first:
        # Process 0 is the caller's group. A child that wants to kill the first process ends itself.
        kill_it = [_load(_ARGUMENT_0), (_EQUAL, 1, 0, 0), (_EQUAL, 0, 1, 1), _return(_KILL)]
        for name, offset in (("kill", _ARGUMENT_1), ("tgkill", _ARGUMENT_2)):
            code += _argument(special[name], offset, [(_EQUAL, 0, len(kill_it), _SIGKILL), *kill_it])
    for numbers in _DENIED.values():
        if (number := numbers[column]) is not None:
            code += [(_EQUAL, 0, 1, number), _fail(errno.EPERM)]
    code.append(_return(_ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _argument(number: int, offset: int, test: list[Instruction]) -> list[Instruction]:
    """For one system call: a test of (the low half of) an argument, which falls through where it is fine."""
    return [(_EQUAL, 0, len(test) + 2, number), _load(offset), *test, _load(_NUMBER)]


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _return(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _fail(code: int) -> Instruction:
    return _return(_ERRNO | code)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


class Filter:
    """Made once, applied in every process that is to be confined."""

    def __init__(self, first: bool = False) -> None:
        """``first``: see :func:`program`. Raises :class:`Unavailable`."""
        self._code = program(first=first)
        self._program = _Program(len(self._code) // 8, self._code)

    def apply(self) -> None:
        """For this process and all that come of it. Raises ``OSError``. Needs no_new_privs."""
        kernel.set_filter(ctypes.byref(self._program))
