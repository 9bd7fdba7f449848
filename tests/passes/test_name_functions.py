"""Activations by hand are the built-in ones: one row for each way in which people write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.ops import swish
from fxscore.passes.functions.expression import LARGEST
from tests.passes.test_heads import Calls

SHAPE = (3, 6, 5)
Function = Callable[[Tensor], Tensor]


def network(activation: Function) -> ConstructedArchitecture:
    """A convolution, the function, and a convolution to encode."""
    convolutions = {"a": nn.Conv2d(3, 4, 3), "b": nn.Conv2d(4, 5, 3)}
    return construct(Calls(lambda m, x: m.b(activation(m.a(x))), **convolutions), SHAPE, batch=2)


class SavedSwish(torch.autograd.Function):
    """Forward and its context in one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (x,) = ctx.saved_tensors
        return gradients[0] * x


class SetUpSwish(torch.autograd.Function):
    """The newer form, with a context of its own; changes what it is given in place."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clone().mul_(torch.sigmoid(x))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0]


def masked(x: Tensor) -> Tensor:
    y = x.clone()
    y[y < 0] = 0
    return y


def elu_by_where(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.5 * (torch.exp(x) - 1))


def mish_by_hand(x: Tensor) -> Tensor:
    return x * torch.tanh(torch.log(1 + torch.exp(x)))


WRITTEN: list[tuple[str, Function, Function]] = [
    ("silu", F.silu, lambda x: torch.sigmoid(x) * x),
    ("silu, quotient", F.silu, lambda x: x / (1 + (-x).exp())),
    ("silu, in place", F.silu, lambda x: x.clone().mul_(x.sigmoid())),
    ("silu, by tanh", F.silu, lambda x: x * (0.5 * (1 + torch.tanh(x / 2)))),
    ("silu, Function", F.silu, SavedSwish.apply),
    ("silu, newer Function", F.silu, SetUpSwish.apply),
    ("quick gelu", lambda x: swish(x, 1.702), lambda x: x * torch.sigmoid(1.702 * x)),
    ("quick gelu, reversed", lambda x: swish(x, 1.702), lambda x: (x * 1.702).sigmoid() * x),
    ("gelu", F.gelu, lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))),
    ("gelu, halved last", F.gelu, lambda x: (x * (1 + torch.erf(x * 0.70710678))) / 2),
    ("gelu, constant tensor", F.gelu, lambda x: x * (torch.erf(x / torch.tensor(2.0).sqrt()) + 1) * 0.5),
    (
        "gelu by tanh",
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: 0.5 * x * (1 + (0.79788456 * (x + 0.044715 * x.pow(3))).tanh()),
    ),
    (
        "gelu by tanh, factored",
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: 0.5 * x * (1 + torch.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x))),
    ),
    ("relu, maximum", F.relu, lambda x: torch.maximum(torch.tensor(0.0), x)),
    ("relu, max", F.relu, lambda x: torch.max(x, torch.zeros_like(x))),
    ("relu, new zeros", F.relu, lambda x: torch.max(x.new_zeros(x.shape), x)),
    ("relu, where", F.relu, lambda x: torch.where(x < 0, 0.0, x)),
    ("relu, method where", F.relu, lambda x: x.where(x > 0, torch.zeros_like(x))),
    ("relu, mask", F.relu, lambda x: (x >= 0).float() * x),
    ("relu, assigned", F.relu, masked),
    ("relu, masked fill", F.relu, lambda x: x.masked_fill(x < 0, 0)),
    ("relu, clamp_min", F.relu, lambda x: x.clone().clamp_min_(0)),
    ("relu, absolute", F.relu, lambda x: (x + x.abs()) / 2),
    ("relu, threshold", F.relu, lambda x: F.threshold(x, 0, 0)),
    ("relu6", F.relu6, lambda x: torch.minimum(F.relu(x), torch.full_like(x, 6))),
    ("relu6, clamps", F.relu6, lambda x: x.clamp(min=0).clamp(max=6.0)),
    ("leaky relu", lambda x: F.leaky_relu(x, 0.2), lambda x: torch.where(x > 0, x, 0.2 * x)),
    ("leaky relu, max", F.leaky_relu, lambda x: torch.max(x, 0.01 * x)),
    ("leaky relu, parts", lambda x: F.leaky_relu(x, 0.1), lambda x: F.relu(x) - 0.1 * F.relu(-x)),
    ("elu", lambda x: F.elu(x, 0.5), elu_by_where),
    ("elu, parts", F.elu, lambda x: F.relu(x) + torch.expm1(torch.clamp(x, max=0))),
    (
        "selu",
        F.selu,
        lambda x: 1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * torch.expm1(x)),
    ),
    ("celu", lambda x: F.celu(x, 2.0), lambda x: x.clamp(min=0) + 2 * torch.expm1(x.clamp(max=0) / 2)),
    ("hardsigmoid", F.hardsigmoid, lambda x: F.relu6(x + 3) / 6),
    ("hardsigmoid, clamp", F.hardsigmoid, lambda x: (x / 6 + 0.5).clamp(0, 1)),
    ("hardswish", F.hardswish, lambda x: x * (x + 3).clamp(0, 6) / 6),
    ("hardswish, relu6", F.hardswish, lambda x: F.relu6(x + 3.0) * 0.16666667 * x),
    ("hardswish, hardsigmoid", F.hardswish, lambda x: x * F.hardsigmoid(x)),
    ("mish", F.mish, lambda x: x * torch.tanh(F.softplus(x))),
    ("mish, all by hand", F.mish, mish_by_hand),
    ("softplus", F.softplus, lambda x: torch.log(1 + torch.exp(x))),
    ("softplus, log1p", F.softplus, lambda x: x.exp().log1p()),
    ("softplus, logaddexp", F.softplus, lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    ("softplus, stable", F.softplus, lambda x: F.relu(x) + torch.log1p(torch.exp(-x.abs()))),
    ("softplus, steep", lambda x: F.softplus(x, 3.0), lambda x: torch.log(1 + torch.exp(3 * x)) / 3),
    ("sigmoid", torch.sigmoid, lambda x: 1 / (1 + torch.exp(-x))),
    ("sigmoid, quotient", torch.sigmoid, lambda x: x.exp() / (x.exp() + 1)),
    ("sigmoid, by tanh", torch.sigmoid, lambda x: torch.tanh(0.5 * x) * 0.5 + 0.5),
    ("tanh", torch.tanh, lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())),
    ("tanh, by exp(2x)", torch.tanh, lambda x: 1 - 2 / (torch.exp(2 * x) + 1)),
    ("tanh, by sigmoid", torch.tanh, lambda x: 2 * torch.sigmoid(2 * x) - 1),
    ("softsign", F.softsign, lambda x: x / (1 + x.abs())),
    ("logsigmoid", F.logsigmoid, lambda x: -F.softplus(-x)),
    ("tanhshrink", F.tanhshrink, lambda x: x - x.tanh()),
    ("relu6 of relu", F.relu6, lambda x: F.relu6(F.relu(x))),
    ("relu of relu6", F.relu6, lambda x: F.relu(F.relu6(x))),
    ("relu of hardsigmoid", F.hardsigmoid, lambda x: F.relu(F.hardsigmoid(x))),
    ("hardtanh", F.hardtanh, lambda x: torch.max(torch.min(x, torch.tensor(1.0)), torch.tensor(-1.0))),
]


@pytest.mark.parametrize(
    ("built_in", "written"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN]
)
def test_an_activation_by_hand_is_the_built_in_one(built_in: Function, written: Function) -> None:
    expected, found = network(built_in), network(written)
    assert found.fingerprint == expected.fingerprint, found.code


OTHERS: list[Function] = [
    lambda x: x.clamp(min=1e-6),  # guards
    lambda x: x.clamp(min=1e-12),
    lambda x: torch.maximum(x, torch.tensor(torch.finfo().tiny)),
    lambda x: torch.where(x > 0, x, 1e-4 * x),
    lambda x: x * torch.sigmoid(1.1 * x),
    lambda x: x * torch.tanh(x),
    lambda x: F.relu(x).square(),
    lambda x: (x * 0.2 + 0.5).clamp(0, 1),
    lambda x: x * (x > 0.01),
    lambda x: x.sqrt() * torch.sigmoid(x),
    lambda x: torch.where(x > 0, x, torch.randn(())),
]


@pytest.mark.parametrize("function", OTHERS)
def test_another_function_is_not_taken_for_a_built_in_one(function: Function) -> None:
    known = {network(built_in).fingerprint for _, built_in, _ in WRITTEN}
    assert network(function).fingerprint not in known


def test_what_is_used_twice_stays_for_its_other_user() -> None:
    def gate(x: Tensor) -> Tensor:
        open_ = torch.sigmoid(x)
        return torch.cat([x * open_, open_])

    targets = [node.target for node in network(gate).graph_module.graph.nodes]
    assert F.silu in targets
    assert torch.sigmoid in targets


def test_a_gate_by_another_value_is_no_activation() -> None:
    def gate(x: Tensor) -> Tensor:
        return x * torch.sigmoid(x.mean((2, 3), keepdim=True))

    targets = [node.target for node in network(gate).graph_module.graph.nodes]
    assert F.silu not in targets
    assert torch.sigmoid in targets


def test_activations_that_zeros_kept_apart_are_one() -> None:
    """The zeros are another branch's, so that the sum is no function of one value before they are gone."""

    def apart(x: Tensor) -> Tensor:
        return F.relu6(F.relu(x) + 0.0 * F.avg_pool2d(x, 3, 1, 1))

    assert network(apart).fingerprint == network(F.relu6).fingerprint


def test_a_long_chain_is_left_alone() -> None:
    def chain(x: Tensor) -> Tensor:
        for _ in range(3 * LARGEST):
            x = (x + 0.1).exp()
        return x

    assert [n.target for n in network(chain).graph_module.graph.nodes].count(torch.exp) == 3 * LARGEST
