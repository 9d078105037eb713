"""The languages that programs can be judged in. A new one is a file beside this and a line in the table."""

from __future__ import annotations

from rewardranker.execution.languages.bash import BASH
from rewardranker.execution.languages.javascript import JAVASCRIPT
from rewardranker.execution.languages.language import Language
from rewardranker.execution.languages.php import PHP
from rewardranker.execution.languages.python import PYTHON

LANGUAGES: dict[str, Language] = {language.name: language for language in (PYTHON, PHP, BASH, JAVASCRIPT)}
