"use strict";
// Type-checks and transpiles TypeScript, one frame after another, without reading the libraries again.
//
// A request's argv is ["check", CHECKED, EMITTED, ...]: CHECKED is the file whose errors count, EMITTED the
// one that is turned into JavaScript without types. With "node" as fourth word, what node offers a main
// program (require, process, modules) is declared, and modules are CommonJS.

const fs = require("node:fs");
const path = require("node:path");
const ts = require("./compiler.js");

const LIBRARIES = path.dirname(require.resolve(ts.sys.getExecutingFilePath()));
const AMBIENT = "ambient.d.ts";
const AMBIENT_TEXT = `
declare module "*";
declare var require: any, module: any, exports: any, process: any, Buffer: any, global: any;
declare var __filename: string, __dirname: string;
`;
const MAX_ERRORS = 8000;
const libraries = new Map();

function options(node, skipLibCheck) {
  return {
    target: ts.ScriptTarget.ESNext,
    module: node ? ts.ModuleKind.CommonJS : undefined,
    esModuleInterop: node ? true : undefined,
    types: [],
    noEmit: true,
    skipLibCheck,
  };
}

/** A compiler host that has `texts` and the compiler's own libraries, and nothing else. */
function hostOf(texts) {
  return {
    getSourceFile: (name, target) => sourceFile(texts, name, target),
    getDefaultLibFileName: (settings) => path.join(LIBRARIES, ts.getDefaultLibFileName(settings)),
    getDefaultLibLocation: () => LIBRARIES,
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    fileExists: (name) => texts.has(path.basename(name)) && path.dirname(name) === "/",
    readFile: (name) => texts.get(path.basename(name)),
    directoryExists: () => false,
    getDirectories: () => [],
    writeFile: () => {},
  };
}

function sourceFile(texts, name, target) {
  if (path.dirname(name) === "/") {
    const text = texts.get(path.basename(name));
    return text === undefined ? undefined : ts.createSourceFile(name, text, target);
  }
  if (!libraries.has(name)) {
    const known = path.dirname(name) === LIBRARIES && fs.existsSync(name);
    libraries.set(name, known ? ts.createSourceFile(name, fs.readFileSync(name, "utf8"), target) : undefined);
  }
  return libraries.get(name);
}

/** What `tsc` prints on a program, or the empty text. */
function errorsOf(name, texts, node) {
  const roots = texts.has(AMBIENT) ? [`/${AMBIENT}`, `/${name}`] : [`/${name}`];
  const host = hostOf(texts);
  let program = ts.createProgram(roots, options(node, true), host);
  let found = ts.getPreEmitDiagnostics(program);
  if (found.length === 0 && redeclaresLibrary(program.getSourceFile(`/${name}`))) {
    // An error that the program causes in a library's own file is found only where those are checked too.
    program = ts.createProgram(roots, options(node, false), host);
    found = ts.getPreEmitDiagnostics(program);
  }
  return ts.formatDiagnostics(found.slice(0, 20), host).slice(0, MAX_ERRORS);
}

/** Whether a name at the top of a script is also one that some library file declares. */
function redeclaresLibrary(file) {
  if (ts.isExternalModule(file)) return false; // its names are its own
  for (const library of libraries.values()) {
    if (library === undefined || library.locals === undefined) continue;
    for (const name of file.locals.keys()) {
      if (library.locals.has(name)) return true;
    }
  }
  return false;
}

function check(checked, emitted, node, files) {
  const texts = new Map(Object.entries(files).map(([name, data]) => [name, Buffer.from(data, "base64").toString()]));
  const declared = new Map(texts).set(AMBIENT, AMBIENT_TEXT);
  let errors = errorsOf(checked, node ? declared : texts, node);
  // A program may itself declare what node offers, in other words; then nothing is declared for it.
  if (errors && node) errors = errorsOf(checked, texts, node) && errors;
  if (errors) return { status: 2, errors, files: {} };
  const output = ts.transpileModule(texts.get(emitted), { compilerOptions: { ...options(node, true), noEmit: false } });
  const name = emitted.replace(/\.ts$/, ".js");
  return { status: 0, errors: "", files: { [name]: Buffer.from(output.outputText).toString("base64") } };
}

function answer(request) {
  const [command, checked, emitted, flavour] = request.argv;
  if (command !== "check") return { status: 64, errors: `unknown command ${command}`, files: {} };
  try {
    return check(checked, emitted, flavour === "node", request.files);
  } catch (error) {
    // Status 70: the compiler itself has failed, which may be true of it from now on.
    return { status: 70, errors: `the compiler failed: ${error.message}`, files: {} }; // as tsc would on such a program
  }
}

function readExactly(count) {
  const bytes = Buffer.alloc(count);
  for (let done = 0; done < count; ) {
    const read = fs.readSync(0, bytes, done, count - done, null);
    if (read === 0) return null;
    done += read;
  }
  return bytes;
}

function writeFrame(value) {
  const body = Buffer.from(JSON.stringify(value));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  const frame = Buffer.concat([head, body]);
  for (let done = 0; done < frame.length; ) done += fs.writeSync(3, frame, done, frame.length - done);
}

for (let head = readExactly(4); head !== null; head = readExactly(4)) {
  const body = readExactly(head.readUInt32BE(0));
  if (body === null) break;
  writeFrame(answer(JSON.parse(body.toString())));
}
