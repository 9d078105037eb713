"""The model card beside an exported model: what it reads, where a text ends, what it says, what it learnt from.

Only what is known when the model is written: no licence, no numbers that were not measured, no name of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData
from transformers import AutoConfig, PreTrainedTokenizerBase

import rewardranker
from rewardranker.models.architectures import pooling_of, scorer_class, why_nowhere_else
from rewardranker.models.endings import Endings
from rewardranker.models.loading import load_tokenizer
from rewardranker.runs.atomic import write_text
from rewardranker.runs.directory import git_sha

CARD = "README.md"
#: What each kind is, by the names of the commands.
_TITLES = {
    "generator": "Generator of programs",
    "policy": "Generator of programs, trained by PPO against a reward model",
    "rewardranker": "RewardRanker: a reward model that ranks programs",
    "coderanker": "CodeRanker: a classifier that ranks programs",
    "lever": "LEVER: a verifier that ranks programs and their execution results",
}
_NUMBERS = {
    "rewardranker": (
        "One number, a Bradley-Terry score: higher is better. The difference of the scores of two programs for one "
        "problem is the logit of the first one being preferred. Scores of different problems do not compare, and no "
        "score says by itself that a program is right."
    ),
    "coderanker": (
        "One number, a logit: its sigmoid is the model's probability that the program passes its tests. It was "
        "trained on as many right as wrong programs of each problem."
    ),
    "lever": (
        "One number, a logit: its sigmoid is the model's probability that the program passes its tests, given what "
        "it returned. LEVER's choice adds the generator's log-probability, and the programs with equal results "
        "(`rewardranker rerank --ranker lever`)."
    ),
}
_COMPLETION = (
    "`completion` is what has to be written after the prompt to arrive at the program: its continuation where the "
    "prompt has begun it, else the whole program in a fenced block with its language's name. The program is in "
    "normal form: unix line ends, four blanks for a leading tab, no trailing space, one line end at its end."
)
_ANSWER = (
    "`completion` was an answer as it stood in the preferences, and `before` all that was said before it. What "
    "`rewardranker rerank` and `Scorer` make of a program is another text: the program in normal form, in a fenced "
    "block where the prompt has not begun it."
)
_LEVER = """\
```text
# description
(the prompt)

# program
(the program; where the prompt has begun it, what was written after the prompt)

# execution
# return: (int)=3

# return: ERROR: ValueError

```

One line `# return:` for each probe input, each with an empty line behind it. A text that is too long loses the end of
its program."""
_USE = """\
```python
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model, tokenizer = (kind.from_pretrained(DIRECTORY) for kind in (AutoModelForSequenceClassification, AutoTokenizer))
score = model(**tokenizer(text, return_tensors="pt")).logits.item()
```"""


def write_card(directory: Path, kind: str, chat: bool, learnt: Mapping[str, object], answers: bool = False) -> None:
    """Writes ``README.md`` beside a model.

    Args:
        directory: with the model and its tokenizer.
        kind: ``generator``, ``policy``, or a kind of :data:`rewardranker.training.rankers.KINDS`.
        chat: the prompt is what a user says.
        learnt: what the model was trained on, by name, in the order in which it is shown.
        answers: it learnt from answers as they stood in preference data, and not from programs.
    """
    tokenizer = load_tokenizer(str(directory))
    scores = kind in _NUMBERS
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification" if scores else "text-generation",
        tags=["rewardranker", "code", *(["reranker", kind] if scores else [])],
    )
    parts = [f"# {_TITLES[kind]}", "## What it reads", _text(kind, chat, answers), "## Where a text ends"]
    parts.append(_end(str(directory), tokenizer, chat, scores))
    if scores:
        parts += ["## What the number means", _NUMBERS[kind], _use(directory)]
    table = [f"| {name} | {value} |" for name, value in (dict(learnt) | _version()).items()]
    parts += ["## What it was trained on", "\n".join(["| | |", "|---|---|", *table])]
    write_text(directory / CARD, f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n")


def read_card(directory: Path) -> ModelCard:
    """The card beside a model, as the hub's own library reads it."""
    return ModelCard.load(directory / CARD)


def _text(kind: str, chat: bool, answers: bool) -> str:
    if kind == "lever":
        return f"One text, in LEVER's form:\n\n{_LEVER}"
    asked = "the problem's prompt as what a user says, inside the tokenizer's chat template"
    template = (
        '`tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, '
        "tokenize=False)`"
    )
    if kind in _NUMBERS:
        before = f"{template}, which is {asked}" if chat else "the problem's prompt"
        if answers:
            return f"One text, `before + completion` with nothing between them. `before` is {before}. {_ANSWER}"
        return f"One text, `before + completion` with nothing between them. `before` is {before}. {_COMPLETION}"
    return f"{template}: {asked}." if chat else "The problem's prompt as plain text, which it goes on writing."


def _end(directory: str, tokenizer: PreTrainedTokenizerBase, chat: bool, scores: bool) -> str:
    if not scores:
        ends = Endings.of_model(directory, tokenizer)
        every = ", ".join(_token(tokenizer, one) for one in ends.ids)
        return (
            f"It was taught to end with {_token(tokenizer, ends.trained(chat))}. A response ends at any of: {every}."
        )
    end = _token(tokenizer, tokenizer.eos_token_id)
    own = tokenizer.encode("a")[-1:] == [tokenizer.eos_token_id]
    puts = "puts it behind every text by itself" if own else "does not put it there: add it to every text"
    mean = pooling_of(AutoConfig.from_pretrained(directory)) == "mean"
    read = "the number is the mean over the program's tokens, it among them" if mean else "where the number is read"
    return f"With {end}, {read}. This directory's tokenizer {puts}."


def _token(tokenizer: PreTrainedTokenizerBase, token: int) -> str:
    return f"`{tokenizer.convert_ids_to_tokens(token)}` ({token})"


def _use(directory: Path) -> str:
    config = AutoConfig.from_pretrained(directory)
    if reason := why_nowhere_else(scorer_class(config, str(directory)), config):
        return f"It is loaded by `rewardranker.reranking.scorer.Scorer` and nothing else: {reason}."
    return f"{_USE}\n\n`rewardranker.reranking.scorer.Scorer(DIRECTORY)` makes the text of a problem and a program."


def _version() -> dict[str, object]:
    commit = git_sha()
    return {"made by": f"RewardRanker {rewardranker.__version__}" + (f", commit {commit}" if commit else "")}
