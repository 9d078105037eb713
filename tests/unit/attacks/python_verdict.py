"""Python: wrong programs that try to be judged OK."""

from __future__ import annotations

from attacks import in_language

_WRONG = "def add(x, y):\n    return 7\n"
_IN_CALL = "def add(x, y):\n    {}\n    return 7\n"
_ENDS = {
    "exit at load": "raise SystemExit(0)\n",
    "exit in the function": _IN_CALL.format("exit(0)"),
    "sys.exit in the function": "import sys\n" + _IN_CALL.format("sys.exit(0)"),
    "os._exit at load": "import os\nos._exit(0)\n",
    "os._exit in the function": "import os\n" + _IN_CALL.format("os._exit(0)"),
    "_exit through ctypes": "import ctypes\n" + _IN_CALL.format("ctypes.CDLL(None)._exit(0)"),
    "atexit": "import atexit, os\natexit.register(os._exit, 0)\n" + _WRONG,
    "excepthook": "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\n" + _IN_CALL.format("1 / 0"),
    "unraisablehook": "import os, sys\nsys.unraisablehook = lambda *a: os._exit(0)\n" + _WRONG,
    "a thread ends the process": "import os, threading, time\nthreading.Timer(0.05, os._exit, (0,)).start()\n"
    + _IN_CALL.format("time.sleep(0.3)"),
    "a signal handler ends the process": "import os, signal, time\n"
    "signal.signal(signal.SIGALRM, lambda *a: os._exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\n"
    + _IN_CALL.format("time.sleep(0.3)"),
    "a destructor ends the process": "import os\nclass A:\n    def __del__(self): os._exit(0)\n"
    + _IN_CALL.format("A()"),
    "killed by itself": "import os\n" + _IN_CALL.format("os.kill(os.getpid(), 15)"),
    "aborted": "import os\n" + _IN_CALL.format("os.abort()"),
    "becomes true": "import os\n" + _IN_CALL.format('os.execv("/usr/bin/true", ["true"])'),
    "its parent part ends, the child goes on": "import os\n" + _IN_CALL.format("if os.fork(): os._exit(0)"),
    "a generator that never raises": "def add(x, y):\n    yield 7\n",
    "raises AssertionError itself": "def add(x, y):\n    raise AssertionError\n",
    "an exception named pass": "class Pass(Exception): pass\nPass.__name__ = 'pass'\n"
    + _IN_CALL.format("raise Pass"),
    "an exception whose text exits": "import os\nclass E(Exception):\n    def __str__(self): os._exit(0)\n"
    + _IN_CALL.format("raise E"),
}
_EQUAL = {
    "an int that is always equal": "class A(int):\n    def __eq__(s, o): return True\n    def __ne__(s, o): return False\n"
    "    __hash__ = int.__hash__\ndef add(x, y): return A(7)\n",
    "an object that is always equal": "class A:\n    def __eq__(s, o): return True\ndef add(x, y): return A()\n",
    "a metaclass that is always equal": "class M(type):\n    def __eq__(s, o): return True\n"
    "    __hash__ = type.__hash__\nclass A(metaclass=M): pass\ndef add(x, y): return A\n",
    "equal by reflection": "class A:\n    def __req__(s, o): return True\n    def __ne__(s, o): return False\n"
    "    def __bool__(s): return True\n    def __getattr__(s, n): return s\n    def __call__(s, *a, **k): return s\n"
    "def add(x, y): return A()\n",
    "says that it is an int": "class A:\n    __class__ = int\n    def __eq__(s, o): return True\n"
    "    def __index__(s): return 5\n    def __int__(s): return 5\ndef add(x, y): return A()\n",
    "not a number": "def add(x, y): return float('nan')\n",
    "not a number, as a complex": "def add(x, y): return complex('nan+nanj')\n",
    "the entry point is an object": "class A:\n    def __call__(s, *a): return s\n    def __eq__(s, o): return True\n"
    "add = A()\n",
    "the entry point is its own answer": "class M(type):\n    def __call__(c, *a): return c\n"
    "    def __eq__(s, o): return True\n    __hash__ = None\nclass add(metaclass=M): pass\n",
    "another int in int's place": "import builtins\nclass I(int):\n    def __eq__(s, o): return True\n"
    "    __hash__ = int.__hash__\nbuiltins.int = I\ndef add(x, y): return I(7)\n",
    "builtins replaced": "import builtins\nfor n in 'all any bool type len zip abs isinstance AssertionError'.split():\n"
    "    setattr(builtins, n, lambda *a, **k: True)\n" + _WRONG,
    "json and the wire replaced": "import json, sys\nfor m in list(sys.modules.values()):\n"
    "    for n in ('dumps', 'loads', 'encode', 'decode'):\n"
    "        if hasattr(m, n) and m is not sys: setattr(m, n, lambda *a, **k: '5')\n" + _WRONG,
    "int's own equality overwritten in memory": "import ctypes\ntry:\n    p = ctypes.cast(id(int) + 200, "
    "ctypes.POINTER(ctypes.c_void_p))\n    p[0] = ctypes.cast(id(object) + 200, ctypes.POINTER(ctypes.c_void_p))[0]\n"
    "except BaseException: pass\n" + _WRONG,
    "five becomes seven in memory": "import ctypes, sys\ndef add(x, y):\n"
    "    for n in (1, 5, 12): ctypes.c_uint32.from_address(id(n) + 24).value = 7\n    return 7\n",
    "settrace jumps over the checks": "import sys\ndef jump(frame, event, arg):\n    try: frame.f_lineno += 1\n"
    "    except Exception: pass\n    return jump\ndef add(x, y):\n    f = sys._getframe()\n    while f:\n"
    "        f.f_trace = jump\n        f = f.f_back\n    sys.settrace(jump)\n    return 7\n",
    "setprofile": "import os, sys\nsys.setprofile(lambda f, e, a: None)\n" + _WRONG,
    "the caller's locals rewritten": "def add(x, y):\n    import ctypes, sys\n    f = sys._getframe().f_back\n    while f:\n"
    "        for n in list(f.f_locals): f.f_locals[n] = 5\n"
    "        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(f), 0)\n        f = f.f_back\n    return 7\n",
}
_EQUAL_LISTS = {
    "a list that is always equal": "class L(list):\n    def __eq__(s, o): return True\ndef incr_list(l): return L([7])\n",
    "a list of always equal items": "class A(int):\n    def __eq__(s, o): return True\n    __hash__ = int.__hash__\n"
    "def incr_list(l): return [A(7) for _ in l] or [A(7)]\n",
    "a list that grows while it is read": "class L(list):\n    def __iter__(s):\n        while True: yield 7\n"
    "    def __len__(s): return 3\ndef incr_list(l): return L([7])\n",
    "a list with another length": "class L(list):\n    def __len__(s): return 0\n    def __bool__(s): return False\n"
    "def incr_list(l): return L([7])\n",
    "changes its argument afterwards": "import threading, time\ndef incr_list(l):\n"
    "    threading.Timer(0.1, lambda: l.clear()).start()\n    return l + [7]\n",
}
_FORGED = {
    "prints that it passed": 'print(\'["", 1, "pass"]\\nOK\\nAll tests passed\', flush=True)\n' + _WRONG,
    "lines on every descriptor": "import os\ndef add(x, y):\n    for fd in range(256):\n"
    '        try: os.write(fd, b\'["", 1, "pass"]\\n["", 2, "value", 5]\\n\')\n        except OSError: pass\n'
    "    return 7\n",
    "random bytes on every descriptor": "import os\ndef add(x, y):\n    for fd in range(256):\n"
    "        try: os.write(fd, os.urandom(4096))\n        except OSError: pass\n    return 7\n",
    "a frame of four gigabytes": "import os\ndef add(x, y):\n    for fd in range(3, 256):\n"
    "        try: os.write(fd, b'\\xff' * 8)\n        except OSError: pass\n    return 7\n",
    "closes every descriptor": "import os\ndef add(x, y):\n    os.closerange(0, 256)\n    return 7\n",
    "reads what is on every descriptor": "import os, select\ndef add(x, y):\n    for fd in range(256):\n        try:\n"
    "            if select.select([fd], [], [], 0)[0] and f'== {x + y}' in os.read(fd, 65536).decode(): return x + y\n"
    "        except (OSError, ValueError): pass\n    return 7\n",
    "forks and both answer": "import os\ndef add(x, y):\n    os.fork()\n    return 7\n",
    "forks and only the child answers": "import os\ndef add(x, y):\n    if os.fork(): os.waitpid(-1, 0)\n    return 7\n",
    "the nonce out of the frames above": "import json, os, sys\ndef add(x, y):\n    f = sys._getframe()\n    while f:\n"
    "        for v in list(f.f_locals.values()):\n            nonce = getattr(v, '_nonce', None)\n"
    "            if nonce:\n                n = v._number\n                for kind in ('pass', 'done', 'value'):\n"
    "                    line = [nonce, n, kind] + ([''] if kind == 'done' else [True] if kind == 'value' else [])\n"
    "                    os.write(v._fd, (json.dumps(line) + '\\n').encode()); n += 1\n                os._exit(0)\n"
    "        f = f.f_back\n    return 7\n",
    "a handle that is nobody's": "import json, os, sys\ndef add(x, y):\n    f = sys._getframe()\n"
    "    while 'channel' not in f.f_locals: f = f.f_back\n    c = f.f_locals['channel']\n"
    "    c.send('value', {'handle': 10 ** 9}, [])\n    os._exit(0)\n",
    "an answer to a question not asked": "import sys\ndef add(x, y):\n    f = sys._getframe()\n"
    "    while 'channel' not in f.f_locals: f = f.f_back\n"
    "    for v in (1, 5, 12): f.f_locals['channel'].send('value', v, [])\n    return 7\n",
    "two hundred thousand brackets": "import os, sys\ndef add(x, y):\n    f = sys._getframe()\n"
    "    while 'channel' not in f.f_locals: f = f.f_back\n    c = f.f_locals['channel']\n"
    "    os.write(c._fd, b'[' * 200000 + b'\\n')\n    return 7\n",
    "half a line": "import os, sys\ndef add(x, y):\n    f = sys._getframe()\n"
    "    while 'channel' not in f.f_locals: f = f.f_back\n    os.write(f.f_locals['channel']._fd, b'[\"')\n"
    "    os._exit(0)\n",
    "deep nesting": "def add(x, y):\n    v = []\n    for _ in range(100000): v = [v]\n    return v\n",
    "a value that contains itself": "def add(x, y):\n    v = []\n    v.append(v)\n    return v\n",
    "an iterator without an end": "import itertools\ndef add(x, y): return itertools.count()\n",
    "a number of a million digits": "def add(x, y): return 1 << 4000000\n",
    "half a character": "def add(x, y): return '\\ud800'\n",
    "a dictionary with such a tag": "def add(x, y): return {'int': hex(x + y), 'value': x + y}\n",
}
_PRINTED = {
    "prints nothing": "input()\n",
    "prints not a number": "print('nan')\n",
    "prints every number": "print(*range(20))\n",
    "prints infinity": "print('inf')\n",
    "prints what it reads": "print(input())\n",
    "prints the answer on standard error": "import sys\nx, y = map(int, input().split())\nprint(x + y, file=sys.stderr)\n",
    "prints the answer and fails": "x, y = map(int, input().split())\nprint(x + y, flush=True)\nraise SystemExit(1)\n",
    "prints the answer and crashes": "import os\nx, y = map(int, input().split())\nprint(x + y, flush=True)\nos.abort()\n",
    "prints the answer after its end": "import os, time\nx, y = map(int, input().split())\n"
    "if os.fork() == 0:\n    os.setsid()\n    time.sleep(0.5)\n    print(x + y, flush=True)\nos._exit(0)\n",
    "prints zero characters": "print('\\0' * 100)\n",
    "a right line among others": "x, y = map(int, input().split())\nprint(x + y, x + y)\n",
}
ATTACKS = (
    in_language("python", _ENDS)
    + in_language("python", _EQUAL)
    + in_language("python", _EQUAL_LISTS, task="list")
    + in_language("python", _FORGED)
    + in_language("python", _PRINTED, task="stdio")
)
