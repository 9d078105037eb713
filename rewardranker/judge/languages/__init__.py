"""The languages that programs can be judged in: for each in ``problems/languages.py``, the file of its name."""

from __future__ import annotations

from importlib import import_module

from rewardranker.judge.languages.language import Language
from rewardranker.problems import languages

LANGUAGES: dict[str, Language] = {
    name: import_module(f"rewardranker.judge.languages.{name}").LANGUAGE for name in languages.LANGUAGES
}
