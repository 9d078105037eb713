"""What /proc and the kernel tell a command of the machine, and what honest programs need of it, in every tier."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from judging import running

from rewardranker.judge.child import landlock
from rewardranker.judge.sandbox import LocalSandbox, Step, StepLimits
from rewardranker.judge.sandbox.step import Service
from rewardranker.judge.sandbox.tiers import TIERS

LIMITS = StepLimits(cpu_s=10.0, wall_s=60.0, memory_mb=2048, memory_kind="data", processes=64, keep_output=True)


@pytest.fixture(scope="module", params=TIERS[:-1])
def box(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    service = Service(("sleep", "60"), {}, memory_mb=64)
    sandbox = LocalSandbox(request.param, {"sleeper": service})
    with running(sandbox) as started:
        yield started


def printed(box: LocalSandbox, *words: str) -> list[str]:
    outcome = box.execute(Step(words), LIMITS, b"input\n")
    assert outcome.status == 0, outcome
    return outcome.output.decode().splitlines()


LOOK = """
import os
def open_to(*roots):
    found = []
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if not name.isdigit() and name not in ("self", "thread-self")]
            for path in (os.path.join(folder, name) for name in files):
                try:
                    if not os.path.islink(path):
                        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                        found.append(path)
                except OSError: pass
    return sorted(found)
for path in open_to("/proc", "/proc/self/", f"/proc/{os.getppid()}", "/proc/1", f"/proc/self/task/{os.getpid()}"):
    print(path)
"""


@pytest.mark.skipif(landlock.version() < 2, reason="this kernel's Landlock cannot leave out a part of /proc")
def test_nothing_of_proc_can_be_read_but_what_is_listed(box: LocalSandbox) -> None:
    """Asks for every file that is listed, of the machine, of itself, and of the processes above it."""
    names = " ".join(landlock.OF_MACHINE)
    opened = printed(box, "python3", "-S", "-c", LOOK)
    known = {f"/proc/{name}" for name in landlock.OF_MACHINE}
    known |= {f"/proc/self/{name}" for name in landlock.OF_PROCESS}
    assert set(opened) <= known, names
    assert {"/proc/self/status", "/proc/self/maps"} <= set(opened)
    by_name = printed(box, "bash", "-c", f"cd /proc && for n in {names}; do (exec <$n) 2>/dev/null && echo $n; done")
    assert set(by_name) >= {"cpuinfo", "meminfo", "stat", "loadavg", "uptime", "sys/kernel/random/uuid"}


HONEST = {
    "process substitution": ("diff <(echo a) <(echo a); echo b | tee >(cat >/dev/null)", ["b"]),
    "a substitution that a child's child reads": ("bash -c 'cat \"$1\"' x <(echo a)", ["a"]),
    "standard input by a name": ("cat /dev/stdin; cat /proc/self/fd/0", ["input"] * 2),
    "standard output by a name": ("echo a > /dev/stdout; echo b | tee /dev/stdout >/dev/null", ["a"]),
    "a here document of a megabyte": ('cat <<< "$(seq 200000)" | tail -1', ["200000"]),
    "a descriptor of its own": ("exec 7< <(echo a); cat /dev/fd/7; echo b > f; cat /dev/fd/6 6< f", ["a", "b"]),
    "its own memory": ("grep -c VmRSS /proc/$$/status", ["1"]),
    "moves between directories": ("mkdir a b; echo x > a/f; mv a/f b/f; ln b/f a/g; cat a/g", ["x"]),
    "processors, load, memory and time": (
        "cd /proc; grep -c ^processor cpuinfo; grep -c MemTotal meminfo; wc -w < loadavg; wc -w < uptime",
        [str(os.cpu_count()), "1", "5", "2"],
    ),
    "a random name": ("head -c 8 /proc/sys/kernel/random/uuid | wc -c", ["8"]),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_honest_commands_need_is_there(box: LocalSandbox, name: str) -> None:
    script, expected = HONEST[name]
    assert printed(box, "bash", "-c", script) == expected


def test_runtimes_find_processors_and_memory_and_start_children(box: LocalSandbox) -> None:
    code = (
        "import os, subprocess, threading\n"
        "print(len(os.getloadavg()), os.cpu_count() > 0, len(os.listdir('/proc/self/fd')) > 3)\n"
        "print(subprocess.run(['echo', 'a'], capture_output=True).stdout, os.sysconf('SC_PHYS_PAGES') > 0)\n"
        "t = threading.Thread(target=lambda: print(len(os.listdir('/proc/self/task'))))\nt.start()\nt.join()\n"
        "pid = os.fork()\nprint(os.waitpid(pid, 0)[1]) if pid else os._exit(not open('/proc/uptime').read())\n"
    )
    assert printed(box, "python3", "-S", "-c", code) == ["3 True True", r"b'a\n' True", "2", "0"]
    if shutil.which("node"):
        script = (
            "const os = require('os'); console.log(os.cpus().length > 0, os.totalmem() > 0, os.freemem() > 0,"
            " os.loadavg().length, os.uptime() > 0, process.memoryUsage().rss > 0,"
            " require('child_process').execSync('echo a').toString().trim())"
        )
        assert printed(box, "node", "-e", script) == ["true true true 3 true true a"]


def test_the_host_s_name_is_not_told_where_names_can_be_changed(box: LocalSandbox) -> None:
    assert (printed(box, "uname", "-n") == ["localhost"]) == (box.tier != "C")


def test_devices_stay_as_they_are(box: LocalSandbox) -> None:
    """A resident command, too, is given /dev/null, and no more."""
    before = os.stat("/dev/null")
    box.execute(Step(("go",), service="sleeper"), StepLimits(cpu_s=1.0, wall_s=0.2, memory_mb=64))
    assert (os.stat("/dev/null").st_uid, os.stat("/dev/null").st_mode) == (before.st_uid, before.st_mode)
