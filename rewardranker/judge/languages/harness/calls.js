"use strict";
// Runs program.js as node would run it as a main module, then answers the calls in calls.json. Knows no
// expected value. Where tests are replayed, each answer is a list of texts, the value and what the call has made of every
// object that it was given. Shares a process with the program, which may take it over: that buys the choice of what to
// answer, and answers are data, compared elsewhere.

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { Opaque, cut, decode, describe, encode, isObject, openStream, parse, stringify } = require("./values.js");

const { apply } = Reflect;
const exitNow = process.reallyExit.bind(process);
const job = parse(fs.readFileSync("calls.json", "utf8"));
const send = openStream(3, job.nonce);

/** The program as a function of what a module sees; its last line hands over the entry point. */
function compile(text, hook) {
  const source = text.replace(/^#!/, "//");
  const handOver = `\n;${hook}(typeof ${job.entry} === "undefined" ? undefined : ${job.entry});`;
  const names = ["exports", "require", "module", "__filename", "__dirname", hook];
  return vm.compileFunction(source + handOver, names, { filename: "program.js" });
}

/** Runs the program; what it calls by the entry point's name, at its end. */
function run(program) {
  const filename = path.resolve("program.js");
  const module = new Module(filename, null);
  module.filename = filename;
  module.paths = [];
  process.mainModule = module; // a program may ask whether it is the main one
  let found;
  apply(program, module.exports, [
    module.exports,
    Module.createRequire(filename),
    module,
    filename,
    path.dirname(filename),
    (value) => {
      found = value;
    },
  ]);
  return found === undefined ? exported(module.exports) : found;
}

function exported(exports) {
  return typeof exports === "function" ? exports : exports === null ? undefined : exports[job.entry];
}

/** The answer to one call, as the further entries of a line. */
function answer(target, call) {
  try {
    if (typeof target !== "function") return `"error","ReferenceError",${missing}`;
    const given = decode(call);
    const value = encode(apply(target, undefined, given));
    return `"value",${job.replayed ? withChanges(value, given) : value}`;
  } catch (error) {
    return error instanceof Opaque ? `"opaque",${stringify(error.message)}` : describe("error", error);
  }
}

/** The texts of what was returned, and of every object that was given. */
function withChanges(value, given) {
  let texts = stringify(value);
  for (let i = 0; i < given.length; i++) {
    if (isObject(given[i])) texts += `,${stringify(encode(given[i]))}`;
  }
  return `[${texts}]`;
}

const missing = stringify(cut(`the program does not define the function ${job.entry}`));
send('"begun"');
let target;
try {
  const program = compile(fs.readFileSync("program.js", "utf8"), `hook_${job.nonce}`);
  try {
    target = run(program);
  } catch (error) {
    send(describe("load", error));
    exitNow(1);
  }
} catch (error) {
  send(describe("compile", error));
  exitNow(1);
}
send('"ready"');
const { calls } = job;
for (let i = 0; i < calls.length; i++) send(answer(target, calls[i]));
send('"done"');
exitNow(0); // timers and open handles of the program would keep the process
