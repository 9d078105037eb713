"""Python: main programs that use what an interpreter gives a main program."""

from __future__ import annotations

PROGRAMS = {
    "arguments": "import sys\nprint(sys.argv, len(sys.orig_argv), sys.argv is not None)",
    "argparse": "import argparse\np = argparse.ArgumentParser()\np.add_argument('files', nargs='*')\n"
    "print(p.parse_args(), p.prog)",
    "its file": "import os\nprint(os.path.basename(__file__), os.path.isabs(__file__), len(open(__file__).read()))",
    "its name": "import sys\n"
    "print(__name__, sys.modules['__main__'].__dict__ is globals(), __spec__, __doc__, __package__)",
    "its names": "print(sorted(globals()), __builtins__.len)",
    "its path": "import os, sys\n"
    "print(os.path.dirname(__file__) == sys.path[0] == os.getcwd(), 'program.py' in os.listdir('.'))",
    "import __main__": "import __main__\nx = 5\n"
    "print(__main__.x, __main__.__loader__.get_filename('__main__') == __file__)",
    "imports itself": "import program\nprint(__name__)",
    "modules": "import sys\n"
    "print([m for m in sys.modules if m.split('.')[0] in ('child', 'candidate', 'frames', "
    "'wire', 'tester', 'program')], any('child' in p for p in sys.path))",
    "future": "from __future__ import annotations\ndef f(x: nothing): return 1\nprint(f.__annotations__, f(2))",
    "no future": "def f(x: int): return 1\nprint(f.__annotations__)",
    "annotations": "x: int = 3\nprint(__annotations__)",
    "docstring": "'''About.'''\nprint(__doc__)",
    "exit": "print('a')\nexit()\nprint('b')",
    "exit 0": "print('a')\nexit(0)",
    "exit 2": "print('a')\nexit(2)",
    "quit": "def f():\n    print('a', end='')\n    quit()\nf()",
    "sys.exit with words": "import sys\nprint('a')\nsys.exit('words')",
    "sys.exit True": "import sys\nprint('a')\nsys.exit(True)",
    "sys.exit 256": "import sys\nprint('a')\nsys.exit(256)",
    "exit in finally": "try:\n    exit(3)\nfinally:\n    print('x')\n    exit(0)",
    "os._exit 0": "import os\nprint('a', flush=True)\nos._exit(0)",
    "os._exit 0 without a flush": "import os\nprint('a')\nos._exit(0)",
    "os._exit 4": "import os\nprint('a', flush=True)\nos._exit(4)",
    "site's names": "print(callable(copyright), callable(credits), callable(license), callable(help))\n"
    "print(exit, quit)",
    "help": "def f():\n    'Does it.'\nhelp(f)",
    "uncaught": "print('a')\nraise ValueError('no')",
    "uncaught with a hook": (
        "import sys\nsys.excepthook = lambda *a: print(a[0].__name__, a[2].tb_frame.f_code.co_name)\n1 / 0"
    ),
    "traceback": "import traceback\ndef f(): 1 / 0\ntry:\n    f()\nexcept ZeroDivisionError:\n"
    "    print(traceback.format_exc().count('\\n'), 'def f(): 1 / 0' in traceback.format_exc())",
    "source": "import inspect\ndef f(x):\n    return x + 1\nclass A:\n    y = 1\n"
    "print(inspect.getsource(f) + inspect.getsource(A))",
    "pickle": "import pickle\nclass P:\n    def __init__(s, a): s.a = a\n"
    "print(pickle.loads(pickle.dumps(P(3))).a, P.__module__)",
    "deepcopy and dataclass": "import copy, dataclasses\n@dataclasses.dataclass(order=True)\nclass P:\n    a: int\n"
    "    b: 'list' = dataclasses.field(default_factory=list)\nprint(copy.deepcopy(P(1)), P(1) < P(2))",
    "type hints": "import typing\nclass A:\n    x: 'B'\nclass B: pass\nprint(typing.get_type_hints(A)['x'] is B)",
    "fileinput": "import fileinput\nfor line in fileinput.input():\n    print(fileinput.lineno(), line, end='')",
    "fileinput of no arguments": (
        "import fileinput\nprint([l.rstrip() for l in fileinput.input(files=('-',))], fileinput.filename())"
    ),
    "input and prompt": "a = input('name? ')\nb = input()\nprint(a, b)",
    "input to its end": "try:\n    while True: print(input())\nexcept EOFError: print('end')",
    "readlines": "import sys\nprint(sys.stdin.readline(), sys.stdin.readlines())",
    "iteration": "import sys\nfor i, l in enumerate(sys.stdin): print(i, repr(l))",
    "buffer": "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read().upper())",
    "buffered and not": "import sys\nprint('a')\nsys.stdout.flush()\nsys.stdout.buffer.write(b'b\\n')\nprint('c')",
    "out of order as there": "import os\nprint('a')\nos.write(1, b'b\\n')\nprint('c')",
    "os.read": "import os\nprint(os.read(0, 5), os.read(0, 1000), os.read(0, 5))",
    "os.fstat": "import os, io\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size or 1000)).readline\nprint(input())",
    "open(0)": "print([*map(int, open(0).read().split()[:2])])",
    "open(0, rb)": "with open(0, 'rb') as f: print(f.read())",
    "open /dev/stdin": "print(open('/dev/stdin').read())",
    "open /dev/stdout": "with open('/dev/stdout', 'w') as f: f.write('hello\\n')",
    "descriptors": "import sys\n"
    "print(sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno(), sys.__stdin__ is sys.stdin)",
    "names": "import sys\nprint(sys.stdin.name, sys.stdout.name, sys.stderr.name, sys.stdin.mode, sys.stdout.mode)",
    "encodings": "import sys\n"
    "print(sys.stdin.encoding, sys.stdin.errors, sys.stdout.errors, sys.stderr.errors, "
    "sys.stdout.newlines)",
    "terminals": "import os, sys\n"
    "print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stdout.line_buffering, sys.stdout.writable())",
    "reconfigure": "import sys\nsys.stdout.reconfigure(encoding='latin-1', newline='\\r\\n')\nprint('é')",
    "reads in another encoding": "import sys\nsys.stdin.reconfigure(encoding='latin-1')\nprint(sys.stdin.read())",
    "a seek": "import sys\nprint(len(sys.stdin.read()))\nsys.stdin.seek(0)\nprint(len(sys.stdin.read()))",
    "closes stdin": "import sys\nsys.stdin.close()\nprint(1)",
    "closes stdout": "import sys\nprint(1)\nsys.stdout.close()",
    "closes descriptor 1": "import os\nprint(1)\nos.close(1)",
    "closes descriptor 1 afterwards": "import os\nprint(1, flush=True)\nos.close(1)",
    "no stdout": "import sys\nprint(1, flush=True)\nsys.stdout = None\nprint(2)",
    "own stdout": "import io, sys\nsys.stdout = io.StringIO()\nprint(1)\ns = sys.stdout.getvalue()\n"
    "sys.stdout = sys.__stdout__\nprint(s)",
    "own stdout, never put back": "import io, sys\nprint('before')\nsys.stdout = io.StringIO()\nprint(1)",
    "own stdout of two methods": "import sys\nclass Out:\n    def write(s, t): sys.__stdout__.write(t.upper())\n"
    "    def flush(s): pass\nsys.stdout = Out()\nprint('abc')",
    "own stdout without flush": (
        "import sys\nclass Out:\n    def write(s, t): sys.__stdout__.write(t.upper())\nsys.stdout = Out()\n"
        "print('a')"
    ),
    "wrapped stdout": (
        "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'utf-8', write_through=False)\n"
        "print('ü')"
    ),
    "a file nobody closed": "out = open(1, 'w', closefd=False)\nout.write('left in a buffer')",
    "fdopen": "import os\nout = os.fdopen(1, 'w')\nout.write('x' * 100000)",
    "detach": "import sys\nout = sys.stdout.detach()\nout.write(b'raw')\nout.flush()",
    "atexit": "import atexit\natexit.register(print, 'last')\n@atexit.register\ndef f(): print('first')\n"
    "print('now')",
    "atexit after exit": "import atexit, sys\natexit.register(print, 'last')\nsys.exit(0)",
    "atexit that fails": "import atexit\natexit.register(lambda: 1 / 0)\nprint('a')",
    "atexit that exits": (
        "import atexit, os, sys\natexit.register(lambda: (sys.stdout.flush(), os._exit(6)))\nprint('a')"
    ),
    "destructor": "class A:\n    def __del__(s): print('gone')\na = A()\nprint('here')",
    "weakref.finalize": "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'gone')",
    "thread": "import threading, time\ndef f():\n    time.sleep(0.05)\n    print('thread')\n"
    "threading.Thread(target=f).start()\nprint('main')",
    "daemon": "import threading, time\ndef f():\n    time.sleep(5)\n    print('thread')\n"
    "threading.Thread(target=f, daemon=True).start()\nprint('main')",
    "thread that fails": "import threading\nthreading.Thread(target=lambda: 1 / 0).start()\nprint('main')",
    "deep thread": "import sys, threading\nsys.setrecursionlimit(1 << 20)\nthreading.stack_size(64 << 20)\n"
    "def f(n): return n and 1 + f(n - 1)\nt = threading.Thread(target=lambda: print(f(20000)))\n"
    "t.start()\nt.join()",
    "main thread": "import threading\n"
    "print(threading.current_thread() is threading.main_thread(), threading.active_count())",
    "pool of threads": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(4) as p: print(list(p.map(abs, range(-9, 0))))",
    "asyncio": "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 5\nprint(asyncio.run(f()))",
    "recursion as deep as there": (
        "def f(n): return n and 1 + f(n - 1)\nprint(f(900))\ndef g(n):\n    try: return g(n + 1)\n"
        "    except RecursionError: return n\nprint(g(0))"
    ),
    "recursion too deep": "def f(n): return 1 + f(n + 1)\nf(0)",
    "signals": "import signal\nprint(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))\n"
    "signal.signal(signal.SIGALRM, lambda *a: print('alarm'))\nsignal.raise_signal(signal.SIGALRM)",
    "setitimer": "import signal, time\nsignal.signal(signal.SIGALRM, lambda *a: print('alarm'))\n"
    "signal.setitimer(signal.ITIMER_REAL, 0.05)\ntime.sleep(0.3)",
    "fork": "import os\nif os.fork() == 0:\n    print('child')\nelse:\n    os.wait()\n    print('parent')",
    "fork that exits": "import os, sys\nif os.fork() == 0: sys.exit(3)\nprint(os.wstatus_to_exitcode(os.wait()[1]))",
    "subprocess": "import subprocess\nprint(subprocess.run(['cat'], stdin=0, capture_output=True, text=True).stdout)",
    "hash": "print(hash('abc'), {'a', 'b', 'c', 'd'}, list({'x', 'y'}))",
    "flags": "import sys\n"
    "print(sys.flags.optimize, sys.flags.interactive, sys.flags.ignore_environment, "
    "sys.getdefaultencoding(), __debug__)",
    "encoding cookie": "# -*- coding: latin-1 -*-\nprint('é')",
    "utf-8 cookie": "#!/usr/bin/env python3\n# coding: utf-8\nprint('é, 字')",
    "no such encoding": "# coding: nothing-at-all\nprint(1)",
    "byte order mark": "\ufeffprint('é')",
    "windows lines": "if True:\r\n    print('a')\r\nprint('''b\r\nc''')\r\n",
    "tabs": "if True:\n\tprint(1)\n\tif True:\n\t\tprint(2)",
    "form feed": "\x0c\nprint(1)\n\x0c\nprint(2)",
    "tabs and spaces": "if True:\n\tprint(1)\n        print(2)",
    "surrogates": "import sys\nprint(ascii(sys.stdin.buffer.read()))\nprint('\\udcff')",
    "sys.stdout.write": "import sys\nprint(sys.stdout.write('abc'))",
    "locals at the top": "print(locals() is globals())\nexec('y = 3')\nprint(y)",
    "own module file": "open('helper.py', 'w').write('x = 41')\nimport helper\nprint(helper.x + 1, helper.__name__)",
    "runpy": "import runpy\nopen('other.py', 'w').write('print(__name__, 5)')\n"
    "runpy.run_path('other.py', run_name='__main__')",
    "gc": "import gc\nprint(gc.isenabled(), gc.get_threshold())",
    "warnings": "import warnings\nwarnings.warn('x')\nprint('is' is 'is')",
    "code module": "import code\ncode.InteractiveInterpreter().runsource('print(6)')",
    "logging": "import logging, sys\n"
    "logging.basicConfig(stream=sys.stdout, level=10, format='%(levelname)s %(module)s %(message)s')\n"
    "logging.info('hi')",
    "decimal context": "from decimal import *\nprint(getcontext(), Decimal(1) / 3)",
    "int digits": "print(len(str(10 ** 4000)))\ntry: str(10 ** 5000)\nexcept ValueError as e: print(e)",
    "unittest": "import unittest\nclass T(unittest.TestCase):\n    def test(s): s.assertEqual(1, 1)\n"
    "unittest.main(exit=False, argv=['x'])\nprint('done')",
    "doctest": "import doctest\ndef f():\n    '''\n    >>> f()\n    3\n    '''\n    return 3\n"
    "print(doctest.testmod())",
}  # fmt: skip
#: Of several processes, which need more of their sandbox.
PROCESSES = {
    "process": "import multiprocessing as mp\ndef f(x): print(x * x, flush=True)\nif __name__ == '__main__':\n"
    "    p = mp.Process(target=f, args=(5,))\n    p.start()\n    p.join()\n    print(p.exitcode)",
    "queue": "import multiprocessing as mp\ndef f(q): q.put([1, 2])\nif __name__ == '__main__':\n"
    "    q = mp.Queue()\n    p = mp.Process(target=f, args=(q,))\n    p.start()\n    print(q.get())\n"
    "    p.join()",
    "pool": "from multiprocessing import Pool\ndef f(x): return x * x\nif __name__ == '__main__':\n"
    "    with Pool(3) as p: print(p.map(f, range(10)))",
    "executor": "from concurrent.futures import ProcessPoolExecutor as E\ndef f(x): return x + 1\n"
    "if __name__ == '__main__':\n    with E(2) as e: print(list(e.map(f, range(5))))",
    "value and lock": "import multiprocessing as mp\ndef f(v):\n    with v.get_lock(): v.value += 1\n"
    "if __name__ == '__main__':\n    v = mp.Value('i', 0)\n"
    "    ps = [mp.Process(target=f, args=(v,)) for _ in range(4)]\n    [p.start() for p in ps]\n"
    "    [p.join() for p in ps]\n    print(v.value)",
    "pipe": "import multiprocessing as mp\ndef f(c): c.send({'a': 1})\nif __name__ == '__main__':\n"
    "    a, b = mp.Pipe()\n    p = mp.Process(target=f, args=(b,))\n    p.start()\n"
    "    print(a.recv())\n    p.join()",
    "spawn": "import multiprocessing as mp\ndef f(x): print(x * x, flush=True)\nif __name__ == '__main__':\n"
    "    p = mp.get_context('spawn').Process(target=f, args=(5,))\n    p.start()\n    p.join()\n"
    "    print(p.exitcode)",
}  # fmt: skip
#: Those that end with an exit status other than 0, and have to be judged so.
FAILING = (
    "exit 2", "sys.exit with words", "sys.exit True", "os._exit 4", "uncaught", "uncaught with a hook",
    "closes descriptor 1", "own stdout without flush", "detach", "atexit that exits", "recursion too deep",
    "fork that exits", "no such encoding", "tabs and spaces",
)  # fmt: skip
