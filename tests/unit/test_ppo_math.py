"""PPO's mathematics against numbers derived by hand; the derivations stand in the docstrings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, tensor

from rewardranker.config.schema import KLConfig, PPOConfig
from rewardranker.models.batching import TokenSequence
from rewardranker.training.losses import bradley_terry_loss, sft_loss
from rewardranker.training.ppo.advantages import gae, grpo, rloo, whiten
from rewardranker.training.ppo.experience import Samples, build_experience, minibatch_plan
from rewardranker.training.ppo.importance import truncated_weights
from rewardranker.training.ppo.kl import KLController, k1, k2, k3
from rewardranker.training.ppo.losses import explained_variance, policy_loss, value_loss
from rewardranker.training.ppo.rewards import RunningMoments, sequence_rewards, token_rewards

ONES = torch.ones(1, 3)


def close(actual: Tensor, expected: object, tolerance: float = 1e-6) -> None:
    torch.testing.assert_close(actual, tensor(expected), rtol=0, atol=tolerance)


def test_gae() -> None:
    """gamma 1, lambda .95, from the back: d2 = 1 - .7 = .3; d1 = .7 - .6 = .1, A1 = .1 + .95 * .3 = .385;
    d0 = .6 - .5 = .1, A0 = .1 + .95 * .385 = .46575. Returns add the values."""
    advantages, returns = gae(tensor([[0.0, 0, 1]]), tensor([[0.5, 0.6, 0.7]]), ONES)
    close(advantages, [[0.46575, 0.385, 0.3]])
    close(returns, [[0.96575, 0.985, 1.0]])


def test_gae_with_discount() -> None:
    """gamma .5, lambda .5: A1 = 2 - 1 = 1; d0 = 0 + .5 * 1 - 0 = .5, A0 = .5 + .25 * 1 = .75."""
    advantages, _ = gae(tensor([[0.0, 2]]), tensor([[0.0, 1]]), torch.ones(1, 2), gamma=0.5, lam=0.5)
    close(advantages, [[0.75, 1.0]])


def test_gae_ignores_whatever_padding_holds() -> None:
    mask = tensor([[1.0, 1, 1, 0, 0]])
    rewards = tensor([[0.0, 0, 1, 99, math.nan]])
    values = tensor([[0.5, 0.6, 0.7, math.nan, -7]])
    advantages, returns = gae(rewards, values, mask)
    close(advantages, [[0.46575, 0.385, 0.3, 0, 0]])
    close(returns, [[0.96575, 0.985, 1.0, 0, 0]])


def test_whitening_has_zero_mean_and_unit_variance_over_the_mask() -> None:
    """Of 1, 3 (and a masked 100): mean 2, variance 1."""
    close(whiten(tensor([[1.0, 3, 100]]), tensor([[1.0, 1, 0]])), [[-1.0, 1, 0]])


def test_group_relative_advantages() -> None:
    """Scores 1, 3 of one prompt: mean 2, sample deviation sqrt(2): -+1/sqrt(2). Leave-one-out: 1 - 3, 3 - 1.
    Another prompt's equal scores give 0."""
    scores, groups = tensor([1.0, 3, 5, 5]), tensor([0, 0, 1, 1])
    close(grpo(scores, groups), [-1 / math.sqrt(2), 1 / math.sqrt(2), 0, 0], 1e-5)
    close(rloo(scores, groups), [-2.0, 2, 0, 0])


def test_kl_estimators() -> None:
    """At a log-ratio of .1: .1; .1^2 / 2; exp(-.1) - 1 + .1."""
    r = tensor(0.1)
    close(k1(r), 0.1)
    close(k2(r), 0.005)
    close(k3(r), 0.0048374, 1e-7)


def test_adaptive_kl_controller() -> None:
    """Observed 12, target 6: the error 1 is clipped to .2; .15 * (1 + .2 * 512 / 10000) = .151536."""
    controller = KLController.from_config(KLConfig(coef=0.15, controller="adaptive", target=6, horizon=10000))
    controller.update(12, 512)
    assert controller.coef == pytest.approx(0.151536)
    fixed = KLController.from_config(KLConfig(coef=0.15))
    fixed.update(12, 512)
    assert fixed.coef == 0.15
    assert KLController(**controller.state()) == controller


def test_policy_loss_clips_and_dual_clips() -> None:
    """A = -1 at ratio 5: plain loss 5, clipped 1.2, the larger is 5; dual clip c = 3 bounds it to 3."""
    logprobs, old = tensor([[math.log(5.0)]]), tensor([[0.0]])
    one, bad = torch.ones(1, 1), tensor([[-1.0]])
    loss, stats = policy_loss(logprobs, old, bad, one, 1)
    close(loss, 5.0, 1e-5)
    loss, stats = policy_loss(logprobs, old, bad, one, 1, dual_clip=3)
    close(loss, 3.0, 1e-5)
    assert stats["actor/pg_clipfrac_lower"] == 1
    loss, stats = policy_loss(logprobs, old, -bad, one, 1)
    close(loss, -1.2, 1e-5)
    assert stats["actor/pg_clipfrac"] == 1


def test_policy_gradient_at_ratio_one_is_the_advantage_over_the_denominator() -> None:
    logprobs = tensor([[-1.0, -2.0]], requires_grad=True)
    loss, stats = policy_loss(logprobs, logprobs.detach(), tensor([[2.0, -4]]), torch.ones(1, 2), 8)
    loss.backward()
    assert logprobs.grad is not None
    close(logprobs.grad, [[-0.25, 0.5]])
    assert stats["actor/ratio"] == 2 and stats["actor/ppo_kl"] == 0


OLD, BEHAVIOUR = tensor([[-1.0, -1, -2, math.nan]]), tensor([[-1.2, -2, -1.5, 7]])


def test_importance_weights_are_truncated_ratios() -> None:
    """exp(-1 + 1.2) = 1.221403; exp(-1 + 2) = 2.718282, cut to 2; exp(-2 + 1.5) = .606531. Their mean is
    3.827934 / 3; one of three was cut; what is outside the mask counts nowhere."""
    weights, told = truncated_weights(OLD.requires_grad_(), BEHAVIOUR, tensor([[1.0, 1, 1, 0]]), cap=2)
    close(weights, [[1.221403, 2, 0.606531, 0]])
    assert not weights.requires_grad
    assert told["rollout/is_weight_mean"] == pytest.approx(1.275978)
    assert told["rollout/is_weight_truncated"] == pytest.approx(1 / 3)
    equal, told = truncated_weights(BEHAVIOUR, BEHAVIOUR, torch.ones(1, 4), cap=1)
    close(equal, [[1.0, 1, 1, 1]])
    assert told == {"rollout/is_weight_mean": 1, "rollout/is_weight_truncated": 0}


def test_a_weighted_advantage_weighs_the_loss_and_its_gradient_wherever_it_is_clipped() -> None:
    """Ratios 5, 1.1, .5 of advantages -1 and 1, so every branch: dual clip, clip and none; by hand, at c = 3: 5 is
    bounded to 3, 1.1 stands, the larger of .5 and .8 is .8; then -1.2, -1.1, -.5. Weights 2, .5, 1 and 1, 2, .5."""
    ratios = tensor([[5.0, 1.1, 0.5], [5.0, 1.1, 0.5]])
    advantages = tensor([[-1.0, -1, -1], [1, 1, 1]])
    weights = tensor([[2.0, 0.5, 1], [1, 2, 0.5]])
    logprobs = ratios.log().requires_grad_()
    mask, old = torch.ones(2, 3), torch.zeros(2, 3)
    loss, _ = policy_loss(logprobs, old, advantages * weights, mask, 1, dual_clip=3)
    close(loss, 6 + 0.55 + 0.8 - 1.2 - 2.2 - 0.25, 1e-5)
    (gradient,) = torch.autograd.grad(loss, logprobs)
    close(gradient, [[0, 0.55, 0], [0, -2.2, -0.25]], 1e-5)


def test_value_loss_is_clipped() -> None:
    """Old 0, new 1, return 1, clip .2: plain error 0, clipped value .2 with error .64; half of it is .32."""
    loss, stats = value_loss(tensor([[1.0]]), tensor([[0.0]]), tensor([[1.0]]), torch.ones(1, 1), 1)
    close(loss, 0.32)
    assert stats["critic/vf_clipfrac"] == 1


def test_explained_variance() -> None:
    returns = tensor([[1.0, 2, 3]])
    assert explained_variance(returns, returns, ONES) == 1
    assert explained_variance(torch.full((1, 3), 2.0), returns, ONES) == pytest.approx(0)


def test_bradley_terry() -> None:
    """-log sigmoid(0) = log 2; -log sigmoid(1) = log(1 + 1/e) = .313262."""
    zero = tensor([0.0])
    close(bradley_terry_loss(zero, zero, 1), 0.693147)
    close(bradley_terry_loss(tensor([1.0]), zero, 1), 0.313262)
    close(bradley_terry_loss(tensor([2.0]), zero, 1, margin=1), 0.313262)
    close(bradley_terry_loss(tensor([2.0]), tensor([1.0]), 1, centring=0.01), 0.313262 + 0.09)


def test_sft_loss_counts_completion_tokens_only() -> None:
    close(sft_loss(tensor([[-1.0, -2, -50]]), tensor([[1.0, 1, 0]]), 2), 1.5)


def test_score_sits_on_the_last_response_token_and_kl_on_every_one() -> None:
    rewards = token_rewards(tensor([2.0, 5]), tensor([[0.1, 0.2, 0], [0.3, 0.4, 0.5]]), tensor([2, 3]), 0.5)
    close(rewards, [[-0.05, 1.9, 0], [-0.15, -0.2, 4.75]])


def test_sequence_rewards_scale_clip_and_penalise() -> None:
    scores, finished = tensor([3.0, -30, 3]), tensor([True, True, False])
    raw = sequence_rewards(scores, finished, moments=None, scale=0.5, clip=10, penalty=1)
    close(raw, [1.5, -10.0, 0.5])


def test_running_moments_are_those_of_all_scores() -> None:
    """Of 1, 2, 3, 4 in two batches: mean 2.5, population variance 1.25."""
    moments = RunningMoments()
    moments.update(tensor([1.0, 2]))
    moments.update(tensor([3.0, 4]))
    assert moments.mean == pytest.approx(2.5)
    assert moments.std == pytest.approx(math.sqrt(1.25))
    assert RunningMoments(**moments.state()) == moments


def test_minibatches_cover_every_sample_once_per_epoch() -> None:
    plan = minibatch_plan(12, 4, 2, seed=1)
    assert [len(rows) for rows in plan] == [4] * 6
    assert sorted(sum(plan[:3], [])) == sorted(sum(plan[3:], [])) == list(range(12))
    assert plan == minibatch_plan(12, 4, 2, seed=1) != minibatch_plan(12, 4, 2, seed=2)
    with pytest.raises(ValueError, match="do not divide"):
        minibatch_plan(12, 5, 1, seed=0)


@pytest.fixture
def samples() -> list[TokenSequence]:
    return [TokenSequence((1,), (2,) * n) for n in (1, 3)]


def rows(*values: list[float]) -> list[np.ndarray]:
    return [np.array(v, np.float32) for v in values]


def test_experience_holds_what_follows_from_the_samples(samples: list[TokenSequence]) -> None:
    """KL .5 * (old - ref) per token; scores 4 and -4, scaled by .25, unfinished -1; GRPO over both samples:
    totals 1 - .5 = .5 and -1 - 1 = -2, standardised to +-1/sqrt(2), on every token of the response."""
    config = PPOConfig(
        advantage="grpo", samples_per_prompt=2, reward_normalisation="none", reward_scale=0.25, missing_eos_penalty=1
    )
    old, ref = rows([-1], [-1, -1, -1]), rows([-2], [-1, -1, -1])
    known = Samples(samples, tensor([4.0, -4]), tensor([True, False]), old, ref, None)
    experience, metrics = build_experience(known, RunningMoments(), 0.5, config)
    a = 1 / math.sqrt(2)
    close(experience.advantages, [[a, 0, 0], [-a, -a, -a]], 1e-5)
    close(experience.rewards, [[0.5, 0, 0], [0, 0, -2.0]])
    assert metrics["kl/sequence"] == 0.5 and metrics["kl/k1"] == 0.25
    assert metrics["response_length/mean"] == 2 and metrics["response_length/clip_ratio"] == 0.5
    ((share,),) = experience.shares([[1]], ["advantages"], ranks=1)
    assert share.denominator == 3 and share.sequences == samples[1:]
    close(share.tensors["advantages"], [[-a, -a, -a]], 1e-5)


def test_samples_of_older_weights_weigh_in_the_advantages_alone(samples: list[TokenSequence]) -> None:
    """Old - behaviour: 0; then -.5, 0 and 1, cut at log 2."""
    old, behaviour, values = rows([-1], [-1, -2, -3]), [[-1.0], [-0.5, -2.0, -4.0]], rows([0.5], [0.1, 0.2, 0.3])
    known = Samples(samples, tensor([1.0, 0]), tensor([True, True]), old, old, values)
    fresh, unweighted = build_experience(known, RunningMoments(), 0.1, PPOConfig())
    stale, metrics = build_experience(
        replace(known, behaviour_logprobs=behaviour), RunningMoments(), 0.1, PPOConfig(importance_cap=2)
    )
    torch.testing.assert_close(stale.advantages, fresh.advantages * tensor([[1.0, 0, 0], [math.exp(-0.5), 1, 2]]))
    assert torch.equal(stale.returns, fresh.returns) and torch.equal(stale.rewards, fresh.rewards)
    assert metrics.keys() - unweighted.keys() == {"rollout/is_weight_mean", "rollout/is_weight_truncated"}
    assert metrics["rollout/is_weight_truncated"] == 0.25


def test_gae_experience_is_whitened_over_response_tokens(samples: list[TokenSequence]) -> None:
    old, values = rows([-1], [-1, -2, -3]), rows([0.5], [0.1, 0.2, 0.3])
    known = Samples(samples, tensor([1.0, 0]), tensor([True, True]), old, old, values)
    experience, metrics = build_experience(known, RunningMoments(), 0.1, PPOConfig())
    inside = experience.advantages[experience.response_mask.bool()]
    assert float(inside.mean()) == pytest.approx(0, abs=1e-6)
    assert float(inside.std(unbiased=False)) == pytest.approx(1, abs=1e-4)
    assert float(experience.advantages[0, 1:].abs().sum()) == 0
    assert "critic/vf_explained_var" in metrics
