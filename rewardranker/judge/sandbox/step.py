"""What the judge asks of a sandbox, and what it gets back: data, with no opinion about verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One process, started in an empty working directory that nothing else shares and that is gone afterwards.

    Descriptors of the process: 0 standard input, 1 and 2 standard output and error, 3 for results (write),
    4 holds the run's completion token (read once, then end of file).

    Attributes:
        argv: the command; its first word is looked up in the sandbox's ``PATH``. With ``service``: the
            arguments that the service is given.
        files: written into the working directory first; relative names, folders are made.
        collect: names of files to bring back when the process has ended; those that it did not write are
            left out.
        service: name of a resident process that does the step instead of a new one (a compiler that is
            slow to start); it gets ``argv`` and ``files`` and answers with exit status, error text and the
            files to ``collect``.
        environment: added to the sandbox's own.
        plain: the same command in words that take nothing of the machine for granted but the language's tools:
            no ``{setup}``, no part that was only found here. Empty where ``argv`` is that already.
        trusted: nothing of a program is in it, so that it may read all of ``/proc``.
    """

    argv: tuple[str, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    collect: tuple[str, ...] = ()
    service: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    plain: tuple[str, ...] = ()
    trusted: bool = False


@dataclass(frozen=True)
class StepLimits:
    """What one step may use.

    Attributes:
        cpu_s: CPU seconds of the step's whole process tree.
        wall_s: seconds by the clock, a backstop against programs that sleep.
        memory_mb: of the process tree where a cgroup is at hand, else of each process.
        memory_kind: how a process is held to it without a cgroup: ``address_space`` (RLIMIT_AS) or ``data``
            (RLIMIT_DATA), for runtimes that reserve far more addresses than they use (JVM, node, mono).
        reserved_mb: more that each process may hold without a cgroup: what it reserves and does not use.
        output_kb: standard output and descriptor 3, each.
        processes: tasks at any one time.
        keep_output: whether standard output is wanted; else it is counted and thrown away.
    """

    cpu_s: float
    wall_s: float
    memory_mb: int
    memory_kind: str = "address_space"
    reserved_mb: int = 0
    output_kb: int = 16384
    processes: int = 32
    keep_output: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    Attributes:
        results: what was written to descriptor 3.
        output: standard output, where it was asked for.
        errors: the first 64 KiB of standard error.
        limit: the limit that ended it: ``cpu``, ``wall``, ``output``, ``memory``, or empty.
        cpu_s: CPU seconds of the process tree.
        signal: that ended the process, or 0.
        status: exit status, or 0.
        files: what was collected.
    """

    results: bytes = b""
    output: bytes = b""
    errors: bytes = b""
    limit: str = ""
    cpu_s: float = 0.0
    signal: int = 0
    status: int = 0
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A compiler that stays resident inside the sandbox. It reads frames (four bytes of length, big-endian,
    then JSON) on standard input: ``{"argv": [...], "files": {name: base64}, "collect": [...]}``; it answers
    each on descriptor 3 with ``{"status": int, "errors": text, "files": {name: base64}}``.

    Attributes:
        argv: its command, run in a directory of its own that holds ``files``.
        memory_mb: of the service; it is started afresh when it dies, hangs or has done a few hundred steps.
    """

    argv: tuple[str, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    memory_mb: int = 1024
