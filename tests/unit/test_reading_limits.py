"""What a network cannot read is named and ranked last; it costs the other candidates nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from judging import problem
from networks_made import causal
from transformers import BloomConfig, GPT2Config, LlamaConfig, MambaConfig
from typer.testing import CliRunner

from actors.rollout.transformers import TransformersEngine
from rewardranker.cli import app
from rewardranker.commands.rerank import RerankRequest, run_rerank
from rewardranker.config.schema import TinyConfig
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import UNREAD, Limits, score_readable
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate
from rewardranker.runs.console import Console

WORDS = ["def f ( x ) : return a + b * 2 - 1 \n"]


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 positions, and an embedding for every word of its tokenizer."""
    base, directory = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("scorer")
    build_tiny_model(TinyConfig(32, 1, 2, 40), base, WORDS, seed=0)
    load_scorer(str(base), "float32", "auto", "cpu", seed=1).model.save_pretrained(directory)
    load_tokenizer(str(base)).save_pretrained(directory)
    return directory


def ranked(tmp_path: Path, model: Path, prompts: dict[str, str], pool: list[tuple[str, str]]) -> list[Candidate]:
    problems = [replace(problem("function"), id=name, prompt=prompt) for name, prompt in prompts.items()]
    write_problems(tmp_path / "problems.jsonl", problems)
    candidates = [Candidate(name, "python", code, code, "gen:test") for name, code in pool]
    write_pool(tmp_path / "pool.parquet", candidates, problems)
    out = tmp_path / "out.parquet"
    run_rerank(
        RerankRequest(tmp_path / "problems.jsonl", tmp_path / "pool.parquet", out, model=str(model)), Console()
    )
    return read_pool(out)


def test_limits_of_architectures() -> None:
    """GPT-2's name for them, none where distances are counted (ALiBi) or a state is kept, stretched rotary ones."""
    assert Limits.of(GPT2Config(n_positions=7, vocab_size=5)) == Limits(5, 7)
    assert Limits.of(BloomConfig(vocab_size=9)) == Limits(9, None)
    assert Limits.of(MambaConfig(vocab_size=9)) == Limits(9, None)
    assert Limits.of(LlamaConfig(vocab_size=9, max_position_embeddings=64)) == Limits(9, 64)
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": 10000.0}
    stretched = LlamaConfig(vocab_size=9, max_position_embeddings=64, rope_parameters=yarn)
    assert Limits.of(stretched) == Limits(9, 256)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (TokenSequence((1, 2), (3, 4)), ""),
        (TokenSequence((1, 2), (3, 4, 1)), "5 tokens, and the model has 4 positions"),
        (TokenSequence((1, 10), (1,)), "token 10 of its tokenizer is outside the model's 10 embeddings"),
        (TokenSequence((), (3, 1)), "its prompt is empty"),
    ],
)
def test_why_a_row_cannot_be_read(row: TokenSequence, reason: str) -> None:
    found = Limits(tokens=10, positions=4).why_not(row)
    assert found.startswith(reason) and bool(found) == bool(reason)
    if reason:
        with pytest.raises(UserError, match=f"p/3: {reason}"):
            Limits(10, 4).check(row, "p/3")


def test_only_what_can_be_read_is_shown_to_the_network() -> None:
    rows = [TokenSequence((1,), (2,) * n) for n in (2, 9, 3)]
    seen: list[TokenSequence] = []

    def score(shown: list[TokenSequence]) -> list[float]:
        seen.extend(shown)
        return [float(len(row)) for row in shown]

    found = score_readable([*rows, rows[0]], ["a", "b", "c", "d"], score, Limits(10, 5))
    assert found.scores == [3.0, UNREAD, 4.0, 3.0] and seen == [rows[0], rows[2]]
    assert [(one.name, one.reason) for one in found.unread] == [("b", "10 tokens, and the model has 5 positions")]
    with pytest.raises(UserError, match=r"can read none of 2 texts; the first, a: 3 tokens"):
        score_readable(rows[:2], ["a", "b"], score, Limits(10, 2))


def test_a_program_beyond_the_positions_is_ranked_last_and_named(
    tmp_path: Path, scorer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short, long = "def f(x):\n return a\n", "def f(x):\n return a" + " + b" * 40 + "\n"
    written = ranked(tmp_path, scorer, {"p": "def f(x):\n"}, [("p", long), ("p", short), ("p", long)])
    assert [c.code for c in written] == [short, long, long]
    assert [c.scores["rewardranker"] == UNREAD for c in written] == [False, True, True]
    shown = " ".join(capsys.readouterr().out.split())
    assert "warning: 2 of 3 programs cannot be read by the model and are ranked last" in shown
    assert "p, candidate 0: 107 tokens, and the model has 40 positions" in shown


def test_an_empty_prompt_is_named(tmp_path: Path, scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = ranked(tmp_path, scorer, {"p": "def f(x):\n", "q": ""}, [("q", "a\n"), ("p", "a\n"), ("q", "b\n")])
    assert [c.scores["rewardranker"] == UNREAD for c in written] == [True, True, False]
    assert "q, candidate 0: its prompt is empty" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(UserError, match="q, candidate 0: its prompt is empty"):
        ranked(tmp_path, scorer, {"q": ""}, [("q", "a\n")])


def test_a_tokenizer_of_another_model_is_named(
    tmp_path: Path, scorer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, mixed = tmp_path / "other", tmp_path / "mixed"
    build_tiny_model(TinyConfig(32, 1, 2, 40), other, [*WORDS, " ".join("klmnopqrst")], seed=0)
    load_scorer(str(scorer), "float32", "auto", "cpu", None).model.save_pretrained(mixed)
    load_tokenizer(str(other)).save_pretrained(mixed)
    written = ranked(tmp_path, mixed, {"p": "def f(x):\n"}, [("p", " k + t\n"), ("p", " a + b\n")])
    assert [c.code for c in written] == [" a + b\n", " k + t\n"]
    shown = " ".join(capsys.readouterr().out.split())
    assert "p, candidate 0: token" in shown and "embeddings, so that they do not belong together" in shown


def test_a_token_for_padding_needs_no_embedding(tmp_path: Path, scorer: Path) -> None:
    """As community models have it, whose padding token was added after training."""
    padded, codec = tmp_path / "padded", load_tokenizer(str(scorer))
    shutil.copytree(scorer, padded)
    codec.add_special_tokens({"pad_token": "<new pad>"})
    codec.save_pretrained(padded)
    assert load_tokenizer(str(padded)).pad_token_id >= Limits.of_model(str(padded)).tokens
    pool = [("p", " a\n"), ("p", " a + b * 2 - 1\n")]
    found, expected = (ranked(tmp_path, model, {"p": "def f(x):\n"}, pool) for model in (padded, scorer))
    assert [c.scores for c in found] == [c.scores for c in expected]


def test_the_engine_names_what_the_model_has_no_embedding_for(scorer: Path) -> None:
    base = causal("llama", scorer.parent / "llama")
    with pytest.raises(UserError, match=r"token 64, which ends a response, is outside the model's 64 embeddings"):
        TransformersEngine(base, "float32", "auto", "cpu", 4096, (1, 64))
    engine = TransformersEngine(base, "float32", "auto", "cpu", 4096, (1,))
    with pytest.raises(UserError, match=r"the prompt of p/1 has token 70, and the model 64 embeddings"):
        engine.generate([Request("p/1", (3, 70), 0)], Sampling(1.0, 0, 4))
    with pytest.raises(UserError, match=r"the prompt of p/2 has 0 tokens"):
        engine.generate([Request("p/2", (), 0)], Sampling(1.0, 0, 4))


def test_a_model_without_a_tokenizer_is_named(tmp_path: Path, scorer: Path) -> None:
    bare = tmp_path / "bare"
    load_scorer(str(scorer), "float32", "auto", "cpu", None).model.save_pretrained(bare)
    with pytest.raises(UserError, match="bare holds no tokenizer that can be loaded"):
        ranked(tmp_path, bare, {"p": "def f(x):\n"}, [("p", "a\n")])


def test_dry_runs_stop_at_a_model_that_is_not_whole(tmp_path: Path, scorer: Path) -> None:
    """``generate`` and ``cycle`` with a reward model for a generator; nothing is started."""
    for command in (["cycle", "--dry-run", f"model.path={scorer}"], ["cycle", "--dry-run", "model.path=/absent"]):
        result = CliRunner().invoke(app, [*command, "data.source=mbpp", "data.triplet_source=samples"])
        assert isinstance(result.exception, UserError) and "model.path=" in str(result.exception)
