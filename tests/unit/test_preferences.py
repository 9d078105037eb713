"""Preference data of one's own: what a row may be, what is left out, what is refused; and a model trained on it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from judging import problem
from transformers import AutoTokenizer
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.rerank import RerankRequest, run_rerank
from rewardranker.config.schema import TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate
from rewardranker.reranking.record import RECORD, Reading, recorded
from rewardranker.runs.console import Console
from rewardranker.training.preferences import Preference, encoded, read_preferences

USER = {"role": "user", "content": "Add one."}
SYSTEM = {"role": "system", "content": "Be short."}
TEMPLATE = (
    "{% for turn in messages %}<{{ turn.role }}>{{ turn.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def says(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


FORMS: list[tuple[dict[str, Any], Preference]] = [
    ({"prompt": "p", "chosen": "a", "rejected": "b"}, Preference("p", "a", "b")),
    ({"prompt": "", "chosen": "a", "rejected": "b", "score": 3}, Preference("", "a", "b")),
    ({"prompt": [USER], "chosen": [says("a")], "rejected": [says("b")]}, Preference([USER], "a", "b")),
    (
        {"prompt": [SYSTEM, USER], "chosen": [says("a")], "rejected": [says("b")]},
        Preference([SYSTEM, USER], "a", "b"),
    ),
    ({"chosen": [USER, says("a")], "rejected": [USER, says("b")]}, Preference([USER], "a", "b")),
    ({"prompt": None, "chosen": [USER, says("a")], "rejected": [USER, says("b")]}, Preference([USER], "a", "b")),
    # The prompt as a text beside whole conversations, which begin with it.
    (
        {"prompt": "Add one.", "chosen": [USER, says("a")], "rejected": [USER, says("b")]},
        Preference([USER], "a", "b"),
    ),
    ({"prompt": "Add one.", "chosen": [says("a")], "rejected": [says("b")]}, Preference([USER], "a", "b")),
    ({"prompt": [USER], "chosen": "a", "rejected": "b"}, Preference([USER], "a", "b")),
    (
        {"chosen": [USER, says("x"), USER, says("a")], "rejected": [USER, says("x"), USER, says("b")]},
        Preference([USER, says("x"), USER], "a", "b"),
    ),
]


@pytest.mark.parametrize(("row", "wanted"), FORMS)
def test_every_form_of_the_hubs_convention(row: dict[str, Any], wanted: Preference) -> None:
    assert read_preferences([row], "f") == ([wanted], {})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "p", "chosen": "a"}, "f, row 2 lacks rejected; it has prompt, chosen"),
        ({"chosen": "a", "rejected": "b"}, "f, row 2 lacks prompt; it has chosen, rejected"),
        ({"question": "p", "answer": "a"}, "f, row 2 lacks prompt, chosen, rejected"),
        ({"prompt": "p", "chosen": 3, "rejected": "b"}, "chosen: expected a text or a list of turns .* found int: 3"),
        ({"prompt": "p", "chosen": [{"from": "gpt"}], "rejected": []}, "row 2, chosen: expected .* found list"),
        ({"prompt": [USER], "chosen": [USER], "rejected": [says("b")]}, "chosen: the last turn .* the assistant's"),
        ({"chosen": [USER, says("a")], "rejected": [SYSTEM, says("b")]}, "differ before their last turn"),
        ({"chosen": [says("a")], "rejected": [says("b")]}, "row 2 has no prompt"),
        ({"prompt": [USER], "chosen": [says("a")], "rejected": [says("b")]}, "texts and conversations in one file"),
    ],
)
def test_what_is_no_preference_is_refused_with_its_row(row: dict[str, Any], message: str) -> None:
    first = {"prompt": "p", "chosen": "a", "rejected": "b"}
    with pytest.raises(UserError, match=message):
        read_preferences([first, row], "f")


def test_rows_that_say_nothing_are_counted() -> None:
    sides = [("a", "b"), ("a", "a"), ("", "b"), ("a", " \n")]
    rows = [{"prompt": "p", "chosen": chosen, "rejected": rejected} for chosen, rejected in sides]
    found, idle = read_preferences(rows, "f")
    assert len(found) == 1 and idle == {"equal sides": 1, "an empty side": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("preferences") / "model"
    texts = ["<user>Add one.<assistant><system>", "return x + 1 - 2", "p"]
    build_tiny_model(TinyConfig(hidden=32, layers=2, heads=2, max_positions=128), place, texts, seed=0)
    return place


@pytest.fixture
def chat_model(model: Path, tmp_path: Path) -> Path:
    import shutil

    copied = tmp_path / "chat-model"
    shutil.copytree(model, copied)
    tokenizer = AutoTokenizer.from_pretrained(copied)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(copied)
    return copied


def test_conversations_are_read_through_the_template(chat_model: Path) -> None:
    tokenizer = load_tokenizer(str(chat_model))
    pairs, groups = encoded([Preference([USER], "return x + 1", "return x - 1")], tokenizer, True, 100)
    (chosen, _), (group,) = pairs[0], groups
    text = tokenizer.decode([*chosen.prompt_ids, *chosen.response_ids[:-1]], clean_up_tokenization_spaces=False)
    bare = "".join(text.split())
    assert bare == "<user>Addone.<assistant>returnx+1" and chosen.response_ids[-1] == tokenizer.eos_token_id
    assert json.loads(group) == [USER]
    assert encoded([Preference([USER], "return x + 1", "return x - 1")], tokenizer, True, 4) == ([], [])


def train(model: Path, preferences: Path, out: Path, *more: str) -> Any:
    words = [
        "train",
        "--kind",
        "rewardranker",
        "--model",
        str(model),
        "--out",
        str(out),
        "--steps",
        "12",
        "--lr",
        "1e-2",
    ]
    return CliRunner().invoke(app, [*words, "--programs-per-step", "4", "--preferences", str(preferences), *more])


def test_a_reward_model_from_preferences_ranks(model: Path, tmp_path: Path) -> None:
    rows = [{"prompt": "p", "chosen": f"return x + {i}", "rejected": f"return x - {i}"} for i in (1, 2)]
    rows.append(rows[0] | {"rejected": rows[0]["chosen"]})
    (tmp_path / "own.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "own.parquet")
    for name in ("own.jsonl.gz", "own.parquet"):
        answer = train(model, tmp_path / name, tmp_path / f"ranker-{name}")
        assert answer.exit_code == 0, answer.output
        said = " ".join(answer.output.split())
        assert "2 of 3 pairs to learn from; left out: 1 with equal sides" in said
        assert "1 of 1 prompts to learn from" in said and "each of the 2 pairs is seen 12 times" in said
    out = tmp_path / "ranker-own.parquet"
    record = json.loads((out / RECORD).read_text())
    assert record["pairs"] == 2 and record["asked"]["preferences"].endswith("own.parquet")
    assert recorded(str(out)) == Reading("rewardranker", False, 1024)
    task = problem(prompt="p")
    write_problems(tmp_path / "problems.jsonl", [task])
    pool = [Candidate(task.id, "python", code, code, "human") for code in ("return x - 1", "return x + 1")]
    write_pool(tmp_path / "pool.jsonl", pool)
    asked = RerankRequest(tmp_path / "problems.jsonl", tmp_path / "pool.jsonl", tmp_path / "r.jsonl", model=str(out))
    run_rerank(asked, Console())
    assert read_pool(tmp_path / "r.jsonl")[0].code == "return x + 1"


def test_a_chat_reward_model_is_used_as_it_was_trained(chat_model: Path, tmp_path: Path) -> None:
    row = {"chosen": [USER, says("return x + 1")], "rejected": [USER, says("return x - 1")]}
    (tmp_path / "own.jsonl").write_text(json.dumps(row) + "\n")
    out = tmp_path / "ranker"
    assert train(chat_model, tmp_path / "own.jsonl", out).exit_code == 0
    assert recorded(str(out)) == Reading("rewardranker", True, 1024)  # without --chat: conversations are chats
    task = problem(prompt="Add one.")
    write_problems(tmp_path / "problems.jsonl", [task])
    write_pool(tmp_path / "pool.jsonl", [Candidate(task.id, "python", c, c, "human") for c in ("x - 1", "x + 1")])
    files = ["--problems", str(tmp_path / "problems.jsonl"), "--pool", str(tmp_path / "pool.jsonl")]
    scores = []
    for flags in ([], ["--chat"], ["--no-chat"]):
        ranked = tmp_path / "ranked.jsonl"
        words = ["rerank", *files, "--out", str(ranked), "--model", str(out), *flags]
        answer = CliRunner().invoke(app, words)
        if flags == ["--no-chat"]:
            assert isinstance(answer.exception, UserError)
            assert "--no-chat asks for problems without the chat template" in str(answer.exception)
            assert "was trained with it" in str(answer.exception)
            continue
        assert answer.exit_code == 0, answer.output
        scores.append([c.scores for c in read_pool(ranked)])
    assert scores[0] == scores[1]
    (out / RECORD).unlink()  # from elsewhere: the flag decides
    words = ["rerank", *files, "--out", str(tmp_path / "bare.jsonl"), "--model", str(out), "--no-chat"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert [c.scores for c in read_pool(tmp_path / "bare.jsonl")] != scores[0]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"asked": 3}', '{"asked": {"kind": "lever"}}'])
def test_a_record_that_cannot_be_read_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(UserError, match="training.json is no record of a training"):
        recorded(str(tmp_path))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--pool", "p.jsonl"], "--preferences and --pool exclude each other"),
        (["--kind", "coderanker"], "--kind coderanker learns from programs that are right or wrong"),
        (["--chat"], "has no chat template; leave --chat out"),
        (["--max-tokens", "2"], "no pairs to train on"),
    ],
)
def test_what_does_not_go_with_preferences(more: list[str], message: str, model: Path, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(json.dumps({"prompt": "p", "chosen": "return x", "rejected": "x"}) + "\n")
    answer = train(model, tmp_path / "own.jsonl", tmp_path / "out", *more)
    assert isinstance(answer.exception, UserError) and message in str(answer.exception)
    assert not (tmp_path / "out").exists()


def test_conversations_need_a_template_and_files_something_to_say(model: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"chosen": [USER, says("a")], "rejected": [USER, says("b")]}) + "\n")
    answer = train(model, own, tmp_path / "out")
    assert "holds conversations: the tokenizer of" in str(answer.exception)
    own.write_text(json.dumps({"prompt": "p", "chosen": "a", "rejected": "a"}) + "\n")
    answer = train(model, own, tmp_path / "out")
    assert "nothing to learn from in its 1 rows, 1 with equal sides" in str(answer.exception)
    words = ["train", "--kind", "rewardranker", "--model", str(model), "--out", str(tmp_path / "out")]
    assert "give --problems and --pool" in str(CliRunner().invoke(app, words).exception)
