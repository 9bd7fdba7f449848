"""Attention in single steps, in the ways in which people write it, is scaled dot-product attention."""

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

LENGTH, CHANNELS, HEADS = 7, 12, 3
Attention = Callable[[Tensor, Tensor, Tensor], Tensor]
FUTURE = torch.ones(LENGTH, LENGTH).triu(1).bool()
BAND = (torch.arange(LENGTH)[:, None] - torch.arange(LENGTH)).abs() < 3
BIAS = torch.arange(LENGTH) * -0.25 * torch.ones(HEADS, LENGTH, 1)
SCALE = (CHANNELS // HEADS) ** -0.5


def network(attention: Attention, joint: bool = True) -> ConstructedArchitecture:
    def forward(m: Any, x: Tensor) -> Tensor:
        parts = m.qkv(x).reshape(-1, LENGTH, 3, HEADS, CHANNELS // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = parts.unbind(0) if joint else (parts[0], parts[1], parts[2])
        out: Tensor = m.out(attention(q, k, v).transpose(1, 2).flatten(2)).relu()
        return out

    children = {"qkv": nn.Linear(5, 3 * CHANNELS), "out": nn.Linear(CHANNELS, CHANNELS)}
    return construct(Calls(forward, **children), (LENGTH, 5), batch=2)


def fused(mask: Tensor | None = None, causal: bool = False, scale: float | None = None) -> Attention:
    return lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask, 0.0, causal, scale=scale)


def by_products(change: Callable[[Tensor], Tensor], scale: float = SCALE) -> Attention:
    """Attention whose scores are changed before the softmax."""
    return lambda q, k, v: change(q @ k.transpose(-2, -1) * scale).softmax(-1) @ v


def quarter_scaled(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    share = SCALE**0.5
    return torch.softmax(torch.matmul(q * share, (k * share).mT), -1) @ v


def by_einsum(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = torch.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("bhij,bhjd->bhid", F.dropout(scores.softmax(dim=-1), 0.1, False), v)


def by_exponentials(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = q @ k.mT * SCALE
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    return torch.matmul(weights / weights.sum(-1, keepdim=True), v)


def transposed(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    weights = (q @ k.mT * SCALE).softmax(-1)
    return torch.matmul(v.mT, weights.mT).mT


PAIRS: dict[str, tuple[Attention, Attention]] = {
    "product": (fused(), by_products(lambda s: s)),
    "quotient": (fused(), lambda q, k, v: F.softmax(q @ k.transpose(2, 3) / math.sqrt(4), 3) @ v),
    "quotient by a tensor": (fused(), lambda q, k, v: (q @ k.mT / torch.tensor(4.0).sqrt().item()).softmax(-1) @ v),
    "scaled queries": (fused(), lambda q, k, v: ((q * SCALE) @ k.mT).softmax(-1) @ v),
    "both scaled": (fused(), quarter_scaled),
    "explicit scale": (fused(), fused(scale=SCALE)),
    "einsum": (fused(), by_einsum),
    "exponentials": (fused(), by_exponentials),
    "values first": (fused(), transposed),
    "typed softmax": (fused(), lambda q, k, v: F.softmax(q @ k.mT * SCALE, -1, dtype=torch.float32).type_as(q) @ v),
    "other scale": (fused(scale=0.3), by_products(lambda s: s, 0.3)),
    "no scale": (fused(scale=1.0), by_products(lambda s: s, 1.0)),
    "causal by masked_fill": (fused(causal=True), by_products(lambda s: s.masked_fill(FUTURE, -math.inf))),
    "causal by sum": (fused(causal=True), by_products(lambda s: s + torch.where(FUTURE, -1e9, 0.0))),
    "causal by where": (fused(causal=True), by_products(lambda s: torch.where(~FUTURE, s, torch.finfo(s.dtype).min))),
    "causal by where, reversed": (
        fused(causal=True), by_products(lambda s: torch.where(FUTURE, torch.tensor(-1e10), s)),
    ),
    "causal mask fused": (fused(causal=True), fused(~FUTURE)),
    "mask of nothing": (fused(), by_products(lambda s: s + torch.zeros(1, 1, LENGTH, LENGTH))),
    "band": (fused(BAND), by_products(lambda s: s.masked_fill(~BAND, -1e9))),
    "band by sum": (fused(BAND), by_products(lambda s: s + torch.where(BAND, 0.0, -torch.inf)[None, None])),
    "bias": (fused(BIAS), by_products(lambda s: BIAS + s)),
    "bias and mask": (
        lambda q, k, v: fused(BIAS + q.mean((2, 3), keepdim=True) * BIAS)(q, k, v),
        lambda q, k, v: by_products(lambda s: (s + BIAS) + q.mean((2, 3), keepdim=True) * BIAS)(q, k, v),
    ),
    "mask of the input": (
        lambda q, k, v: fused((k > 0).all(-1)[:, :, None])(q, k, v),
        lambda q, k, v: by_products(lambda s: s.masked_fill(~(k > 0).all(-1)[:, :, None], -1e9))(q, k, v),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_single_steps_are_fused_attention(name: str) -> None:
    expected, written = PAIRS[name]
    found = network(written)
    assert found.fingerprint == network(expected).fingerprint, found.code
    assert F.scaled_dot_product_attention in [node.target for node in found.graph_module.graph.nodes]


def test_parts_by_number_are_parts_by_unbind() -> None:
    assert network(fused(), joint=False).fingerprint == network(fused()).fingerprint


def test_queries_may_be_scaled_before_heads_are_split() -> None:
    def attend(scale_first: bool) -> ConstructedArchitecture:
        def forward(m: Any, x: Tensor) -> Tensor:
            q, k, v = m.q(x), m.k(x), m.v(x)
            if scale_first:
                q = q * SCALE
            q, k, v = (y.unflatten(-1, (HEADS, -1)).transpose(1, 2) for y in (q, k, v))
            scores = q @ k.mT
            y = torch.matmul((scores if scale_first else scores * SCALE).softmax(-1), v)
            return y.transpose(1, 2).flatten(2)

        return construct(
            Calls(forward, q=nn.Linear(5, 12), k=nn.Linear(5, 12, False), v=nn.Linear(5, 12)), (LENGTH, 5)
        )

    assert attend(True).fingerprint == attend(False).fingerprint


def weighed(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    weights = (q @ k.mT).softmax(-1)
    return weights @ v + weights.amax(-1, keepdim=True)


WINDOWS = (torch.arange(2.0)[:, None, None] * torch.ones(LENGTH, LENGTH)).masked_fill(BAND, -100.0)


def by_windows(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """A mask for each of two windows, which are folded into the batch."""
    q, k, v = (torch.cat([each, each + 1]) for each in (q, k, v))
    scores = (q @ k.mT * SCALE + BIAS).view(-1, 2, HEADS, LENGTH, LENGTH) + WINDOWS[None, :, None]
    attended = torch.matmul(scores.view(-1, HEADS, LENGTH, LENGTH).softmax(-1), v)
    return torch.unflatten(attended, 0, (2, -1)).sum(0)


def windows_fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = (torch.cat([each, each + 1]) for each in (q, k, v))
    mask = WINDOWS[None, :, None].expand(len(q) // 2, -1, HEADS, -1, -1).reshape(-1, HEADS, LENGTH, LENGTH)
    return torch.unflatten(F.scaled_dot_product_attention(q, k, v, BIAS + mask), 0, (2, -1)).sum(0)


def test_masks_may_be_added_with_windows_apart() -> None:
    targets = [
        [n.target for n in network(form).graph_module.graph.nodes] for form in (by_windows, windows_fused)
    ]
    assert all(torch.softmax not in each for each in targets)
    assert (
        targets[0].count(F.scaled_dot_product_attention)
        == targets[1].count(F.scaled_dot_product_attention)
        == 1
    )


UNLIKE: dict[str, Attention] = {
    "weights that are returned": lambda q, k, v: weighed(q, k, v),
    "softmax over queries": lambda q, k, v: (q @ k.mT).softmax(-2) @ v,
    "no softmax": lambda q, k, v: (q @ k.mT).sigmoid() @ v,
    "mask scaled too": lambda q, k, v: ((q @ k.mT + BIAS) * SCALE).softmax(-1) @ v,
    "small fill": lambda q, k, v: (q @ k.mT).masked_fill(FUTURE, -1.0).softmax(-1) @ v,
    "row that sees nothing": lambda q, k, v: (
        (q @ k.mT).masked_fill(torch.ones_like(FUTURE), -1e9).softmax(-1) @ v
    ),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_what_is_no_such_attention_stays(name: str) -> None:
    targets = [node.target for node in network(UNLIKE[name]).graph_module.graph.nodes]
    assert F.scaled_dot_product_attention not in targets


def test_another_mask_or_scale_is_another_network() -> None:
    forms = [
        fused(),
        fused(causal=True),
        fused(BAND),
        fused(BIAS),
        fused(scale=0.3),
        by_products(lambda s: s, 0.4),
    ]
    assert len({network(form).fingerprint for form in forms}) == len(forms)
