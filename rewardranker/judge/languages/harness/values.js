"use strict";
// Values as data, and the result stream. Programs may patch any builtin: whatever is used after a program has
// begun is taken here, before, and called without looking anything up on a prototype.

const fs = require("node:fs");
const { isSet, isProxy } = require("node:util").types;

const { isArray } = Array;
const { keys: keysOf, hasOwn, defineProperty, create } = Object;
const { stringify, parse } = JSON;
const { writeSync } = fs;
const asBigInt = BigInt;
const bytesOf = Buffer.from.bind(Buffer);
const unbound = Function.prototype.bind.bind(Function.prototype.call);
const tagOf = unbound(Object.prototype.toString);
const bigIntText = unbound(BigInt.prototype.toString);
const unitAt = unbound(String.prototype.charCodeAt);
const sliceOf = unbound(String.prototype.slice);
const eachOf = unbound(Set.prototype.forEach);
const addTo = unbound(Set.prototype.add);
const SetOfNow = Set;

const MAX_DEPTH = 200;
const MAX_MESSAGE = 200;

/** Thrown for a value that has no form as data. */
class Opaque {
  constructor(message) {
    this.message = message;
  }
}

/** The JSON text of `value`; throws `Opaque`, or whatever a getter of the program throws. */
function encode(value) {
  return encodeWithin(value, [], 0);
}

function encodeWithin(value, outer, depth) {
  switch (typeof value) {
    case "string":
      return stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return encodeNumber(value);
    case "bigint":
      return value < 0n ? `{"int":"-0x${bigIntText(-value, 16)}"}` : `{"int":"0x${bigIntText(value, 16)}"}`;
    case "undefined":
      return '{"undefined":null}';
    case "object":
      return value === null ? "null" : encodeObject(value, outer, depth);
    default:
      throw new Opaque(`a ${typeof value}`);
  }
}

function encodeNumber(value) {
  if (value !== value) return '{"float":"nan"}';
  if (value === Infinity) return '{"float":"inf"}';
  return value === -Infinity ? '{"float":"-inf"}' : `${value}`;
}

function encodeObject(value, outer, depth) {
  if (depth >= MAX_DEPTH) throw new Opaque("a value that is nested too deeply");
  for (let i = 0; i < depth; i++) {
    if (outer[i] === value) throw new Opaque("a value that contains itself");
  }
  outer[depth] = value;
  if (isArray(value)) return encodeArray(value, outer, depth + 1);
  if (isSet(value)) {
    let text = "";
    eachOf(value, (item) => {
      text += (text && ",") + encodeWithin(item, outer, depth + 1);
    });
    return `{"set":[${text}]}`;
  }
  const tag = tagOf(value);
  if (tag !== "[object Object]") throw new Opaque(`an object ${cut(tag)}`);
  return encodeEntries(value, outer, depth + 1);
}

function encodeArray(value, outer, depth) {
  const { length } = value;
  let text = "";
  for (let i = 0; i < length; i++) {
    if (!hasOwn(value, i)) throw new Opaque("an array with holes");
    text += (i ? "," : "") + encodeWithin(value[i], outer, depth);
  }
  if (!isProxy(value) && keysOf(value).length !== length) throw new Opaque("an array with properties of its own");
  return `[${text}]`;
}

function encodeEntries(value, outer, depth) {
  const keys = keysOf(value);
  let text = "";
  for (let i = 0; i < keys.length; i++) {
    text += `${i ? "," : ""}[${stringify(keys[i])},${encodeWithin(value[keys[i]], outer, depth)}]`;
  }
  return `{"dict":[${text}]}`;
}

/** The value that parsed JSON stands for, made afresh. */
function decode(data) {
  if (isArray(data)) {
    const list = [];
    for (let i = 0; i < data.length; i++) list[i] = decode(data[i]);
    return list;
  }
  if (typeof data !== "object" || data === null) return data;
  const tag = keysOf(data)[0];
  const body = data[tag];
  switch (tag) {
    case "undefined":
      return undefined;
    case "float":
      return body === "nan" ? NaN : body === "inf" ? Infinity : -Infinity;
    case "int":
      return body[0] === "-" ? -asBigInt(sliceOf(body, 1)) : asBigInt(body);
    case "set":
      return decodeSet(body);
    case "dict":
      return decodeEntries(body);
    default:
      throw new Opaque(`unknown tag ${tag}`);
  }
}

function decodeSet(body) {
  const set = new SetOfNow();
  for (let i = 0; i < body.length; i++) addTo(set, decode(body[i]));
  return set;
}

function decodeEntries(body) {
  const object = {};
  for (let i = 0; i < body.length; i++) {
    const property = create(null); // an inherited "get" would spoil it
    property.value = decode(body[i][1]);
    property.writable = property.enumerable = property.configurable = true;
    defineProperty(object, `${body[i][0]}`, property);
  }
  return object;
}

/** Whether whoever is given the value can change it. */
function isObject(value) {
  return typeof value === "object" && value !== null;
}

/** At most 200 characters, without halves of surrogate pairs. */
function cut(text) {
  let clean = "";
  const end = text.length < MAX_MESSAGE ? text.length : MAX_MESSAGE;
  for (let i = 0; i < end; i++) {
    const unit = unitAt(text, i);
    const pair = unit >= 0xd800 && unit < 0xdc00 && i + 1 < end && unitAt(text, i + 1) >> 10 === 0x37;
    clean += pair ? text[i] + text[++i] : unit >> 11 === 0x1b ? "?" : text[i];
  }
  return clean;
}

/** `"error","NAME","MESSAGE"` of whatever was thrown, the quotes included. */
function describe(kind, error) {
  let name = "Error";
  let message = "";
  try {
    const plain = typeof error !== "object" || error === null;
    name = plain ? `thrown ${typeof error}` : sliceOf(`${error.name}`, 0, 60);
    message = `${plain ? error : error.message}`;
  } catch {
    // an error whose own text cannot be had
  }
  return `"${kind}",${stringify(cut(name))},${stringify(cut(message))}`;
}

/** A function that sends one numbered line `[nonce, number, ...]`, given its further entries as JSON text. */
function openStream(fd, nonce) {
  let number = 0;
  return (entries) => writeLine(fd, `[${stringify(nonce)},${number++},${entries}]\n`);
}

function writeLine(fd, line) {
  const bytes = bytesOf(line);
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

module.exports = { Opaque, cut, decode, describe, encode, isObject, openStream, parse, stringify, writeLine };
