"""What networks do in many ways and capture once refused: precisions, lazy layers, numbers in tensors, checks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.constructed import construct
from fxscore.errors import CaptureError
from fxscore.scorer import load_scorer
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.subject import Subject
from tests.capture.test_meaning import SHAPE, Forward, assert_same_meaning

SCORER = FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8), n_in=4, n_out=4))


# -- precision ------------------------------------------------------------------------------------------------------


def small() -> nn.Sequential:
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Hardswish(), nn.Flatten(), nn.Linear(216, 5)]
    return nn.Sequential(*layers)


class Casts(nn.Module):
    """A layer in a precision of its own."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer, self.dtype = layer.to(dtype), dtype

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.to(self.dtype)).type_as(x)  # type: ignore[no-any-return]


PRECISIONS = [torch.float16, torch.bfloat16, torch.float64]


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_precision_is_no_part_of_an_architecture(dtype: torch.dtype) -> None:
    plain = construct(small(), (3, 8, 8), 2).fingerprint
    assert construct(small().to(dtype), (3, 8, 8), 2).fingerprint == plain
    mixed = small()
    mixed[0], mixed[4] = Casts(mixed[0], dtype), Casts(mixed[4], dtype)
    assert construct(mixed, (3, 8, 8), 2).fingerprint == plain
    assert isinstance(SCORER.score(Subject(mixed, (3, 8, 8))), float)


class Masked(nn.Module):
    """Attention's largest number, constants and softmax in the network's own precision."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.scale: Tensor
        self.register_buffer("scale", torch.linspace(0.5, 1, 6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x) * self.scale
        hidden = y.masked_fill(torch.arange(6) > 3, torch.finfo(y.dtype).min)
        return hidden.softmax(-1, dtype=torch.float32).to(y.dtype) @ torch.eye(6, dtype=y.dtype)  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_constants_follow_the_precision(dtype: torch.dtype) -> None:
    score = SCORER.score(Subject(Masked().to(dtype), (6,)))
    assert score == pytest.approx(SCORER.score(Subject(Masked(), (6,))), abs=1e-3)


@pytest.mark.parametrize("layer", [nn.Linear(5, 4), nn.Conv1d(3, 4, 1)])
def test_two_precisions_that_meet_are_refused(layer: nn.Module) -> None:
    with pytest.raises(CaptureError, match="must have the same type"):
        construct(nn.Sequential(nn.Linear(5, 5), layer.double()), (3, 5), 2)


# -- lazy layers ----------------------------------------------------------------------------------------------------


def lazy() -> nn.Module:
    layers = [nn.LazyConv2d(5, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)]
    return nn.Sequential(*layers)  # type: ignore[call-overload, no-any-return]


def test_lazy_layers_take_the_shapes_of_the_networks_own_input() -> None:
    model, twin = lazy(), lazy()
    twin(torch.zeros(2, 3, 20, 20))
    subject = Subject(model, (3, 20, 20))
    assert SCORER.score(subject) == SCORER.score(Subject(twin, (3, 20, 20)))
    assert subject.costs() == Subject(twin, (3, 20, 20)).costs()
    assert nn.parameter.is_lazy(model[0].weight), "the user's own network is left as it is"  # type: ignore[index]


def test_proxies_see_lazy_layers_with_their_weights() -> None:
    scores = [load_scorer("naswot").score(Subject(lazy(), (3, 9, 9))) for _ in range(2)]
    assert scores[0] == scores[1] > 0


def test_a_lazy_network_that_fails_says_why() -> None:
    with pytest.raises(CaptureError, match=r"module '0'.*LazyConv2d, but got input of size"):
        construct(lazy(), (8,), 2)


# -- numbers --------------------------------------------------------------------------------------------------------


class Strides(nn.Module):
    """Numbers in a buffer, used again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.stride: Tensor
        self.register_buffer("stride", torch.tensor([2.0, 4.0]))

    def forward(self, x: Tensor) -> Tensor:
        scaled = x * self.stride[0] + self.stride.view(2, 1, 1, 1)
        grid = [x.new_full((1,), stride) for stride in self.stride]
        half = torch.div(torch.tensor(x.shape[2]), self.stride[0], rounding_mode="floor").int()
        parts = scaled.view(x.shape[0], -1, half, 2, x.shape[3]).mean(axis=3, keepdims=True)  # type: ignore[call-overload]
        return torch.cat([parts.sum(dim=3) * grid[0], parts[:, :, :, 0].clamp(max=self.stride[1])], axis=1)  # type: ignore[call-arg]


def test_constants_are_numbers_where_numbers_are_wanted() -> None:
    assert_same_meaning(Strides())


def test_a_number_in_a_tensor_is_the_number() -> None:
    for function in (lambda x, n: x * n, lambda x, n: n + x, lambda x, n: torch.mul(n, x), lambda x, n: x**n):
        graphs = [
            construct(Forward(lambda x, n=n, f=function: f(x, n)), SHAPE, 2).fingerprint  # type: ignore[misc]
            for n in (3.0, torch.tensor(3.0))
        ]
        assert graphs[0] == graphs[1]


# -- checks ---------------------------------------------------------------------------------------------------------


def finite(x: Tensor) -> Tensor:
    assert not torch.isnan(x).any() and torch.isfinite(x).all()  # noqa: PT018
    if torch.isinf(x).sum() > 0 or (x != x).any():
        x = x * 0
    return x + 1


def in_range(x: Tensor) -> Tensor:
    assert (x >= 0).all(), "negative"
    if not (x < 1).all():
        raise ValueError("large")
    if torch.equal(x, x + 1):
        raise ValueError
    torch._assert((x > -1).all(), "small")
    return x + 1


@pytest.mark.parametrize("function", [finite, in_range])
def test_checks_that_cannot_matter_are_passed_and_reported(function: Callable[[Tensor], Tensor]) -> None:
    graph_module = capture(Forward(function), SHAPE, 2)
    assert graph_module(torch.full((2, *SHAPE), 0.5)).eq(1.5).all()
    assert len(graph_module.meta["passed_checks"]) >= 3
    assert all("test_refused_once.py" in line for line in graph_module.meta["passed_checks"])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if (x > 0).all() else -x,
        lambda x: x if torch.isnan(x).any() or x.sum() > 0 else -x,
        lambda x: -x if torch.allclose(x, x.relu()) else x,
    ],
)
def test_other_questions_are_refused(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(CaptureError, match="data-dependent control flow"):
        capture(Forward(function), SHAPE, 2)
