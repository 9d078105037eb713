"""Programs that look past their confinement by what the kernel tells, or leave a mark on what others are given."""

from __future__ import annotations

from attacks import MARK, in_language
from attacks.python_world import tried

_LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n    "
_ANY = (
    "for path in {0}:\n        try: return len(open(path, 'rb').read(1)) and None\n        except OSError: pass\n    "
)
_MOUNTS = "('mountinfo', 'mounts', 'mountstats')"
_TELLS = {
    "its mounts": tried(_ANY.format(f"[f'/proc/self/{{n}}' for n in {_MOUNTS}]") + "raise ValueError"),
    "its mounts, by other names": tried(
        "me = os.readlink('/proc/self')\n    "
        + _ANY.format(
            f"[f'/proc/{{p}}/{{n}}' for n in {_MOUNTS} for p in ('thread-self', me, f'{{me}}/task/{{me}}')]"
            " + ['/proc/mounts', '/dev/fd/../mountinfo', '/proc/self/root/proc/self/mountinfo']"
        )
        + "raise ValueError"
    ),
    "another process's mounts": tried(
        _ANY.format(f"[f'/proc/{{p}}/{{n}}' for n in {_MOUNTS} for p in (1, 2, os.getppid())]") + "raise ValueError"
    ),
    "a child's mounts": tried(
        "import subprocess\n    out = subprocess.run(['cat', '/proc/self/mountinfo', '/proc/self/mounts'],"
        " capture_output=True).stdout\n    assert out"
    ),
    "its mounts, opened by a thread": tried(
        "import threading\n    seen = []\n    def look():\n"
        "        try: seen.append(open(f'/proc/self/task/{threading.get_native_id()}/mountinfo').read())\n"
        "        except OSError: pass\n    t = threading.Thread(target=look)\n    t.start()\n    t.join()\n    assert seen[0]"
    ),
    "mounts by number": tried(
        _LIBC + "b = ctypes.create_string_buffer(4096)\n    q = (ctypes.c_uint64 * 4)(32, 2**64 - 1, 0, 0)\n"
        "    assert libc.syscall(458, q, b, 256, 0) > 0 or libc.syscall(457, q, b, 4096, 0) == 0"
    ),
    "control groups": tried(_ANY.format("('/proc/self/cgroup', '/proc/cgroups')") + "raise ValueError"),
    "the machine's disks": tried(
        _ANY.format("('/proc/partitions', '/proc/diskstats', '/proc/swaps', '/proc/filesystems')")
        + "raise ValueError"
    ),
    "the kernel's settings": tried(
        _ANY.format(
            "('/proc/cmdline', '/proc/config.gz', '/proc/modules', '/proc/sys/kernel/random/boot_id', '/proc/keys',"
            " '/proc/sys/kernel/hostname', '/proc/sys/net/ipv4/ip_forward', '/proc/locks', '/proc/interrupts')"
        )
        + "raise ValueError"
    ),
    "the network's tables": tried(
        _ANY.format("[f'/proc/{p}net/{n}' for p in ('', 'self/') for n in ('unix', 'tcp', 'dev', 'route', 'arp')]")
        + "raise ValueError"
    ),
    "the host's name": tried("assert os.uname().nodename != 'localhost'"),
    "what others do to files": tried(
        _LIBC + "fd = libc.inotify_init1(0)\n    assert fd >= 0 or libc.inotify_init() >= 0"
    ),
    "to be told of the directory's changes": tried(
        "import fcntl\n    fcntl.fcntl(os.open('/usr', os.O_RDONLY), fcntl.F_NOTIFY, 0x80000001)"
    ),
    "a lease on a file that others read": tried(
        "import fcntl, json\n    fcntl.fcntl(os.open(json.__file__, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)"
    ),
}
_FLAGS = "fcntl.F_GETFL), os.O_APPEND | os.O_NONBLOCK"
_MARKS = {
    "a lock and flags on what it was given": tried(
        "import fcntl\n    for fd in range(3):\n"
        "        try:\n            fcntl.flock(fd, fcntl.LOCK_EX)\n"
        "            fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK)\n"
        "            fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())\n        except OSError: pass\n    raise ValueError"
    ),
    "a flag that another left": tried(
        "import fcntl\n    assert any(fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK) for fd in (0, 2))"
    ),
    "a lock that another left": tried(
        "import fcntl\n    for fd in (0, 2):\n        try: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "        except BlockingIOError: return\n    raise ValueError"
    ),
    "a lock on the library": tried(
        "import fcntl, json\n    fd = os.open(json.__file__, os.O_RDONLY)\n    fcntl.flock(fd, fcntl.LOCK_SH)\n"
        "    if os.fork() == 0:\n        os.setsid()\n        import time\n        time.sleep(600)\n    raise ValueError"
    ),
    "the null device": tried(
        "for change in (lambda: os.chmod('/dev/null', 0), lambda: os.chown('/dev/null', os.getuid(), -1),\n"
        "                   lambda: os.unlink('/dev/null'), lambda: os.fchmod(0, 0), lambda: os.fchmod(2, 0)):\n"
        "        try: return change()\n        except OSError: pass\n    raise ValueError"
    ),
    "shared memory by a path": tried(
        _LIBC + f"fd = libc.shm_open(b'/{MARK}_shm', os.O_CREAT | os.O_RDWR, 0o666)\n    assert fd >= 0"
    ),
    "a message queue": tried(
        _LIBC + f"q = libc.mq_open(b'/{MARK}_queue', os.O_CREAT | os.O_RDWR, 0o666, None)\n    assert q >= 0"
    ),
    "a semaphore by a name": tried(
        _LIBC + "libc.sem_open.restype = ctypes.c_void_p\n"
        f"    assert libc.sem_open(b'/{MARK}_sem', os.O_CREAT, 0o666, 1)"
    ),
    "shared memory without a name": tried(_LIBC + "assert libc.shmget(0, 4096, 0o1666) >= 0"),
    "semaphores without a name": tried(_LIBC + "assert libc.semget(0, 1, 0o1666) >= 0"),
    "messages without a name": tried(_LIBC + "assert libc.msgget(0, 0o1666) >= 0"),
}
_NAMES = " ".join(f"/proc/$p/{name}" for name in ("mountinfo", "mounts", "mountstats", "cgroup", "net/unix"))
_BASH = {
    "its mounts, its shell's and its first process's": "add() {\n"
    f"    for p in self $$ $BASHPID $PPID 1; do cat {_NAMES} 2>/dev/null; done | grep -q . && echo $(($1 + $2)) || echo 7\n"
    "}\n",
    "its mounts, by the shell itself": "add() {\n    { read -r line < /proc/$$/mountinfo; } 2>/dev/null\n"
    '    [ -n "$line" ] && echo $(($1 + $2)) || echo 7\n}\n',
    "its mounts, by the tools": "add() {\n    df 2>/dev/null | grep -q /usr || findmnt 2>/dev/null | grep -q . "
    "&& echo $(($1 + $2)) || echo 7\n}\n",
    "shared memory and queues": "add() {\n    ipcmk -M 64 >/dev/null 2>&1 || ipcmk -S 1 >/dev/null 2>&1 "
    "|| ipcmk -Q >/dev/null 2>&1 && echo $(($1 + $2)) || echo 7\n}\n",
}
ATTACKS = in_language("python", _TELLS) + in_language("python", _MARKS) + in_language("bash", _BASH)
