"""A server's process, outside: how it is started in each tier, talked to, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from rewardranker.judge.child.processes import children_of
from rewardranker.judge.sandbox import bubblewrap, cgroup
from rewardranker.judge.sandbox.places import CHILD_DIRECTORY, interpreter, toolchain_directory
from rewardranker.judge.sandbox.scratch import Scratch

TIERS = ("A+", "A", "B", "C", "D")
_BOXED = ("A+", "A", "B")
_START_S, _END_S = 60.0, 5.0
_MAX_FRAME = 1 << 30
_PATH = "/usr/bin:/bin"
_ALWAYS_READ = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_FORGET = ("PWD", "OLDPWD", "LD_LIBRARY_PATH")


class SandboxDied(Exception):
    """The server ended, or did not answer in time; the job says nothing about its program."""


class NotStarted(SandboxDied):
    """It could not even be started; ``reason`` says why."""

    def __init__(self, tier: str, reason: str) -> None:
        super().__init__(f"the sandbox of tier {tier} did not start: {reason}")
        self.reason = reason


def environment(home: str) -> dict[str, str]:
    """All that a program finds in its environment."""
    return {
        "PATH": _PATH,
        "HOME": home,
        "TMPDIR": home,
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
    }


class ServerProcess:
    """A running server. ``read`` and ``write`` raise :class:`SandboxDied`."""

    def __init__(self, tier: str, read_only: tuple[str, ...]) -> None:
        """Starts it and waits for its first frame. Raises :class:`NotStarted`.

        Args:
            read_only: host paths beyond /usr that programs may read; those that do not exist are passed over.
        """
        self.tier = tier
        #: Holds the directories of programs, in tiers without a file system of their own.
        self._scratch = None if tier in _BOXED else Scratch()
        self.home = self._scratch.path if self._scratch is not None else ""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._cgroup: cgroup.Cgroup | None = None
        self.bubblewrap: bubblewrap.Bubblewrap | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if tier == "A+":
                self._cgroup = cgroup.Cgroup()
            readable = tuple(path for path in (*_ALWAYS_READ, *read_only) if os.path.exists(path))
            self._start(self._command(readable))
            self.facts = json.loads(self.read(time.monotonic() + _START_S))
        except (SandboxDied, cgroup.Unavailable, bubblewrap.Unavailable, OSError) as error:
            message = self._errors() or str(error)
            self.stop()
            raise NotStarted(tier, message) from None

    @property
    def cgroup_version(self) -> int:
        """0 without a control group."""
        return self._cgroup.version if self._cgroup is not None else 0

    @property
    def pid(self) -> int:
        """Of the server, or of the sandbox that holds it."""
        assert self._process is not None
        return self._process.pid

    def inside(self, path: str) -> str:
        """What a path below the tool-chain directory is called inside."""
        own = toolchain_directory()
        boxed = self.tier in _BOXED and (path == own or path.startswith(own + "/"))
        return bubblewrap.TOOLCHAINS + path[len(own) :] if boxed else path

    def write(self, body: bytes, deadline: float) -> None:
        """Sends one frame."""
        view = memoryview(len(body).to_bytes(4, "big") + body)
        fd = self._pipe("stdin").fileno()
        while view:
            self._wait(fd, select.POLLOUT, deadline)
            with contextlib.suppress(BlockingIOError):
                try:
                    view = view[os.write(fd, view) :]
                except BrokenPipeError:
                    raise SandboxDied("the sandbox's server ended") from None

    def read(self, deadline: float) -> bytes:
        """Receives one frame."""
        size = int.from_bytes(self._exactly(4, deadline), "big")
        if size > _MAX_FRAME:
            raise SandboxDied("the sandbox's server does not answer as it should")
        return self._exactly(size, deadline)

    def stop(self) -> None:
        """Ends the server and whatever it was running, and removes its directory."""
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                _kill_tree(process.pid)
                process.wait()
        if self._cgroup is not None:
            self._cgroup.remove()
        self._log.close()
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def _start(self, command: list[str]) -> None:
        """Not ``-I`` for the server: that would leave string hashes random, and programs that print a set flaky.
        The environment is ours alone, so there is nothing else for it to shut out."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment("."),
            bufsize=0,
            cwd="/",
            pass_fds=tuple(self._cgroup.files.values()) if self._cgroup is not None else (),
            start_new_session=True,
        )
        os.set_blocking(self._pipe("stdin").fileno(), False)
        os.set_blocking(self._pipe("stdout").fileno(), False)

    def _command(self, readable: tuple[str, ...]) -> list[str]:
        prefix, executable = interpreter()
        if self.tier not in _BOXED:
            places = [*_SYSTEM, *readable, prefix, CHILD_DIRECTORY, toolchain_directory()]
            return _server(executable, CHILD_DIRECTORY, self._plan(self.home, places))
        root = os.geteuid() == 0
        binds = {path: path for path in readable}
        binds |= {bubblewrap.CHILD: CHILD_DIRECTORY, bubblewrap.TOOLCHAINS: toolchain_directory()}
        inside_env = environment("/tmp")
        if not executable.startswith("/usr/"):
            if not executable.startswith(prefix + "/"):
                raise SandboxDied(f"the interpreter {executable} is not in its own directory {prefix}")
            binds[bubblewrap.PYTHON] = prefix
            executable = bubblewrap.PYTHON + executable[len(prefix) :]
            inside_env["LD_LIBRARY_PATH"] = f"{bubblewrap.PYTHON}/lib"
        staged = {str(number): source for number, source in enumerate(binds.values())} if root else None
        sources = [f"{bubblewrap.STAGE}/{name}" for name in staged] if staged is not None else list(binds.values())
        server = _server(executable, bubblewrap.CHILD, self._plan(bubblewrap.SERVICES, []))
        self.bubblewrap = tool = bubblewrap.find(tuple(_launcher([], {} if root else None)))
        shown = dict(zip(binds, sources, strict=True))
        join = self._cgroup.join if self._cgroup is not None else []
        inside = bubblewrap.command(tool, self.tier != "B", shown, inside_env, server)
        return [*_launcher(join, staged), *inside]

    def _plan(self, home: str, readable: list[str]) -> dict[str, Any]:
        group = {"version": self._cgroup.version, "files": self._cgroup.files} if self._cgroup is not None else None
        return {
            "tier": self.tier,
            "home": home,
            "readable": readable,
            "group": group,
            "forget": _FORGET,
            "remove": self.home,
        }

    def _errors(self) -> str:
        """The end of what the server said on standard error."""
        self._log.seek(0)
        return " ".join(self._log.read().decode(errors="replace").split())[-300:]

    def _exactly(self, count: int, deadline: float) -> bytes:
        data = bytearray()
        fd = self._pipe("stdout").fileno()
        while len(data) < count:
            self._wait(fd, select.POLLIN, deadline)
            chunk = os.read(fd, min(count - len(data), 1 << 20))
            if not chunk:
                raise SandboxDied("the sandbox's server ended")
            data += chunk
        return bytes(data)

    def _wait(self, fd: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(fd, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise SandboxDied("the sandbox's server did not answer in time")

    def _pipe(self, name: str) -> IO[bytes]:
        assert self._process is not None
        pipe = self._process.stdin if name == "stdin" else self._process.stdout
        assert pipe is not None
        return pipe


def _server(executable: str, directory: str, plan: dict[str, Any]) -> list[str]:
    return [executable, "-s", "-S", "-P", f"{directory}/server.py", json.dumps(plan)]


def _launcher(join: list[str], staged: dict[str, str] | None) -> list[str]:
    """Words to put in front of bubblewrap's."""
    plan = {"join": join, "stage": staged, "directory": bubblewrap.STAGE}
    return [interpreter()[1], "-I", "-S", str(Path(__file__).with_name("launcher.py")), json.dumps(plan)]


def _kill_tree(pid: int) -> None:
    """What is beneath first: the first process of a namespace takes along all that is in it."""
    for child in children_of(pid):
        _kill_tree(child)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
