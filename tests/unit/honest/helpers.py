"""A function with a helper in its prompt, as MultiPL-E states HumanEval 50, in seven languages: rows and programs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A prompt that defines a helper, and begins the function that the tests call.

    Attributes:
        body: what completes the prompt rightly.
        own: a right program without the helper, or with one of another name.
        sabotaged: a wrong program whose helper says that it is right.
        spoilt: in ``body``, what to put another text for to make it wrong.
        around: the tests but for their checks, which stand in place of ``CHECKS``.
        checks: one that gives the helper's result to the function, one that gives the function's to the helper, and one
            in a loop.
    """

    code: str
    prompt: str
    body: str
    own: str
    sabotaged: str
    spoilt: tuple[str, str]
    around: str
    checks: tuple[str, ...]


_NODE = """const assert = require('node:assert');


function test() {
  let candidate = decode_shift;
CHECKS}

test();"""
_NODE_CHECKS = (
    """  assert.deepEqual(candidate(encode_shift("abcxyz")),"abcxyz");
  assert.deepEqual(candidate(encode_shift("hello")),"hello");
""",
    """  assert.deepEqual(encode_shift(candidate("abcxyz")),"abcxyz");
  assert.deepEqual(encode_shift(candidate("hello")),"hello");
""",
    """  for (const s of ["abc", "xyz", ""]) {
    const encoded = encode_shift(s);
    assert.strictEqual(candidate(encoded), s);
  }
""",
)

TASKS = {
    "javascript": Task(
        code="js",
        prompt="""//returns encoded string by shifting every character by 5 in the alphabet.
function encode_shift(s) {
  return [...s].map((c) => String.fromCharCode((c.charCodeAt(0) + 5 - 97) % 26 + 97)).join("");
}

//takes as input string encoded with encode_shift function. Returns decoded string.
function decode_shift(s) {
""",
        body="""  return [...s].map((c) => String.fromCharCode((c.charCodeAt(0) + 21 - 97) % 26 + 97)).join("");
}
""",
        own="""function shift(s, k) { return [...s].map((c) => String.fromCharCode((c.charCodeAt(0) + k - 97) % 26 + 97)).join(""); }
function decode_shift(s) { return shift(s, 21); }
""",
        sabotaged="""function encode_shift(s) { return s; }
function decode_shift(s) { return s; }
""",
        spoilt=("21", "20"),
        around=_NODE,
        checks=_NODE_CHECKS,
    ),
    "typescript": Task(
        code="ts",
        prompt="""//returns encoded string by shifting every character by 5 in the alphabet.
function encode_shift(s: string): string {
  return [...s].map((c: string) => String.fromCharCode((c.charCodeAt(0) + 5 - 97) % 26 + 97)).join("");
}

//takes as input string encoded with encode_shift function. Returns decoded string.
function decode_shift(s: string): string {
""",
        body="""  return [...s].map((c: string) => String.fromCharCode((c.charCodeAt(0) + 21 - 97) % 26 + 97)).join("");
}
""",
        own="""function shift(s: string, k: number) { return [...s].map((c: string) => String.fromCharCode((c.charCodeAt(0) + k - 97) % 26 + 97)).join(""); }
function decode_shift(s: string): string { return shift(s, 21); }
""",
        sabotaged="""function encode_shift(s: string): string { return s; }
function decode_shift(s: string): string { return s; }
""",
        spoilt=("21", "20"),
        around="declare var require: any;\n" + _NODE,
        checks=_NODE_CHECKS,
    ),
    "php": Task(
        code="php",
        prompt="""<?php
// returns encoded string by shifting every character by 5 in the alphabet.
function encode_shift($s) {
    return implode("", array_map(fn($c) => chr((ord($c) + 5 - 97) % 26 + 97), $s === "" ? [] : str_split($s)));
}

// takes as input string encoded with encode_shift function. Returns decoded string.
function decode_shift($s) {
""",
        body="""    return implode("", array_map(fn($c) => chr((ord($c) + 21 - 97) % 26 + 97), $s === "" ? [] : str_split($s)));
}
""",
        own="""<?php
function shift($s, $k) { $r = ""; for ($i = 0; $i < strlen($s); $i++) $r .= chr((ord($s[$i]) + $k - 97) % 26 + 97); return $r; }
function decode_shift($s) { return shift($s, 21); }
""",
        sabotaged="""<?php
function encode_shift($s) { return $s; }
function decode_shift($s) { return $s; }
""",
        spoilt=("21", "20"),
        around="""function candidate(...$args) {
    return decode_shift(...$args);
}

function test(): void {
CHECKS}

test();""",
        checks=(
            """    if (candidate(encode_shift("abcxyz")) !== "abcxyz") { throw new Exception("Test failed!"); }
    if (candidate(encode_shift("hello")) !== "hello") { throw new Exception("Test failed!"); }
""",
            """    if (encode_shift(candidate("abcxyz")) !== "abcxyz") { throw new Exception("Test failed!"); }
    if (encode_shift(candidate("hello")) !== "hello") { throw new Exception("Test failed!"); }
""",
            """    foreach (["abc", "xyz", ""] as $s) {
        $encoded = encode_shift($s);
        if (candidate($encoded) !== $s) { throw new Exception("Test failed!"); }
    }
""",
        ),
    ),
    "bash": Task(
        code="sh",
        prompt="""#!/bin/bash
# returns encoded string by shifting every character by 5 in the alphabet.
encode_shift() {
    echo "$1" | tr 'a-z' 'f-za-e'
}

# takes as input string encoded with encode_shift function. Returns decoded string.
#
# $1 is a string
decode_shift() {
""",
        body="""    echo "$1" | tr 'f-za-e' 'a-z'
}
""",
        own="""shift_by() { echo "$1" | tr f-za-e a-z; }
decode_shift() { shift_by "$1"; }
""",
        sabotaged="""encode_shift() { echo "$1"; }
decode_shift() { echo "$1"; }
""",
        spoilt=("f-za-e' 'a-z", "f-za-e' 'b-za"),
        around="""}

candidate() {
    decode_shift "$@"
}

set -e
run_test() {
CHECKS}

run_test""",
        checks=(
            """    [[ $(candidate "$(encode_shift "abcxyz")") = "abcxyz" ]]
    [[ $(candidate "$(encode_shift "hello")") = "hello" ]]
""",
            """    [[ $(encode_shift "$(candidate "abcxyz")") = "abcxyz" ]]
    [[ $(encode_shift "$(candidate "hello")") = "hello" ]]
""",
            """    for s in abc xyz ""; do
        encoded=$(encode_shift "$s")
        [[ $(candidate "$encoded") = "$s" ]]
    done
""",
        ),
    ),
    "cpp": Task(
        code="cpp",
        prompt="""#include<assert.h>
#include<bits/stdc++.h>
// returns encoded string by shifting every character by 5 in the alphabet.
std::string encode_shift(std::string s) {
    for (char& c : s) c = (c + 5 - 'a') % 26 + 'a';
    return s;
}

// takes as input string encoded with encode_shift function. Returns decoded string.
std::string decode_shift(std::string s) {
""",
        body="""    for (char& c : s) c = (c + 21 - 'a') % 26 + 'a';
    return s;
}
""",
        own="""#include<bits/stdc++.h>
static std::string shift(std::string s, int k) { for (char& c : s) c = (c + k - 97) % 26 + 97; return s; }
std::string decode_shift(std::string s) { return shift(s, 21); }
""",
        sabotaged="""#include<bits/stdc++.h>
std::string encode_shift(std::string s) { return s; }
std::string decode_shift(std::string s) { return s; }
""",
        spoilt=("21", "20"),
        around="""}
int main() {
    auto candidate = decode_shift;
CHECKS}
""",
        checks=(
            """    assert(candidate((encode_shift("abcxyz"))) == ("abcxyz"));
    assert(candidate((encode_shift("hello"))) == ("hello"));
""",
            """    assert(encode_shift(candidate(("abcxyz"))) == ("abcxyz"));
    assert(encode_shift(candidate(("hello"))) == ("hello"));
""",
            """    for (std::string s : {"abc", "xyz", ""}) {
        auto encoded = encode_shift(s);
        assert(candidate(encoded) == s);
    }
""",
        ),
    ),
    "java": Task(
        code="java",
        prompt="""import java.util.*;
import java.lang.reflect.*;
import org.javatuples.*;
import java.security.*;
import java.math.*;
import java.io.*;
import java.util.stream.*;
class Problem {
    // returns encoded string by shifting every character by 5 in the alphabet.
    public static String encodeShift(String s) {
        StringBuilder b = new StringBuilder();
        for (char c : s.toCharArray()) b.append((char) ((c + 5 - 'a') % 26 + 'a'));
        return b.toString();
    }

    // takes as input string encoded with encodeShift function. Returns decoded string.
    public static String decodeShift(String s) {
""",
        body="""        StringBuilder b = new StringBuilder();
        for (char c : s.toCharArray()) b.append((char) ((c + 21 - 'a') % 26 + 'a'));
        return b.toString();
    }
}
""",
        own="""class Problem {
    static String shift(String s, int k) { String r = ""; for (char c : s.toCharArray()) r += (char) ((c + k - 97) % 26 + 97); return r; }
    public static String decodeShift(String s) { return shift(s, 21); }
}
""",
        sabotaged="""class Problem {
    public static String encodeShift(String s) { return s; }
    public static String decodeShift(String s) { return s; }
}
""",
        spoilt=("21", "20"),
        around="""    }
    public static void main(String[] args) {
CHECKS    }

}
""",
        checks=(
            """    assert(decodeShift((encodeShift("abcxyz"))).equals(("abcxyz")));
    assert(decodeShift((encodeShift("hello"))).equals(("hello")));
""",
            """    assert(encodeShift(decodeShift(("abcxyz"))).equals(("abcxyz")));
    assert(encodeShift(decodeShift(("hello"))).equals(("hello")));
""",
            """    for (String s : new String[] {"abc", "xyz", ""}) {
        String encoded = encodeShift(s);
        assert(decodeShift(encoded).equals(s));
    }
""",
        ),
    ),
    "csharp": Task(
        code="cs",
        prompt="""using System;
using System.Numerics;
using System.Diagnostics;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Security.Cryptography;
class Problem {
    // returns encoded string by shifting every character by 5 in the alphabet.
    public static string EncodeShift(string s) {
        return new string(s.Select(c => (char) ((c + 5 - 'a') % 26 + 'a')).ToArray());
    }

    // takes as input string encoded with EncodeShift function. Returns decoded string.
    public static string DecodeShift(string s) {
""",
        body="""        return new string(s.Select(c => (char) ((c + 21 - 'a') % 26 + 'a')).ToArray());
    }
}
""",
        own="""class Problem {
    static string Shift(string s, int k) { string r = ""; foreach (char c in s) r += (char) ((c + k - 97) % 26 + 97); return r; }
    public static string DecodeShift(string s) { return Shift(s, 21); }
}
""",
        sabotaged="""class Problem {
    public static string EncodeShift(string s) { return s; }
    public static string DecodeShift(string s) { return s; }
}
""",
        spoilt=("21", "20"),
        around="""    }
    public static void Main(string[] args) {
CHECKS    }

}
""",
        checks=(
            """    Debug.Assert(DecodeShift((EncodeShift("abcxyz"))).Equals(("abcxyz")));
    Debug.Assert(DecodeShift((EncodeShift("hello"))).Equals(("hello")));
""",
            """    Debug.Assert(EncodeShift(DecodeShift(("abcxyz"))).Equals(("abcxyz")));
    Debug.Assert(EncodeShift(DecodeShift(("hello"))).Equals(("hello")));
""",
        ),
    ),
}
