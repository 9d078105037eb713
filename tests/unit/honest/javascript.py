"""JavaScript that answers rightly, in the styles that people and models write it in; and some that does not."""

from __future__ import annotations

FUNCTIONS = r"""
=== a closure that counts
--- 3 --> [1, 2, 3]
--- 0 --> []
function f(n) {
  const counter = () => { let c = 0; return () => ++c; };
  const next = counter();
  return Array.from({ length: n }, next);
}
=== a generator that is spread
--- 10 --> [0, 1, 1, 2, 3, 5, 8]
--- 0 --> [0]
function* fib(max) { let [a, b] = [0, 1]; while (a <= max) { yield a; [a, b] = [b, a + b]; } }
const f = (n) => [...fib(n)];
=== yield of another generator
--- [1, [2, [3, [4]]]] --> [1, 2, 3, 4]
--- [] --> []
function* walk(x) { for (const v of x) { if (Array.isArray(v)) yield* walk(v); else yield v; } }
function f(x) { return Array.from(walk(x)); }
=== an iterator by its symbol
--- 1, 5 --> 15
--- 3, 2 --> 0
class Range {
  constructor(lo, hi) { this.lo = lo; this.hi = hi; }
  [Symbol.iterator]() {
    let at = this.lo;
    return { next: () => at <= this.hi ? { value: at++, done: false } : { value: undefined, done: true } };
  }
}
var f = function (lo, hi) { let s = 0; for (const v of new Range(lo, hi)) s += v; return s; };
=== a class with getters, setters and private fields
--- [10, -5, 20] --> 25
--- [] --> 0
class Account {
  #total = 0;
  static #made = 0;
  constructor() { Account.#made++; }
  get total() { return this.#total; }
  set deposit(v) { this.#total += v; }
  #check() { return Account.#made > 0; }
  ok() { return this.#check(); }
}
function f(moves) { const a = new Account(); moves.forEach((m) => { a.deposit = m; }); return a.ok() ? a.total : NaN; }
=== a Map kept in order
--- "abracadabra" --> [["a", 5], ["b", 2], ["r", 2], ["c", 1], ["d", 1]]
--- "" --> []
function f(s) {
  const seen = new Map();
  for (const c of s) seen.set(c, (seen.get(c) ?? 0) + 1);
  return [...seen.entries()].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
=== a Set for what is there twice
--- [1, 2, 2, 3, 1] --> [1, 2, 3]
--- [] --> []
const f = (l) => [...new Set(l)];
=== a WeakMap as a cache
--- [1, 2, 3] --> 12
--- [] --> 0
const cache = new WeakMap();
const sum = (l) => { if (!cache.has(l)) cache.set(l, l.reduce((a, b) => a + b, 0)); return cache.get(l); };
function f(l) { return sum(l) + sum(l); }
=== typed arrays
--- 30 --> [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
--- 1 --> []
function f(n) {
  const sieve = new Uint8Array(n + 1).fill(1, 2), out = [];
  for (let i = 2; i <= n; i++) { if (!sieve[i]) continue; out.push(i); for (let j = i * i; j <= n; j += i) sieve[j] = 0; }
  return out;
}
=== BigInt
--- 25 --> "15511210043330985984000000"
--- 0 --> "1"
function f(n) { let r = 1n; for (let i = 2n; i <= BigInt(n); i++) r *= i; return r.toString(); }
=== a BigInt that is returned
--- 40 --> 102334155n
--- 90 --> 2880067194370816120n
function f(n) { let a = 0n, b = 1n; while (n-- > 0) [a, b] = [b, a + b]; return a; }
=== destructuring with defaults and rest
--- {"a": 1, "b": [2, 3, 4]} --> [1, 2, [3, 4], "none"]
--- {"a": 5, "b": []} --> [5, 0, [], "none"]
function f({ a, b: [first = 0, ...others], c: { d = "none" } = {} }) { return [a, first, others, d]; }
=== regular expressions with names
--- "2024-02-29, 1999-12-31" --> [{"y": "2024", "m": "02", "d": "29"}, {"y": "1999", "m": "12", "d": "31"}]
--- "no date" --> []
const DATE = /(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)/g;
function f(s) { return [...s.matchAll(DATE)].map((m) => ({ ...m.groups })); }
=== a sticky tokenizer and a shunting yard
--- "2 * (3 + 4) - 5" --> 9
--- "10 / 4" --> 2.5
function f(s) {
  const re = /\s*(\d+|[-+*\/()])/y, out = [], ops = [], prec = { "+": 1, "-": 1, "*": 2, "/": 2 };
  const apply = () => { const b = out.pop(), a = out.pop(); out.push({ "+": a + b, "-": a - b, "*": a * b, "/": a / b }[ops.pop()]); };
  for (let m; (m = re.exec(s)); ) {
    const t = m[1];
    if (/\d/.test(t)) out.push(+t);
    else if (t === "(") ops.push(t);
    else if (t === ")") { while (ops.at(-1) !== "(") apply(); ops.pop(); }
    else { while (ops.length && prec[ops.at(-1)] >= prec[t]) apply(); ops.push(t); }
  }
  while (ops.length) apply();
  return out[0];
}
=== labelled loops
--- [[1, 2], [3, 4], [5, 6]], 4 --> [1, 1]
--- [[1]], 9 --> null
function f(grid, wanted) {
  let found = null;
  outer: for (let i = 0; i < grid.length; i++) {
    for (let j = 0; j < grid[i].length; j++) {
      if (grid[i][j] > wanted) continue outer;
      if (grid[i][j] === wanted) { found = [i, j]; break outer; }
    }
  }
  return found;
}
=== a tagged template
--- "x", 3 --> "<x>|<3>"
--- "", 0 --> "<>|<0>"
const tag = (parts, ...values) => parts.raw.reduce((out, part, i) => out + part + (i < values.length ? `<${values[i]}>` : ""), "");
function f(a, b) { return tag`${a}|${b}`; }
=== template literals over lines
--- ["a", "b"] --> "<ul>\n  <li>a</li>\n  <li>b</li>\n</ul>"
--- [] --> "<ul>\n</ul>"
function f(items) {
  return `<ul>
${items.map((item) => `  <li>${item}</li>\n`).join("")}</ul>`;
}
=== hoisted functions and var
--- 5 --> [true, false]
--- 4 --> [false, true]
function f(n) { return [odd(n), even(n)]; function odd(k) { return k !== 0 && even(k - 1); } function even(k) { return k === 0 || odd(k - 1); } }
=== module.exports is the function
--- 4 --> 16
--- -2 --> 4
const f = (module.exports = function (x) { return x ** 2; });
=== module.exports holds the function
--- "abc" --> "cba"
--- "" --> ""
const f = (s) => s.split("").reverse().join("");
module.exports = { f, other: 1 };
=== exports and its own use as a main module
--- 2 --> 3
--- -1 --> 0
function f(x) { return x + 1; }
exports.f = f;
if (require.main === module) { console.log("f(1) =", f(1)); }
=== it tries itself with assert
--- [3, 1, 2] --> [1, 2, 3]
--- [] --> []
function f(l) { return [...l].sort((a, b) => a - b); }
require("assert").deepStrictEqual(f([2, 1]), [1, 2]);
console.log("all tests passed");
=== strict mode and a shebang
--- 6 --> 720
--- 0 --> 1
#!/usr/bin/env node
"use strict";
/** @param {number} n @returns {number} */
function f(n) { return n <= 1 ? 1 : n * f(n - 1); }
=== sloppy mode
--- 3 --> 13
--- 0 --> 10
function f(n) { base = 010 + 2; with ({ k: n }) { return base + k; } }
=== arguments and apply
--- 3, 9, 4 --> [9, 3]
--- 1 --> [1, 1]
function f() { return [Math.max.apply(null, arguments), Math.min(...arguments)]; }
=== currying and bind
--- 2, 3, 4 --> 24
--- 1, 0, 5 --> 0
const curry = (g) => function step(...a) { return a.length >= g.length ? g(...a) : step.bind(null, ...a); };
function f(a, b, c) { return curry((x, y, z) => x * y * z)(a)(b)(c); }
=== a prototype of the old kind
--- [1, 2, 3] --> 3
--- [] --> undefined
function Stack() { this.items = []; }
Stack.prototype.push = function (x) { this.items.push(x); return this; };
Stack.prototype.pop = function () { return this.items.pop(); };
function f(l) { var s = new Stack(); l.forEach(s.push, s); return s.pop(); }
=== a class that extends Array
--- [3, 4] --> [4, 3]
--- [] --> []
class Stack extends Array { drain() { const out = []; while (this.length) out.push(this.pop()); return out; } }
function f(l) { return Stack.from(l).drain(); }
=== an object of a class where a plain one is expected
--- 1, 2 --> {"x": 1, "y": 2}
--- 0, 0 --> {"y": 0, "x": 0}
class Point { constructor(x, y) { this.x = x; this.y = y; } get norm() { return Math.hypot(this.x, this.y); } }
function f(x, y) { return new Point(x, y); }
=== an object without a prototype
--- ["b", "a", "b"] --> {"a": 1, "b": 2}
--- [] --> {}
function f(words) { const o = Object.create(null); for (const w of words) o[w] = (o[w] || 0) + 1; return o; }
=== a Proxy with defaults
--- "hello" --> {"h": 1, "e": 1, "l": 2, "o": 1}
--- "" --> {}
function f(s) { const o = new Proxy({}, { get: (t, k) => (k in t ? t[k] : 0) }); for (const c of s) o[c]++; return { ...o }; }
=== a recursive descent over indices
--- "[1,[2,3],[]]" --> [1, [2, 3], []]
--- "[]" --> []
function f(s) {
  let i = 0;
  const value = () => (s[i] === "[" ? list() : Number(/^-?\d+/.exec(s.slice(i))[0], (i += /^-?\d+/.exec(s.slice(i))[0].length)));
  const list = () => { const out = []; i++; while (s[i] !== "]") { out.push(value()); if (s[i] === ",") i++; } i++; return out; };
  return value();
}
=== memoised by Map
--- 90 --> 2880067194370816000
--- 1 --> 1
const f = ((memo) => function fib(n) { if (n < 2) return n; if (!memo.has(n)) memo.set(n, fib(n - 1) + fib(n - 2)); return memo.get(n); })(new Map());
=== changes its argument and returns it
--- [5, 2, 9] --> [2, 5, 9]
--- [] --> []
function f(a) { for (let i = 1; i < a.length; i++) { const v = a[i]; let j = i; while (j > 0 && a[j - 1] > v) { a[j] = a[j - 1]; j--; } a[j] = v; } return a; }
=== prints as it goes
--- 2 --> 4
--- 0 --> 0
function f(x) { console.log("[\"x\",0,\"value\",1]"); console.error("debug", x); console.table([x]); process.stdout.write("no line end"); return x * 2; }
=== code points and normal forms
--- "a😀é" --> ["a", "😀", "é"]
--- "" --> []
function f(s) { return Array.from(s.normalize("NFC")); }
=== Intl and locale
--- 1234567.891 --> "1,234,567.89"
--- 0 --> "0"
function f(x) { return x.toLocaleString("en-US", { maximumFractionDigits: 2 }); }
=== crypto of the library
--- "abc" --> "900150983cd24fb0d6963f7d28e17f72"
--- "" --> "d41d8cd98f00b204e9800998ecf8427e"
const crypto = require("node:crypto");
function f(s) { return crypto.createHash("md5").update(s).digest("hex"); }
=== numbers that are no numbers
--- [1, "x", null] --> [1, NaN, 0]
--- [] --> []
function f(l) { return l.map(Number); }
=== switch, do and comma
--- "IX" --> 9
--- "MCMXCIV" --> 1994
function f(s) {
  let i = s.length - 1, sum = 0, last = 0;
  do {
    let v;
    switch (s[i]) { case "I": v = 1; break; case "V": v = 5; break; case "X": v = 10; break; case "L": v = 50; break; case "C": v = 100; break; case "D": v = 500; break; default: v = 1000; }
    sum += v < last ? -v : v, last = v;
  } while (--i >= 0);
  return sum;
}
=== exceptions of its own
--- "5" --> 5
--- "x" --> -1
class ParseError extends Error { constructor(m, options) { super(m, options); this.name = "ParseError"; } }
function f(s) { try { const n = parseInt(s, 10); if (Number.isNaN(n)) throw new ParseError("bad", { cause: s }); return n; } catch (e) { if (e instanceof ParseError) return -1; throw e; } finally { void 0; } }
=== optional chaining and logical assignment
--- {"a": {"b": 2}} --> 2
--- {} --> 7
function f(o) { const x = o?.a?.b ?? 7; let y; y ??= x; y &&= y; return y; }
=== timers that nobody waits for
--- 1 --> 1
--- 2 --> 2
setInterval(() => {}, 1000).unref();
const f = (x) => x;
=== off by one ! WRONG
--- 3 --> [1, 2, 3]
function f(n) { return Array.from({ length: n }, (_, i) => i); }
=== a list where a number is expected ! WRONG
--- 2 --> 4
function f(x) { return [x * 2]; }
=== a promise ! WRONG
--- 2 --> 4
async function f(x) { return x * 2; }
=== sorted as text ! WRONG
--- [10, 9, 1] --> [1, 9, 10]
function f(l) { return l.sort(); }
=== a Map where an object is expected ! WRONG
--- "a" --> {"a": 1}
function f(s) { return new Map([[s, 1]]); }
=== no function of the name ! RUNTIME_ERROR
--- 1 --> 1
function g(x) { return x; }
=== raises ! RUNTIME_ERROR
--- 1 --> 1
function f(x) { return x.y.z; }
"""

STDIO = r"""
=== readFileSync of 0
--- "3 4\n" --> "7\n"
--- "-1 1" --> "0\n"
const [a, b] = require("fs").readFileSync(0, "utf8").trim().split(/\s+/).map(Number);
console.log(a + b);
=== readFileSync of /dev/stdin
--- "2\n1 2\n3 4\n" --> "3\n7\n"
const [n, ...lines] = require("fs").readFileSync("/dev/stdin").toString().split("\n");
for (let i = 0; i < +n; i++) console.log(lines[i].split(" ").reduce((s, v) => s + +v, 0));
=== readline by events
--- "a\nbb\n\nccc" --> "1,2,0,3\n"
--- "" --> "\n"
const rl = require("readline").createInterface({ input: process.stdin, output: process.stdout, terminal: false });
const lines = [];
rl.on("line", (l) => lines.push(l.length)).on("close", () => console.log(lines.join(",")));
=== readline by for await
--- "1\n2\n3\n" --> "sum 6\n"
const readline = require("node:readline");
(async () => {
  let s = 0;
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) s += Number(line);
  console.log("sum", s);
})();
=== readline with questions
--- "Ann\n30\n" --> "Name? Age? Ann is 30\n"
const rl = require("readline").createInterface({ input: process.stdin, output: process.stdout });
rl.question("Name? ", (name) => rl.question("Age? ", (age) => { console.log(`${name} is ${age}`); rl.close(); }));
=== readline of promises
--- "5\n6\n" --> "30\n"
const rl = require("node:readline/promises").createInterface({ input: process.stdin }); (async () => { const lines = []; for await (const l of rl) lines.push(l); console.log(lines[0] * lines[1]); })();
=== process.stdin by events
--- "hello\nworld\n" --> "DLROW\nOLLEH\n"
let data = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (c) => (data += c));
process.stdin.on("end", () => {
  data.trim().split("\n").reverse().forEach((l) => console.log([...l].reverse().join("").toUpperCase()));
});
=== process.stdin as it is readable
--- "x y z" --> "3\n"
process.stdin.on("readable", () => { let c, s = ""; while ((c = process.stdin.read()) !== null) s += c; if (s) console.log(s.split(" ").length); });
=== for await over stdin
--- "aé" --> "3 bytes\n"
async function main() { const parts = []; for await (const part of process.stdin) parts.push(part); return Buffer.concat(parts).length; }
main().then((n) => console.log("%d bytes", n)).catch((e) => { console.error(e); process.exit(1); });
=== readSync in a loop
--- "10 20 30\n" --> "60"
const fs = require("fs"), buffer = Buffer.alloc(4);
let text = "", n;
while ((n = fs.readSync(0, buffer, 0, 4, null)) > 0) text += buffer.toString("latin1", 0, n);
process.stdout.write(String(text.split(" ").map(Number).reduce((a, b) => a + b)));
=== an async main with timers
--- "3\n" --> "start\n1\n2\n3\nend\n"
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
(async function main() {
  const n = parseInt(require("fs").readFileSync(0));
  console.log("start");
  for (let i = 1; i <= n; i++) { await sleep(1); console.log(i); }
})().finally(() => console.log("end"));
=== the order of events
--- "" --> "sync\ntick\nmicro\ntimeout\n"
setTimeout(() => console.log("timeout"), 0); Promise.resolve().then(() => console.log("micro"));
process.nextTick(() => console.log("tick"));
console.log("sync");
=== Promise.all and allSettled
--- "1 2 x" --> "1,2,bad\n"
const parse = async (w) => { if (isNaN(w)) throw new Error("bad"); return Number(w); };
Promise.allSettled(require("fs").readFileSync(0, "utf8").split(" ").map(parse)).then((all) => console.log(all.map((r) => r.value ?? r.reason.message).join()));
=== much output at once
--- "20000" --> @0..20000
const n = +require("fs").readFileSync(0, "utf8"), out = []; for (let i = 0; i < n; i++) out.push(i);
console.log(out.join("\n"));
=== much output line by line
--- "5000" --> @0..5000
const n = +require("fs").readFileSync(0, "utf8");
for (let i = 0; i < n; i++) console.log(i);
=== exit with a word at the end
--- "1" --> "done\n"
process.on("exit", () => console.log("done"));
process.exitCode = 0;
if (require("fs").readFileSync(0, "utf8") === "1") process.exit();
=== a graph by Dijkstra
--- "4 4\n0 1 5\n1 2 2\n0 2 9\n2 3 1\n" --> "0 5 7 8\n"
const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").map((l) => l.split(" ").map(Number));
const [[n], ...edges] = lines, dist = Array(n).fill(Infinity), todo = new Set(dist.keys());
dist[0] = 0;
while (todo.size) {
  const u = [...todo].reduce((a, b) => (dist[b] < dist[a] ? b : a));
  todo.delete(u);
  for (const [a, b, w] of edges) for (const [x, y] of [[a, b], [b, a]]) if (x === u) dist[y] = Math.min(dist[y], dist[u] + w);
}
console.log(dist.join(" "));
=== a worker of its own
--- "21" --> "42\n"
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
if (isMainThread) {
  new Worker(__filename, { workerData: +require("fs").readFileSync(0) }).on("message", (m) => console.log(m));
} else parentPort.postMessage(workerData * 2);
=== how console.log shows things
--- "" --> "[ 1, 'a', [Object: null prototype] { x: undefined } ] Map(1) { 'k' => Set(1) { 2n } } [Function: g] null\n"
console.log([1, "a", Object.assign(Object.create(null), { x: undefined })], new Map([["k", new Set([2n])]]), function g() {}, null);
=== a sum that is off ! WRONG
--- "3 4\n" --> "7\n"
const [a, b] = require("fs").readFileSync(0, "utf8").split(" "); console.log(a + b);
=== an unhandled rejection ! RUNTIME_ERROR
--- "1" --> "1\n"
console.log(1); Promise.reject(new Error("no"));
"""
