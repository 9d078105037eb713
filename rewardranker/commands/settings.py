"""The ``settings`` command: what there is to set, from the schema, for a terminal and for ``docs/settings.md``."""

from __future__ import annotations

from pathlib import Path

from rich.padding import Padding
from rich.text import Text

from rewardranker.commands.problem_sets import require_writable
from rewardranker.config.settings import Section, Setting, nearest, sections
from rewardranker.errors import UserError
from rewardranker.runs.atomic import write_text
from rewardranker.runs.console import Console

_HEAD = """# Settings

Made from `rewardranker/config/schema.py` by `rewardranker settings --out docs/settings.md`; a test holds this page
against it. `rewardranker settings [WORD]` prints those with the word in name or text.

A config is a YAML file of sections (`--config FILE`), and `section.key=value` on the command line wins over it. A run
keeps all of them in its `config.yaml`. Change one that a complete stage depends on, and the run says which stage it
makes again, and why ([resuming](architecture.md#resuming)).
"""


def run_settings(word: str, out: Path | None, console: Console) -> None:
    """Prints the settings with ``word`` in their name, section, text or choices; all of them where it is empty.

    Args:
        out: the Markdown page to write instead: of all settings.

    Raises:
        UserError: no setting has the word, with the names that are nearest; or a page of a part of them.
    """
    if out is not None:
        if word:
            raise UserError(f"--out writes the page of all settings; leave {word!r} out, or --out")
        require_writable(out)
        write_text(out, settings_markdown())
        console.say(f"{out}: all settings")
        return
    found = [(part, kept) for part in sections() if (kept := [one for one in part.settings if _has(one, part, word)])]
    if not found:
        known = [one.name for part in sections() for one in part.settings]
        near = nearest(word, known)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `rewardranker settings` prints all of them"
        raise UserError(f"no setting has {word!r} in its name or text{hint}")
    for part, kept in found:
        console.show(Text(f"{part.name}: {part.text}", style="bold"))
        for one in kept:
            for indent, line in ((2, f"{one.name}={one.default}   {_type(one)}"), (6, _meaning(one))):
                console.show(Padding(Text(line), (0, 0, 0, indent), expand=False))


def settings_markdown() -> str:
    """The page: a table for each section."""
    return "\n".join([_HEAD, *(_table(part) for part in sections())])


def _table(part: Section) -> str:
    rows = [("setting", "type", "default", "meaning"), ("---",) * 4]
    rows += [(f"`{one.name}`", _type(one), f"`{one.default}`", _meaning(one)) for one in part.settings]
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)
    return f"## {part.name}\n\n{part.text}\n\n" + "".join(f"| {line} |\n" for line in lines)


def _has(one: Setting, part: Section, word: str) -> bool:
    return any(word.lower() in text.lower() for text in (one.name, one.about.sentence, part.text, *one.choices))


def _type(one: Setting) -> str:
    return f"{one.kind}, {one.about.unit}" if one.about.unit else one.kind


def _meaning(one: Setting) -> str:
    code = ["`package.module:name`"] if one.takes_code else []
    named = ", ".join([*one.choices, *code])
    return f"{one.about.sentence} One of: {named}." if named else one.about.sentence
