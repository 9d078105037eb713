"use strict";
// Runs trusted tests of any form against a stand-in for the program's function. Without arguments the tests are
// recorded: the calls that they make are written to descriptor 3. With the argument "check" the stand-in returns what the
// program did (standard input), and the tests' own code decides, in a process that holds no program. What they are is the
// file "tests", JSON. Exit status 3: they cannot be recorded; 4: they made another call than the recorded one, and were
// recorded from there on.

const assert = require("node:assert");
const fs = require("node:fs");
const vm = require("node:vm");
const { decode, encode, isObject, parse, stringify, writeLine } = require("./values.js");

const { prompt, tests, entry } = plain(parse(fs.readFileSync("tests", "utf8")));
let checking = process.argv[2] === "check";
let goingOn = false;
const answers = checking ? answersFrom(fs.readFileSync(0, "utf8").split("\n")) : [];
const calls = []; // by their arguments, one text each
let checks = /\bthrow\b/.test(tests) ? 1 : 0;
let interrupted = false; // while recorded: what follows depends on what nobody has answered yet
const MAX_CALLS = 10000;

class Unanswered extends Error {}
class Interrupted extends Error {}

/** The job in JavaScript; written down, so that it is translated once. */
function plain({ typescript, prompt, tests, entry }) {
  if (!typescript) return { prompt, tests, entry };
  const ts = require("./compiler.js");
  const options = { compilerOptions: { target: ts.ScriptTarget.ESNext } };
  const job = { entry, prompt: ts.transpileModule(prompt, options).outputText };
  job.tests = ts.transpileModule(tests, options).outputText;
  fs.writeFileSync("tests", stringify(job));
  return job;
}

function refuse(reason) {
  process.stderr.write(`these tests cannot be recorded: ${reason}\n`);
  process.reallyExit(3);
}

/** By call: its arguments, and the values that the program has answered: what it returned, then what it was given. */
function answersFrom(lines) {
  const found = [];
  for (let at = 0; at + 1 < lines.length; ) {
    const count = Number(lines[at + 1]);
    found.push({ key: lines[at], values: lines.slice(at + 2, at + 2 + count) });
    at += 2 + count;
  }
  return found;
}

/** Takes the place of the function under test. */
function call(...given) {
  if (!checking && given.some(isUnknown)) throw new Interrupted("a call of what another one returns");
  const texts = given.map(encodeOrRefuse);
  const key = `[${texts.join(",")}]`;
  const number = calls.push({ key, objects: given.map(isObject), texts }) - 1;
  if (calls.length > MAX_CALLS) refuse(`they make more than ${MAX_CALLS} calls where nothing is answered`);
  if (checking && answers[number]?.key !== key) [checking, goingOn] = [false, true];
  if (!checking) return anything;
  say([number]);
  const [returned, ...after] = answers[number].values.map((text) => decode(parse(text)));
  if (answers[number].values.length === 0) throw new Unanswered(`call ${number + 1} has no value`);
  given.filter(isObject).forEach((object, i) => change(object, after[i]));
  return returned;
}

function encodeOrRefuse(value) {
  try {
    return encode(value);
  } catch (error) {
    return refuse(`they hold ${error.message}`);
  }
}

/** What the program has made of an argument. */
function change(object, after) {
  if (!isObject(after) || encode(object) === encode(after)) return;
  if (object instanceof Set) {
    object.clear();
    for (const item of after) object.add(item);
    return;
  }
  for (const key of Object.keys(object)) delete object[key];
  if (Array.isArray(object)) object.length = 0;
  for (const [key, value] of Object.entries(after)) object[key] = value;
}

/** Stands for the value of a call that nobody has answered yet: whatever is done with it is defined. */
const anything = new Proxy(function () {}, {
  get(_, name) {
    if (name === Symbol.toPrimitive) return () => 0;
    if (name === Symbol.iterator) return () => [][Symbol.iterator]();
    if (name === "length") return 0;
    return name === "then" ? undefined : anything;
  },
  set: () => true,
  apply: () => anything,
  construct: () => anything,
});

function isUnknown(value) {
  return value === anything || (isObject(value) && Object.values(value).some(isUnknown));
}

/** A check of the tests, said to belong to the call before it. */
function check(right, ...message) {
  checks += 1;
  if (!checking) return;
  const call = Math.max(calls.length - 1, 0);
  say(right ? [call] : [call, `check ${checks} is not met: ${message.map(String).join(" ")}`]);
}

function say(finding) {
  writeLine(3, `${stringify(finding)}\n`);
}

/** Node's assertions: what fails ends the tests. */
function assertion(target) {
  return new Proxy(target, {
    get: (_, name) => (typeof target[name] === "function" ? assertion(target[name]) : target[name]),
    apply(_, self, given) {
      checks += 1;
      return checking ? Reflect.apply(target, self, given) : undefined;
    },
  });
}

function requireForTests(name) {
  if (!/^(?:node:)?assert(?:\/strict)?$/.test(name)) return require(name);
  return assertion(name.endsWith("strict") ? assert.strict : assert);
}

/** The same numbers in every run (mulberry32). */
function randomOf(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The tests as a function of the stand-in; what else the prompt defines is there under its name. */
function compiled() {
  const names = ["require", "console", "judge_entry"];
  const body = `(function (${entry}) {\n${tests}\n})(judge_entry);`;
  for (const before of [`${prompt}\n`, `${prompt}\n}\n;`, `${prompt}\n};});`]) {
    try {
      return vm.compileFunction(`${before}\n;${body}`, names, { filename: "tests.js" });
    } catch {
      // the prompt ends elsewhere
    }
  }
  return vm.compileFunction(body, names, { filename: "tests.js" });
}

Math.random = randomOf(1);
process.on("exit", () => {
  if (checking && process.exitCode) return;
  if (checks === 0 && !interrupted) refuse("they hold no check");
  if (checking) return say([-1]);
  if (calls.length === 0) refuse(`they do not call ${entry}`);
  const recorded = calls.map(({ key, objects, texts }) => {
    return [false, texts.map((text, i) => [objects[i] ? "l" : "r", text, ""]), [], key];
  });
  writeLine(3, `${stringify({ calls: recorded })}\n`);
  if (goingOn) process.reallyExit(4);
});
const quiet = Object.assign(Object.create(console), { assert: check });
try {
  compiled()(requireForTests, quiet, call);
} catch (error) {
  if (error instanceof ReferenceError || (!checking && calls.length === 0)) refuse(error);
  if (!checking) interrupted = true;
  else say([Math.max(calls.length - 1, 0), `the tests end with ${error}`]);
  if (checking) process.exitCode = 1;
}
