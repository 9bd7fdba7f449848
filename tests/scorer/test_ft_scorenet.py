from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fxscore.constructed import Encoding
from fxscore.errors import ScorerError
from fxscore.ops import Observer
from fxscore.scorer.ft_scorenet import HIDDEN, FTScoreNet, Settings
from fxscore.scorer.subject import Subject


def scorer(**changes: object) -> FTScoreNet:
    options = {"batch": 6, "input_shape": (3, 8, 8), "n_in": 8, "n_out": 8, **changes}
    return FTScoreNet(Settings(**options), seed=1)  # type: ignore[arg-type]


class Net(nn.Module):
    """Takes any resolution."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(F.relu(self.norm(self.conv(x))).mean((2, 3)))
        return logits


@settings(max_examples=15)
@given(channels=st.integers(1, 40), batch=st.integers(1, 9), v_norm=st.booleans())
def test_the_head_follows_section_3(channels: int, batch: int, v_norm: bool) -> None:
    net = scorer(batch=batch, v_norm=v_norm)
    generator = torch.Generator().manual_seed(channels)
    features = torch.randn(batch, channels, generator=generator) - 0.5
    observer = net.observer()
    found = net.head(Encoding(features, torch.zeros(0), {}), net.weights, observer)
    L1 = net.kernel.synthesise((100, channels, 1, 1)).reshape(100, channels)
    L1 = L1 if v_norm else L1 * (2 / channels) ** 0.5
    projected = features @ L1.T
    if v_norm:
        projected = projected / (projected.std(correction=0) + 1e-5)
    squashed = torch.where(projected < 0, -torch.log(1 - projected), torch.log(1 + projected))
    row = (squashed @ net.readout.weight.T + net.readout.bias).reshape(1, batch)
    layers = [module for module in net.mlp if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in layers] == [64, 64, 64, 1]
    for number, layer in enumerate(layers):
        row = F.linear(row if number == 0 else row.clamp(min=0), layer.weight, layer.bias)
    torch.testing.assert_close(found, row.squeeze())
    assert found.shape == ()
    assert len(observer.factors) == v_norm
    assert HIDDEN == 100


def test_no_features_at_all_stay_finite() -> None:
    for v_norm in (True, False):
        net = scorer(v_norm=v_norm)
        zeros = Encoding(torch.zeros(6, 5), torch.zeros(0), {})
        assert bool(net.head(zeros, net.weights, net.observer()).isfinite())


@pytest.mark.parametrize("v_norm", [True, False])
@pytest.mark.parametrize("side", [1, 5, 8, 13, 32])
def test_one_scorer_serves_any_resolution(side: int, v_norm: bool) -> None:
    net = scorer(v_norm=v_norm)
    module = Net()
    first = net.score(Subject(module, (3, side, side)))
    assert first == net.score(Subject(module, (3, side, side)))
    assert first != net.score(Subject(Net(7), (3, side, side)))
    assert len(net.weights) == 6, "for each of the two networks a weight, a bias and L1"


def test_other_input_channels_and_ranks_are_served() -> None:
    net = scorer()
    assert isinstance(net.score(Subject(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), (1, 9, 7))), float)
    assert isinstance(net.score(Subject(nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU()), (2, 30))), float)
    assert isinstance(net.score(Subject(nn.Sequential(nn.Conv3d(3, 4, 3), nn.ReLU()), (3, 4, 6, 6))), float)


def test_seeds_decide_the_initial_values_and_nothing_else() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, same = scorer().state_dict(), scorer().state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[name], same[name]) for name in one)
    other = FTScoreNet(scorer().settings, seed=2).state_dict()
    assert all(not torch.equal(one[name], other[name]) for name in one)


def test_copies_and_pickles_score_the_same() -> None:
    net, subject = scorer(), Subject(Net(), (3, 8, 8))
    value = net.score(subject)
    assert copy.deepcopy(net).score(subject) == value
    assert pickle.loads(pickle.dumps(net)).score(subject) == value


def test_a_score_follows_the_weights_in_use() -> None:
    net, subject = scorer(), Subject(Net(), (3, 8, 8))
    value = net.score(subject)
    with torch.no_grad():
        net.kernel.maps.mul_(-3).add_(1)
    assert net.score(subject) != value


def test_a_score_that_is_not_finite_is_refused() -> None:
    net = scorer(v_norm=False)
    with torch.no_grad():
        net.readout.weight.fill_(float("inf"))
    with pytest.raises(ScorerError, match="the score is nan"):
        net.score(Subject(Net(), (3, 8, 8)))


def test_given_factors_are_used_in_the_order_in_which_they_were_measured() -> None:
    measured, value = Observer(), torch.randn(50)
    once = measured.unitise(value)
    twice = measured.unitise(5 * once)
    given = Observer(factors=measured.factors)
    torch.testing.assert_close(given.unitise(2 * value), 2 * once)
    torch.testing.assert_close(given.unitise(5 * once), twice)
    torch.testing.assert_close(measured.factors[0], value.std(correction=0) + 1e-5)
    assert not measured.factors[0].requires_grad
