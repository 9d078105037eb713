"""TypeScript that answers rightly, in the styles that people and models write it in; and some that does not."""

from __future__ import annotations

FUNCTIONS = r"""
=== plain types
--- 1, 2 --> 3
--- -1, 1 --> 0
function f(a: number, b: number): number {
  return a + b;
}
=== generics with a constraint
--- ["a", "bbb", "cc"] --> "bbb"
--- [""] --> ""
function longest<T extends { length: number }>(items: T[]): T { return items.reduce((a, b) => (b.length > a.length ? b : a)); }
function f(words: string[]): string { return longest(words); }
=== a generic class
--- [1, 2, 3] --> [3, 2, 1]
--- [] --> []
class Stack<T> {
  private items: T[] = [];
  push(item: T): this { this.items.push(item); return this; }
  pop(): T | undefined { return this.items.pop(); }
  get size(): number { return this.items.length; }
}
function f(l: number[]): number[] { const s = new Stack<number>(); l.forEach((v) => s.push(v)); const out: number[] = []; while (s.size > 0) out.push(s.pop()!); return out; }
=== enums of numbers and of text
--- 1 --> ["Down", "DOWN"]
--- 0 --> ["Up", "UP"]
enum Direction { Up, Down }
enum Label { Up = "UP", Down = "DOWN" }
function f(d: number): string[] { const name = Direction[d]; return [name, Label[name as keyof typeof Label]]; }
=== a const enum
--- 5 --> 6
--- 4 --> 4
const enum Bit { A = 1 << 1, B = 1 << 2 }
function f(x: number): number { return (x | Bit.B) & ~1 | (x & 1 ? Bit.A : 0); }
=== a namespace
--- 2 --> 8
--- 0 --> 0
namespace Maths { export const three = 3; export namespace Inner { export function power(x: number): number { return x ** three; } } }
function f(x: number): number { return Maths.Inner.power(x); }
=== an abstract class and an interface
--- 3 --> "Square 9"
--- 0 --> "Square 0"
interface HasArea { readonly kind: string; area(): number; describe?(): string }
abstract class Shape implements HasArea { constructor(public readonly kind: string) {} abstract area(): number; describe(): string { return `${this.kind} ${this.area()}`; } }
class Square extends Shape { constructor(private side: number) { super("Square"); } area() { return this.side ** 2; } }
function f(n: number): string { const s: HasArea = new Square(n); return s.describe?.() ?? ""; }
=== a discriminated union and never
--- 2 --> [4, 12]
--- 0 --> [0, 0]
type Shape = { kind: "square"; side: number } | { kind: "circle"; r: number };
function area(s: Shape): number {
  switch (s.kind) { case "square": return s.side * s.side; case "circle": return 3 * s.r * s.r; default: { const none: never = s; return none; } }
}
function f(x: number): number[] { return [area({ kind: "square", side: x }), area({ kind: "circle", r: x })]; }
=== type guards
--- [1, "a", 2, "b"] --> [3, "ab"]
--- [] --> [0, ""]
function isNumber(x: unknown): x is number { return typeof x === "number"; }
function f(l: (number | string)[]): [number, string] {
  const texts = l.filter((x): x is string => typeof x === "string");
  return [l.filter(isNumber).reduce((a, b) => a + b, 0), texts.join("")];
}
=== tuples with labels and rest
--- [["a", 1], ["b", 2]] --> {"a": 1, "b": 2}
--- [] --> {}
type Entry = [name: string, value: number];
function f(l: Entry[]): Record<string, number> { const o: Record<string, number> = {}; for (const [k, v] of l) o[k] = v; return o; }
=== overloads
--- "ab" --> "ba"
--- [1, 2] --> [2, 1]
function f(x: string): string;
function f<T>(x: T[]): T[];
function f(x: any): any { return typeof x === "string" ? x.split("").reverse().join("") : [...x].reverse(); }
=== as const and keyof typeof
--- "red" --> "#f00"
--- "blue" --> "#00f"
const COLORS = { red: "#f00", blue: "#00f" } as const;
type Color = keyof typeof COLORS;
function f(c: string): string { return COLORS[c as Color]; }
=== mapped, conditional and template types
--- 5 --> "5!"
--- 0 --> "0!"
type Getters<T> = { [K in keyof T as `get${Capitalize<string & K>}`]: () => T[K] };
type Unwrap<T> = T extends Promise<infer U> ? U : T;
const made: Getters<{ mark: string }> = { getMark: () => "!" };
function f(x: Unwrap<Promise<number>>): string { return `${x}${made.getMark()}`; }
=== utility types
--- {"a": 1} --> {"a": 1, "b": "none"}
--- {} --> {"a": 0, "b": "none"}
interface Options { a: number; b: string }
const DEFAULTS: Readonly<Required<Options>> = { a: 0, b: "none" };
function f(o: Partial<Pick<Options, "a">>): Options { return { ...DEFAULTS, ...o }; }
=== optional and default parameters, rest
--- 1 --> "1-2-"
--- 1, 3, "x", "y" --> "1-3-x,y"
function f(a: number, b: number = 2, ...rest: string[]): string { return `${a}-${b}-${rest.join()}`; }
=== undefined where there is nothing
--- [3, 5], 5 --> 1
--- [], 5 --> undefined
function f(l: number[], wanted: number): number | undefined { const at = l.indexOf(wanted); return at < 0 ? undefined : at; }
=== unknown in a catch
--- "{\"a\": 1}" --> 1
--- "{" --> "SyntaxError"
function f(s: string): number | string { try { return (JSON.parse(s) as { a: number }).a; } catch (e: unknown) { return e instanceof Error ? e.name : "?"; } }
=== a generator with types
--- 10 --> [0, 1, 1, 2, 3, 5, 8]
--- 0 --> [0]
function* fib(max: number): Generator<number, void, undefined> { let [a, b] = [0, 1]; while (a <= max) { yield a; [a, b] = [b, a + b]; } }
const f = (n: number): number[] => [...fib(n)];
=== an iterable class
--- 3 --> [1, 2, 3]
--- 0 --> []
class Numbers implements Iterable<number> { constructor(private hi: number) {} *[Symbol.iterator](): Iterator<number> { for (let i = 1; i <= this.hi; i++) yield i; } }
function f(n: number): number[] { return Array.from(new Numbers(n)); }
=== Map and Set with types
--- "hello" --> [["l", 2], ["e", 1], ["h", 1], ["o", 1]]
--- "" --> []
function f(s: string): Array<[string, number]> {
  const seen: Map<string, number> = new Map<string, number>();
  for (const c of s) seen.set(c, (seen.get(c) || 0) + 1);
  return Array.from(seen).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
=== bigint
--- 25 --> "15511210043330985984000000"
--- 0 --> "1"
function f(n: number): string { let r: bigint = 1n; for (let i = 2n; i <= BigInt(n); i++) r *= i; return r.toString(); }
=== symbols and index signatures
--- "x" --> [1, "sym"]
--- "y" --> [undefined, "sym"]
const key: unique symbol = Symbol("key");
interface Bag { [name: string]: number; [key]: any }
function f(name: string): [number | undefined, string] { const b: Bag = { x: 1, [key]: "sym" } as Bag; return [b[name], b[key]]; }
=== private names, statics and accessors
--- 3 --> 6
--- 0 --> 0
class Counter { static made = 0; static { Counter.made = 0; } #n = 0; readonly by: number; constructor(by: number) { this.by = by; Counter.made++; } add(): void { this.#n += this.by; } get n(): number { return this.#n; } set n(v: number) { this.#n = v; } }
function f(n: number): number { const c = new Counter(n); c.add(); c.add(); return c.n * Counter.made / Counter.made; }
=== this as a parameter and a function type
--- 4 --> 12
--- -1 --> -3
type Op = (this: { k: number }, x: number) => number;
const op: Op = function (x) { return this.k * x; };
function f(x: number): number { return op.call({ k: 3 }, x); }
=== a constructor type and a mixin
--- "a" --> "a!?"
--- "" --> "!?"
type Constructor<T = {}> = new (...args: any[]) => T;
class Base { constructor(public s: string) {} }
function Loud<B extends Constructor<Base>>(B: B) { return class extends B { loud(): string { return this.s + "!"; } }; }
class Asking extends Loud(Base) { ask() { return this.loud() + "?"; } }
function f(s: string): string { return new Asking(s).ask(); }
=== assertions of types, of all kinds
--- [3, 1] --> 4
--- [0] --> 0
function assertArray(x: unknown): asserts x is number[] { if (!Array.isArray(x)) throw new TypeError("no array"); }
function f(x: any): number { assertArray(x); const first = <number>x[0], last = x[x.length - 1]!; return x.length > 1 ? first + (last as unknown as number) : first; }
=== a binary tree
--- [5, 2, 8, 1] --> [1, 2, 5, 8]
--- [] --> []
interface TreeNode<T> { value: T; left: TreeNode<T> | null; right: TreeNode<T> | null }
class Tree<T> {
  private root: TreeNode<T> | null = null;
  constructor(private readonly less: (a: T, b: T) => boolean) {}
  insert(value: T): void { this.root = this.at(this.root, value); }
  private at(node: TreeNode<T> | null, value: T): TreeNode<T> {
    if (node === null) return { value, left: null, right: null };
    return this.less(value, node.value) ? { ...node, left: this.at(node.left, value) } : { ...node, right: this.at(node.right, value) };
  }
  *[Symbol.iterator](node: TreeNode<T> | null = this.root): Generator<T> { if (node) { yield* this[Symbol.iterator](node.left ?? undefined ?? null as any); yield node.value; if (node.right) yield* this[Symbol.iterator](node.right); } }
  sorted(): T[] { const out: T[] = []; const walk = (n: TreeNode<T> | null): void => { if (!n) return; walk(n.left); out.push(n.value); walk(n.right); }; walk(this.root); return out; }
}
function f(l: number[]): number[] { const t = new Tree<number>((a, b) => a < b); l.forEach((v) => t.insert(v)); return t.sorted(); }
=== memoised by a decorator of the functional kind
--- 50 --> 12586269025
--- 1 --> 1
const memo = <A extends string | number, R>(g: (a: A) => R): ((a: A) => R) => { const seen = new Map<A, R>(); return (a) => { if (!seen.has(a)) seen.set(a, g(a)); return seen.get(a) as R; }; };
const fib: (n: number) => number = memo((n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2)));
function f(n: number): number { return fib(n); }
=== regular expressions and nullish results
--- "k=v" --> ["k", "v"]
--- "none" --> []
function f(s: string): string[] { const m = s.match(/^(?<key>\w+)=(?<value>\w*)$/); return m?.groups ? [m.groups.key, m.groups.value] : []; }
=== destructuring with types
--- {"x": 1, "y": [2, 3]} --> 6
--- {"x": 0, "y": []} --> 0
function f({ x, y: [a = 0, b = 0] }: { x: number; y: number[] }): number { return x + a + b; }
=== labelled loops and non-null
--- [[1, 2], [3, 4]], 3 --> [1, 0]
--- [[1]], 2 --> null
function f(g: number[][], w: number): [number, number] | null { let at: [number, number] | null = null; outer: for (let i = 0; i < g.length; i++) for (let j = 0; j < g[i].length; j++) if (g[i][j] === w) { at = [i, j]; break outer; } return at; }
=== exported, which CommonJS has no word for ! COMPILE_ERROR
--- 2 --> 4
--- 0 --> 0
export {};
function f(x: number): number { return 2 * x; }
=== it prints, and tries itself
--- "a" --> "A"
--- "" --> ""
function f(s: string): string { return s.toUpperCase(); }
console.log(f("x"));
console.assert(f("y") === "Y");
=== declared names of node
--- "abc" --> 3
--- "é" --> 2
declare const Buffer: any;
function f(s: string): number { return Buffer.from(s, "utf8").length; }
=== comments and directives
--- 1 --> 2
--- -1 --> 0
// @ts-nocheck
/* eslint-disable */
/**
 * Adds one.
 */
function f(x: number): number { let y: string = 1; return x + y; }
=== an error that is expected
--- 3 --> 3
--- 0 --> 0
// @ts-expect-error it is no number
const wrong: number = "x";
function f(x: number): number { return x; }
=== an object of a class where a plain one is expected
--- 1, 2 --> {"x": 1, "y": 2}
--- 0, 0 --> {"x": 0, "y": 0}
class Point { constructor(public x: number, public y: number) {} }
function f(x: number, y: number): Point { return new Point(x, y); }
=== a Promise that is only made
--- 3 --> 3
--- 0 --> 0
async function later<T>(x: T): Promise<T> { return x; }
function f(x: number): number { void later(x).then((y: number) => y + 1); return x; }
=== readonly arrays and sorting
--- [3, 1, 2] --> [1, 2, 3]
--- [] --> []
function f(l: readonly number[]): number[] { return [...l].sort((a, b): number => a - b); }
=== a record of functions
--- "add", 2, 3 --> 5
--- "mul", 2, 3 --> 6
const OPS: Record<"add" | "mul", (a: number, b: number) => number> = { add: (a, b) => a + b, mul: (a, b) => a * b };
function f(op: "add" | "mul", a: number, b: number): number { return OPS[op](a, b); }
=== an interface that is merged, and one that extends
--- 1 --> 6
--- 0 --> 5
interface Box { a: number }
interface Box { b: number }
interface Big extends Box, Iterable<number> { c: number }
function f(a: number): number { const b: Big = { a, b: 2, c: 3, *[Symbol.iterator]() { yield this.a; yield this.b; yield this.c; } }; let s = 0; for (const v of b) s += v; return s; }
=== a recursive type
--- [1, [2, [3]]] --> 6
--- [] --> 0
type Nested = number | Nested[];
function f(x: any): number { const sum = (n: Nested): number => (Array.isArray(n) ? n.reduce<number>((s, m) => s + sum(m), 0) : n); return sum(x as Nested); }
=== typed arrays
--- 10 --> [2, 3, 5, 7]
--- 1 --> []
function f(n: number): number[] { const composite: Uint8Array = new Uint8Array(n + 1); const out: number[] = []; for (let i = 2; i <= n; i++) { if (composite[i]) continue; out.push(i); for (let j = i * i; j <= n; j += i) composite[j] = 1; } return out; }
=== exceptions of its own
--- "5" --> 5
--- "x" --> -1
class ParseError extends Error { constructor(message: string, public readonly text: string) { super(message); Object.setPrototypeOf(this, ParseError.prototype); } }
function f(s: string): number { try { const n = Number(s); if (isNaN(n)) throw new ParseError("bad", s); return n; } catch (e) { if (e instanceof ParseError) return -e.text.length; throw e; } }
=== dates and JSON
--- "2024-02-29" --> "{\"y\":2024,\"leap\":true}"
--- "2023-01-01" --> "{\"y\":2023,\"leap\":false}"
function f(s: string): string { const d: Date = new Date(s + "T00:00:00Z"); const y = d.getUTCFullYear(); return JSON.stringify({ y, leap: new Date(Date.UTC(y, 1, 29)).getUTCMonth() === 1 }); }
=== a linked list and nullable types
--- [1, 2, 3] --> [3, 2, 1]
--- [] --> []
class ListNode { constructor(public val: number = 0, public next: ListNode | null = null) {} }
function f(l: number[]): number[] { let head: ListNode | null = null; for (const v of l) head = new ListNode(v, head); const out: number[] = []; for (let n = head; n !== null; n = n.next) out.push(n.val); return out; }
=== inference from a factory
--- 5 --> {"count": 6, "log": ["inc"]}
--- 0 --> {"count": 1, "log": ["inc"]}
const createStore = <S, A extends string>(reduce: (s: S, a: A) => S, state: S) => ({ dispatch(a: A) { state = reduce(state, a); return this; }, get state(): S { return state; } });
interface State { count: number; log: string[] }
function f(n: number): State { return createStore((s: State, a: "inc"): State => ({ count: s.count + 1, log: [...s.log, a] }), { count: n, log: [] }).dispatch("inc").state; }
=== types that differ from the tests' ! COMPILE_ERROR
--- 1 --> 2
function f(x: string): number { return x.length + 1; }
=== a type error ! COMPILE_ERROR
--- 1 --> 2
function f(x: number): number { return "2"; }
=== off by one ! WRONG
--- 3 --> [1, 2, 3]
function f(n: number): number[] { return Array.from({ length: n }, (_, i) => i); }
=== any hides a wrong type ! WRONG
--- 1 --> [2]
function f(x: number): number[] { return { 0: x + 1 } as any; }
=== raises ! RUNTIME_ERROR
--- 1 --> 1
function f(x: number): number { return (undefined as any).x; }
"""

STDIO = r"""
=== require with a declaration
--- "3 4\n" --> "7\n"
declare var require: any;
const [a, b]: number[] = require("fs").readFileSync(0, "utf8").trim().split(/\s+/).map(Number);
console.log(a + b);
=== a class that reads
--- "2\n1 2\n3 4\n" --> "3\n7\n"
declare function require(name: string): any;
class Reader { private at = 0; private readonly words: string[]; constructor(text: string) { this.words = text.split(/\s+/); } next(): number { return Number(this.words[this.at++]); } }
const r = new Reader(require("fs").readFileSync(0).toString());
for (let n = r.next(); n > 0; n--) console.log(r.next() + r.next());
=== readline by events
--- "b\na\n" --> "a b\n"
declare const require: any, process: any;
const lines: string[] = [];
require("readline").createInterface({ input: process.stdin }).on("line", (l: string) => lines.push(l)).on("close", () => console.log(lines.sort().join(" ")));
=== an async main
--- "5" --> "5! = 120\n"
declare const process: any;
async function read(): Promise<string> { let s = ""; for await (const part of process.stdin) s += part; return s; }
(async (): Promise<void> => { const n = parseInt(await read(), 10); let r = 1; for (let i = 2; i <= n; i++) r *= i; console.log(`${n}! = ${r}`); })();
=== without the need of anything
--- "" --> "hello\n"
const greeting: string = "hello";
console.log(greeting);
=== enums and a queue
--- "0 3" --> "3 steps\n"
declare var require: any;
enum Move { Left = -1, Right = 1 }
interface State { at: number; steps: number }
const [from, to]: number[] = (require("fs").readFileSync(0, "utf8") as string).split(" ").map(Number);
const queue: State[] = [{ at: from, steps: 0 }], seen = new Set<number>([from]);
while (queue.length) {
  const { at, steps } = queue.shift()!;
  if (at === to) { console.log(`${steps} steps`); break; }
  for (const move of [Move.Left, Move.Right]) if (!seen.has(at + move)) { seen.add(at + move); queue.push({ at: at + move, steps: steps + 1 }); }
}
=== a sum that is off ! WRONG
--- "3 4" --> "7\n"
declare var require: any;
const [a, b] = require("fs").readFileSync(0, "utf8").split(" ");
console.log(a + b);
=== no such name ! COMPILE_ERROR
--- "1" --> "1\n"
console.log(nothing);
"""
