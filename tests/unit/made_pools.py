"""Problems and judged candidates for tables, small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardranker.evaluation.pools import JudgedPool, Provenance
from rewardranker.problems.types import Candidate, Problem, Test
from rewardranker.problems.verdict import Verdict

OK, WRONG, INFRA, NO_TOOLCHAIN = Verdict.OK, Verdict.WRONG, Verdict.INFRA, Verdict.NO_TOOLCHAIN
PROVENANCE = Provenance(0.7, "strict 1", {"gcc": "12.2", "node": "20"}, top_k=50)

# One letter per candidate: o right, x wrong, I infra, N no tool-chain, ? not judged. Its score follows.
_VERDICTS = {"o": OK, "x": WRONG, "I": INFRA, "N": NO_TOOLCHAIN, "?": None}


def problem(number: int, language: str = "python", revision: str = "r1", benchmark: str = "humaneval") -> Problem:
    name = f"{benchmark}/{number}"
    tests = (Test("assert True"),)
    return Problem(
        id=name,
        source="made",
        language=language,
        prompt="",
        entry_point="f",
        style="program",
        tests=tests,
        split="test",
        revision=revision,
    )


def candidates(number: int, spec: str, language: str = "python", benchmark: str = "humaneval") -> list[Candidate]:
    """``"o3 x1"`` is a right candidate with score 3 under ``r`` and a wrong one with score 1."""
    return [
        Candidate(
            f"{benchmark}/{number}",
            language,
            "",
            "x" * (index + 1),
            "gen:made",
            verdict=_VERDICTS[part[0]],
            scores={"r": float(part[1:])} if part[1:] else {},
        )
        for index, part in enumerate(spec.split())
    ]


def pool(
    specs: Mapping[int, str],
    language: str = "python",
    seed: int = 0,
    generator: str = "made",
    asked: Sequence[int] = (),
    benchmark: str = "humaneval",
    revision: str = "r1",
) -> JudgedPool:
    """By problem number; ``asked`` adds problems that the pool has no candidates of."""
    problems = [problem(n, language, revision, benchmark) for n in sorted({*specs, *asked})]
    found = [c for n, spec in specs.items() for c in candidates(n, spec, language, benchmark)]
    return JudgedPool(benchmark, language, generator, seed, problems, found)
