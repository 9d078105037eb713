"""Settings are read by their type: texts as they were typed, numbers however they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewardranker.config.loading import load_config, to_yaml
from rewardranker.errors import UserError

TEXTS = [
    "0012", "5328e41", "1e3", "0x1f", "0b1", "1_000", "12:30:45", "on", "Yes", "off", "null", "~", "None", "true",
    "1.50", ".5", "2026-11-27", "a #b", "#1", "a: b", "[x", "{y", "- z", "*star", "&amp", "!bang", "%", "@at", "`",
    "it's", 'say "so"', "back\\slash", "é", " spaces ", "=", "a=b", "|", ">", "?", "0o17", "NaN", "inf", "<<",
]  # fmt: skip


def name(text: str) -> Any:
    return load_config(None, [f"run.name={text}"]).run.name


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_what_was_typed_everywhere(text: str, tmp_path: Path) -> None:
    assert name(text) == text
    config = load_config(None, [f"run.root={text}", f"benchmark.rankers.mine={text}"])
    assert (config.run.root, config.benchmark.rankers) == (text, {"mine": text})
    path = tmp_path / "c.yaml"
    path.write_text(to_yaml(config))
    assert load_config(path) == config  # a run's own config.yaml gives the same settings again
    path.write_text(f"run: {{name: {json.dumps(text)}}}\nendpoint: {{stop: [{json.dumps(text)}]}}\n")
    assert load_config(path).run.name == text and load_config(path).endpoint.stop == [text]


PLAIN = ["0012", "5328e41", "1e3", "0x1f", "1_000", "12:30:45", "on", "Yes", "null", "true", "1.50", "2026-11-27"]


@pytest.mark.parametrize("text", PLAIN)
def test_unquoted_texts_of_a_file_and_of_lists_too(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"run:\n  name: {text}  # a comment\nendpoint:\n  stop:\n  - {text}\n")
    config = load_config(path, [f"benchmark.rankers={{a: {text}, {text}: b}}"])
    assert (config.run.name, config.endpoint.stop) == (text, [text])
    assert config.benchmark.rankers == {"a": text, text: "b"}


def test_a_hash_on_the_command_line_is_no_comment() -> None:
    config = load_config(None, ["endpoint.stop=[/a #1, '#', b#2]", "benchmark.rankers={x: /runs/a #1/hf}"])
    assert config.endpoint.stop == ["/a #1", "#", "b#2"]
    assert config.benchmark.rankers == {"x": "/runs/a #1/hf"}


def test_quotes_around_the_whole_are_yamls() -> None:
    assert [name(text) for text in ("'0012'", '"a\\tb"', "''", "", "'it''s'")] == ["0012", "a\tb", "", "", "it's"]
    assert name("'a' and 'b") == "'a' and 'b"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e2", 100), ("100", 100), ("1_00", 100), ("0100", 100), ("+100", 100), ("100.0", 100), ("1E+2", 100)],
)
def test_whole_numbers(text: str, number: int, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"sft: {{steps: {text}}}\n")
    for config in (
        load_config(None, [f"sft.steps={text}"]),
        load_config(path),
        load_config(None, [f"sft.steps='{text}'"]),
    ):
        assert config.sft.steps == number and type(config.sft.steps) is int


@pytest.mark.parametrize(
    ("text", "number"), [("1e-5", 1e-5), ("1e2", 100.0), (".5", 0.5), ("5", 5.0), ("1_0.5", 10.5)]
)
def test_real_numbers(text: str, number: float, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"ppo: {{kl: {{coef: {text}}}}}\n")
    for config in (load_config(None, [f"ppo.kl.coef={text}"]), load_config(path)):
        assert config.ppo.kl.coef == number and type(config.ppo.kl.coef) is float


@pytest.mark.parametrize(("text", "value"), [("on", True), ("No", False), ("TRUE", True), ("0", False)])
def test_truths(text: str, value: bool) -> None:
    assert load_config(None, [f"cycle.control={text}"]).cycle.control is value


def test_fields_of_requests_are_what_json_has() -> None:
    values = {"a": 1e-5, "b": None, "c": "1e-5", "d": [1, "x"], "e": {"f": False}, "g": "on"}
    config = load_config(None, ["endpoint.extra={a: 1e-5, b: null, c: '1e-5', d: [1, x], e: {f: false}, g: on}"])
    assert config.endpoint.extra == values
    assert load_config(None, ["endpoint.extra.a.b=2"]).endpoint.extra == {"a": {"b": 2}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sft.steps=1.5", "setting sft.steps: '1.5' is not a whole number"),
        ("sft.steps=1e999999999", "sft.steps: '1e999999999' is not a whole number"),
        ("sft.steps=on", "sft.steps: 'on' is not a whole number"),
        ("sft.steps=", "sft.steps: '' is not a whole number"),
        ("sft.steps=[1]", "sft.steps has to be a number, and is a list"),
        ("ppo.kl.coef=nan", "ppo.kl.coef: 'nan' is not a number"),
        ("ppo.kl.coef=1,5", "ppo.kl.coef: '1,5' is not a number"),
        ("cycle.control=maybe", "cycle.control: 'maybe' is neither true nor false"),
        ("cycle.variants=hardnegatives", "cycle.variants has to be a list such as .* single value .'hardnegatives'"),
        ("cycle.variants=[a", r"cycle.variants: '\[a' is not valid YAML"),
        ("cycle.variants=[[a]]", r"cycle.variants\[0\] has to be a text, and is a list"),
        ("benchmark.rankers=/runs/hf", "benchmark.rankers has to be a section of settings"),
        ("ppo.kl=0.2", "ppo.kl has to be a section of settings"),
        ("ppo..kl=1", "not of the form"),
        ("=1", "not of the form"),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_found_and_what_is_wanted(override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(None, [override])


def test_files_that_say_something_twice_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("run:\n  name: a\n  name: b\n")
    with pytest.raises(UserError, match="run.name is there twice"):
        load_config(path)
    path.write_bytes(b"\xef\xbb\xbfrun: {name: 0012}\n")
    assert load_config(path).run.name == "0012"
    path.write_text("# nothing\n")
    assert load_config(path) == load_config()
    path.write_text("base: &base {lr: 1e-3}\nsft: {optim: {<<: *base}}\n")
    with pytest.raises(UserError, match="unknown setting 'base'"):
        load_config(path)
    path.write_text("run: {name: a, root: '${run.name}'}\nsft: {optim: &o {lr: 1e-3}}\nreward: {optim: {<<: *o}}\n")
    config = load_config(path)
    assert (config.run.root, config.sft.optim.lr, config.reward.optim.lr) == ("a", 1e-3, 1e-3)
