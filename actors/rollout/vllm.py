"""The production rollout engine: vLLM, inside the process that owns this object, or, where several workers divide a
model, in these and it.

Only this module and :mod:`actors.rollout.vllm_transfer` touch vLLM.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from vllm import LLM, RequestOutput, SamplingParams
from vllm.platforms import current_platform

from actors.cluster.ranks import advertise_node_address
from actors.rollout.vllm_transfer import BACKEND, WORKER_EXTENSION
from actors.weights.buckets import check_metas, meta_of, sampled, split
from rewardranker.config.schema import Config, RolloutConfig
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Response, Sampling, TensorMeta
from rewardranker.models.checkpoint import read_shapes, wrappers
from rewardranker.models.endings import Endings
from rewardranker.models.limits import Limits
from rewardranker.models.loading import require_policy


class VLLMEngine:
    """A :class:`rewardranker.generation.types.RolloutEngine` on vLLM.

    The process must have been started with :data:`actors.rollout.worker.VLLM_ENV`.

    Log-probabilities are vLLM's ``processed_logprobs``: of the distribution that was sampled from.
    Untruncated (PPO) that is log_softmax(logits / temperature), as the trainer computes it. With
    ``top_k`` it is the truncated distribution's, unlike the transformers engine's: still one measure for
    all candidates of a pool, but not comparable between the two engines.

    Args:
        config: ``config.parts`` workers share one copy of the model; they are processes that end with this one.
        sleeps: whether :meth:`sleep` will be called.
        seed: of the engine; requests bring their own.
        eos_ids: tokens that end a response.
    """

    def __init__(
        self,
        model_path: str,
        dtype: str,
        config: RolloutConfig,
        seed: int,
        eos_ids: tuple[int, ...],
        sleeps: bool = False,
    ) -> None:
        if sleeps and not current_platform.is_sleep_mode_available():
            raise UserError(
                "cluster.share_devices=true: vLLM gives memory back on GPUs alone, and this engine has none; set "
                "cluster.share_devices=false, or rollout.engine=transformers"
            )
        if current_platform.is_cpu() and not config.kv_cache_mb:
            raise UserError("rollout.kv_cache_mb=0: on CPU vLLM would take nearly all memory; give a size")
        self.weights_version = 0
        self.weight_ranks = config.parts
        self._max_model_len, self._eos_ids = config.max_model_len, eos_ids
        self._untaken: list[TensorMeta] | None = None
        self._sample: list[str] = []
        self._broken, self._hollow, self._sleeps = False, False, sleeps
        self._expected = _checkpoint_metas(model_path)
        arguments: dict[str, Any] = {"dtype": dtype, "weight_transfer_config": {"backend": BACKEND}}
        if current_platform.is_cpu():
            # A seeded request whose prompt was read in parts needs a generator with an offset, which CPUs have not.
            arguments |= {"enable_chunked_prefill": False, "enforce_eager": True}
        if config.parts > 1:
            # In Ray's placement group vLLM would ask Ray for workers elsewhere; and those that it starts do not know
            # Ray's address of this node.
            arguments["distributed_executor_backend"] = "mp"
            advertise_node_address()
        self._llm = LLM(
            model=model_path,
            max_model_len=config.max_model_len,
            kv_cache_memory_bytes=(config.kv_cache_mb << 20) // config.parts or None,
            max_num_seqs=config.max_num_seqs,
            seed=seed,
            tensor_parallel_size=config.parts,
            skip_tokenizer_init=True,
            generation_config="vllm",
            logprobs_mode="processed_logprobs",
            worker_extension_cls=WORKER_EXTENSION,
            enable_sleep_mode=sleeps,
            **arguments,
        )

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        """One response per request, in order. A seed fixes its response up to floating-point noise.

        Raises:
            UserError: a prompt is empty, or leaves no room for a response within ``max_model_len``.
        """
        if self._untaken is not None:
            raise RuntimeError("generate was called between begin_update and finish_update")
        if self._hollow:
            raise RuntimeError("generate was called after a sleep without weights, before they were sent again")
        if self._broken:
            raise RuntimeError("vLLM failed in an earlier call and holds its requests: replace this engine")
        for request in requests:
            self._check(request)
        if not requests:
            return []
        prompts: list[Any] = [{"prompt_token_ids": list(request.prompt_ids)} for request in requests]
        # Stays set when vLLM raises: it then keeps the requests, and the next call would wait for ever.
        self._broken = True
        outputs = self._llm.generate(prompts, [self._params(r, sampling) for r in requests], use_tqdm=False)
        self._broken = False
        return [self._response(output) for output in outputs]

    def begin_update(self, metas: list[TensorMeta]) -> None:
        """See the protocol. Raises ``ValueError`` naming tensors that are not the model's."""
        check_metas(metas, self._expected)
        self._llm.start_weight_update()
        self._untaken, self._sample = list(metas), sampled(metas)

    def load_bucket(self, bucket: np.ndarray) -> None:
        self._take({"metas": self._next_metas(len(bucket)), "bucket": bucket})

    def finish_update(self, version: int) -> None:
        untaken = self._open_update()
        if untaken:
            raise ValueError(f"the update ended before {len(untaken)} announced tensors had come: {untaken}")
        self._llm.finish_weight_update(weight_version=str(version))
        if not self._llm.reset_prefix_cache():
            raise RuntimeError("vLLM kept cached prefixes of the old weights: requests are still running")
        self._untaken, self._hollow = None, False
        self.weights_version = version

    def sleep(self, keep_weights: bool) -> None:
        if not self._sleeps:
            raise RuntimeError("this engine was not made to sleep")
        # vLLM restores the buffers that a sleep without weights drops.
        self._llm.sleep(level=1 if keep_weights else 2)
        self._hollow |= not keep_weights

    def wake(self, weights_alone: bool = False) -> None:
        fully = self._llm.wake_up(["weights"] if weights_alone else None)
        if not (fully or weights_alone):
            raise RuntimeError("vLLM did not wake: its memory is not all there again")

    def join_weight_group(
        self, address: str, port: int, first_rank: int, world: int, backend: str, timeout_s: float
    ) -> None:
        """Takes ranks from ``first_rank`` on in the trainer's weight group; returns when all have joined."""
        info = {"address": address, "port": port, "first_rank": first_rank, "world": world}
        self._llm.init_weight_transfer_engine({"init_info": {**info, "backend": backend, "timeout_s": timeout_s}})

    def receive_weights(self, limit_bytes: int) -> None:
        """Takes all buckets of the update that has begun from the weight group."""
        metas = self._open_update()
        self._take({"metas": metas, "limit_bytes": limit_bytes})
        self._untaken = []

    def checksums(self) -> list[dict[str, int]]:
        found: list[dict[str, int]] = self._llm.collective_rpc("weight_checksums")
        return found

    def _take(self, update: dict[str, Any]) -> None:
        self._llm.update_weights({"update_info": {**update, "sample": self._sample}})

    def _open_update(self) -> list[TensorMeta]:
        if self._untaken is None:
            raise RuntimeError("begin_update comes first")
        return self._untaken

    def _next_metas(self, size: int) -> list[TensorMeta]:
        untaken = self._open_update()
        # A limit of the bucket's own size cuts what it holds from what is still to come.
        metas = next(split(untaken, size), [])
        self._untaken = untaken[len(metas) :]
        return metas

    def _check(self, request: Request) -> None:
        if not 0 < len(request.prompt_ids) < self._max_model_len:
            raise UserError(
                f"the prompt of {request.problem_id} has {len(request.prompt_ids)} tokens; with "
                f"rollout.max_model_len={self._max_model_len} vLLM takes 1 to {self._max_model_len - 1}, "
                "so that a token of response fits: raise rollout.max_model_len or leave the problem out"
            )

    def _params(self, request: Request, sampling: Sampling) -> SamplingParams:
        return SamplingParams(
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            max_tokens=sampling.max_new_tokens,
            # What ends a response is eos_ids, whatever the model directory says.
            ignore_eos=True,
            stop_token_ids=list(self._eos_ids),
            seed=request.seed % 2**63,
            logprobs=0,
            detokenize=False,
        )

    def _response(self, output: RequestOutput) -> Response:
        answer = output.outputs[0]
        assert answer.finish_reason in ("stop", "length"), answer.finish_reason
        tokens = list(answer.token_ids)
        entries: Any = answer.logprobs  # one dict a token: what its position asked for, here the token alone
        logprobs = [entry[token].logprob for entry, token in zip(entries, tokens, strict=True)]
        return Response(tokens, np.array(logprobs, np.float32), answer.finish_reason, self.weights_version)


def _checkpoint_metas(model_path: str) -> list[TensorMeta]:
    """The tensors of a checkpoint, as the trainer names them: vLLM fuses some and would not miss a part."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model_path))
    return [meta_of(*named) for named in model.named_parameters()]


def vllm_engine(config: Config, model_path: str, index: int, device: str) -> VLLMEngine:
    """The choice ``vllm`` of ``rollout.engine``."""
    rollout = config.rollout
    _check_for_vllm(model_path, rollout)
    ends = Endings.of_model(model_path).ids
    sleeps = config.cluster.share_devices
    return VLLMEngine(model_path, config.model.dtype, rollout, config.run.seed + index, ends, sleeps)


def _check_for_vllm(model_path: str, rollout: RolloutConfig) -> None:
    """vLLM reads the files by itself, and by itself decides what may be missing."""
    require_policy(model_path, "model")
    max_model_len, parts = rollout.max_model_len, rollout.parts
    heads = AutoConfig.from_pretrained(model_path).get_text_config().num_attention_heads
    if heads % parts:
        raise UserError(
            f"rollout.tensor_parallel={parts}: {model_path} has {heads} attention heads, which so many processes "
            "cannot share out; set a divisor of it"
        )
    positions = Limits.of_model(model_path).positions
    if positions is not None and max_model_len > positions:
        raise UserError(
            f"rollout.max_model_len={max_model_len}: {model_path} has {positions} positions; set it to that or less"
        )
    if Path(model_path).is_dir() and wrappers(read_shapes(Path(model_path), "model")):
        raise UserError(
            f"model {model_path}: its tensors have names with a wrapper's prefix, which vLLM does not know; load it "
            "with from_pretrained's own names and save it again, or set rollout.engine=transformers"
        )
