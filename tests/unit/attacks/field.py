"""Where attacks meet the judge: what lies in wait for them on the host, and what is looked at afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from processes import all_processes, command_line, descendants

from attacks import (
    KEY,
    MARK,
    PORT,
    SECRET_NAME,
    SLEEP,
    SOCKET,
    Attack,
    bash,
    compilers,
    cpp,
    cpp_library,
    csharp,
    isolation,
    java,
    java_library,
    javascript,
    php,
    python_verdict,
    python_world,
    typescript,
)
from attacks.tasks import QUICK, problem, right
from rewardranker.judge import Judge
from rewardranker.judge.languages.setup import setup_places
from rewardranker.problems.types import Limits
from rewardranker.problems.verdict import Judgement

_MODULES = (
    python_verdict,
    python_world,
    isolation,
    cpp,
    cpp_library,
    java,
    java_library,
    csharp,
    javascript,
    typescript,
    php,
    bash,
    compilers,
)
ATTACKS: list[Attack] = [attack for module in _MODULES for attack in module.ATTACKS]
LANGUAGES = sorted({attack.language for attack in ATTACKS})
_PLACES = (
    "/",
    "/usr",
    "/usr/include",
    "/usr/lib",
    "/usr/share",
    "/dev",
    "/run",
    "/mnt",
    "/root",
    "/var/tmp",
    "/dev/shm",
)
_SETTLE_S = 5.0
#: For the programs that attacks run beside: only what slows them beyond all measure can make them late.
_BESIDE = Limits(cpu_s=5.0, wall_s=60.0)
#: How many attacks there are to a right program: as right ones cost.
_SHARE = {"python": 1, "bash": 1, "php": 1, "javascript": 2, "typescript": 2}


@dataclass(frozen=True)
class Aftermath:
    """Verdicts of attacks, of the right programs beside and after them, and what was left behind."""

    attacks: dict[Attack, Judgement]
    beside: list[Judgement]
    afterwards: Judgement
    left: list[str]
    machinery: list[str]


class Host:
    """A host with something to steal and ports to reach. Enter before any sandbox is started."""

    def __init__(self) -> None:
        self._tcp = _listening(socket.AF_INET, ("127.0.0.1", 0))
        port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", port))
        self._udp.setblocking(False)
        own = f"rr{os.getpid()}x{port}"
        self._path, self._secret = Path(f"/tmp/{own}_socket"), Path(f"/tmp/{own}_secret")
        self._unix = [_listening(socket.AF_UNIX, name) for name in (str(self._path), f"\0{self._path.name}")]
        self._path.chmod(0o777)
        self._secret.write_text("secret")
        self._secret.chmod(0o644)
        os.environ[SECRET_NAME] = "secret"
        self.mark, self.sleep, self.key = f"{own}_left_behind", f"7200.{port}", 0x72720000 + port
        self._words = {MARK: self.mark, SLEEP: self.sleep, KEY: str(self.key), PORT: str(port)}
        self._words |= {SOCKET: self._path.name, "@SECRET@": self._secret.name}

    def filled(self, code: str) -> str:
        """A program with this run's words in it."""
        for word, meaning in self._words.items():
            code = code.replace(word, meaning)
        return code

    def arrived(self) -> list[str]:
        """What reached the host since the last time."""
        found = []
        for server in [self._tcp, *self._unix]:
            with suppress(BlockingIOError):
                server.accept()[0].close()
                found.append(f"a connection to {server.getsockname()!r}")
        with suppress(BlockingIOError):
            found.append(f"a packet {self._udp.recv(100)!r}")
        return found

    def close(self) -> None:
        for server in [self._tcp, *self._unix, self._udp]:
            server.close()
        self._path.unlink(missing_ok=True)
        self._secret.unlink(missing_ok=True)
        os.environ.pop(SECRET_NAME, None)


def _listening(family: socket.AddressFamily, address: object) -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind(address)
    server.listen(64)
    server.setblocking(False)
    return server


@contextmanager
def host() -> Iterator[Host]:
    there = Host()
    with ExitStack() as stack:
        stack.callback(there.close)
        yield there


def fight(there: Host, attacks: list[Attack], tier: str = "") -> Aftermath:
    """All attacks of one language, two at a time with right programs between them, in that tier or the best."""
    language = attacks[0].language
    limits = replace(QUICK, wall_s=4.0) if attacks[0].slow else QUICK
    beside = problem(language, limits=_BESIDE)
    with Judge(workers=2, tier=tier) as judge:
        judge.run([(beside, right(language, -number)) for number in range(1, 7)])
        setups = [Path(path) for path in setup_places().values() if os.path.exists(path)]
        machinery, toolchains, devices = len(descendants()), _files(setups), _devices()
        items = []
        for number, attack in enumerate(attacks):
            items.append((problem(language, attack.task, limits), there.filled(attack.code)))
            if number % _SHARE.get(language, 4) == 0:
                items.append((beside, right(language, number)))
        results = judge.run(items)
        judged = [result for (task, _), result in zip(items, results, strict=True) if task is not beside]
        theirs = [result for (task, _), result in zip(items, results, strict=True) if task is beside]
        afterwards = judge.run([(beside, right(language, len(items)))])[0]
        changed = sorted(_files(setups) ^ toolchains) + sorted(_devices() ^ devices)
        left = _left_behind(there) + [f"a change of {file}" for file in changed]
        more = _settled(machinery)
    return Aftermath(dict(zip(attacks, judged, strict=True)), theirs, afterwards, left + there.arrived(), more)


def _settled(count: int) -> list[str]:
    """Processes beyond ``count`` that are below this one, once what is ending has ended."""
    deadline = time.monotonic() + _SETTLE_S
    while len(found := descendants()) > count and time.monotonic() < deadline:
        time.sleep(0.05)
    return [command_line(pid) for pid in found] if len(found) > count else []


def _left_behind(there: Host) -> list[str]:
    """Anything of this run's attacks, anywhere on this machine; it is removed, so that it is found once."""
    found = [f"the process {line}" for line in map(command_line, all_processes()) if f"sleep {there.sleep}" in line]
    for path in _marked_files(there.mark):
        found.append(f"the file {path}")
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    for kind, option in (("shm", "-M"), ("sem", "-S"), ("msg", "-Q")):
        with suppress(OSError):
            if str(there.key) in Path(f"/proc/sysvipc/{kind}").read_text().split():
                found.append(f"System V {kind}")
                subprocess.run(["ipcrm", option, str(there.key)], check=False)
    return found


def _marked_files(mark: str) -> list[Path]:
    """Files with the mark in well-known places, and a few folders deep in the temporary ones."""
    places = [Path(place) for place in _PLACES]
    for root in {Path(tempfile.gettempdir()), Path("/tmp")}:
        places += [root, *root.glob("rewardranker-*"), *root.glob("rewardranker-*/*")]
    found = []
    for place in places:
        with suppress(OSError):
            found += [place / name for name in os.listdir(place) if mark in name]
    return found


def _files(setups: list[Path]) -> set[tuple[str, int, int]]:
    """Name, size and time of all that is in languages' set-ups; other judges on this machine may add languages."""
    files = [path for setup in setups for path in setup.rglob("*") if path.is_file()]
    return {(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def _devices() -> set[tuple[str, int, int]]:
    """Device and mode of what all processes of this machine share."""
    return {(path, os.stat(path).st_rdev, os.stat(path).st_mode) for path in ("/dev/null", "/dev/zero", "/dev/shm")}
