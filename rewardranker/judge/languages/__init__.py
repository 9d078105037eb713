"""The languages that programs can be judged in. A new one is a file beside this and a line in the table."""

from __future__ import annotations

from rewardranker.judge.languages.bash import BASH
from rewardranker.judge.languages.cpp import CPP
from rewardranker.judge.languages.csharp import CSHARP
from rewardranker.judge.languages.java import JAVA
from rewardranker.judge.languages.javascript import JAVASCRIPT
from rewardranker.judge.languages.language import Language
from rewardranker.judge.languages.php import PHP
from rewardranker.judge.languages.python import PYTHON
from rewardranker.judge.languages.typescript import TYPESCRIPT

LANGUAGES: dict[str, Language] = {
    language.name: language for language in (PYTHON, CPP, JAVA, PHP, TYPESCRIPT, CSHARP, BASH, JAVASCRIPT)
}
