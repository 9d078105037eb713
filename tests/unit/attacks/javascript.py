"""JavaScript: what runs beside the program answers calls, and knows no expected value."""

from __future__ import annotations

from attacks import MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, SOCKET, in_language

_WRONG = "function add(x, y) {\n  return 7;\n}\n"


def _with(before: str = "", statement: str = "") -> str:
    """A statement that may fail, in a function that answers wrongly."""
    return f"{before}\nfunction add(x, y) {{\n  try {{ {statement} }} catch (e) {{ }}\n  return 7;\n}}\n"


_ENDS = {
    "exit at load": "process.exit(0);\n",
    "exit in the function": _with("", "process.exit(0);"),
    "really exits": _with("", "process.reallyExit(0);"),
    "exit in an exit handler": "process.on('exit', () => process.reallyExit(0));\n" + _WRONG,
    "exit code set": "process.exitCode = 0;\nObject.defineProperty(process, 'exitCode', {get: () => 0, set() {}});\n"
    + _WRONG,
    "errors swallowed": "process.on('uncaughtException', () => process.exit(0));\nfunction add() { throw 1; }\n",
    "kills itself": _with("", "process.kill(process.pid, 'SIGKILL');"),
    "ends in a signal handler": "process.on('SIGTERM', () => process.exit(0));\n"
    + _with("", "process.kill(process.pid, 'SIGTERM');"),
    "aborts": _with("", "process.abort();"),
    "becomes another": _with("", "require('child_process').execFileSync('sh', ['-c', 'kill -9 $PPID']);"),
    "a worker ends the process": _with(
        "",
        "new (require('worker_threads').Worker)('process.kill(process.pid, 9)', {eval: true}); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);",
    ),
    "throws nothing": "function add(x, y) { throw undefined; }\n",
    "throws what has no text": "function add(x, y) { throw {get name() { process.exit(0); }, get message() { process.exit(0); }}; }\n",
    "throws a proxy": "function add(x, y) { throw new Proxy({}, {get() { process.reallyExit(0); }}); }\n",
    "overflows the stack": "function add(x, y) { return add(y, x) + 1; }\n",
    "a promise": "async function add(x, y) { return 7; }\n",
    "returns nothing": "function add(x, y) { }\n",
}
_PATCHED = {
    "assert.deepEqual replaced": "require('node:assert').deepEqual = () => {};\nrequire('assert').deepEqual = () => {};\n"
    + _WRONG,
    "the cache of modules replaced": "const m = require('module');\nm._load = () => new Proxy(() => {}, {get: () => () => {}});\n"
    + _WRONG,
    "require replaced": "require = () => ({deepEqual() {}, writeSync() {}});\nglobalThis.require = require;\n"
    + _WRONG,
    "JSON replaced": "JSON.stringify = () => '5';\nJSON.parse = () => 5;\n" + _WRONG,
    "arrays replaced": "Array.isArray = () => true;\nArray.prototype.toJSON = () => 5;\nArray.prototype.map = () => [5];\n"
    "globalThis.Array = new Proxy(Array, {construct: () => [5]});\n" + _WRONG,
    "numbers replaced": "Number.prototype.toJSON = () => 5;\nNumber.prototype.valueOf = () => 5;\nNumber.prototype.toString = () => '5';\n"
    + _WRONG,
    "objects replaced": "Object.keys = () => [];\nObject.is = () => true;\nObject.hasOwn = () => true;\nObject.defineProperty = (o) => o;\n"
    + _WRONG,
    "every prototype patched": "for (const c of [Object, Array, String, Number, Function, Buffer, Uint8Array, Map, Set, RegExp])\n"
    "  for (const n of Object.getOwnPropertyNames(c.prototype))\n    try { if (n !== 'constructor') c.prototype[n] = () => 5; } catch (e) {}\n"
    + _WRONG,
    "a property of every object": "Object.prototype.value = 5;\nObject.prototype.toJSON = () => 5;\nObject.prototype.writable = true;\n"
    "Object.defineProperty(Object.prototype, 'int', {get: () => '0x5', configurable: true});\n" + _WRONG,
    "fs.writeSync replaced": "const fs = require('fs');\nconst w = fs.writeSync;\n"
    "fs.writeSync = (fd, b, ...r) => w(fd, Buffer.from(String(b).replace('7', '5')));\nfs.write = fs.writeFileSync = fs.writeSync;\n"
    + _WRONG,
    "the binding beneath fs": "try { const b = process.binding('fs');\n"
    "  const w = b.writeBuffer; b.writeBuffer = (fd, x, ...r) => { const i = x.indexOf(55); if (i >= 0) x[i] = 53; return w(fd, x, ...r); };\n"
    "  b.writeString = b.writeBuffer; } catch (e) {}\n" + _WRONG,
    "Buffer replaced": "Buffer.from = () => Buffer.alloc(0);\nglobalThis.Buffer = undefined;\n" + _WRONG,
    "Reflect and Proxy replaced": "Reflect.apply = () => 5;\nglobalThis.Proxy = Object;\nFunction.prototype.call = Function.prototype.apply = function () { return 5; };\n"
    + _WRONG,
    "symbols patched": "Object.prototype[Symbol.toPrimitive] = () => 5;\nNumber.prototype[Symbol.toPrimitive] = () => 5;\nObject.prototype[Symbol.toStringTag] = 'Object';\n"
    + _WRONG,
    "process replaced": "globalThis.process = {exit() {}, on() {}, reallyExit() {}};\n" + _WRONG,
    "iterators patched": "Array.prototype[Symbol.iterator] = function* () { yield 5; };\n" + _WRONG,
    "the function's name declared twice": "var add = () => 7;\nvar add = undefined;\n",
    "the end of the wrapper": "}); process.exit(0); (function () {\n",
    "a comment that is not closed": "function add(x, y) { return 7; }\n/*",
    "a return at the top": "function add(x, y) { return 7; }\nreturn;\n",
    "strict arguments": "'use strict';\nfunction add(x, y) { return arguments.callee.caller.arguments; }\n",
}
_EQUAL = {
    "an object with a value": "function add(x, y) { return {valueOf() { return x + y; }, toString() { return String(x + y); }}; }\n",
    "an object with a JSON form": "function add(x, y) { return {toJSON() { return x + y; }}; }\n",
    "a boxed number": "function add(x, y) { return new Number(7); }\n",
    "a proxy of a number": "function add(x, y) { return new Proxy({}, {get: (t, k) => k === Symbol.toPrimitive ? () => x + y : undefined, getPrototypeOf: () => Number.prototype}); }\n",
    "not a number": "function add(x, y) { return NaN; }\n",
    "an array of one": "function add(x, y) { return [x + y]; }\n",
    "a tag of the wire": "function add(x, y) { return {int: '0x' + (x + y).toString(16)}; }\n",
    "a symbol": "function add(x, y) { return Symbol.for('5'); }\n",
    "a function": "function add(x, y) { return () => x + y; }\n",
}
_EQUAL_LISTS = {
    "a proxy that says what it is asked": "function incr_list(l) { return new Proxy([], {get: (t, k) => k === 'length' ? 0 : 7, has: () => true}); }\n",
    "an array with holes": "function incr_list(l) { const r = []; r.length = l.length; return r; }\n",
    "an array with another length": "class L extends Array { get length() { return 0; } }\nfunction incr_list(l) { return L.from([7]); }\n",
    "a getter that changes its mind": "function incr_list(l) { let n = 0; const r = [];\n  Object.defineProperty(r, 0, {get: () => n++, enumerable: true}); return r; }\n",
    "an object like an array": "function incr_list(l) { const r = {length: l.length};\n  l.forEach((v, i) => r[i] = v + 1); return r; }\n",
    "changes its argument": "function incr_list(l) { setTimeout(() => l.length = 0); l.push(7); return l; }\n",
}
_FORGED = {
    "prints that it passed": 'console.log(\'["", 1, "value", 5]\\nOK\');\n' + _WRONG,
    "lines on every descriptor": _with(
        "const fs = require('fs');",
        'for (let i = 0; i < 64; i++) try { fs.writeSync(i, \'["",1,"value",5]\\n\'); } catch (e) {}',
    ),
    "random bytes on every descriptor": _with(
        "const fs = require('fs');",
        "for (let i = 0; i < 64; i++) try { fs.writeSync(i, require('crypto').randomBytes(4096)); } catch (e) {}",
    ),
    "closes every descriptor": _with(
        "const fs = require('fs');", "for (let i = 0; i < 64; i++) try { fs.closeSync(i); } catch (e) {}"
    ),
    "the nonce out of calls.json": "const fs = require('fs');\nconst {nonce, calls} = JSON.parse(fs.readFileSync('calls.json'));\n"
    "let n = 1;\nconst send = (...r) => fs.writeSync(3, JSON.stringify([nonce, n++, ...r]) + '\\n');\n"
    "send('ready'); calls.forEach(() => send('pass')); send('done'); process.reallyExit(0);\n",
    "the nonce and wrong values": "const fs = require('fs');\nconst {nonce, calls} = JSON.parse(fs.readFileSync('calls.json'));\n"
    "let n = 1;\nconst send = (...r) => fs.writeSync(3, JSON.stringify([nonce, n++, ...r]) + '\\n');\n"
    "send('ready'); calls.forEach(() => send('value', 7)); send('done'); process.reallyExit(0);\n",
    "the nonce and no calls": "const fs = require('fs');\nconst {nonce} = JSON.parse(fs.readFileSync('calls.json'));\n"
    "fs.writeSync(3, JSON.stringify([nonce, 1, 'ready']) + '\\n' + JSON.stringify([nonce, 2, 'done']) + '\\n'); process.reallyExit(0);\n",
    "no calls left": "const fs = require('fs');\nfs.writeFileSync('calls.json', JSON.stringify({nonce: '', entry: 'add', calls: []}));\n"
    + _WRONG,
    "half a line": "require('fs').writeSync(3, '[\"');\nprocess.reallyExit(0);\n",
    "deep nesting": "function add(x, y) { let v = []; for (let i = 0; i < 100000; i++) v = [v]; return v; }\n",
    "a value that contains itself": "function add(x, y) { const v = []; v.push(v); return v; }\n",
    "half a character": "function add(x, y) { return '\\ud800'; }\n",
    "a big number": "function add(x, y) { return 1n << 1000000n; }\n",
}
_WORLD = {
    "the shadow file": _with("", "require('fs').readFileSync('/etc/shadow'); return x + y;"),
    "a file of the host": _with("", f"require('fs').readFileSync('{SECRET_FILE}'); return x + y;"),
    "the host's environment": _with(
        "const fs = require('fs');",
        f"if (process.env.{SECRET_NAME}) return x + y; for (const p of fs.readdirSync('/proc')) try {{ if (fs.readFileSync('/proc/' + p + '/environ', 'utf8').includes('{SECRET_NAME}')) return x + y; }} catch (e) {{}}",
    ),
    "tests in a file of the working directory": _with(
        "const fs = require('fs');",
        "for (const f of fs.readdirSync('.')) if (fs.readFileSync(f, 'utf8').includes('deepEqual(candidate' + '(2')) return x + y;",
    ),
    "expected values in calls.json": _with(
        "", "if ('expected' in JSON.parse(require('fs').readFileSync('calls.json'))) return x + y;"
    ),
    "TCP to the host": _with(
        "",
        f"require('child_process').execFileSync('bash', ['-c', 'echo x > /dev/tcp/127.0.0.1/{PORT}']); return x + y;",
    ),
    "UDP to the host": _with(
        "",
        f"require('dgram').createSocket('udp4').send('x', {PORT}, '127.0.0.1'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);",
    ),
    "a unix socket of the host": _with(
        "",
        f"require('net').connect('/tmp/{SOCKET}').write('x'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);",
    ),
    "files wherever it may": _with(
        "const fs = require('fs');",
        f"for (const d of ['.', '/tmp', '/dev/shm', '/var/tmp', '']) try {{ fs.writeFileSync(d + '/{MARK}_js', 'x'); }} catch (e) {{}}",
    ),
    "links out of its directory": _with(
        "const fs = require('fs');",
        f"fs.symlinkSync('/etc/passwd', '{MARK}_link'); fs.unlinkSync('calls.json'); fs.symlinkSync('/dev/zero', 'calls.json');",
    ),
    "a process that stays": _with(
        "", f"require('child_process').spawn('sleep', ['{SLEEP}'], {{detached: true, stdio: 'ignore'}}).unref();"
    ),
    "kills all that it may": _with("", "require('child_process').execSync('kill -9 -1');"),
    "kills its parent": _with("", "process.kill(process.ppid, 9); process.kill(1, 9);"),
    "a debugger": _with("", "require('inspector').open(9229, '0.0.0.0');"),
}
_SLOW = {
    "memory bomb": "function add(x, y) { const v = []; while (true) v.push(new Array(1 << 16).fill(x)); }\n",
    "memory beside the heap": "function add(x, y) { const v = []; while (true) v.push(Buffer.alloc(1 << 24, 1)); }\n",
    "busy for ever": "function add(x, y) { while (true); }\n",
    "busy in C": "function add(x, y) { return /(a+)+$/.test('a'.repeat(60) + 'b'); }\n",
    "asleep for ever": "function add(x, y) { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }\n",
    "output without end": "function add(x, y) { const s = 'x'.repeat(65536); while (true) require('fs').writeSync(1, s); }\n",
    "answers without end": "function add(x, y) { const s = 'x'.repeat(65536); while (true) require('fs').writeSync(3, s); }\n",
    "a list without end": "function add(x, y) { return new Proxy([], {get: (t, k) => k === 'length' ? 1e15 : 7, getOwnPropertyDescriptor: () => ({value: 7, configurable: true, enumerable: true})}); }\n",
    "fork bomb": "function add(x, y) { const c = require('child_process'); while (true) try { c.spawn('sh', ['-c', 'sh -c \"while :; do :; done\" & sh -c \"while :; do :; done\"'], {detached: true}); } catch (e) {} }\n",
    "workers": "function add(x, y) { const {Worker} = require('worker_threads'); while (true) new Worker('while (true);', {eval: true}); }\n",
}
ATTACKS = (
    in_language("javascript", _ENDS)
    + in_language("javascript", _PATCHED, compiles=False)
    + in_language("javascript", _EQUAL)
    + in_language("javascript", _EQUAL_LISTS, task="list")
    + in_language("javascript", _FORGED)
    + in_language("javascript", _WORLD)
    + in_language("javascript", _SLOW, slow=True)
)
