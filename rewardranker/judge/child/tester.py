"""The trusted side of style ``program``: runs the tests against a program that lives in another process.

The tests' own code, every comparison and every expected value stay here. The program's names are bound to
proxies that send calls over a pipe as data and get data back; an object that is not data is only a
:class:`Remote`, equal to nothing but itself.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import hashlib
import importlib
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import wire
from .channel import Channel

MAX_LINE = 4 << 20


class Tampered(BaseException):
    """The program's side broke the protocol. Past every ``except Exception`` of a test."""


class Gone(BaseException):
    """The program's process ended before it answered. Past every ``except Exception`` of a test."""


class TooMuch(BaseException):
    """The program returned more than is taken over."""


class Unsupported(BaseException):
    """The tests pass a value that cannot cross the pipe: our limit, not the program's fault."""


class ProgramError(Exception):
    """The program raised; ``kind`` is the name of what it raised."""

    kind = ""


def checks_of(source: str) -> list[tuple[list[ast.stmt], list[ast.stmt]]]:
    """Splits a test into checks: the statements that lead up to each top-level ``assert``, and it.

    A test without a top-level ``assert`` is one check as a whole. Raises SyntaxError.
    """
    checks: list[tuple[list[ast.stmt], list[ast.stmt]]] = []
    leading: list[ast.stmt] = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assert):
            checks.append((leading, [statement]))
            leading = []
        else:
            leading.append(statement)
    if leading and checks:
        checks[-1][1].extend(leading)
    return checks or [(leading, [])]


def free_names(sources: list[str], entry: str) -> list[str]:
    """Names that the tests use and neither define nor find among the builtins: the program's to provide.

    The entry point is always one, whatever it is called (``sum`` is a popular name).
    """
    used: set[str] = set()
    defined: set[str] = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined.add(node.name)
            elif isinstance(node, ast.arg):
                defined.add(node.arg)
            elif isinstance(node, ast.alias):
                defined.add((node.asname or node.name).split(".")[0])
    own = {name for name in used - defined if not hasattr(builtins, name)}
    return sorted(own | {entry})


class Link:
    """The pipe to the program's process: one request, one reply, in step."""

    def __init__(self, requests: int, replies: int, nonce: str) -> None:
        self._requests, self._replies, self._nonce = requests, replies, nonce
        self._buffer, self._number = b"", 0
        self._remotes: dict[int, Remote] = {}
        self.record = hashlib.sha256()

    def remote(self, number: int) -> Remote:
        return self._remotes.setdefault(number, Remote(self, number))

    def receive(self) -> list[Any]:
        """The next line's ``[kind, ...]``."""
        while b"\n" not in self._buffer:
            chunk = os.read(self._replies, 1 << 16)
            if not chunk:
                raise Gone("the program's process ended early")
            self._buffer += chunk
            if len(self._buffer) > MAX_LINE:
                raise TooMuch(f"a return value of more than {MAX_LINE >> 20} MB")
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            nonce, number, *rest = wire.loads(line.decode())
        except (wire.WireError, UnicodeDecodeError, TypeError, ValueError):
            raise Tampered("a reply that is not one") from None
        if nonce != self._nonce or number != self._number or not rest or type(rest[0]) is not str:
            raise Tampered("a reply out of step")
        self._number += 1
        return rest

    def greeting(self) -> list[Any]:
        """What the program's process says first: that it began, then what became of loading the program."""
        try:
            self.receive()
        except Gone:
            raise Unsupported("the program's process did not begin") from None
        return self.receive()

    def ask(self, operation: str, target: int, arguments: list[Any]) -> Any:
        """The decoded value. What was changed in place of the arguments is changed in them."""
        shared = wire.Shared()
        try:
            encoded = [wire.encode(value, _number_of_remote, shared) for value in arguments]
        except wire.WireError as error:
            raise Unsupported(str(error)) from None
        request = wire.dumps([operation, target, encoded])
        try:
            _write_all(self._requests, request.encode() + b"\n")
        except BrokenPipeError:
            raise Gone("the program's process ended early") from None
        kind, *rest = self.receive()
        given = len(shared.objects)
        value, changes, raised = self._reply(kind, rest, shared)
        if operation == "call":
            data = self._outcome(rest[0], value, shared) if kind == "value" else rest[0]
            self.record.update(f"{request}\n{kind} {wire.dumps(data)}\n".encode())
        try:
            for number, contents in changes:
                if type(number) is not int or not 0 <= number < given:
                    raise Tampered("a change of an argument that was not given")
                wire.refill(shared.objects[number], contents, self.remote, shared)
        except (wire.WireError, TypeError, ValueError) as error:
            raise Tampered(f"a change that is not one: {error}") from None
        if raised is not None:
            raise raised
        return value

    def _outcome(self, data: Any, value: Any, shared: wire.Shared) -> Any:
        """Data that is equal for values that are, whether they are what was given or copies of it."""
        if shared.repeated:
            with contextlib.suppress(wire.WireError):
                data = wire.encode_tree(value, _number_of_remote)
        return wire.canonical(data)

    def _reply(self, kind: str, rest: list[Any], shared: wire.Shared) -> tuple[Any, list[Any], ProgramError | None]:
        try:
            if kind == "value":
                data, changes = rest
                return wire.decode(data, self.remote, shared), changes, None
            if kind == "error":
                name, message, base, arguments, changes = rest
                return None, changes, program_error(name, message, base, wire.decode(arguments))
            if kind == "opaque":
                (message,) = rest
                return None, [], ProgramError(f"returned {message}")
        except (wire.WireError, TypeError, ValueError) as error:
            raise Tampered(f"a reply that is not one: {error}") from None
        raise Tampered(f"a reply of kind {kind[:20]!r}")


def _number_of_remote(value: object) -> int:
    if type(value) is Remote:
        return Remote.number_of(value)
    raise wire.WireError(f"a value of type {type(value).__name__}")


def program_error(kind: str, message: str, base: str = "", arguments: Any = None) -> ProgramError:
    """An exception that ``except ValueError`` in a test also catches when what the program raised is one.

    Args:
        base: the builtin exception that it says it is one of.
        arguments: its ``args``, where they are data.
    """
    found = getattr(builtins, base or kind, None)
    bases: tuple[type, ...] = (ProgramError,)
    if isinstance(found, type) and issubclass(found, Exception) and found is not Exception:
        bases = (ProgramError, found)
    given = tuple(arguments) if type(arguments) is list else (message,)
    for parents, values in ((bases, given), (bases, (message,)), ((ProgramError,), (message,))):
        with contextlib.suppress(TypeError, ValueError):
            error = type("ProgramError", parents, {"kind": str(kind)})(*values)
            assert isinstance(error, ProgramError)
            return error
    raise Tampered("an exception that is none")


class Remote:
    """Stands for an object of the program."""

    def __init__(self, link: Link, number: int) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_number", number)

    @staticmethod
    def number_of(remote: Remote) -> int:
        return int(object.__getattribute__(remote, "_number"))

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        link: Link = object.__getattribute__(self, "_link")
        return link.ask("call", Remote.number_of(self), [list(arguments), keywords])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return object.__getattribute__(self, "_link").ask("get", Remote.number_of(self), [name])

    def __repr__(self) -> str:
        return "<object of the program>"  # without the address here, which is nobody's business

    def __setattr__(self, name: str, value: Any) -> None:
        object.__getattribute__(self, "_link").ask("set", Remote.number_of(self), [name, value])


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


Body = Callable[[dict[str, Any], dict[str, Any], Channel], None]


def run_tester(job: dict[str, Any], requests: int, replies: int, results: int, body: Body) -> None:
    """Runs ``body`` on the program's names; it sends one line per check or probe, and then comes ``done`` with the
    signature.

    The lines quote tests. They are sealed, since the server that passes them on is what the next program is
    forked from.
    """
    link = Link(requests, replies, job["nonce"])
    report = Channel(results, job["nonce"], bytes.fromhex(job["key"]))
    try:
        hello = link.greeting()
        if hello[0] in ("compile", "load"):
            kind, name, message = hello
            report.send(kind, str(name), str(message))
            return
        if hello[0] != "ready":
            raise Tampered("a greeting that is not one")
        report.send("ready")
        names = {name: wire.decode(data, link.remote) for name, data in hello[1].items() if name in job["names"]}
        body(job, names, report)
        report.send("done", link.record.hexdigest())
    except Tampered as error:
        report.send("tampered", str(error))
    except (wire.WireError, TypeError, ValueError, AttributeError, IndexError) as error:
        report.send("tampered", f"a greeting that is not one: {error}")
    except TooMuch as error:
        report.send("output", str(error))
    except Unsupported as error:
        report.send("unsupported", str(error))
    except Gone:
        report.send("gone", link.record.hexdigest())


def run_checks(job: dict[str, Any], names: dict[str, Any], report: Channel) -> None:
    """Setup, then every check of every test.

    Names of the standard library that the program did not provide are imported: tests rely on imports
    that only some solutions make."""
    space: dict[str, Any] = {"__name__": "tests"}
    _add_helpers(job["helpers"], space)
    for name in job["names"]:
        if name != job["entry"] and name in sys.stdlib_module_names:
            space[name] = importlib.import_module(name)
        elif name in names:
            space[name] = names[name]
        elif hasattr(builtins, name):
            space[name] = missing(name)
    setup_failure = _failure(_compiled(job["setup"]), space)
    for test in job["tests"]:
        failure = setup_failure
        for leading, check in _compiled_checks(test):
            failure = failure or _failure(leading, space)
            outcome = failure or _failure(check, space)
            report.send(*(outcome or ("pass",)))


def _add_helpers(source: str, space: dict[str, Any]) -> None:
    try:
        exec(compile(source, "<helpers>", "exec", dont_inherit=True), space)
    except BaseException as error:
        raise Unsupported(f"the prompt's own code raises {type(error).__name__}: {error}") from None


def missing(name: str) -> Any:
    """Stands for the entry point that the program lacks, so that no builtin of the same name does."""

    def raise_name_error(*arguments: Any, **keywords: Any) -> Any:
        raise program_error("NameError", f"name {name!r} is not defined")

    return raise_name_error


@dataclass(frozen=True)
class _Statement:
    """Of a test: its syntax tree, for messages, and what it was compiled to."""

    tree: ast.stmt
    code: types.CodeType


@lru_cache(maxsize=256)
def _compiled(source: str) -> list[_Statement]:
    return _statements(ast.parse(source).body)


@lru_cache(maxsize=256)
def _compiled_checks(source: str) -> list[tuple[list[_Statement], list[_Statement]]]:
    return [(_statements(leading), _statements(check)) for leading, check in checks_of(source)]


def _statements(trees: list[ast.stmt]) -> list[_Statement]:
    try:
        return [_Statement(tree, compile(ast.Module([tree], []), "<test>", "exec")) for tree in trees]
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unsupported(f"a test that does not compile: {error}") from None


def _failure(statements: list[_Statement], space: dict[str, Any]) -> tuple[str, ...] | None:
    """``None``, or ``(kind, ...)`` of what went wrong: the program raised, or its value does not fit."""
    try:
        for statement in statements:
            exec(statement.code, space)
    except ProgramError as error:
        return ("error", error.kind, str(error)[:200]) if error.kind else ("wrong", str(error)[:200])
    except NameError as error:
        return ("error", "NameError", str(error)[:200])
    except (Tampered, Gone, TooMuch, Unsupported):
        raise
    except AssertionError:
        return ("wrong", ast.unparse(statement.tree)[:200])
    except BaseException as error:
        return ("wrong", f"{ast.unparse(statement.tree)[:160]}: {type(error).__name__}")
    return None
