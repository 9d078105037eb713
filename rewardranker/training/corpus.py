"""A corpus that training reads by index: token ids that lie in files and are mapped into memory, shard by shard.

A shard is an Arrow file with a row for every example. Each distinct text is in it once, as token ids and how many of
them are the prompt's; an example names one text, or two, of which the first is preferred. Nothing is copied when a
corpus is opened: what is held of it is numbers of texts and lengths.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from transformers import PreTrainedTokenizerBase

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.encoding import encode_pairs
from rewardranker.models.limits import Limits
from rewardranker.models.loading import load_tokenizer
from rewardranker.paths import AnyPath
from rewardranker.runs.shards import ARROW, Made, Shard, Work, shards_in
from rewardranker.training.ranks import Rank
from rewardranker.training.shares import share_out

_SEQUENCE = pa.struct([("ids", pa.list_(pa.int32())), ("prompt", pa.int32())])
SCHEMA = pa.schema(
    [
        pa.field("group", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("text", pa.dictionary(pa.int32(), _SEQUENCE), nullable=False),
        pa.field("other", pa.int32()),  # of the same texts
    ]
)
#: One text, or a preferred and a disfavoured one.
Example = tuple[TokenSequence, ...]


def corpus_table(sequences: Sequence[TokenSequence], examples: Iterable[tuple[str, tuple[int, ...]]]) -> pa.Table:
    """Rows of :data:`SCHEMA`: examples by their group and the places of their sequences."""
    groups: dict[str, int] = {}
    columns: tuple[list[int], list[int], list[int | None]] = ([], [], [])
    for group, places in examples:
        columns[0].append(groups.setdefault(group, len(groups)))
        columns[1].append(places[0])
        columns[2].append(places[1] if len(places) > 1 else None)
    used = np.unique(np.array([place for column in columns[1:] for place in column if place is not None], np.int64))
    kept = [sequences[place] for place in used.tolist()]  # not those of examples that were left out
    ids = pa.array([[*row.prompt_ids, *row.response_ids] for row in kept], _SEQUENCE.field("ids").type)
    texts = pa.StructArray.from_arrays(
        [ids, pa.array([len(row.prompt_ids) for row in kept], pa.int32())], fields=list(_SEQUENCE)
    )
    at = {place: new for new, place in enumerate(used.tolist())}
    first = pa.array([at[place] for place in columns[1]], pa.int32())
    other = pa.array([None if place is None else at[place] for place in columns[2]], pa.int32())
    numbers = pa.array(columns[0], pa.int32())
    arrays = [
        pa.DictionaryArray.from_arrays(numbers, pa.array(groups, pa.string())),
        pa.DictionaryArray.from_arrays(first, texts),
        other,
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


@dataclass(frozen=True)
class TokeniseTriplets:
    """A step (:func:`rewardranker.runs.shards.map_shards`) from triplets to a corpus of pairs, for reward models.

    Source ``triplets``. Pairs of which a side has more than ``max_tokens`` tokens are left out, not cut, and counted.

    Attributes:
        tokenizer: directory of a model, or its name on the hub.
        chat: problems are what a user says.
        limits: of the network that will read them; what has more tokens than it has positions is left out too.

    Raises (at work):
        UserError: a token that the network does not know, or a prompt without tokens.
    """

    tokenizer: str
    chat: bool
    max_tokens: int
    limits: Limits | None = None
    name: str = "tokenise"
    suffix: str = ARROW

    def settings(self) -> Mapping[str, Any]:
        limits = None if self.limits is None else asdict(self.limits)
        made = {"tokenizer": tokenizer_digest(self.tokenizer), "chat": self.chat, "max_tokens": self.max_tokens}
        return made | {"limits": limits}

    @contextmanager
    def open(self) -> Iterator[Work]:
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # every process has shards of its own
        tokenizer = load_tokenizer(self.tokenizer)
        yield lambda shard: self._tokenise(tokenizer, shard)

    def _tokenise(self, tokenizer: PreTrainedTokenizerBase, shard: Shard) -> Made:
        columns = ("problem_id", "prompt", "chosen", "rejected")
        rows = shard.table("triplets", columns, texts=columns)
        names, prompts, chosen, rejected = (_texts(rows, name) for name in columns)
        known: dict[tuple[str, str], int] = {}
        examples = [
            (name, tuple(known.setdefault((prompt, text), len(known)) for text in sides))
            for name, prompt, *sides in zip(names, prompts, chosen, rejected, strict=True)
        ]
        sequences = encode_pairs(tokenizer, list(known), self.chat)
        longest = min(self.max_tokens, (self.limits and self.limits.positions) or self.max_tokens)
        short = [item for item in examples if max(len(sequences[place]) for place in item[1]) <= longest]
        if self.limits is not None:
            for name, places in short:
                for place in places:
                    self.limits.check(sequences[place], f"a triplet of {name}")
        table = corpus_table(sequences, short)
        counts = {
            "examples": len(short),
            "left out: triplets with a side that is too long": len(examples) - len(short),
            "texts": len(known),
            "tokens of texts": sum(map(len, sequences)),
        }
        return Made(table, counts)


def _texts(rows: pa.Table, name: str) -> list[str]:
    """A dictionary column as Python strings, each text one object however often it occurs."""
    found: list[str] = []
    for chunk in rows.column(name).chunks:
        known = chunk.dictionary.to_pylist()
        found += [known[i] for i in chunk.indices.to_pylist()]
    return found


@cache
def tokenizer_digest(path: str) -> str:
    """What a tokenizer makes of a text depends on this and nothing else, wherever it lies."""
    tokenizer = load_tokenizer(path)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    said = backend.to_str() if backend is not None else str(sorted(tokenizer.get_vocab().items()))
    parts = (said, str(tokenizer.chat_template), str(tokenizer.eos_token_id), str(tokenizer.bos_token_id))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class Corpus(Sequence[Example]):
    """Directories of shards, one after the other, read by index. Sent to another process it is their paths.

    Raises:
        UserError: one is not whole, or a shard is no corpus.
    """

    def __init__(self, *directories: AnyPath) -> None:
        self.directories = directories
        self._shards = [_Mapped(path) for directory in directories for path in shards_in(directory)]
        self._ends = np.cumsum([shard.count for shard in self._shards])

    def __reduce__(self) -> tuple[type[Corpus], tuple[AnyPath, ...]]:
        return Corpus, self.directories

    def __len__(self) -> int:
        return int(self._ends[-1])

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        number = int(np.searchsorted(self._ends, index, side="right"))
        shard = self._shards[number]
        return shard.example(index - int(self._ends[number]) + shard.count)

    @cached_property
    def lengths(self) -> np.ndarray:
        """int32 ``[examples]``: tokens of each, those of both texts of a pair."""
        return np.concatenate([shard.lengths() for shard in self._shards])

    @cached_property
    def responses(self) -> np.ndarray:
        """int32 ``[examples]``: of them, the tokens of the first text that are not its prompt's."""
        return np.concatenate([shard.responses() for shard in self._shards])

    @cached_property
    def groups(self) -> np.ndarray:
        """int32 ``[examples]``: equal numbers for examples of one problem, in order of first appearance."""
        numbers: dict[str, int] = {}
        found = []
        for shard in self._shards:
            names, rows = shard.groups()
            found.append(np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)[rows])
        return np.concatenate(found)


class _Mapped:
    """One shard of a corpus, mapped into memory."""

    def __init__(self, path: Path) -> None:
        try:
            table = ipc.open_file(pa.memory_map(str(path))).read_all()
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{path} cannot be read ({str(error).splitlines()[0]:.200}): it was damaged since it was written; "
                "remove it, and the step that wrote it makes it again"
            ) from error
        if table.schema.names != SCHEMA.names:
            raise UserError(f"{path} is no corpus: it has columns {', '.join(table.schema.names)}")
        self.count = table.num_rows
        self._table = table
        self._chunks = {name: table.column(name).chunks for name in SCHEMA.names}

    @cached_property
    def _texts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Token ids of all texts, where each begins and ends in them, and how many are the prompt's."""
        if not self._chunks["text"]:
            return np.empty(0, np.int32), np.zeros(1, np.int32), np.empty(0, np.int32)
        texts = self._chunks["text"][0].dictionary
        ids, prompts = texts.field("ids"), texts.field("prompt")
        return ids.values.to_numpy(), ids.offsets.to_numpy(), prompts.to_numpy()

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """int32 ``[examples]`` twice: the first text of each, and the other one, -1 where there is none."""
        if not self._chunks["text"]:
            return np.empty(0, np.int32), np.empty(0, np.int32)
        first = np.concatenate([chunk.indices.to_numpy() for chunk in self._chunks["text"]])
        other = np.concatenate([chunk.fill_null(-1).to_numpy() for chunk in self._chunks["other"]])
        return first, other

    def example(self, row: int) -> Example:
        first, other = self._places
        places = (int(first[row]), int(other[row]))
        return tuple(self._sequence(place) for place in places if place >= 0)

    def _sequence(self, place: int) -> TokenSequence:
        ids, offsets, prompts = self._texts
        begin, end = int(offsets[place]), int(offsets[place + 1])
        middle = begin + int(prompts[place])
        return TokenSequence(tuple(ids[begin:middle].tolist()), tuple(ids[middle:end].tolist()))

    def lengths(self) -> np.ndarray:
        if not self.count:
            return np.empty(0, np.int32)
        of_texts = np.append(np.diff(self._texts[1]), 0)  # the last one is of no text, at -1
        first, other = self._places
        return (of_texts[first] + of_texts[other]).astype(np.int32)

    def responses(self) -> np.ndarray:
        _, offsets, prompts = self._texts
        return (np.diff(offsets) - prompts)[self._places[0]].astype(np.int32)

    def groups(self) -> tuple[list[str], np.ndarray]:
        chunks = self._chunks["group"]
        if not chunks:
            return [], np.empty(0, np.int32)
        return chunks[0].dictionary.to_pylist(), np.concatenate([chunk.indices.to_numpy() for chunk in chunks])


def own_share(minibatch: Sequence[Any], corpus: Corpus | None, length: Callable[[Any], int], rank: Rank) -> list[Any]:
    """The examples of a minibatch that a rank computes, :func:`rewardranker.training.shares.share_out`.

    Args:
        minibatch: examples; or, with a ``corpus``, their places in it, of which each rank reads its own.
        length: tokens of an example.
    """
    lengths = list(map(length, minibatch)) if corpus is None else corpus.lengths[list(minibatch)].tolist()
    mine = share_out(lengths, rank.world)[rank.index]
    return [minibatch[i] if corpus is None else corpus[minibatch[i]] for i in mine]
