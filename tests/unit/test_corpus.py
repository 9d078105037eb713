"""What a source of data may give; ``docs/extending.md``'s own source, in a module of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from benchmark_data import add_mbpp_row, write_lines
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.config.loading import load_config
from rewardranker.config.schema import DataConfig, FamilyConfig, TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.corpus import Corpus, read_corpus
from rewardranker.problems.family import family_corpus
from rewardranker.problems.io import write_json_lines, write_problems

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
FAMILY = FamilyConfig(train_problems=6, validation_problems=2, test_problems=3)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return family_corpus(DataConfig(family=FAMILY), 0)


def test_a_corpus_is_checked_in_all_its_splits(corpus: Corpus) -> None:
    corpus.check(6)
    problems, (known, *_) = corpus.problems, corpus.references

    def without(split: str) -> Corpus:
        return Corpus([p for p in problems if p.split != split], [], [], [])

    bad: list[tuple[Corpus, str]] = [
        (without("validation"), "no validation problems"),
        (without("test"), "no test problems"),
        (without("train"), "ppo.prompts_per_step=6, but there are only 0 training problems"),
        (replace(corpus, imitated=[*corpus.imitated, ("nobody", "")]), "imitated for problem 'nobody'"),
        (replace(corpus, references=[(known[0], None)]), "references that are no pairs of texts"),  # type: ignore[list-item]
        (replace(corpus, problems=[*problems, problems[0]]), "more than once"),
        (replace(corpus, problems=[replace(problems[0], tests=()), *problems[1:]]), "without tests"),
    ]
    for one, message in bad:
        with pytest.raises(UserError, match=message):
            one.check(6)


def test_every_prompt_ends_with_the_line_that_is_asked_for(tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "mbpp.jsonl", [add_mbpp_row(i) for i in (11, 511, *range(601, 605))])
    given = ["data.source=mbpp", f"data.mbpp.path={rows}", "data.triplet_source=samples", "model.path=owner/name"]
    given += ["ppo.prompts_per_step=4", "ppo.minibatch_size=32"]
    plain, asked = (
        read_corpus(load_config(None, [*given, *more]))
        for more in ([], ["data.instruction=One {language} block: no #prose."])
    )
    added = [
        (b.prompt, a.prompt + "One Python block: no #prose.\n")
        for a, b in zip(plain.problems, asked.problems, strict=True)
    ]
    assert len(added) == 6 and all(found == expected for found, expected in added)
    assert asked.references == plain.references


def test_references_are_counted_where_they_are_missing(corpus: Corpus) -> None:
    assert corpus.without_reference() == []
    train, test = ([p.id for p in corpus.problems if p.split == split] for split in ("train", "test"))
    fewer = replace(corpus, references=[pair for pair in corpus.references if pair[0] in train[1:]])
    fewer.check(6)
    assert fewer.without_reference() == [train[0], *test]


def test_the_guide_s_source_in_a_dry_run(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is not there, rows that lack a field, and what there is, without a run being started."""
    code = PAGE.split("```python rewardranker/problems/files.py\n")[1].split("```")[0]
    (tmp_path / "own_files.py").write_text(f"{code}\n\ndef no_corpus(data, seed):\n    return {{}}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    build_tiny_model(TinyConfig(hidden=32, layers=1, heads=2), tmp_path / "model", ["t"], seed=0)
    smaller = [
        "ppo.prompts_per_step=4",
        "ppo.minibatch_size=32",
        "cluster.num_cpus=8",
        f"model.path={tmp_path}/model",
    ]
    source, directory = "data.source=own_files:files_corpus", f"data.options.directory={tmp_path}"

    def dry(*settings: str) -> str:
        answer = CliRunner().invoke(app, ["cycle", "--dry-run", *smaller, *settings])
        return str(answer.exception) if answer.exception else answer.output

    assert "data.options" in dry(source) and "directory" in dry(source)
    assert f"file {tmp_path}/nowhere/problems.jsonl does not exist" in dry(source, f"{directory}/nowhere")
    assert "own_files:corpus cannot be imported" in dry("data.source=own_files:corpus", directory)
    assert "gave dict, not a Corpus" in dry("data.source=own_files:no_corpus")
    write_problems(tmp_path / "problems.jsonl", corpus.problems)
    for name in ("references", "sft", "solutions"):
        write_json_lines(tmp_path / f"{name}.jsonl", [{"problem_id": corpus.problems[0].id, "code": "pass\n"}])
    (tmp_path / "sft.jsonl").write_text('{"problem_id": "x"}\n')
    assert "sft.jsonl, row 1 lacks code" in dry(source, directory)
    write_json_lines(tmp_path / "sft.jsonl", [{"problem_id": corpus.problems[0].id, "code": "pass\n"}])
    assert "train 6, validation 2, test 3, without a reference 8" in " ".join(dry(source, directory).split())
    assert not list(tmp_path.rglob("00-data"))
