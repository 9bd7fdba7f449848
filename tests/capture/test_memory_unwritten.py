"""Memory that nothing was written to is never read; what is written to it counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fxscore.capture import capture
from fxscore.errors import CaptureError
from tests.capture.test_meaning import SHAPE, Forward, assert_same_meaning


def by_rows(x: Tensor) -> Tensor:
    table = torch.empty(x.shape[0], 4)
    for channel in range(4):
        table[:, channel] = x[:, channel].mean((1, 2))
    return table


def by_views(x: Tensor) -> Tensor:
    table = torch.empty(2, 6)
    left, right = table[:, :3], table[:, 3:]
    left.copy_(x[:, :3, 0, 0])
    right[:] = x[:, 1:4, 1, 1] * left
    return table.view(-1) * 2


def by_out(x: Tensor) -> Tensor:
    result = x.new_empty(x.shape)
    torch.mul(x, 3, out=result)
    return result


def by_scatter(x: Tensor) -> Tensor:
    places = torch.arange(6).flip(0).expand(2, 4, 6, 6)
    return torch.empty_like(x).scatter_(3, places, x)


WRITTEN: list[Callable[[Tensor], Tensor]] = [
    by_rows, by_views, by_out, by_scatter,
    lambda x: torch.empty_like(x).copy_(x.relu()) + 1,
    lambda x: torch.empty(4, 6, 6).copy_(x[0]) * x,
    lambda x: torch.empty_like(x).copy_(x[:, :1]),
    lambda x: x + torch.empty_like(x).zero_(),
    lambda x: x.new_empty(2, 4, 6, 6).fill_(3) * x,
    lambda x: x.double().copy_(torch.ones(6)).float() + x,
    lambda x: x * torch.zeros_like(torch.empty(6)) + torch.empty(2, 0, 6, 6).sum(),
    lambda x: torch.zeros(2, 5, 6, 6).index_copy_(1, torch.tensor([3, 1, 0, 4]), x),
    lambda x: torch.eye(6).mul_(2).matmul(x),
    lambda x: (x * 2).flatten(1).T.fill_diagonal_(7.0),
    lambda x: torch.baddbmm(torch.empty(2, 4, 4), x.flatten(2), x.flatten(2).mT, beta=0, alpha=2),
    lambda x: torch.addmm(x.new_empty(2, 2), x.flatten(1), x.flatten(1).T, beta=0),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WRITTEN)))
def test_what_is_written_is_what_is_read(number: int) -> None:
    assert_same_meaning(Forward(WRITTEN[number]))


def test_a_constant_is_what_it_was_when_it_was_used() -> None:
    """What a forward does to a constant later is seen by what comes later alone."""

    def forward(x: Tensor) -> Tensor:
        scale = torch.arange(6.0)
        first = x * scale
        scale += 1
        second = first + scale
        scale[2:4] = x[0, 0, 0, 2:4]
        return second * scale[1:].sum() + scale

    assert_same_meaning(Forward(forward))


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: x + torch.empty_like(x),
        lambda x: x * torch.empty(6),
        lambda x: torch.cat([x, x.new_empty(2, 1, 6, 6)], 1),
        lambda x: torch.empty_like(x).add_(x),
        lambda x: torch.empty_like(x),
        lambda x: torch.baddbmm(torch.empty(2, 4, 4), x.flatten(2), x.flatten(2).mT),
        lambda x: x[:, torch.empty(2, dtype=torch.long)],
    ],
)
def test_what_is_not_written_is_not_read(forward: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(CaptureError, match="memory that nothing was written to"):
        capture(Forward(forward), SHAPE, batch=2)
