"""Equal computations without weights, spelt differently: one graph."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, construct
from tests.passes.test_heads import Calls

SHAPE = (4, 6, 10)
Forward = Callable[[Any, Tensor], Tensor]


def network(middle: Forward) -> ConstructedArchitecture:
    children: dict[str, object] = {"conv": nn.Conv2d(4, 8, 1)}
    return construct(Calls(lambda m, x: middle(m, m.conv(x)), **children), SHAPE, batch=2)


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def attended(score: Callable[[Tensor, Tensor], Tensor], mix: Callable[[Tensor, Tensor], Tensor]) -> Forward:
    def forward(_: Any, x: Tensor) -> Tensor:
        x = torch.unflatten(tokens(x), 2, (2, 4))  # (B, N, heads, channels)
        return mix(score(x, x + 1).softmax(-1), x)

    return forward


PAIRS: dict[str, tuple[Forward, Forward]] = {
    "average pool over the map": (lambda m, x: F.avg_pool2d(x, (6, 10)), lambda m, x: F.adaptive_avg_pool2d(x, 1)),
    "its mean": (lambda m, x: F.avg_pool2d(x, x.shape[-2:]).flatten(1), lambda m, x: x.mean((-1, -2))),
    "average pool over a sequence": (
        lambda m, x: F.avg_pool1d(x.flatten(2), 60),
        lambda m, x: F.adaptive_avg_pool1d(x.flatten(2), 1),
    ),
    "average pool over a volume": (
        lambda m, x: F.avg_pool3d(torch.unflatten(x, 1, (4, 2)), (2, 6, 10)),
        lambda m, x: F.adaptive_avg_pool3d(torch.unflatten(x, 1, (4, 2)), 1),
    ),
    "max pool over the map": (lambda m, x: F.max_pool2d(x, (6, 10)), lambda m, x: F.adaptive_max_pool2d(x, 1)),
    "its maximum": (lambda m, x: x.amax((2, 3), keepdim=True), lambda m, x: nn.AdaptiveMaxPool2d(1)(x)),
    "area to one": (lambda m, x: F.interpolate(x, (1, 1), mode="area"), lambda m, x: F.adaptive_avg_pool2d(x, 1)),
    "area": (lambda m, x: F.interpolate(x, (3, 4), mode="area"), lambda m, x: F.adaptive_avg_pool2d(x, (3, 4))),
    "mean with channels last": (
        lambda m, x: x.permute(0, 2, 3, 1).flatten(1, 2).mean(1),
        lambda m, x: x.mean((2, 3)),
    ),
    "length": (
        lambda m, x: x / x.norm(dim=1, keepdim=True).clamp(min=1e-12),
        lambda m, x: F.normalize(x, dim=-3),
    ),
    "length by squares": (
        lambda m, x: x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-8),
        lambda m, x: x / torch.linalg.norm(x, dim=3)[..., None],
    ),
    "root mean square by length": (
        lambda m, x: F.normalize(tokens(x), dim=-1) * 8**0.5,
        lambda m, x: tokens(x) / (tokens(x).norm(2, -1, True) * 8**-0.5 + 1e-8),
    ),
    "root mean square": (
        lambda m, x: F.rms_norm(tokens(x), (8,), eps=0.0),
        lambda m, x: math.sqrt(8) * tokens(x) / torch.linalg.vector_norm(tokens(x), dim=-1, keepdim=True),
    ),
    "norm over the map": (lambda m, x: F.layer_norm(x, x.shape[2:]), lambda m, x: F.instance_norm(x)),
    "images folded into channels": (
        lambda m, x: F.batch_norm(x.reshape(1, -1, 6, 10), None, None, training=True).view_as(x),
        lambda m, x: F.instance_norm(x),
    ),
    "slope of 0": (lambda m, x: F.leaky_relu(x, 0.0), lambda m, x: F.relu(x)),
    "mean slope": (lambda m, x: F.rrelu(x, 0.1, 0.3), lambda m, x: F.leaky_relu(x, 0.2)),
    "addcmul": (lambda m, x: torch.addcmul(x, x, x + 1, value=3), lambda m, x: x + 3 * (x * (x + 1))),
    "addcdiv": (lambda m, x: x.addcdiv(x, x.abs() + 1), lambda m, x: x + x / (x.abs() + 1)),
    "scores by baddbmm": (
        lambda m, x: torch.baddbmm(
            torch.empty(x.shape[0], 8, 8), x.flatten(2), x.flatten(2).mT, beta=0, alpha=0.5
        ),
        lambda m, x: x.flatten(2) @ x.flatten(2).mT * 0.5,
    ),
    "variance": (lambda m, x: x.var(1, unbiased=False), lambda m, x: torch.var(x, -3, correction=0)),
    "variance and mean": (
        lambda m, x: torch.cat(torch.var_mean(x, 1, keepdim=True), 1),
        lambda m, x: torch.cat([x.var(dim=1, keepdim=True), x.mean(1, True)], 1),
    ),
    "deviation": (lambda m, x: x.std((2, 3)), lambda m, x: torch.std(x, [3, 2], True)),
    "sum": (lambda m, x: x.sum(-1, keepdim=True), lambda m, x: torch.sum(x, 3)[..., None]),
    "chunk and split": (
        lambda m, x: torch.cat(x.chunk(2, 1)[::-1], 1),
        lambda m, x: torch.cat(torch.split(x, 4, -3)[::-1], 1),
    ),
    "tensor_split": (
        lambda m, x: torch.cat(torch.tensor_split(x, (4,), 1)[::-1], 1),
        lambda m, x: torch.cat(torch.split(x, [4, 4], 1)[::-1], 1),
    ),
    "select": (lambda m, x: x.select(-1, -1), lambda m, x: x[..., 9]),
    "narrow": (lambda m, x: x.narrow(2, 1, 5), lambda m, x: x[:, :, 1:]),
    "bare index": (lambda m, x: x[:, 0:4, ...], lambda m, x: x[:, :4]),
    "index that adds an axis": (lambda m, x: x[:, :, None], lambda m, x: x.unsqueeze(2)),
    "movedim there and back": (lambda m, x: x.movedim(1, -1).moveaxis(-1, 1), lambda m, x: x),
    "movedim of two": (lambda m, x: x.movedim((1, 2), (-1, 0)), lambda m, x: x.permute(2, 0, 3, 1)),
    "upsampled by a factor": (
        lambda m, x: nn.Upsample(scale_factor=2, mode="bilinear")(x),
        lambda m, x: F.interpolate(x, (12, 20), mode="bilinear", align_corners=False),
    ),
    "downsampled": (lambda m, x: F.interpolate(x, scale_factor=(0.5, 0.5)), lambda m, x: nn.Upsample((3, 5))(x)),
    "number over a value": (lambda m, x: 1 / (x.abs() + 1), lambda m, x: (x.abs() + 1).reciprocal()),
    "where": (
        lambda m, x: x.where(x > x.mean(), x * 0.3),
        lambda m, x: torch.where(x > x.mean(), x, 0.3 * x),
    ),
    "einsum of scores": (
        attended(
            lambda q, k: torch.einsum("bqhd,bkhd->bhqk", q, k), lambda a, v: torch.einsum("bhqk,bkhd->bqhd", a, v)
        ),
        attended(
            lambda q, k: q.transpose(1, 2) @ k.permute(0, 2, 3, 1),
            lambda a, v: (a @ v.transpose(1, 2)).transpose(1, 2),
        ),
    ),
    "einsum with dots": (
        lambda m, x: torch.einsum("...ij,...kj->...ik", x, x + 1),
        lambda m, x: x @ (x + 1).mT,
    ),
    "einsum without an arrow": (
        lambda m, x: torch.einsum("bij,bkj", x.flatten(2), x.flatten(2)),
        lambda m, x: torch.einsum("bij,bkj->ik", x.flatten(2), x.flatten(2)),
    ),
    "einsum of the second first": (
        lambda m, x: torch.einsum("bcn,bcm->bmn", x.flatten(2), x.flatten(2) + 1),
        lambda m, x: (x.flatten(2) + 1).mT @ x.flatten(2),
    ),
    "einsum over two axes": (
        lambda m, x: torch.einsum("bchw,bdhw->bcd", x, x + 1),
        lambda m, x: x.flatten(2) @ (x + 1).flatten(2).transpose(1, 2),
    ),
    "einsum with a vector": (
        lambda m, x: torch.einsum("bcn,bn->bc", x.flatten(2), x.flatten(2)[:, 0]),
        lambda m, x: (x.flatten(2) @ x.flatten(2)[:, 0].unsqueeze(-1)).squeeze(-1),
    ),
    "einsum that sums": (lambda m, x: torch.einsum("bchw->wb", x), lambda m, x: x.sum((1, 2)).T),
    "einsum of one": (lambda m, x: torch.einsum("bchw->bhwc", x), lambda m, x: x.permute(0, 2, 3, 1)),
    "einsum that multiplies": (
        lambda m, x: torch.einsum("bchw,bc->bchw", x, x.mean((2, 3))),
        lambda m, x: x * x.mean((2, 3), keepdim=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_two_spellings_are_one_graph(name: str) -> None:
    first, second = (network(forward) for forward in PAIRS[name])
    assert first.fingerprint == second.fingerprint, first.code + second.code


DIFFERENT: dict[str, tuple[Forward, Forward]] = {
    "padded pool": (
        lambda m, x: F.avg_pool2d(x[:, :, :4, :4], 4, 4, 1),
        lambda m, x: x[:, :, :4, :4].mean((2, 3), True),
    ),
    "unequal split": (lambda m, x: torch.split(x, [2, 6], 1)[0], lambda m, x: x.chunk(2, 1)[0]),
    "corrected variance": (lambda m, x: x.var(1, keepdim=True), lambda m, x: x.var(1, False, True)),
    "broken factor": (
        lambda m, x: F.interpolate(x, scale_factor=0.55),
        lambda m, x: F.interpolate(x, (3, 5)),
    ),
    "aligned corners": (
        lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_computations_are_other_graphs(name: str) -> None:
    first, second = (network(forward) for forward in DIFFERENT[name])
    assert first.fingerprint != second.fingerprint, first.code


class Layer(nn.Module):
    """A convolution, then a layer with its weights (out, in) and bias, in some spelling."""

    def __init__(self, forward: Forward, *kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 1)
        self.w, self.b = nn.Parameter(torch.ones(5, 8, *kernel)), nn.Parameter(torch.zeros(5))
        self.function = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, self.conv(x)).relu()


LINEAR: list[Forward] = [
    lambda m, x: tokens(x) @ m.w.T + m.b,
    lambda m, x: m.b + torch.einsum("bnc,oc->bno", tokens(x), m.w),
    lambda m, x: torch.addmm(m.b, tokens(x).reshape(-1, 8), m.w.t()).view(x.shape[0], -1, 5),
    lambda m, x: torch.bmm(tokens(x), m.w.t().unsqueeze(0).repeat(x.shape[0], 1, 1)) + m.b,
    lambda m, x: torch.baddbmm(m.b, tokens(x), m.w.t().expand(x.shape[0], -1, -1)),
    lambda m, x: (m.w @ x.flatten(2)).transpose(1, 2) + m.b,
    lambda m, x: (m.w @ x.flatten(2) + m.b[:, None]).mT,
    lambda m, x: F.linear(tokens(x), m.w).add_(m.b[None, None]),
]
CONVOLUTIONS: list[Forward] = [
    lambda m, x: F.conv2d(x, m.w) + m.b[:, None, None],
    lambda m, x: m.b.view(1, 5, 1, 1) + F.conv2d(input=x, weight=m.w),
    lambda m, x: F.conv2d(x, m.w, None, 1, 0).add_(m.b.reshape(1, -1, 1, 1)),
]


@pytest.mark.parametrize("forward", LINEAR)
def test_a_linear_layer_by_hand_is_one(forward: Forward) -> None:
    plain = construct(Layer(lambda m, x: F.linear(tokens(x), m.w, m.b)), SHAPE, batch=2)
    assert construct(Layer(forward), SHAPE, batch=2).fingerprint == plain.fingerprint


@pytest.mark.parametrize("forward", CONVOLUTIONS)
def test_a_bias_added_to_a_convolution_is_its_bias(forward: Forward) -> None:
    plain = construct(Layer(lambda m, x: F.conv2d(x, m.w, m.b), 3, 3), SHAPE, batch=2)
    assert construct(Layer(forward, 3, 3), SHAPE, batch=2).fingerprint == plain.fingerprint


def test_a_shift_behind_a_norm_is_no_bias() -> None:
    def normed(m: Any, x: Tensor) -> Tensor:
        return F.layer_norm(F.linear(tokens(x), m.w), (5,))

    shifted = construct(Layer(lambda m, x: (normed(m, x) + m.b).relu() @ m.w), SHAPE, batch=2)
    plain = construct(Layer(lambda m, x: normed(m, x).relu() @ m.w), SHAPE, batch=2)
    assert shifted.fingerprint == plain.fingerprint


@pytest.mark.parametrize("name", [name for name in PAIRS if name.startswith("einsum")])
def test_a_product_has_the_value_of_its_einsum(name: str) -> None:
    """Both spellings, run by PyTorch itself, agree: the pairs above are no accident of a shared mistake."""
    x = torch.randn(2, 8, 6, 10, generator=torch.Generator().manual_seed(0))
    first, second = (forward(None, x) for forward in PAIRS[name])
    torch.testing.assert_close(first, second)
