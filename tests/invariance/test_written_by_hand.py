"""A network that spells out what PyTorch has a function for is the network that calls the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Part = Callable[..., Tensor]
Equal = Callable[[nn.Module, nn.Module], None]

BUILT_IN: dict[str, Part] = {
    "activation": F.gelu,
    "norm": lambda x: F.layer_norm(x, x.shape[-1:]),
    "attention": F.scaled_dot_product_attention,
    "gate": F.glu,
    "add": torch.add,
    "resize": lambda x: F.interpolate(x, size=(8, 8)),
    "pool": lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
}
BY_HAND: dict[str, list[Part]] = {
    "activation": [
        lambda x: x * 0.5 * (1 + torch.erf(x / 2**0.5)),
        lambda x: x * torch.special.ndtr(x),
        lambda x: x - 0.5 * x * torch.erfc(x * 0.5**0.5),
    ],
    "norm": [
        lambda x: (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt(),
        lambda x: (d := x - x.mean(-1, True)) * torch.rsqrt(d.pow(2).mean(-1, True) + 1e-5),
    ],
    "attention": [
        lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v,
        lambda q, k, v: torch.bmm(torch.baddbmm(q[..., :1] * 0, q, k.mT, alpha=q.shape[-1] ** -0.5).softmax(-1), v),
        lambda q, k, v: torch.einsum(
            "bij,bjd->bid", torch.einsum("bid,bjd->bij", q / q.shape[-1] ** 0.5, k).softmax(2), v
        ),
    ],
    "gate": [
        lambda x: x.chunk(2, -1)[0] * x.chunk(2, -1)[1].sigmoid(),
        lambda x: torch.sigmoid(x[..., x.shape[-1] // 2 :]) * x[..., : x.shape[-1] // 2],
    ],
    "add": [lambda x, y: y + x, lambda x, y: x.clone().add_(y), lambda x, y: torch.stack([x, y]).sum(0)],
    "resize": [lambda x: nn.UpsamplingNearest2d(scale_factor=2)(x), lambda x: F.interpolate(x, None, 2.0)],
    "pool": [
        lambda x: F.avg_pool2d(x, x.shape[-2:]).squeeze(),
        lambda x: x.flatten(2).mean(-1),
        lambda x: x.sum(3).sum(2) / 64,
    ],
}  # fmt: skip


class Network(nn.Module):
    """A small network of every part that can be spelt out."""

    def __init__(self, parts: dict[str, Part]) -> None:
        super().__init__()
        self.parts = parts
        self.stem = nn.Conv2d(3, 8, 2, 2)
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.gated, self.head = nn.Linear(8, 16), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Any:
        part = self.parts
        x = self.stem(x)
        y = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(part["norm"](y)).chunk(3, -1)
        y = part["add"](y, self.out(part["attention"](q, k, v)))
        y = part["activation"](part["gate"](self.gated(y)))
        return self.head(part["pool"](part["resize"](torch.unflatten(y.transpose(1, 2), 2, (4, 4)))))


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in BY_HAND for way in range(len(BY_HAND[name]))]
)
def test_a_part_by_hand_changes_nothing(name: str, way: int, assert_equal: Equal) -> None:
    assert_equal(Network(BUILT_IN), Network({**BUILT_IN, name: BY_HAND[name][way]}))


def test_all_parts_by_hand_change_nothing(assert_equal: Equal) -> None:
    assert_equal(Network(BUILT_IN), Network({name: ways[-1] for name, ways in BY_HAND.items()}))
