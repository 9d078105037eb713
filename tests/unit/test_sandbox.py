"""Sandboxes: what a command may do, use and see there, in every tier that this machine offers."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from judging import running

from rewardranker.judge.child.processes import children_of
from rewardranker.judge.sandbox import LocalSandbox, Outcome, SandboxDied, Step, StepLimits
from rewardranker.judge.sandbox.step import Service
from rewardranker.judge.sandbox.tiers import TIERS, toolchain_directory

LIMITS = StepLimits(cpu_s=5.0, wall_s=30.0, memory_mb=256, keep_output=True)
ECHO_SERVICE = b"""
import base64, json, os, struct, sys
count = 0
while head := os.read(0, 4):
    size, body = struct.unpack(">I", head)[0], b""
    while len(body) < size: body += os.read(0, size - len(body))
    asked = json.loads(body)
    count += 1
    if asked["argv"] == ["hang"]:
        while True: pass
    if asked["argv"] == ["sleep"]:
        import time; time.sleep(60)
    if asked["argv"] == ["die"] or asked["argv"] == ["late"] and count > 1:
        sys.exit("fell over")
    if asked["argv"] == ["crash"]:
        os.kill(os.getpid(), 11)
    if asked["argv"] == ["babble"]:
        os.write(3, bytes([0, 0, 0, 2]) + b"{}")
        import time; time.sleep(60)
    if asked["argv"] == ["fail"] or asked["argv"] == ["spoil"] and count > 1:
        count = 70
    text = base64.b64decode(asked["files"]["in"]).upper()
    files = {name: base64.b64encode(text).decode() for name in asked["collect"]}
    answer = json.dumps({"status": count, "errors": os.environ["HOME"], "files": files}).encode()
    answer = struct.pack(">I", len(answer)) + answer
    while answer: answer = answer[os.write(3, answer):]
"""


@pytest.fixture(scope="module", params=TIERS)
def box(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    setup = Path(toolchain_directory(), "sandbox-test")
    setup.mkdir(exist_ok=True)
    (setup / "note").write_text("from the set-up\n")
    for path, mode in ((setup, 0o755), (setup / "note", 0o644)):
        path.chmod(mode)
    service = Service(("python3", "-S", "service.py"), {"service.py": ECHO_SERVICE}, memory_mb=512)
    sandbox = LocalSandbox(
        request.param, {"echo": service}, {"echo": str(setup), "other": str(setup)}, ("/etc/hostname",)
    )
    with running(sandbox) as started:
        yield started


def bash(box: LocalSandbox, script: str, limits: StepLimits = LIMITS, **more: object) -> Outcome:
    return box.execute(replace(Step(("bash", "-c", script)), **more), limits)  # type: ignore[arg-type]


def python(box: LocalSandbox, code: str, limits: StepLimits = LIMITS) -> Outcome:
    return box.execute(Step(("python3", "-S", "-c", code)), limits)


def test_a_command_has_its_files_input_results_and_token(box: LocalSandbox) -> None:
    script = "cat a b/c; cat; echo result >&3; cat <&4 >&3; echo error >&2; mkdir d; echo left > d/e; exit 7"
    step = Step(("bash", "-c", script), {"a": b"A\n", "b/c": b"\0\xff\n"}, ("d/e", "never"), environment={"X": "1"})
    outcome = box.execute(step, LIMITS, b"input\n", b"token")
    assert outcome.output == b"A\n\0\xff\ninput\n"
    assert outcome.results == b"result\ntoken"
    assert (outcome.errors, outcome.status, outcome.signal, outcome.limit) == (b"error\n", 7, 0, "")
    assert outcome.files == {"d/e": b"left\n"}
    assert 0 < outcome.cpu_s < 2


def test_large_files_come_and_go(box: LocalSandbox) -> None:
    content = os.urandom(1 << 20) * 40
    outcome = box.execute(Step(("cp", "in", "out"), {"in": content}, ("out",)), replace(LIMITS, memory_mb=1024))
    assert outcome.files["out"] == content, outcome.errors


def test_output_is_kept_only_where_it_is_wanted(box: LocalSandbox) -> None:
    assert bash(box, "echo hello", replace(LIMITS, keep_output=False)).output == b""


def test_how_a_command_ends_is_told(box: LocalSandbox) -> None:
    assert bash(box, "kill -SEGV $$").signal == 11
    assert python(box, "import os; os.abort()").signal == 6
    assert bash(box, "kill -KILL $$").signal == 9
    missing = box.execute(Step(("no-such-command",)), LIMITS)
    assert (missing.status, b"no-such-command" in missing.errors) == (127, True)


def test_nothing_but_five_descriptors_is_open(box: LocalSandbox) -> None:
    """5 is the listing's own."""
    outcome = python(box, "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))")
    assert outcome.output == b"[0, 1, 2, 3, 4, 5]\n", outcome.errors


LIMIT_CASES = {
    "cpu": ("while :; do :; done", LIMITS),
    "cpu of children": ("for i in 1 2; do (while :; do :; done) & done; wait", LIMITS),
    "cpu of daemons": ("setsid bash -c 'while :; do :; done' & sleep 60", LIMITS),
    "wall": ("sleep 60", LIMITS),
    "output": ("yes", LIMITS),
    "output of results": ("yes >&3", LIMITS),
}


@pytest.mark.parametrize("name", LIMIT_CASES)
def test_limits_end_a_command(box: LocalSandbox, name: str) -> None:
    script, limits = LIMIT_CASES[name]
    limits = replace(limits, cpu_s=0.7, wall_s=1.5 if name == "wall" else 20.0)
    if "output" in name:
        limits = replace(limits, cpu_s=20.0, output_kb=1024, keep_output=False)
    started = time.monotonic()
    outcome = bash(box, script, limits)
    assert outcome.limit == name.split()[0], outcome
    assert outcome.signal == 0
    assert time.monotonic() - started < 15
    if name.startswith("cpu"):
        assert 0.6 <= outcome.cpu_s < 2
    assert bash(box, "echo on").output == b"on\n"


def test_a_fraction_of_a_cpu_second_is_a_limit(box: LocalSandbox) -> None:
    code = "import time\nwhile time.process_time() < 0.6: pass\nprint('done')"
    assert python(box, code).output == b"done\n"
    assert python(box, code, replace(LIMITS, cpu_s=0.3)).limit == "cpu"


def test_five_megabytes_are_fine_and_a_gigabyte_is_not(box: LocalSandbox) -> None:
    limits = replace(LIMITS, keep_output=False, cpu_s=20.0)
    assert bash(box, "head -c 5000000 /dev/zero").limit == ""
    assert bash(box, "head -c 1000000000 /dev/zero", limits).limit == "output"
    noisy = bash(box, "head -c 50000000 /dev/zero >&2; exit 4", limits)
    assert (noisy.limit, noisy.status, len(noisy.errors)) == ("", 4, 65536)


def test_memory_is_limited(box: LocalSandbox) -> None:
    code = "x = bytearray(600 << 20); print(len(x))"
    for kind in ("address_space", "data"):
        outcome = python(box, code, replace(LIMITS, memory_kind=kind))
        assert outcome.output == b"" and (outcome.limit == "memory" or b"MemoryError" in outcome.errors), outcome


def test_memory_of_a_whole_tree_is_limited_by_a_control_group(box: LocalSandbox) -> None:
    if box.tier != "A+":
        pytest.skip(f"tier {box.tier} limits each process alone")
    code = "import os, time\nfor _ in range(4): os.fork()\nx = b'x' * (60 << 20)\ntime.sleep(1)"
    assert python(box, code).limit == "memory"
    assert python(box, "x = b'x' * (60 << 20)").limit == ""


def test_tasks_are_limited(box: LocalSandbox) -> None:
    code = "import os\nn = 0\ntry:\n    while os.fork(): n += 1\n    os._exit(0)\nexcept OSError: print(n)"
    outcome = python(box, code, replace(LIMITS, processes=12))
    assert 4 <= int(outcome.output) <= 16, outcome


def test_files_are_limited(box: LocalSandbox) -> None:
    outcome = bash(box, "head -c 200000000 /dev/zero > big; stat -c %s big")
    assert int(outcome.output or b"0") <= 64 << 20, outcome


def test_nothing_of_a_command_is_left(box: LocalSandbox) -> None:
    script = "echo x > f; echo x > /tmp/f; echo x > /dev/shm/f; mkdir -p d/e; chmod 0 d\n"
    script += "(setsid sleep 600 </dev/null >/dev/null 2>&1 3>&- 4<&- &) ; exit 0"
    server = box.start()
    before = processes_beneath(server.pid)
    bash(box, script)
    assert processes_beneath(server.pid) == before
    left = bash(box, "ls -A . /dev/shm; [ -e /tmp/f ] && echo left").output.decode().split()
    assert "f" not in left or box.tier == "D"
    if box.tier != "D":
        assert "left" not in left
    Path("/tmp/f").unlink(missing_ok=True)
    Path("/dev/shm/f").unlink(missing_ok=True)


def processes_beneath(pid: int) -> int:
    return 1 + sum(processes_beneath(child) for child in children_of(pid))


def test_a_deep_directory_is_removed(box: LocalSandbox) -> None:
    code = "import os\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')"
    python(box, code)
    assert bash(box, "ls -A").output == b""


def test_a_link_is_not_followed_out(box: LocalSandbox) -> None:
    script = "ln -s /etc/passwd a; ln -s / b; mkfifo c; mkdir d; ln /etc/passwd e 2>/dev/null; echo x > f"
    outcome = bash(box, script, collect=("a", "b/etc/passwd", "c", "d", "f", "b/proc/self/environ"))
    assert outcome.files == {"f": b"x\n"}


def test_the_network_is_out_of_reach(box: LocalSandbox) -> None:
    if box.tier == "D":
        pytest.skip("tier D leaves the network open")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 5)"
        outcome = python(box, code)
    assert outcome.status == 1 and b"Error" in outcome.errors
    for kind in ("SOCK_DGRAM", "SOCK_RAW"):
        assert python(box, f"import socket; socket.socket(socket.AF_INET, socket.{kind})").status == 1
    assert python(box, "import socket; socket.socketpair()").status == 0


def test_files_of_the_host_are_not_seen(box: LocalSandbox, tmp_path: Path) -> None:
    if box.tier == "D":
        pytest.skip("tier D leaves files open")
    secret = tmp_path / "secret"
    secret.write_text("x")
    for directory in (tmp_path, *tmp_path.parents):
        if os.stat(directory).st_uid == os.geteuid() and str(directory).startswith("/tmp/"):
            directory.chmod(0o755)
    for path in (secret, "/etc/passwd", __file__):
        assert bash(box, f"cat '{path}'").status == 1
    for path in ("/x", "/usr/x", "/etc/x", "/python/x", f"{toolchain_directory()}/x", "/toolchains/x"):
        assert bash(box, f"echo x > '{path}'").status == 1, path
    assert bash(box, "cat /etc/hostname").output == Path("/etc/hostname").read_bytes()


def test_system_calls_of_the_list_are_refused(box: LocalSandbox) -> None:
    if box.tier == "D":
        pytest.skip("tier D filters none")
    code = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "def tried(*a): return (libc.syscall(*a), ctypes.get_errno())\n"
        "numbers = {'x86_64': (272, 56, 101, 165), 'aarch64': (97, 220, 117, 40)}\n"
        "unshare, clone, ptrace, mount = numbers[os.uname().machine]\n"
        "print([tried(unshare, 0x10000000), tried(clone, 0x10000011, 0, 0, 0, 0), tried(ptrace, 0, 0, 0, 0),\n"
        "       tried(mount, 0, 0, 0, 0, 0)])"
    )
    assert python(box, code).output == b"[(-1, 1), (-1, 1), (-1, 1), (-1, 1)]\n"


def test_other_processes_are_out_of_reach(box: LocalSandbox) -> None:
    """The server, too: it goes on with the next command."""
    if box.tier == "D" and os.geteuid():
        pytest.skip("tier D without root leaves a user's processes open to each other")
    victim = subprocess.Popen(["sleep", "60"])
    bash(box, f"kill -9 {victim.pid} $PPID; kill -9 -1", replace(LIMITS, wall_s=5))
    assert victim.poll() is None
    victim.kill()
    victim.wait()
    assert bash(box, "echo on").output == b"on\n"


def test_the_user_is_nobody_and_stays_so(box: LocalSandbox) -> None:
    outcome = bash(box, "id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status")
    uid, *status = outcome.output.decode().split("\n")
    assert int(uid) != 0 or os.geteuid() != 0
    if os.geteuid() == 0:
        assert int(uid) != os.geteuid()
    assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    assert ("Seccomp:\t2" in status) == (box.tier != "D")


def test_the_environment_is_ours_alone(box: LocalSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    fresh = LocalSandbox(box.tier)
    names = fresh.execute(Step(("env",)), LIMITS).output.decode().split()
    fresh.stop()
    names = sorted(name.split("=")[0] for name in names)
    assert names == ["HOME", "LC_ALL", "OMP_NUM_THREADS", "PATH", "PYTHONHASHSEED", "TMPDIR", "TZ"]


def test_a_dead_server_is_replaced(box: LocalSandbox) -> None:
    threading.Timer(0.5, kill_beneath, (box.start().pid,)).start()
    with pytest.raises(SandboxDied):
        bash(box, "sleep 20")
    assert bash(box, "echo on").output == b"on\n"


def kill_beneath(pid: int) -> None:
    """From above: a server that outlives its program for a moment would still answer."""
    children = children_of(pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 9)
    for child in children:
        kill_beneath(child)


def test_a_control_group_is_removed(box: LocalSandbox) -> None:
    if box.tier != "A+":
        pytest.skip(f"tier {box.tier} has none")
    fresh = LocalSandbox(box.tier)
    group = fresh.start()._cgroup
    assert group is not None
    places = [Path(path).parent for path in group.join]
    assert all(place.is_dir() for place in places)
    fresh.stop()
    assert not any(place.exists() for place in places)


def test_a_service_stays_and_answers(box: LocalSandbox) -> None:
    step = Step(("go",), {"in": b"text"}, ("out",), service="echo")
    first, second = box.execute(step, LIMITS), box.execute(step, LIMITS)
    assert (first.files, second.files) == ({"out": b"TEXT"},) * 2
    assert second.status == first.status + 1  # the same process
    assert second.limit == "" and second.cpu_s < 1


SERVICE_ENDS = [("hang", "cpu", 0, 0), ("sleep", "wall", 0, 0), ("die", "", 0, 255), ("crash", "", 11, 0)]


@pytest.mark.parametrize(("word", "limit", "signal", "status"), [*SERVICE_ENDS, ("babble", "", 0, 255)])
def test_a_service_that_fails_is_started_afresh(
    box: LocalSandbox, word: str, limit: str, signal: int, status: int
) -> None:
    limits = replace(LIMITS, cpu_s=0.5, wall_s=1.5 if limit == "wall" else 30.0)
    broken = box.execute(Step((word,), {"in": b""}, service="echo"), limits)
    assert (broken.limit, broken.signal, broken.status) == (limit, signal, status), broken
    assert word != "die" or b"fell over" in broken.errors
    again = box.execute(Step(("go",), {"in": b"a"}, ("out",), service="echo"), LIMITS)
    assert (again.status, again.files) == (1, {"out": b"A"})


def test_a_service_that_has_become_weak_is_no_programs_fault(box: LocalSandbox) -> None:
    for _ in range(3):
        done = box.execute(Step(("late",), {"in": b"a"}, ("out",), service="echo"), LIMITS)
        assert (done.signal, done.status, done.files) == (0, 1, {"out": b"A"})


def test_a_service_that_fails_itself_is_not_asked_again(box: LocalSandbox) -> None:
    """Its failure is the step's where a fresh one fails, too; the next step has one that is in order."""
    go, fail = Step(("go",), {"in": b"a"}, ("out",), service="echo"), Step(("fail",), {"in": b""}, service="echo")
    spoil = Step(("spoil",), {"in": b"a"}, ("out",), service="echo")
    box.execute(go, LIMITS)
    assert box.execute(fail, LIMITS).status == 70
    assert [box.execute(step, LIMITS).status for step in (go, spoil, go)] == [1, 1, 2]


def test_a_service_outlives_commands_that_try_to_end_it(box: LocalSandbox) -> None:
    if box.tier == "B":
        pytest.skip("in tier B a cleaning after a daemon ends services, too")
    step = Step(("go",), {"in": b"text"}, ("out",), service="echo")
    before = box.execute(step, LIMITS).status
    bash(box, "kill -9 -1; setsid sleep 60 & kill -9 $$", replace(LIMITS, wall_s=5))
    if os.geteuid() == 0 or box.tier not in ("C", "D"):
        assert box.execute(step, LIMITS).status == before + 1


def test_a_set_up_is_seen_read_only(box: LocalSandbox) -> None:
    script = "cat {setup}/note; echo x > {setup}/note; echo $S"
    step = Step(("bash", "-c", script), environment={"S": "{setup}"})
    outcome = box.execute(step, LIMITS, language="other")
    assert outcome.output.startswith(b"from the set-up\n") and b"{setup" not in outcome.output
    if os.geteuid() or box.tier != "D":
        assert Path(toolchain_directory(), "sandbox-test", "note").read_text() == "from the set-up\n"


def test_a_killed_judge_leaves_nothing_behind(box: LocalSandbox, tmp_path: Path) -> None:
    code = (
        "import os, sys, threading\nfrom rewardranker.judge.sandbox import *\n"
        f"box = LocalSandbox({box.tier!r})\nserver = box.start()\nprint(server.pid, flush=True)\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), 9)).start()\n"
        "box.execute(Step(('sleep', '61')), StepLimits(60, 60, 256))\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists(), done.stderr
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert "sleep 61" not in running


def test_descriptors_and_processes_do_not_pile_up(box: LocalSandbox) -> None:
    bash(box, "true")
    gc.collect()  # what earlier tests have dropped may hold descriptors
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        bash(box, "sleep 5", replace(LIMITS, wall_s=0.05), collect=("x",))
    assert len(os.listdir("/proc/self/fd")) <= before
    server = box.start()
    assert processes_beneath(server.pid) <= 8
    if box.tier in ("C", "D"):
        assert len(os.listdir(f"/proc/{server.pid}/fd")) < 80
