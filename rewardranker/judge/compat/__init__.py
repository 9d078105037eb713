"""Other harnesses' rules, so that their numbers can be compared with ours. Never a source of training labels.

Both trust the program: its exit status, or what it prints, is the verdict. See ``multipl_e`` and ``deepseek``
for what each does per language, and for the few things that differ here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from rewardranker.errors import UserError
from rewardranker.judge.compat import deepseek, multipl_e
from rewardranker.judge.compat.rules import judge_by
from rewardranker.judge.sandbox import Sandbox
from rewardranker.problems.sources import SILENT_CHECKS
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

__all__ = ["COMPAT_RULES", "CompatRules", "judge_compat"]

CompatRules = Literal["multipl_e", "deepseek"]
COMPAT_RULES: tuple[CompatRules, ...] = get_args(CompatRules)
_HARNESSES = {"multipl_e": multipl_e, "deepseek": deepseek}


def judge_compat(
    sandbox: Sandbox, problem: Problem, program: str, rules: CompatRules, patience: float = 1.0
) -> Judgement:
    """What the harness would say of what it made of a model's text (``programs.published``).

    One test in all, as both stop at the first failure and count none. NO_TOOLCHAIN where a file that the
    harness's commands name is absent.

    Args:
        patience: factor on the harness's wall-clock limits, for machines slower or busier than its own were.

    Raises:
        UserError: the problem is not of style ``program``, in a language that the harness does not run, or from a
            source whose tests it does not know.
        SandboxDied: the sandbox failed; nothing is said of the program.
    """
    if problem.source in SILENT_CHECKS:
        raise UserError(
            f"problem {problem.id} cannot be judged by the rules {rules!r}: these know the tests of HumanEval, MBPP "
            f"and MultiPL-E, not those of {problem.source}; use mode strict"
        )
    harness = _HARNESSES[rules]
    rule = harness.RULES.get(problem.language)
    if rule is None or problem.style != "program":
        raise UserError(
            f"problem {problem.id} ({problem.language}, style {problem.style}) cannot be judged by the rules "
            f"{rules!r}: these know style program in {', '.join(sorted(harness.RULES))}; use mode strict"
        )
    missing = [path for path in rule.needs if not Path(path).exists()]
    if missing:
        return Judgement(Verdict.NO_TOOLCHAIN, 0, 1, 0.0, f"lacks {', '.join(missing)}; run `make toolchains`")
    return judge_by(sandbox, rule, program, patience)
