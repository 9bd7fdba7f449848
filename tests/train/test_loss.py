from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fxscore.evaluate import spearman
from fxscore.train.loss import STRENGTH, average_ranks, spearman_loss

values = st.lists(st.integers(-9, 9), min_size=2, max_size=12)


@settings(max_examples=50)
@given(values=values)
def test_ranks_are_averaged_over_ties(values: list[int]) -> None:
    found = average_ranks(torch.tensor(values, dtype=torch.float))
    np.testing.assert_allclose(found.numpy(), scipy.stats.rankdata(values))


@settings(max_examples=30)
@given(order=st.permutations(range(7)), accuracies=st.lists(st.integers(0, 4), min_size=7, max_size=7))
def test_the_loss_of_scores_far_apart_is_minus_spearman(order: list[int], accuracies: list[int]) -> None:
    """Soft ranks are hard ranks where neighbouring scores are further apart than the strength."""
    scores = torch.tensor(order, dtype=torch.float) * (1.5 * STRENGTH)
    labels = torch.tensor(accuracies, dtype=torch.float)
    expected = 0.0 if len(set(accuracies)) == 1 else scipy.stats.spearmanr(order, accuracies).statistic
    assert float(spearman_loss(scores, labels)) == pytest.approx(-expected, abs=1e-5)


def test_the_scale_of_accuracies_does_not_matter() -> None:
    scores, accuracies = torch.randn(9), torch.rand(9)
    loss = spearman_loss(scores, accuracies)
    torch.testing.assert_close(spearman_loss(scores, 90 + accuracies.exp()), loss)


@pytest.mark.parametrize(
    ("scores", "accuracies"),
    [
        (torch.zeros(5), torch.arange(5.0)),
        (torch.full((5,), 1e6), torch.arange(5.0)),
        (torch.arange(5.0), torch.ones(5)),
        (torch.zeros(5), torch.ones(5)),
        (torch.tensor([1e30, -1e30, 0.0]), torch.arange(3.0)),
        (torch.tensor([1e-30, 0.0, 0.0]), torch.arange(3.0)),
    ],
)
def test_no_loss_or_gradient_is_nan(scores: Tensor, accuracies: Tensor) -> None:
    scores = scores.clone().requires_grad_()
    loss = spearman_loss(scores, accuracies)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert bool(loss.isfinite())
    assert bool(gradient.isfinite().all())


def test_equal_scores_give_a_loss_of_zero() -> None:
    scores = torch.ones(6, requires_grad=True)
    loss = spearman_loss(scores, torch.arange(6.0))
    (gradient,) = torch.autograd.grad(loss, scores)
    assert float(loss) == 0
    assert gradient.abs().max() < 1e3


@settings(max_examples=25)
@given(seed=st.integers(0, 999), size=st.integers(2, 9))
def test_the_gradient_is_the_slope_of_the_loss(seed: int, size: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(size, generator=generator, dtype=torch.double).requires_grad_()
    accuracies = torch.rand(size, generator=generator)
    (gradient,) = torch.autograd.grad(spearman_loss(scores, accuracies), scores)
    direction = torch.randn(size, generator=generator, dtype=torch.double)
    step = 1e-5 * direction
    rise = spearman_loss(scores + step, accuracies) - spearman_loss(scores - step, accuracies)
    torch.testing.assert_close((gradient * direction).sum(), rise.detach() / 2e-5, rtol=1e-3, atol=1e-5)


def test_descent_lifts_the_scores_of_the_accurate() -> None:
    accuracies = torch.tensor([10.0, 50.0, 90.0])
    scores = torch.tensor([0.3, 1.0, 0.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(spearman_loss(scores, accuracies), scores)
    assert gradient[0] > 0 > gradient[2]
    better = (scores - gradient).detach()
    assert spearman(better.numpy(), accuracies.numpy()) > spearman(
        scores.detach().numpy(), accuracies.numpy()
    )
