"""Chance in a forward: noise is a constant, draws by value have a seed of their own, dropout is inactive."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.constructed import construct
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.subject import Subject

SHAPE = (12,)
SCORER = FTScoreNet(Settings(batch=4, input_shape=(3, 4, 4), n_in=4, n_out=4))


class Between(nn.Module):
    """A function between two layers."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(12, 8), nn.Linear(8, 3)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.function(self.first(x)))
        return y


def score(function: Callable[[Tensor], Tensor]) -> float:
    return SCORER.score(Subject(Between(function), SHAPE))


DRAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "randn_like": lambda x: x + torch.randn_like(x),
    "rand": lambda x: x * torch.rand(x.shape),
    "new_empty, normal_": lambda x: x + x.new_empty(x.shape).normal_(0, 2),
    "empty_like, exponential_": lambda x: x / torch.empty_like(x).exponential_(),
    "bernoulli of the value": lambda x: x * torch.bernoulli(x.sigmoid()),
    "bernoulli_": lambda x: x * torch.empty_like(x).bernoulli_(0.7),
    "normal of the value": lambda x: torch.normal(x, x.abs() + 0.1),
    "poisson": lambda x: torch.poisson(x.abs()),
    "multinomial": lambda x: x.gather(1, torch.multinomial(x.softmax(1), 8)),
    "gumbel softmax": lambda x: x * F.gumbel_softmax(x, hard=True),
    "rrelu": lambda x: F.rrelu(x, training=True) + torch.randn(8),
    "pooling": lambda x: F.fractional_max_pool2d(x.view(-1, 2, 2, 2), 1, 1).repeat(1, 1, 2, 2).flatten(1) + x,
    "a distribution": lambda x: torch.distributions.Normal(x, x.exp()).rsample(),
    "shares": lambda x: torch.distributions.Dirichlet(x.exp()).sample(),
    "categories": lambda x: F.one_hot(torch.distributions.Categorical(logits=x).sample(), 8) * x,  # type: ignore[no-untyped-call]
    "Python": lambda x: x * random.random() if random.random() < 0.5 else -x,
    "NumPy": lambda x: x + float(np.random.rand()),  # noqa: NPY002
    "NumPy without a seed": lambda x: x + np.random.default_rng().random(),
    "NumPy's old generator without a seed": lambda x: x + np.random.RandomState().rand(),
    "Python without a seed": lambda x: x * random.Random().random(),
    "Python seeded anew": lambda x: (random.seed(), x * random.random())[1],
    "torch seeded anew": lambda x: x + torch.seed() * 0 + torch.rand(8),
    "randperm": lambda x: x[:, torch.randperm(8)] * torch.arange(8),
}


@pytest.mark.parametrize("kind", DRAWS)
def test_one_network_one_score(kind: str) -> None:
    scores = set()
    for seed in (1, 2):
        torch.manual_seed(seed)
        random.seed(seed)
        scores.add(score(DRAWS[kind]))
    assert len(scores) == 1
    assert scores != {score(lambda x: x)}, "the draw is part of the network"


def test_the_callers_generators_go_on_as_before() -> None:
    def drawn() -> tuple[float, float]:
        return torch.rand(1).item(), random.random()

    subjects = [Subject(Between(DRAWS[kind]), SHAPE) for kind in ("bernoulli of the value", "Python")]
    torch.manual_seed(5)
    random.seed(5)
    expected = drawn()
    torch.manual_seed(5)
    random.seed(5)
    for subject in subjects:
        SCORER.score(subject)
    assert drawn() == expected


@pytest.mark.parametrize(
    "dropout",
    [
        lambda x: F.dropout(x, 0.4, training=True),
        lambda x: F.alpha_dropout(x, 0.4, training=True),
        lambda x: torch.dropout(x, 0.4, True),
        lambda x: F.dropout(x, 0.4, True, True),
    ],
)
def test_dropout_is_inactive_whatever_it_is_told(dropout: Callable[[Tensor], Tensor]) -> None:
    plain = construct(Between(lambda x: x), SHAPE, 2).fingerprint
    assert construct(Between(dropout), SHAPE, 2).fingerprint == plain


def test_noise_differs_from_row_to_row() -> None:
    graph_module = capture(Between(lambda x: x + torch.randn_like(x)), SHAPE, 3)
    (noise,) = (value for name, value in graph_module.named_buffers() if name.startswith("constant"))
    assert noise.shape == (3, 8)
    assert len(noise[:, 0].unique()) == 3  # type: ignore[no-untyped-call]


class Keeps(nn.Module):
    """A network that draws from a generator of its own."""

    def __init__(self, generator: object, draw: Callable[[object], object]) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(12, 8), nn.Linear(8, 3)
        self.generator, self.draw = generator, draw

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.first(x) * self.draw(self.generator))
        return y


KEPT: dict[str, tuple[Callable[[], object], Callable[..., object]]] = {
    "NumPy": (np.random.default_rng, lambda g: g.random()),
    "NumPy's old": (np.random.RandomState, lambda g: g.rand()),
    "Python": (random.Random, lambda g: g.random()),
    "torch": (torch.Generator, lambda g: torch.rand(8, generator=g)),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_generator_that_is_kept_begins_anew(kind: str) -> None:
    make, draw = KEPT[kind]
    networks = [Keeps(make(), draw) for _ in range(2)]
    draw(networks[1].generator)
    scores = {SCORER.score(Subject(network, SHAPE)) for network in (*networks, networks[0])}
    assert len(scores) == 1


def test_unseeded_generators_are_chance_outside() -> None:
    SCORER.score(Subject(Between(DRAWS["NumPy without a seed"]), SHAPE))
    assert random.Random().random() != random.Random().random()
    assert np.random.default_rng().random() != np.random.default_rng().random()
    assert torch.random.seed is torch.seed
