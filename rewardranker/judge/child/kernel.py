"""System calls that Python has no function for. Linux on x86_64 and aarch64; others offer none of them."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import threading

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
SET_PDEATHSIG, SET_DUMPABLE, SET_SECCOMP, SET_SUBREAPER, SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38
_NUMBERS = {"x86_64": {"clone": 56, "capset": 126}, "aarch64": {"clone": 220, "capset": 91}}
_CAPABILITY_VERSION_3 = 0x20080522
_STRUCT_PTHREAD = 1024  # bytes that are certainly readable behind the address that pthread_self() gives

# A PyDLL keeps the interpreter's lock: between clone and its hooks no other thread may run.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.pthread_self.restype = ctypes.c_void_p


def syscall(number: int, *arguments: object) -> int:
    """Raises ``OSError``. Arguments are integers or ctypes pointers."""
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *values))
    return _checked(result)


def number_of(name: str) -> int:
    """Raises ``OSError`` on a machine that we have no numbers for."""
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise OSError(f"no system call numbers for {platform.machine()}")
    return numbers[name]


def prctl(option: int, value: object) -> None:
    zero = ctypes.c_ulong(0)
    argument = ctypes.c_ulong(value) if isinstance(value, int) else value
    _checked(_libc.prctl(ctypes.c_int(option), argument, zero, zero, zero))


def set_filter(program: object) -> None:
    """Installs a seccomp program (a pointer to ``struct sock_fprog``) for good."""
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(ctypes.c_int(SET_SECCOMP), ctypes.c_ulong(2), program, zero, zero))


def mount(kind: str, target: str, flags: int, options: str) -> None:
    """Mounts a new file system of that kind."""
    words = (kind.encode(), target.encode(), kind.encode())
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), options.encode()))


def drop_capabilities() -> None:
    """All of this thread's, for good: a process without privileges gets none back by executing a file."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    syscall(number_of("capset"), ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def clone(namespaces: int) -> int:
    """``os.fork`` into new namespaces: 0 in the child, which has all capabilities there, else its pid."""
    api = ctypes.pythonapi
    number, flags = number_of("clone"), namespaces | int(signal.SIGCHLD)
    api.PyOS_BeforeFork()
    pid = int(_libc.syscall(*(ctypes.c_long(value) for value in (number, flags, 0, 0, 0, 0))))
    if pid == 0:
        if _TID_OFFSET:
            # The C library was not there to note the new thread id; it tells threads apart by it.
            ctypes.c_int.from_address(_libc.pthread_self() + _TID_OFFSET).value = threading.get_native_id()
        api.PyOS_AfterFork_Child()
    else:
        api.PyOS_AfterFork_Parent()
    return _checked(pid)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _tid_offset() -> int:
    """Where the C library keeps a thread's id, relative to ``pthread_self()``: the one place at which two
    threads both have theirs. 0 where it is not to be found."""
    found: list[set[int]] = []

    def search() -> None:
        words = (ctypes.c_int * (_STRUCT_PTHREAD // 4)).from_address(_libc.pthread_self())
        found.append({4 * i for i, word in enumerate(words) if word == threading.get_native_id()})

    search()
    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    both = found[0] & found[1]
    return both.pop() if len(both) == 1 else 0


_TID_OFFSET = _tid_offset() if platform.libc_ver()[0] == "glibc" else 0
