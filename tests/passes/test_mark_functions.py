"""Activations that have no name are operators of a kind, seen by what they do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import construct
from fxscore.graph_features.flow import trace_flow
from fxscore.ops import note_activation
from tests.passes.test_heads import Calls

SHAPE = (3, 6, 5)
Function = Callable[[Tensor], Tensor]


def kinds(function: Function) -> list[str]:
    """The kinds of operators between two convolutions."""
    convolutions = {"a": nn.Conv2d(3, 4, 3), "b": nn.Conv2d(4, 4, 3), "c": nn.Conv2d(4, 4, 1, groups=2)}
    found = construct(Calls(lambda m, x: m.c(m.b(function(m.a(x)))).cos(), **convolutions), SHAPE, batch=2)
    operators = [operator.kind for operator in trace_flow(found).operators]
    shown = [node.target for node in found.graph_module.graph.nodes].count(note_activation)
    assert shown == sum(kind.startswith("act_") for kind in operators), found.code
    return operators[2:-3]


class Spike(torch.autograd.Function):
    """A step whose gradient would be a surrogate."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return (x > 0.5).float()


FUNCTIONS: dict[str, tuple[str, Function]] = {
    "sine": ("act_bounded", torch.sin),
    "hard tanh": ("act_bounded", F.hardtanh),
    "hard sigmoid of another slope": ("act_bounded", lambda x: (0.2 * x + 0.5).clamp(0, 1)),
    "gaussian": ("act_bounded", lambda x: torch.exp(-x * x)),
    "spike": ("act_rectified", Spike.apply),
    "squared relu": ("act_rectified", lambda x: F.relu(x).square()),
    "shifted relu": ("act_rectified", lambda x: torch.where(x > 0.3, x, torch.zeros_like(x))),
    "two slopes": ("act_rectified", lambda x: torch.where(x > 0, 2 * x, 0.5 * x)),
    "x tanh x": ("act_smooth", lambda x: x * torch.tanh(x)),
    "serf": ("act_smooth", lambda x: x * torch.erf(torch.log(1 + torch.exp(x)))),
    "logish": ("act_smooth", lambda x: x * torch.log1p(torch.sigmoid(x))),
    "snake, beside its sum": ("act_bounded", lambda x: x + torch.sin(2 * x).pow(2) / 2),
    "bent identity": ("act_smooth", lambda x: (torch.sqrt(x * x + 1) - 1) / 2 + x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_without_a_name_is_one_activation(name: str) -> None:
    kind, function = FUNCTIONS[name]
    assert [each for each in kinds(function) if each != "sum"] == [kind]


NONE: dict[str, Function] = {
    "guard": lambda x: x.clamp(min=1e-3),
    "scale and shift": lambda x: -(2 * x + 3) / 4,
    "root": torch.sqrt,
    "quotient": lambda x: 1 / x,
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_affine_or_not_defined_everywhere_is_no_activation(name: str) -> None:
    assert not any(kind.startswith("act_") for kind in kinds(NONE[name]))


def test_a_scaled_activation_stays_itself() -> None:
    assert kinds(lambda x: F.relu(x) * 1.7 + 0.1) == ["act_rectified"]


def test_a_function_that_is_used_in_part_is_not_one() -> None:
    assert kinds(lambda x: (s := torch.tanh(x)) * s.mean() * torch.atan(s)).count("act_bounded") == 2
