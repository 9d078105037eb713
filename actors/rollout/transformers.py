"""The embedded rollout engine: a sampling loop over a Hugging Face model, on any machine that has torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from actors.cluster.ranks import find_store
from actors.rollout.sampling import choose_tokens
from actors.weights.buckets import Unpacker, check_metas, held_checksums, meta_of, sampled
from actors.weights.group import WeightGroup
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Response, Sampling, TensorMeta
from rewardranker.models.architectures import check_sampled
from rewardranker.models.endings import Endings
from rewardranker.models.limits import Limits
from rewardranker.models.loading import load_policy
from rewardranker.training.offloading import Offloaded

#: Positions of a model that does not count them.
NO_END = 1 << 40


class TransformersEngine:
    """A :class:`rewardranker.generation.types.RolloutEngine` in this process.

    Prompts are read once however many responses they get, and rows that have ended leave the batch. Responses
    end at the model's last position at the latest.

    Args:
        max_batch_tokens: bound on rows times (longest prompt + ``max_new_tokens``) in one batch; a row that
            exceeds it alone still runs alone.
        eos_ids: tokens that end a response.
    """

    #: How many ranks of a weight group this engine takes.
    weight_ranks = 1

    def __init__(
        self,
        model_path: str,
        dtype: str,
        attention: str,
        device: str,
        max_batch_tokens: int,
        eos_ids: tuple[int, ...],
    ) -> None:
        self.weights_version = 0
        self._model = load_policy(model_path, dtype, attention, device).model.requires_grad_(False)
        config = self._model.config.get_text_config()
        check_sampled(type(self._model), self._model.config, f"model={model_path}")
        limits = Limits.of(self._model.config)
        self._positions = limits.positions or NO_END
        if max(eos_ids, default=0) >= limits.tokens:
            raise UserError(
                f"{model_path}: token {max(eos_ids)}, which ends a response, is outside the model's {limits.tokens} "
                "embeddings; its tokenizer is another model's"
            )
        self._device, self._max_batch_tokens = device, max_batch_tokens
        self._ends = torch.zeros(config.vocab_size, dtype=torch.bool, device=device)
        self._ends[list(eos_ids)] = True
        self._update: Unpacker | None = None
        self._sums: dict[str, int] = {}
        self._group: WeightGroup | None = None
        self._away = Offloaded(device)
        #: Whether the weights were given up, and have not been sent again.
        self._hollow = False

    @torch.inference_mode()
    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        """One response per request, in order. A seed fixes its response, whatever shares the batch.

        Raises:
            UserError: a prompt is empty, or leaves no position for a response.
        """
        if self._update is not None:
            raise RuntimeError("generate was called between begin_update and finish_update")
        self._away.require_none("the engine's network")
        if self._hollow:
            raise RuntimeError("generate was called after a sleep without weights, before they were sent again")
        for request in requests:
            self._check(request)
        responses: dict[int, Response] = {}
        for batch in batches(requests, sampling.max_new_tokens, self._max_batch_tokens):
            answers = self._sample([requests[i] for i in batch], sampling)
            responses.update(zip(batch, answers, strict=True))
        return [responses[i] for i in range(len(requests))]

    def begin_update(self, metas: list[TensorMeta]) -> None:
        """See the protocol. Raises ``ValueError`` naming tensors that are not the model's."""
        self._away.require_none("the engine's network")
        check_metas(metas, [meta_of(*named) for named in self._model.named_parameters()])
        self._update = Unpacker(metas, sampled(metas))

    def load_bucket(self, bucket: np.ndarray) -> None:
        # Ray's arrays are read-only, which torch tensors cannot be.
        self._load(torch.from_numpy(bucket.copy()))

    def finish_update(self, version: int) -> None:
        update = self._open_update()
        update.finish()
        self._sums = held_checksums(update.metas, dict(self._model.named_parameters()), update.came)
        self._update, self._hollow = None, False
        self.weights_version = version

    def checksums(self) -> list[dict[str, int]]:
        return [self._sums]

    def sleep(self, keep_weights: bool) -> None:
        """See the protocol. Between two calls of generate there are no keys and values."""
        self._away.empty(self._model.buffers())
        self._away.empty(self._model.parameters(), keep_weights)
        self._hollow |= not keep_weights

    def wake(self, weights_alone: bool = False) -> None:
        self._away.fill()

    def join_weight_group(
        self, address: str, port: int, first_rank: int, world: int, backend: str, timeout_s: float
    ) -> None:
        """Becomes rank ``first_rank`` of the trainer's weight group; returns when all have joined."""
        store = find_store(address, port, timeout_s)
        self._group = WeightGroup(store, first_rank, world, backend, self._device, timeout_s)

    def receive_weights(self, limit_bytes: int) -> None:
        """Takes all buckets of the update that has begun from the weight group."""
        assert self._group is not None, "join_weight_group comes first"
        for bucket in self._group.receive(self._open_update().metas, limit_bytes):
            self._load(bucket)

    def _open_update(self) -> Unpacker:
        if self._update is None:
            raise RuntimeError("begin_update comes first")
        return self._update

    @torch.no_grad()
    def _load(self, bucket: Tensor) -> None:
        parameters = dict(self._model.named_parameters())
        for name, tensor in self._open_update().take(bucket):
            parameters[name].copy_(tensor)

    def _check(self, request: Request) -> None:
        if request.prompt_ids and max(request.prompt_ids) >= len(self._ends):
            raise UserError(
                f"the prompt of {request.problem_id} has token {max(request.prompt_ids)}, and the model "
                f"{len(self._ends)} embeddings: its tokenizer is another model's"
            )
        if not 0 < len(request.prompt_ids) < self._positions:
            raise UserError(
                f"the prompt of {request.problem_id} has {len(request.prompt_ids)} tokens; this model "
                f"takes 1 to {self._positions - 1}, so that a token of response fits: leave the problem out "
                "or use a model with more positions"
            )

    def _sample(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        """Samples one batch. Index ``rows`` maps what is left in the cache to rows of the outputs."""
        count, width = len(requests), sampling.max_new_tokens
        tokens = torch.zeros(count, width, dtype=torch.long, device=self._device)
        logprobs = torch.zeros(count, width, device=self._device)
        lengths = torch.zeros(count, dtype=torch.long, device=self._device)
        limits = torch.tensor([min(width, self._positions - len(r.prompt_ids)) for r in requests])
        limits = limits.to(self._device)
        uniforms = torch.from_numpy(np.stack([_uniforms(r.seed, width) for r in requests])).to(self._device)
        rows = torch.arange(count, device=self._device)
        done = torch.zeros(count, dtype=torch.bool, device=self._device)
        decoder = _Decoder(self._model, [r.prompt_ids for r in requests], self._device)
        for t in range(width):
            chosen, chosen_logprobs = choose_tokens(decoder.logits, uniforms[rows, t], sampling)
            tokens[rows, t], logprobs[rows, t] = chosen, chosen_logprobs
            lengths[rows] += ~done
            done |= self._ends[chosen] | (limits[rows] == t + 1)
            left = int((~done).sum())
            if left == 0:
                break
            if 2 * left < len(done):
                stay = (~done).nonzero().squeeze(1)
                decoder.keep(stay)
                rows, done, chosen = rows[stay], done[stay], chosen[stay]
            decoder.feed(chosen)
        ended = self._ends[tokens.gather(1, lengths[:, None] - 1).squeeze(1)]
        return self._responses(tokens, logprobs, lengths, ended)

    def _responses(self, tokens: Tensor, logprobs: Tensor, lengths: Tensor, ended: Tensor) -> list[Response]:
        columns = (tokens.cpu().numpy(), logprobs.cpu().numpy(), lengths.tolist(), ended.tolist())
        return [
            Response(row[:n].tolist(), values[:n].copy(), "stop" if stop else "length", self.weights_version)
            for row, values, n, stop in zip(*columns, strict=True)
        ]


class _Decoder:
    """A model's key-value cache for one batch, and ``logits [rows, vocabulary]`` of the next token."""

    def __init__(self, model: PreTrainedModel, prompts: list[tuple[int, ...]], device: str) -> None:
        self._model, self._cache = model, DynamicCache(config=model.config)
        distinct = {prompt: i for i, prompt in enumerate(dict.fromkeys(prompts))}
        lengths = torch.tensor([len(prompt) for prompt in distinct])
        width = int(lengths.max())
        ids = torch.tensor([(0,) * (width - len(prompt)) + prompt for prompt in distinct]).to(device)
        # Without padding the model needs neither mask nor positions, and is faster for it.
        self._mask: Tensor | None = None
        self._lengths = lengths.to(device)
        if int(lengths.min()) < width:
            self._mask = (torch.arange(width) >= width - lengths[:, None]).long().to(device)
        self.logits = self._forward(ids)
        if len(distinct) < len(prompts):
            shared = torch.tensor([distinct[prompt] for prompt in prompts], device=device)
            self.keep(shared)
            self.logits = self.logits[shared]

    def feed(self, tokens: Tensor) -> None:
        """Appends one token ``[rows]`` to each row."""
        if self._mask is not None:
            self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        self._lengths = self._lengths + 1
        self.logits = self._forward(tokens[:, None])

    def keep(self, rows: Tensor) -> None:
        """Narrows the batch to ``rows`` (indices, which may repeat)."""
        self._cache.batch_select_indices(rows)
        self._lengths = self._lengths[rows]
        if self._mask is not None:
            self._mask = self._mask[rows]

    def _forward(self, ids: Tensor) -> Tensor:
        positions = None
        if self._mask is not None:
            # Counted from a row's first real token; what padding is given does not matter.
            steps = torch.arange(ids.shape[1], device=ids.device) - ids.shape[1]
            positions = (self._lengths[:, None] + steps).clamp(min=0)
        output = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits


def batches(requests: Sequence[Request], max_new_tokens: int, max_batch_tokens: int) -> Iterator[list[int]]:
    """Indices of requests to run together: equal prompts side by side, similar lengths, within the budget."""
    order = sorted(range(len(requests)), key=lambda i: (len(requests[i].prompt_ids), requests[i].prompt_ids))
    batch: list[int] = []
    for i in order:
        # Sorted, so this prompt is the longest yet.
        if batch and (len(requests[i].prompt_ids) + max_new_tokens) * (len(batch) + 1) > max_batch_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _uniforms(seed: int, count: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=seed)).random(count)


def transformers_engine(config: Config, model_path: str, index: int, device: str) -> TransformersEngine:
    """The choice ``transformers`` of ``rollout.engine``."""
    model, ends = config.model, Endings.of_model(model_path).ids
    return TransformersEngine(
        model_path, model.dtype, model.attn_implementation, device, config.rollout.max_batch_tokens, ends
    )
