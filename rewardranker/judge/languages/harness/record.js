"use strict";
// Runs trusted tests against a recorder and writes the calls that they make, and the values that they expect,
// to descriptor 3. Usage: node record.js TESTS ENTRY. Exit status 3: tests of a form that is not data.

const fs = require("node:fs");
const vm = require("node:vm");
const { encode, writeLine } = require("./values.js");

const [, , file, entry] = process.argv;
const calls = [];
const expected = [];
let pending = null; // stands for the result of the last call until it is compared

class Result {}

function refuse(reason) {
  process.stderr.write(`these tests cannot be recorded: ${reason}\n`);
  process.exit(3);
}

/** Takes the place of the function under test. */
function call(...args) {
  if (pending !== null) refuse("a call whose result is not compared");
  calls.push(`[${args.map(encodeOrRefuse).join(",")}]`);
  pending = new Result();
  return pending;
}

function encodeOrRefuse(value) {
  if (value instanceof Result) refuse("the result of a call is used as a value");
  try {
    return encode(value);
  } catch (error) {
    return refuse(`they hold ${error.message}`);
  }
}

function deepEqual(actual, wanted) {
  if (actual === null || actual !== pending) refuse("a check that does not compare the result of a call");
  pending = null;
  expected.push(encodeOrRefuse(wanted));
}

function requireForTests(name) {
  if (name !== "node:assert" && name !== "assert") refuse(`they require ${name}`);
  return { deepEqual };
}

/** JavaScript of the tests: declarations of what exists already are all of TypeScript that most of them hold. */
function javascript(text) {
  if (!file.endsWith(".ts")) return text;
  const plain = text.replace(/^declare .*;$/gm, "");
  try {
    new vm.Script(`(function () {${plain}\n})`);
    return plain;
  } catch {
    const ts = require("./compiler.js");
    return ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ESNext } }).outputText;
  }
}

try {
  const source = javascript(fs.readFileSync(file, "utf8"));
  vm.compileFunction(source, ["require", entry], { filename: file })(requireForTests, call);
} catch (error) {
  refuse(error);
}
if (pending !== null) refuse("a call whose result is not compared");
if (calls.length === 0) refuse("they hold no check");
writeLine(3, `{"calls":[${calls.join(",")}],"expected":[${expected.join(",")}]}\n`);
