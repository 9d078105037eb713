"""TypeScript: what can be tried at the type checker, and again what JavaScript can do when it runs."""

from __future__ import annotations

from attacks import MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, in_language

_WRONG = "function add(x: number, y: number): number {\n  return 7;\n}\n"
_NODE = "declare var require: any;\ndeclare var process: any;\ndeclare var Buffer: any;\n"


def _with(statement: str, before: str = "") -> str:
    return f"{_NODE}{before}\nfunction add(x: number, y: number): number {{\n  try {{ {statement} }} catch (e) {{ }}\n  return 7;\n}}\n"


_ENDS = {
    "exit at load": _NODE + "process.exit(0);\n" + _WRONG,
    "exit in the function": _with("process.exit(0);"),
    "really exits": _with("process.reallyExit(0);"),
    "exit in an exit handler": _NODE + "process.on('exit', () => process.reallyExit(0));\n" + _WRONG,
    "exit in a static block": _NODE + "class A { static { process.reallyExit(0); } }\n" + _WRONG,
    "exit in a decorator": _NODE + "enum E { A = process.exit(0) }\n" + _WRONG,
    "throws what has no text": _NODE
    + "function add(x: number, y: number): number { throw {get message() { process.exit(0); return ''; }}; }\n",
    "kills itself": _with("process.kill(process.pid, 9);"),
}
_TYPES = {
    "any in a number's place": "function add(x: any, y: any): any { return {valueOf: () => x + y, toString: () => `${x + y}`}; }\n",
    "a lie about a type": "function add(x: number, y: number): number { return <any>'7'; }\n",
    "unknown, then number": "function add(x: number, y: number): number { return [x + y] as unknown as number; }\n",
    "no check of the file": "// @ts-nocheck\nfunction add(x, y) { return 'seven'; }\nlet oops: number = 'x';\n",
    "errors ignored": "function add(x: number, y: number): number {\n  // @ts-ignore\n  return 'seven';\n}\n",
    "errors expected": "function add(x: number, y: number): number {\n  // @ts-expect-error\n  return 'seven';\n}\n",
    "never": "function add(x: number, y: number): never { throw 7; }\n",
    "an assertion function": "declare var require: any;\nrequire('node:assert').deepEqual = (a: any, b: any): asserts a => {};\n"
    + _WRONG,
    "an overload": "function add(x: number, y: number): 5;\nfunction add(x: number, y: number): any { return 7; }\n",
    "declared, not defined": "declare function add(x: number, y: number): number;\n",
    "declared elsewhere": "declare global { function add(x: number, y: number): number; }\nexport {};\n",
    "a module": "export function add(x: number, y: number): number { return 7; }\nexport default add;\n",
    "an ambient assert": "declare module 'node:assert' { export function deepEqual(...a: any[]): void; }\n" + _WRONG,
    "a global assert": "declare const assert: { deepEqual(...a: any[]): void };\n" + _WRONG,
    "a candidate of its own": "function candidate(...a: any[]) { return a; }\nfunction test() { }\n" + _WRONG,
    "an array of its own": "interface Array<T> { toJSON(): any }\nArray.prototype.toJSON = () => 5;\n" + _WRONG,
    "a number of its own": "interface Number { valueOf(): any }\nNumber.prototype.valueOf = () => 5;\n" + _WRONG,
    "a namespace that is a function": "function add(x: number, y: number): number { return 7; }\nnamespace add { export const deepEqual = () => 5; }\n",
    "a comment that is not closed": _WRONG + "/*",
    "a template that is not closed": _WRONG + "`",
    "not a number": "function add(x: number, y: number): number { return NaN; }\n",
    "a boxed number": "function add(x: number, y: number): any { return new Number(7); }\n",
}
_COMPILER = {
    "refers to the shadow file": '/// <reference path="/etc/shadow" />\n' + _WRONG,
    "refers to the host's file": f'/// <reference path="{SECRET_FILE}" />\n' + _WRONG,
    "refers to files above": '/// <reference path="../../../../etc/passwd" />\n/// <reference path="../tsc_service.js" />\n'
    + _WRONG,
    "refers to types": '/// <reference types="node" />\n/// <reference lib="webworker" />\n' + _WRONG,
    "imports the host's file": f"import x = require('{SECRET_FILE}');\nimport y from '/etc/passwd';\n" + _WRONG,
    "imports without end": "import * as a from './program';\nimport * as b from './whole';\n" + _WRONG,
    "a map of its source": _WRONG + "//# sourceMappingURL=file:///etc/shadow\n",
    "no library": '/// <reference no-default-lib="true" />\n' + _WRONG,
    "an AMD name": '/// <amd-module name="../../tmp/x" />\n' + _WRONG,
    "spoils the library for the next": "interface Array<T> { length: never }\ninterface Number { toFixed: never }\n"
    + _WRONG,
    "spoils the prototypes for the next": "declare global { interface Object { __proto__: never } }\nObject.prototype.toString = () => '';\nexport {};\n"
    + _WRONG,
}
_FORGED = {
    "prints that it passed": 'console.log(\'["", 1, "value", 5]\');\n' + _WRONG,
    "the nonce and wrong values": _NODE
    + "const fs = require('fs');\nconst job = JSON.parse(fs.readFileSync('calls.json'));\n"
    "let n = 1;\nconst send = (...r: any[]) => fs.writeSync(3, JSON.stringify([job.nonce, n++, ...r]) + '\\n');\n"
    "send('ready'); job.calls.forEach(() => send('value', 7)); send('done'); process.reallyExit(0);\n" + _WRONG,
    "random bytes on every descriptor": _with(
        "for (let i = 0; i < 64; i++) try { require('fs').writeSync(i, Buffer.alloc(4096, 255)); } catch (e) {}"
    ),
    "fs.writeSync replaced": _NODE
    + "const fs = require('fs');\nconst w = fs.writeSync;\nfs.writeSync = (fd: any, b: any, ...r: any[]) => w(fd, Buffer.from(String(b).replace('7', '5')));\n"
    + _WRONG,
    "closes every descriptor": _with("for (let i = 0; i < 64; i++) try { require('fs').closeSync(i); } catch (e) {}"),
}
_WORLD = {
    "the shadow file": _with("require('fs').readFileSync('/etc/shadow'); return x + y;"),
    "a file of the host": _with(f"require('fs').readFileSync('{SECRET_FILE}'); return x + y;"),
    "the host's environment": _with(f"if (process.env.{SECRET_NAME}) return x + y;"),
    "tests in a file of the working directory": _with(
        "for (const f of require('fs').readdirSync('.')) if (require('fs').readFileSync(f, 'utf8').includes('deepEqual(candidate' + '(2')) return x + y;"
    ),
    "TCP to the host": _with(
        f"require('child_process').execFileSync('bash', ['-c', 'echo x > /dev/tcp/127.0.0.1/{PORT}']); return x + y;"
    ),
    "files wherever it may": _with(
        f"for (const d of ['.', '/tmp', '/dev/shm', '/var/tmp', '']) try {{ require('fs').writeFileSync(d + '/{MARK}_ts', 'x'); }} catch (e) {{}}"
    ),
    "a process that stays": _with(
        f"require('child_process').spawn('sleep', ['{SLEEP}'], {{detached: true, stdio: 'ignore'}}).unref();"
    ),
}
_SLOW = {
    "busy for ever": "function add(x: number, y: number): number { while (true); }\n",
    "memory bomb": "function add(x: number, y: number): number { const v: any[] = []; while (true) v.push(new Array(1 << 16).fill(x)); }\n",
    "asleep for ever": "function add(x: number, y: number): number { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); return 7; }\n",
}
_SLOW_COMPILER = {
    "a loop of types": "type L<N extends any[], A extends any[] = []> = A['length'] extends 999 ? A : L<N, [...A, ...N, 0]>;\ntype M = L<L<L<[]>>>;\n"
    "type F<S extends string> = S | `${S}${S}` | `${S}a`;\ntype G = F<F<F<F<F<F<'a' | 'b'>>>>>>;\nconst v: G = 'c' as any;\n"
    + _WRONG,
    "a union that multiplies": "type D = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;\ntype N = `${D}${D}${D}${D}${D}`;\nconst v: N = '00000';\ntype O = {[k in N]: Exclude<N, k>};\ndeclare const o: O;\nconst w: O = o;\n"
    + _WRONG,
    "overloads without number": "".join(f"interface A {{ f(x: 'k{i}'): (y: A) => A }}\n" for i in range(2000))
    + "declare const a: A;\nconst b: A = { f: (x: any) => (y: any) => y };\n"
    + _WRONG,
    "deep nesting": "const v = " + "[" * 20000 + "]" * 20000 + ";\n" + _WRONG,
    "a type that never ends": "type X<T> = T extends any ? X<[T]> : never;\ntype Y = X<0>;\nconst y: Y = 0 as any;\n"
    + _WRONG,
}
ATTACKS = (
    in_language("typescript", _ENDS)
    + in_language("typescript", _TYPES, compiles=False)
    + in_language("typescript", _COMPILER, compiles=False)
    + in_language("typescript", _FORGED)
    + in_language("typescript", _WORLD)
    + in_language("typescript", _SLOW, slow=True)
    + in_language("typescript", _SLOW_COMPILER, slow=True, compiles=False)
)
