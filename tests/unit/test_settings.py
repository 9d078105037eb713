"""Settings as people find them: a sentence for each, the page in the docs, the command."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.settings import run_settings, settings_markdown
from rewardranker.config.loading import load_config
from rewardranker.config.schema import Config
from rewardranker.config.settings import differing, sections, settings
from rewardranker.errors import UserError
from rewardranker.runs.console import Console

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_schema_says() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_markdown(), (
        "make it again: rewardranker settings --out docs/settings.md"
    )


def test_every_setting_has_a_sentence_and_every_section_says_what_it_is_for() -> None:
    for part in sections():
        assert part.text.endswith(".") and "dataclass" not in part.text, part.name
        for one in part.settings:
            assert len(one.about.sentence) > 10 and one.about.sentence.endswith("."), one.name
            assert "\n" not in one.about.sentence + part.text


def test_none_is_left_out() -> None:
    def leaves(tree: dict[str, object], prefix: str) -> set[str]:
        found: set[str] = set()
        for name, value in tree.items():
            inner = isinstance(value, dict) and value
            found |= leaves(value, f"{prefix}{name}.") if inner else {prefix + name}  # type: ignore[arg-type]
        return found

    assert leaves(asdict(Config()), "") == settings().keys()
    page = settings_markdown()
    assert "| `benchmark.sets[].limit` | int | `0` |" in page
    assert "One of: auto, transformers, vllm, `package.module:name`." in page
    assert "| `cluster.placement_timeout_s` | float, s | `120` |" in page


@pytest.mark.parametrize(
    ("word", "wanted", "absent"),
    [("ppo.kl.coef", "ppo.kl.coef=0.01   float", "ppo.kl.target"), ("GLOO", "weight_sync.transport=auto", "ppo")],
)
def test_the_command_prints_what_has_the_word(word: str, wanted: str, absent: str) -> None:
    answer = CliRunner().invoke(app, ["settings", word])
    assert answer.exit_code == 0 and wanted in answer.stdout and absent not in answer.stdout


def test_the_command_names_the_nearest_and_help_points_to_it() -> None:
    with pytest.raises(UserError, match="no setting has 'klcoef' in its name or text; did you mean ppo.kl.coef"):
        run_settings("klcoef", None, Console())
    for command in ("cycle", "reward", "evaluate", "generate", "doctor"):
        assert "rewardranker settings [WORD]" in CliRunner().invoke(app, [command, "--help"]).stdout
    with pytest.raises(UserError, match=r"did you mean ppo.kl.coef\? `rewardranker settings \[WORD\]` lists them"):
        load_config(None, ["kl_coef=1"])


def test_what_differs_can_be_given_again() -> None:
    for name in ("smoke", "evaluate"):
        config = load_config(ROOT / "configs" / f"{name}.yaml")
        given = [f"{part}.{key}={text}" for part, found in differing(config).items() for key, text in found.items()]
        assert load_config(None, given) == config
        assert len(given) < len(settings()) / 3
    assert differing(Config()) == {}
