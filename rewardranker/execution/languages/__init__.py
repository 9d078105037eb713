"""The languages that programs can be judged in. A new one is a file beside this and a line in the table."""

from __future__ import annotations

from rewardranker.execution.languages.bash import BASH
from rewardranker.execution.languages.cpp import CPP
from rewardranker.execution.languages.csharp import CSHARP
from rewardranker.execution.languages.java import JAVA
from rewardranker.execution.languages.javascript import JAVASCRIPT
from rewardranker.execution.languages.language import Language
from rewardranker.execution.languages.php import PHP
from rewardranker.execution.languages.python import PYTHON
from rewardranker.execution.languages.typescript import TYPESCRIPT

LANGUAGES: dict[str, Language] = {
    language.name: language for language in (PYTHON, CPP, JAVA, PHP, TYPESCRIPT, CSHARP, BASH, JAVASCRIPT)
}
