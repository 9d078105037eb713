"""What a prompt in Java or C# defines beside the function that it asks for, and its tests may call."""

from __future__ import annotations

from rewardranker.errors import UserError
from rewardranker.judge.languages.rewriting import closing, defined
from rewardranker.linear import lexer
from rewardranker.problems.masking import masked

_CLASS = lexer(r"\bclass\s++\w++[^{};]*+\{")
_CALL = lexer(r"(?<![\w.])([A-Za-z_]\w*+)\s*+\(")


def with_prompt_members(tests: str, prompt: str, entry_point: str) -> str:
    """The tests with the prompt's own functions in their class, where they call one: a program may have made anything
    of its copy. The same text where they call none."""
    members = _members(prompt)
    names = defined(members) - defined(tests) - {entry_point}
    if not names & set(_CALL.findall(masked(tests))):
        return tests
    brace, after = tests.partition("}")[1:] if tests.lstrip().startswith("}") else ("", tests)
    return f"{brace}\n{members}\n{after}"


def _members(prompt: str) -> str:
    """The members that are complete in the prompt's last class."""
    hidden = masked(prompt)
    classes = list(_CLASS.finditer(hidden))
    if not classes:
        return ""
    begin = place = classes[-1].end()
    while (brace := hidden.find("{", place)) >= 0:
        try:
            place = closing(hidden, brace) + 1
        except UserError:  # the function that the prompt leaves open
            break
    return prompt[begin:place]
