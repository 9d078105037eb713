"use strict";
// The TypeScript compiler that belongs to the `tsc` on the PATH.

const fs = require("node:fs");
const path = require("node:path");

function find() {
  for (const directory of (process.env.PATH || "").split(path.delimiter)) {
    const command = path.join(directory, "tsc");
    if (!fs.existsSync(command)) continue;
    const library = path.join(path.dirname(fs.realpathSync(command)), "..", "lib", "typescript.js");
    if (fs.existsSync(library)) return library;
  }
  return "typescript";
}

module.exports = require(find());
