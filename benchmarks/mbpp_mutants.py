"""A judged pool of MBPP's own programs and of small changes to them, as further problems to train rerankers on.

    python benchmarks/mbpp_mutants.py --data ../shared/data --work runs/mutants

Each problem is put as HumanEval puts its own: a function's head with the statement as its docstring. A candidate is
the reference program or a mutant of it, which differs in one place (an operator, a bound, a name, a statement left
out). All are printed from their syntax trees, so that nothing but the change tells them apart; the tests say which
are right, and a mutant that passes them counts as right. Problems that are like one of HumanEval are left out.

DIR/pool.parquet and DIR/problems.jsonl are for `benchmarks/trained_rerankers.py --extra-pool`.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rewardranker.errors import UserError
from rewardranker.judge import Judge, VerdictCache, judge_candidates
from rewardranker.problems.benchmarks import load_benchmark, mbpp_config, mbpp_solutions
from rewardranker.problems.contamination import find_contamination
from rewardranker.problems.io import write_problems
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.pool import group_by_problem, write_pool
from rewardranker.problems.statements import statement
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import LABELS, Verdict
from rewardranker.runs.seeds import derive_seed

Change = Callable[[ast.AST], None]

SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Pow),
    ast.Div: (ast.FloorDiv,),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "sum": "len", "sorted": "list"}


def as_function(problem: Problem, program: str) -> tuple[Problem, ast.FunctionDef] | None:
    """The problem with the head of its reference program as the prompt, and that function.

    ``None`` for a program that is more than imports and one function.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = ast.parse(program)
    *imports, function = tree.body
    if not isinstance(function, ast.FunctionDef) or function.name != problem.entry_point or function.decorator_list:
        return None
    if not all(isinstance(node, ast.Import | ast.ImportFrom) for node in imports):
        return None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:] or [ast.Pass()]
    text = statement(problem).replace("\\", "\\\\").replace('"""', "'''")
    head = ast.unparse(function).split("\n", 1)[0]
    prompt = "".join(f"{ast.unparse(node)}\n" for node in imports) + f'{head}\n    """ {text}\n    """\n'
    return replace(problem, source="mbpp_functions", prompt=prompt, prefix=prompt), function


def mutants(function: ast.FunctionDef) -> Iterator[str]:
    """Bodies that differ from the function's in one place, in the order of the places; perhaps some of them equal."""
    names = sorted({node.id for node in ast.walk(function) if isinstance(node, ast.Name) and _local(node, function)})
    for place, node in enumerate(ast.walk(function)):
        for change in changes(node, names):
            changed = copy.deepcopy(function)
            change(list(ast.walk(changed))[place])
            yield body(changed)


def body(function: ast.FunctionDef) -> str:
    """The text below the function's head."""
    return "".join(f"{line}\n" for node in function.body for line in _indented(ast.unparse(node)))


def changes(node: ast.AST, names: Sequence[str]) -> Iterator[Change]:
    """What can be changed at a node.

    Args:
        names: the function's own variables.
    """
    if isinstance(node, ast.Compare):
        yield from (_first_comparison(other) for other in SWAPS.get(type(node.ops[0]), ()))
    elif isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
        yield from (_set("op", other()) for other in SWAPS.get(type(node.op), ()))
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield from (_set("value", node.value + step) for step in (1, -1))
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in OTHER_NAMES:
            yield _set("func", ast.Name(OTHER_NAMES[node.func.id], ast.Load()))
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            yield _shorter_range
        if len(node.args) == 2:
            yield _set("args", node.args[::-1])
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names and len(names) > 1:
        yield _set("id", names[(names.index(node.id) + 1) % len(names)])
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _set("test", ast.UnaryOp(ast.Not(), node.test))
    for field in ("body", "orelse"):
        statements = getattr(node, field, None)
        if isinstance(statements, list) and len(statements) > 1:
            yield from (_set(field, statements[:i] + statements[i + 1 :]) for i in range(len(statements)))


def _set(field: str, value: object) -> Change:
    def change(node: ast.AST) -> None:
        setattr(node, field, copy.deepcopy(value))

    return change


def _first_comparison(operator: type[ast.AST]) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        node.ops[0] = operator()  # type: ignore[assignment]

    return change


def _shorter_range(node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    if node.args:
        place = min(1, len(node.args) - 1)
        node.args[place] = ast.BinOp(node.args[place], ast.Sub(), ast.Constant(1))


def _local(node: ast.Name, function: ast.FunctionDef) -> bool:
    arguments = {argument.arg for argument in function.args.args}
    return isinstance(node.ctx, ast.Store) or node.id in arguments


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.split("\n")]


def candidates(problem: Problem, function: ast.FunctionDef, most: int, seed: int) -> list[Candidate]:
    """The reference program and up to ``most`` different mutants, drawn at random."""
    own = body(function)
    found = [text for text in dict.fromkeys(mutants(function)) if text != own]
    drawn = random.Random(derive_seed(seed, problem.id)).sample(found, min(most, len(found)))
    return [
        Candidate(problem.id, "python", text, normalise(problem.prompt + text), source, seed=number)
        for number, (text, source) in enumerate([(own, "human"), *((text, "mutant") for text in drawn)])
    ]


def load(data: Path, most: int, seed: int) -> tuple[dict[str, Problem], list[Candidate]]:
    """Problems that are like none of HumanEval, and candidates that are not judged."""
    file = data / "mbpp" / "mbpp.jsonl"
    problems = load_benchmark("mbpp", file, split="train")
    solutions = mbpp_solutions(mbpp_config(file))
    held_out = load_benchmark("humaneval", data / "humaneval" / "HumanEval.jsonl.gz")
    # Not by edits of the statement: "Write a function to find the ..." is most of MBPP's.
    alike = find_contamination(problems, held_out).training_ids("shared words", "minhash")
    found: dict[str, Problem] = {}
    pool: list[Candidate] = []
    for problem in problems:
        made = as_function(problem, solutions[problem.id])
        if made and problem.id not in alike:
            found[problem.id] = made[0]
            pool += candidates(*made, most, seed)
    say(f"{len(problems)} training problems; {len(alike)} like one of HumanEval; {len(found)} are one function")
    return found, pool


def usable(problems: Mapping[str, Problem], pool: Sequence[Candidate]) -> list[Candidate]:
    """Of problems whose reference program passes, what has a verdict that is a label."""
    say("verdicts: " + ", ".join(f"{name} {n:,}" for name, n in Counter(str(c.verdict) for c in pool).most_common()))
    broken = {c.problem_id for c in pool if c.source == "human" and c.verdict is not Verdict.OK}
    kept = [c for c in pool if c.problem_id not in broken and c.verdict in LABELS]
    groups = group_by_problem(kept)
    passed = sum(c.verdict is Verdict.OK for c in kept if c.source == "mutant")
    say(
        f"{len(broken)} problems whose reference fails in this form left out; {len(groups)} problems, {len(kept):,} "
        f"candidates, {passed:,} of them mutants that pass"
    )
    return kept


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("REWARDRANKER_SHARED_DATA", "../shared/data"))
    )
    parser.add_argument("--work", type=Path, default=Path("runs/mutants"), help="Folder for the pool.")
    parser.add_argument("--workers", type=int, default=2, help="Programs that run at a time.")
    parser.add_argument("--mutants", type=int, default=8, help="Of a problem, at most.")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    problems, pool = load(given.data, given.mutants, given.seed)
    with Judge(given.workers, cache=VerdictCache(given.work / "cache")) as judge:
        judge_candidates(pool, problems, judge.run)
    kept = usable(problems, pool)
    write_pool(given.work / "pool.parquet", kept, problems.values())
    write_problems(given.work / "problems.jsonl", [problems[name] for name in group_by_problem(kept)])


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
