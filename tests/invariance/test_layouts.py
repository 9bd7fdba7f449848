"""One network in the layouts in which it is written: time first, heads folded into the batch, one joint projection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.ops import note_activation

LENGTH, CHANNELS, HEADS = 6, 12, 3
WIDTH = CHANNELS // HEADS
Heads = Callable[[Tensor], tuple[Tensor, ...]]


def constructed(module: nn.Module) -> ConstructedArchitecture:
    return construct(module, (LENGTH, CHANNELS), batch=2)


class Encoder(nn.Module):
    """Two layers of attention, between a position and a reader, time first or batch first."""

    def __init__(self, batch_first: bool, norm_first: bool = False, activation: str = "relu") -> None:
        super().__init__()
        options: dict[str, Any] = {"norm_first": norm_first, "batch_first": batch_first}
        layer = nn.TransformerEncoderLayer(CHANNELS, HEADS, 16, activation=activation, **options)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head, self.batch_first = nn.Linear(CHANNELS, 5), batch_first

    def forward(self, x: Tensor) -> Any:
        y = self.layers(x if self.batch_first else x.transpose(0, 1))
        return self.head(y.mean(1 if self.batch_first else 0))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_time_first_is_batch_first(norm_first: bool, activation: str) -> None:
    first, second = (constructed(Encoder(way, norm_first, activation)) for way in (True, False))
    assert first.fingerprint == second.fingerprint, f"{first.code}\nis not\n{second.code}"


def test_activations_of_a_network_time_first_are_seen_batch_first() -> None:
    class Positions(Encoder):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x + torch.arange(LENGTH).view(1, -1, 1).float())

    class TimeFirst(Encoder):
        def forward(self, x: Tensor) -> Any:
            y = x.transpose(0, 1) + torch.arange(LENGTH).view(-1, 1, 1).float()
            return self.head(self.layers(y).mean(0))

    for module in (Positions(True), TimeFirst(False)):
        nodes = [n for n in constructed(module).graph_module.graph.nodes if n.target is note_activation]
        assert [tuple(node.meta["val"].shape) for node in nodes] == [(2, LENGTH, 16)] * 2


class Joint(nn.Module):
    """Attention over a joint projection, whose heads are split by `heads`."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(CHANNELS, 3 * CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.head, self.heads = nn.Linear(CHANNELS, 4), heads

    def forward(self, x: Tensor) -> Any:
        q, k, v = self.heads(self.qkv(x))
        attended = (q @ k.mT * WIDTH**-0.5).softmax(-1) @ v
        return self.head(self.out(attended.transpose(1, 2).flatten(2)).relu())


class Layer(nn.Module):
    """The layer that PyTorch has for it."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(CHANNELS, HEADS, batch_first=True)
        self.head = nn.Linear(CHANNELS, 4)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.attention(x, x, x)[0].relu())


def _by_chunks(parts: Tensor) -> tuple[Tensor, ...]:
    return tuple(torch.unflatten(part, -1, (HEADS, WIDTH)).transpose(1, 2) for part in parts.chunk(3, -1))


def _apart(parts: Tensor) -> Tensor:
    return parts.reshape(len(parts), LENGTH, 3, HEADS, WIDTH)


SPLITS: dict[str, Heads] = {
    "chunks": _by_chunks,
    "unbound": lambda parts: _apart(parts).permute(2, 0, 3, 1, 4).unbind(0),
    "picked first": lambda parts: tuple(_apart(parts).permute(2, 0, 3, 1, 4)[i] for i in range(3)),
    "picked in place": lambda parts: tuple(_apart(parts)[:, :, i].transpose(1, 2) for i in range(3)),
    "unbound, then split": lambda parts: tuple(
        part.reshape(len(part), LENGTH, HEADS, WIDTH).transpose(1, 2)
        for part in parts.view(len(parts), LENGTH, 3, CHANNELS).unbind(2)
    ),
}


@pytest.mark.parametrize("split", SPLITS)
def test_attention_by_hand_is_the_layer(split: str) -> None:
    first, second = constructed(Layer()), constructed(Joint(SPLITS[split]))
    assert first.fingerprint == second.fingerprint, f"{first.code}\nis not\n{second.code}"


def test_heads_inside_the_last_axis_in_another_order_are_another_network() -> None:
    inner = Joint(lambda parts: torch.unflatten(parts, -1, (HEADS, 3 * WIDTH)).transpose(1, 2).chunk(3, -1))
    assert constructed(inner).fingerprint != constructed(Layer()).fingerprint


class Apart(nn.Module):
    """Attention over three projections, the heads in an axis of their own or folded into the batch."""

    def __init__(self, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(CHANNELS, CHANNELS) for _ in range(4))
        self.attend = attend

    def forward(self, x: Tensor) -> Any:
        q, k, v = (layer(x) for layer in self.layers[:3])
        return self.layers[3](self.attend(q.relu(), k.tanh(), v))


def _split(x: Tensor) -> Tensor:
    return torch.unflatten(x, -1, (HEADS, WIDTH)).transpose(1, 2)


def _folded(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = (_split(each).reshape(-1, LENGTH, WIDTH) for each in (q, k, v))
    attended = torch.bmm(torch.softmax(torch.bmm(q, k.mT) * WIDTH**-0.5, -1), v)
    return attended.view(-1, HEADS, LENGTH, WIDTH).transpose(1, 2).reshape(-1, LENGTH, CHANNELS)


def _time_first(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """As fairseq and torch have it: (length, batch · heads, width) is turned."""
    q, k, v = (
        each.transpose(0, 1).reshape(LENGTH, -1, WIDTH).transpose(0, 1) for each in (q * WIDTH**-0.5, k, v)
    )
    attended = torch.bmm(torch.bmm(q, k.transpose(1, 2)).softmax(-1), v)
    return attended.transpose(0, 1).reshape(LENGTH, -1, CHANNELS).transpose(0, 1)


def _fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(_split(q), _split(k), _split(v)).transpose(1, 2).flatten(2)


@pytest.mark.parametrize("attend", [_folded, _time_first])
def test_heads_may_be_folded_into_the_batch(attend: Callable[..., Tensor]) -> None:
    first, second = constructed(Apart(_fused)), constructed(Apart(attend))
    assert first.fingerprint == second.fingerprint, f"{first.code}\nis not\n{second.code}"
