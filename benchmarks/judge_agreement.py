"""GPT's answers to MultiPL-E in seven languages: strict verdicts beside the rules of two other harnesses.

    python benchmarks/judge_agreement.py --data DATA --work WORK --out benchmarks/results/judge_agreement.md

DATA holds multipl_e_gpt/humaneval-LANG.jsonl. Every judged line is kept in WORK; a language whose lines are there is
not run again. ``--patience`` multiplies the other harnesses' wall-clock limits, so that a slow machine does not count
as a disagreement.
"""

from __future__ import annotations

import argparse
import platform
import re
from collections import Counter
from pathlib import Path

from rewardranker.commands.judge import JudgeRequest, run_judge
from rewardranker.judge import sandbox_description
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.problems.io import Row, read_json_lines, write_json_lines
from rewardranker.problems.multipl_e import LANGUAGES as NAMES
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.programs import extract
from rewardranker.runs.atomic import write_text
from rewardranker.runs.console import Console

RULES = ("multipl_e", "deepseek")


def judged(data: Path, work: Path, language: str, workers: int, patience: float) -> list[Row]:
    """The language's lines with all three verdicts."""
    out = work / f"{language}.jsonl"
    if not out.exists():
        candidates = work / f"{language}.answers.jsonl"
        rows = [{"problem_id": row["name"], "text": row["gpt_solution"]} for row in read_json_lines(data)]
        write_json_lines(candidates, rows)
        run_judge(
            JudgeRequest("multipl_e", data, candidates, out, "", "compare", "multipl_e", workers, "C", patience),
            Console(),
        )
    return read_json_lines(out)


def not_extracted(data: Path, rows: list[Row]) -> int:
    """Answers in which no program with the function under test was found, or nothing beyond the prompt."""
    problems = {problem.id.rpartition("/")[2]: problem for problem in load_multipl_e(data)}
    failed = 0
    for row in rows:
        problem = problems[row["problem_id"]]
        code = extract(problem, row["text"])
        failed += not re.search(rf"\b{problem.entry_point}\b", code) or code.strip() == problem.prefix.strip()
    return failed


def disagreements(rows: list[Row], rules: str) -> Counter[str]:
    """How the two differ, with how often."""
    found: Counter[str] = Counter()
    for row in rows:
        if rules in row["disagree"]:
            theirs = row["compat"][rules]
            reason = theirs["message"] if theirs["verdict"] != "OK" else row["message"]
            reason = re.sub(r"\d+|'[^']*'|\"[^\"]*\"", "…", reason)[:70]
            found[f"strict {row['verdict']}, {rules} {theirs['verdict']}: {reason}"] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="Folder for the judged lines.")
    parser.add_argument("--out", type=Path, required=True, help="Markdown file to write.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--patience", type=float, default=5.0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    columns = ["language", "answers", "not extracted", "strict OK"]
    columns += [f"{rules} {what}" for what in ("OK", "differs") for rules in RULES]
    table, details = [f"| {' | '.join(columns)} |", "| --- |" + " ---: |" * (len(columns) - 1)], []
    for code, language in NAMES.items():
        data = arguments.data / "multipl_e_gpt" / f"humaneval-{code}.jsonl"
        if not data.is_file() or toolchain(LANGUAGES[language]).missing:
            continue
        rows = judged(data, arguments.work, language, arguments.workers, arguments.patience)
        right = [sum(row["verdict"] == "OK" for row in rows)]
        right += [sum(row["compat"][rules]["verdict"] == "OK" for row in rows) for rules in RULES]
        differ = [sum(rules in row["disagree"] for row in rows) for rules in RULES]
        cells = [len(rows), not_extracted(data, rows), *right, *differ]
        table.append(f"| {language} | " + " | ".join(map(str, cells)) + " |")
        for rules in RULES:
            for reason, count in sorted(disagreements(rows, rules).items(), key=lambda item: -item[1]):
                details.append(f"- {language}, {count}: {reason}")
    versions = [f"{name}: {toolchain(LANGUAGES[name]).version}" for name in NAMES.values()]
    parts = [
        "# GPT's answers to MultiPL-E's HumanEval, by three sets of rules",
        f"Patience {arguments.patience:g}, {arguments.workers} workers, Python {platform.python_version()}; sandbox: "
        f"{sandbox_description()}. Tool-chains: {'; '.join(versions)}.",
        "\n".join(table),
        "## Every disagreement, by kind",
        "\n".join(details),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    write_text(arguments.out, text)


if __name__ == "__main__":
    main()
