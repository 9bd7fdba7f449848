"""Norms, softmax, averages, parts, GLU and pixel shuffle in single steps are the one operator that they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.ops import sum_of
from tests.passes.test_heads import Calls

SHAPE = (4, 6, 10)
Function = Callable[[Tensor], Tensor]


def network(function: Function) -> ConstructedArchitecture:
    """The function of a map of eight channels."""
    return construct(Calls(lambda m, x: function(m.conv(x)), conv=nn.Conv2d(4, 8, 1)), SHAPE, batch=2)


def over_channels(norm: Function) -> Function:
    return lambda x: norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def by_deviation(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True, unbiased=False) + 1e-6)


def by_var_mean(x: Tensor) -> Tensor:
    variance, mean = torch.var_mean(x, dim=(1, 2, 3), unbiased=False, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-4)


def by_channel(x: Tensor) -> Tensor:
    centred = x - x.mean(1, keepdim=True)
    return centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)


def by_groups(x: Tensor) -> Tensor:
    parts = x.view(-1, 4, 2, *x.shape[2:])
    mean, variance = parts.mean((2, 3, 4), True), parts.var((2, 3, 4), False, True)
    return ((parts - mean) * (variance + 1e-5).rsqrt()).view_as(x)


def by_rows_of_groups(x: Tensor) -> Tensor:
    return F.layer_norm(x.reshape(-1, 4, 120), (120,)).reshape(x.shape)


def shifted_softmax(x: Tensor) -> Tensor:
    exponentials = torch.exp(x - torch.max(x, dim=1, keepdim=True)[0])
    return exponentials / exponentials.sum(1, True)


def gated(x: Tensor) -> Tensor:
    value, gate = x.chunk(2, dim=1)
    return value * torch.sigmoid(gate)


def places(x: Tensor) -> Tensor:
    parts = torch.unflatten(x, 1, (2, 4))
    return torch.cat([parts[:, 1], parts[:, 0]], 1)


def shuffled(x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    return x.view(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // 4, 2 * h, 2 * w)


def unshuffled(x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    return x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


PAIRS: dict[str, tuple[Function, Function]] = {
    "layer norm": (
        lambda x: F.layer_norm(x, (10,), eps=1e-6),
        lambda x: (x - x.mean(-1, True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-6),
    ),
    "layer norm, rsqrt": (
        lambda x: F.layer_norm(x, (10,)),
        lambda x: (x - x.mean(3)[..., None]) * torch.rsqrt(1e-5 + (x - x.mean(3)[..., None]).square().mean(3, True)),
    ),
    "layer norm, moments": (
        lambda x: F.layer_norm(x, (10,)),
        lambda x: (x - x.mean(-1, True)) * ((x * x).mean(-1, True) - x.mean(-1, True) ** 2 + 1e-5) ** -0.5,
    ),
    "layer norm, deviation": (lambda x: F.layer_norm(x, (10,), eps=1e-6), by_deviation),
    "layer norm of channels": (over_channels(lambda x: F.layer_norm(x, (8,), eps=1e-6)), by_channel),
    "group norm of one group": (lambda x: F.group_norm(x, 1, eps=1e-4), by_var_mean),
    "group norm": (lambda x: F.group_norm(x, 4), by_groups),
    "group norm by rows": (lambda x: F.group_norm(x, 4), by_rows_of_groups),
    "instance norm": (
        F.instance_norm,
        lambda x: (x - x.mean((2, 3), True)) / (x.var((2, 3), False, True) + 1e-5).sqrt(),
    ),
    "batch norm": (
        nn.BatchNorm2d(8),
        lambda x: (x - x.mean((0, 2, 3), True)) / (x.var((0, 2, 3), False, True) + 1e-5).sqrt(),
    ),
    "rms norm": (
        lambda x: F.rms_norm(x, (10,), eps=1e-6),
        lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6),
    ),
    "rms norm, quotient": (
        lambda x: F.rms_norm(x, (10,), eps=1e-6),
        lambda x: x / ((x * x).mean(dim=3, keepdim=True) + 1e-6).sqrt(),
    ),
    "rms norm of channels": (
        over_channels(lambda x: F.rms_norm(x, (8,), eps=1e-5)),
        lambda x: x / torch.sqrt(torch.mean(x**2, 1, True) + 1e-5),
    ),
    "softmax": (lambda x: x.softmax(1), lambda x: x.exp() / x.exp().sum(1, keepdim=True)),
    "softmax, shifted": (lambda x: x.softmax(1), shifted_softmax),
    "softmax, logarithm": (lambda x: x.softmax(1), lambda x: F.log_softmax(x, dim=-3).exp()),
    "average": (lambda x: x.mean((2, 3)), lambda x: x.sum((2, 3)) / 60),
    "average, times": (lambda x: x.mean(-1, True), lambda x: 0.1 * x.sum(-1, True)),
    "average of averages": (lambda x: x.mean((2, 3)), lambda x: x.mean(-1).mean(-1)),
    "average of averages, kept": (lambda x: x.mean((2, 3), True), lambda x: x.mean(2, True).mean(3, True)),
    "average of positions": (lambda x: F.adaptive_avg_pool2d(x, 1), lambda x: x.flatten(2).mean(2)[..., None, None]),
    "average over the first two axes": (lambda x: x.mean((1, 2)), lambda x: x.flatten(1, 2).mean(1)),
    "sum of a stack": (lambda x: x + x.tanh(), lambda x: torch.stack([x, x.tanh()]).sum(0)),
    "average of a stack": (lambda x: (x.tanh() + x) * 0.5, lambda x: torch.stack((x, x.tanh()), dim=-1).mean(-1)),
    "slices": (lambda x: torch.cat(x.chunk(2, 1)[::-1], 1), lambda x: torch.cat([x[:, 4:], x[:, :4]], 1)),
    "slices of the last axis": (
        lambda x: torch.stack(torch.split(x, 5, -1)).amax(0),
        lambda x: torch.stack([x[..., :5], x[..., 5:]]).amax(0),
    ),
    "places": (lambda x: torch.cat(torch.unflatten(x, 1, (2, 4)).unbind(1)[::-1], 1), places),
    "gate": (lambda x: F.glu(x, 1), gated),
    "gate by slices": (lambda x: F.glu(x, dim=-3), lambda x: x[:, 4:].sigmoid() * x[:, :4]),
    "pixel shuffle": (lambda x: F.pixel_shuffle(x, 2), shuffled),
    "pixel unshuffle": (lambda x: F.pixel_unshuffle(x, 2), unshuffled),
    "residual, in place": (lambda x: x + x.tanh(), lambda x: x.tanh().add_(x)),
    "residual by alpha": (lambda x: x + x.tanh(), lambda x: torch.add(x, x.tanh(), alpha=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_single_steps_are_one_operator(name: str) -> None:
    built_in, written = (network(function) for function in PAIRS[name])
    assert written.fingerprint == built_in.fingerprint, written.code + built_in.code


@pytest.mark.parametrize("name", PAIRS)
def test_the_steps_have_the_value_of_the_operator(name: str) -> None:
    """The pairs above are equal in PyTorch too (an epsilon beside the root is one inside it, to its own size)."""
    x = torch.randn(2, 8, 6, 10, generator=torch.Generator().manual_seed(1))
    first, second = (function(x.clone()) for function in PAIRS[name])
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


OTHERS: dict[str, tuple[Function, Any]] = {
    "other values are taken off": (
        lambda x: (x - x.amax(-1, True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt(),
        F.layer_norm,
    ),
    "variance of another axis": (lambda x: (x - x.mean(2, True)) / (x.var(3, True, True) + 1e-5).sqrt(), F.layer_norm),
    "mean of cubes": (lambda x: x * torch.rsqrt(x.pow(3).mean(-1, keepdim=True) + 1e-6), F.rms_norm),
    "sum of other exponentials": (lambda x: x.exp() / (2 * x).exp().sum(1, True), torch.softmax),
    "sum over two axes": (lambda x: x.exp() / x.exp().sum((2, 3), True), torch.softmax),
    "other count": (lambda x: x.sum((2, 3)) / 59, torch.mean),
    "one slice alone": (lambda x: x[:, :4], torch.chunk),
    "unequal slices": (lambda x: torch.cat([x[:, 3:], x[:, :3]], 1), torch.chunk),
    "stack that is used again": (lambda x: (s := torch.stack([x, x.tanh()])).sum(0) * s.amax(0), sum_of),
    "gate of the other half": (lambda x: x.chunk(2, 1)[0].sigmoid() * x.chunk(2, 1)[1], F.glu),
    "other order of a shuffle": (
        lambda x: x.view(2, 2, 2, 2, 6, 10).permute(0, 3, 4, 1, 5, 2).reshape(2, 2, 12, 20),
        F.pixel_shuffle,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_another_computation_stays(name: str) -> None:
    function, operator = OTHERS[name]
    assert operator not in [node.target for node in network(function).graph_module.graph.nodes]


def test_a_norm_by_hand_loses_its_scale_and_shift() -> None:
    class Norm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(8, 1, 1)), nn.Parameter(torch.zeros(8, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            return by_channel(x) * self.weight + self.bias

    plain = network(over_channels(lambda x: F.layer_norm(x, (8,), eps=1e-6)))
    conv = nn.Conv2d(4, 8, 1)
    written = construct(nn.Sequential(conv, Norm()), SHAPE, batch=2)
    assert written.fingerprint == plain.fingerprint
    assert {name for line in written.coverage for name in line.parameters} >= {"1.weight", "1.bias"}


NAMED: list[Function] = [
    lambda x: torch.exp(input=F.log_softmax(input=x, dim=1)),
    lambda x: torch.sum(torch.stack(tensors=[x, x.tanh()]), dim=0, dtype=torch.float32),
    lambda x: torch.split(tensor=x, split_size_or_sections=4, dim=1)[1],
    lambda x: torch.maximum(input=x, other=torch.full_like(x, fill_value=0.5)),
    lambda x: torch.where(condition=x > 0, input=x, other=torch.zeros_like(x)),
    lambda x: torch.div(input=x, other=2).masked_fill(mask=x > 0, value=-1e9).softmax(-1) @ x.mT,
    lambda x: torch.mean(input=x.flatten(2), dim=-1),
    lambda x: torch.chunk(input=x, chunks=2, dim=1)[0],
    lambda x: x.var(dim=1, unbiased=False).sum(dim=(1, 2), keepdim=True),
    lambda x: F.interpolate(input=x, scale_factor=2.0),
    lambda x: torch.einsum("bchw,bdhw->bcd", [x, x]),
]


@pytest.mark.parametrize("function", NAMED)
def test_arguments_may_be_given_by_name(function: Function) -> None:
    found = network(function)
    weights = {(8, 4, 1, 1): torch.randn(8, 4, 1, 1), (8,): torch.randn(8)}
    assert bool(found(torch.randn(2, *SHAPE), weights).features.isfinite().all())
