"""Multiply-accumulates of every operator that has them, against hand counts and `torch.utils.flop_counter`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.backends import mkldnn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from fxscore.capture import capture
from fxscore.costs import Costs, costs, network_costs

TOKENS = (6, 8)


class Use(nn.Module):
    """A forward given as a function of the parts and the input."""

    def __init__(self, forward: Callable[..., Tensor], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def use(forward: Callable[..., Tensor], *shapes: tuple[int, ...], **parts: nn.Module) -> nn.Module:
    weights = {"wvu"[place]: nn.Parameter(torch.randn(shape)) for place, shape in enumerate(shapes)}
    return Use(forward, **weights, **parts)


def attend(m: Any, x: Tensor) -> Tensor:
    q, k, v = (part.view(*part.shape[:2], 2, 4).transpose(1, 2) for part in (x, x[:, :5], x[:, :5]))
    return F.scaled_dot_product_attention(q, k, v)


def crossed(m: Any, x: Tensor) -> Tensor:
    result: Tensor = m.a(x, x[:, :4, :5], x[:, :4, :3])[0]
    return result


# Both sides know these: hand count, and the flop counter at batch 1.
KNOWN: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "matmul": (lambda: use(lambda m, x: x @ m.w, (8, 3)), 6 * 8 * 3),
    "matmul of two inputs": (lambda: use(lambda m, x: x @ x.mT), 6 * 6 * 8),
    "matmul of a weight per head": (lambda: use(lambda m, x: x[:, None] @ m.w, (2, 8, 3)), 2 * 6 * 8 * 3),
    "bmm": (lambda: use(lambda m, x: torch.bmm(x, x.mT)), 6 * 6 * 8),
    "addmm": (lambda: use(lambda m, x: torch.addmm(m.v, x[:, 0], m.w), (8, 3), (3,)), 8 * 3),
    "baddbmm": (lambda: use(lambda m, x: torch.baddbmm(m.w, x, x.mT), (1, 6, 6)), 6 * 6 * 8),
    "einsum with a weight": (
        lambda: use(lambda m, x: torch.einsum("bnc,dc->bnd", x, m.w), (3, 8)),
        6 * 8 * 3,
    ),
    "einsum without an output": (lambda: use(lambda m, x: torch.einsum("bnc,cd", x, m.w), (8, 3)), 6 * 8 * 3),
    "einsum with an ellipsis": (
        lambda: use(lambda m, x: torch.einsum("...c,cd->...d", x, m.w), (8, 3)),
        6 * 8 * 3,
    ),
    "einsum by lists": (
        lambda: use(lambda m, x: torch.einsum(x, [0, 1, 2], m.w, [2, 3], [0, 1, 3]), (8, 3)),
        6 * 8 * 3,
    ),
    "einsum per head": (
        lambda: use(lambda m, x: torch.einsum("bnc,hcd->bhnd", x, m.w), (2, 8, 3)),
        2 * 6 * 8 * 3,
    ),
    "einsum of three": (
        lambda: use(lambda m, x: torch.einsum("bnc,cd,de->bne", x, m.w, m.v), (8, 3), (3, 4)),
        6 * 8 * 3 + 6 * 3 * 4,
    ),
    "einsum that only multiplies": (lambda: use(lambda m, x: torch.einsum("bnc,c->bnc", x, m.w), (8,)), 0),
    "einsum that sums the first operand": (
        lambda: use(lambda m, x: torch.einsum("bnc,de->bnd", x, m.w), (3, 5)),
        0,
    ),
    "einsum that sums an axis of the first operand before": (
        lambda: use(lambda m, x: torch.einsum("bnce,dc->bnd", x.unsqueeze(-1) * m.v, m.w), (3, 8), (5,)),
        6 * 8 * 3,
    ),
    "einsum that repeats an axis": (
        lambda: use(lambda m, x: torch.einsum("bnc,ncd->bnd", x, m.w), (1, 8, 3)),
        6 * 8 * 3,
    ),
    "einsum that sums one operand": (
        lambda: use(lambda m, x: torch.einsum("bnc,dce->bnd", x, m.w), (3, 8, 5)),
        6 * 8 * 3,
    ),
    "tensordot": (
        lambda: use(lambda m, x: torch.tensordot(x, m.w, dims=([2, 1], [1, 0])), (6, 8, 3)),
        6 * 8 * 3,
    ),
    "attention": (lambda: use(attend), 2 * 2 * 6 * 5 * 4),
    "attention with other widths": (
        lambda: use(crossed, a=nn.MultiheadAttention(8, 2, batch_first=True, kdim=5, vdim=3)),
        6 * 8 * 8 + 4 * 5 * 8 + 4 * 3 * 8 + 2 * 6 * 4 * 8 + 6 * 8 * 8,
    ),
    "attention with a learned key": (
        lambda: use(
            lambda m, x: m.a(x, x, x)[0], a=nn.MultiheadAttention(8, 2, batch_first=True, add_bias_kv=True)
        ),
        4 * 6 * 8 * 8 + 2 * 6 * 7 * 8,
    ),
    "LSTM": (
        lambda: use(lambda m, x: m.r(x)[0], r=nn.LSTM(8, 5, 2, batch_first=True)),
        6 * 4 * 5 * (8 + 5) + 6 * 4 * 5 * (5 + 5),
    ),
    "GRU in both directions": (
        lambda: use(lambda m, x: m.r(x)[0], r=nn.GRU(8, 5, batch_first=True, bidirectional=True)),
        2 * 6 * 3 * 5 * (8 + 5),
    ),
    "RNN without a batch axis": (
        lambda: use(lambda m, x: m.r(x[0])[0][None], r=nn.RNN(8, 5)),
        6 * 5 * (8 + 5),
    ),
    "LSTM with a projection": (
        lambda: use(lambda m, x: m.r(x)[0], r=nn.LSTM(8, 5, proj_size=3, batch_first=True)),
        6 * (4 * 5 * (8 + 3) + 3 * 5),
    ),
    "GRU cell": (lambda: use(lambda m, x: m.r(x[:, 0]), r=nn.GRUCell(8, 5)), 3 * 5 * (8 + 5)),
    "convolution without a batch axis": (
        lambda: use(lambda m, x: m.c(x[0])[None], c=nn.Conv1d(6, 4, 3)),
        4 * 6 * 6 * 3,
    ),
    "grouped transposed convolution": (
        lambda: use(lambda m, x: m.c(x), c=nn.ConvTranspose1d(6, 4, 3, 2, groups=2)),
        6 * 8 * 2 * 3,
    ),
    "computed once for all": (lambda: use(lambda m, x: x + m.w @ m.v, (6, 5), (5, 8)), 6 * 5 * 8),
    "once for every row": (
        lambda: use(lambda m, x: x + m.v(m.w.expand(len(x), -1, -1)), (6, 5), v=nn.Linear(5, 8)),
        6 * 5 * 8,
    ),
}
# The flop counter does not know these.
BY_HAND: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "mv": (lambda: use(lambda m, x: torch.mv(x[:, 0], m.w), (8,)), 8),
    "inner": (lambda: use(lambda m, x: torch.inner(x, m.w), (3, 8)), 6 * 3 * 8),
    "linear with a vector": (lambda: use(lambda m, x: F.linear(x, m.w), (8,)), 6 * 8),
    "addbmm": (lambda: use(lambda m, x: torch.addbmm(m.w, x, x.mT), (6, 6)), 6 * 6 * 8),
    "bilinear": (lambda: use(lambda m, x: m.b(x, x[..., :3]), b=nn.Bilinear(8, 3, 5)), 6 * 5 * 3 * (8 + 1)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_hand_counts_and_the_flop_counter_agree(name: str) -> None:
    build, macs = KNOWN[name]
    assert _counted(build()).macs == macs
    assert _by_flop_counter(build()) == macs


@pytest.mark.parametrize("name", BY_HAND)
def test_hand_counts(name: str) -> None:
    build, macs = BY_HAND[name]
    assert _counted(build()).macs == macs


def test_deformable_convolution_counts_as_a_plain_one() -> None:
    from torchvision.ops import DeformConv2d

    network = use(
        lambda m, x: m.d(x, x.new_zeros(len(x), 18, 5, 5)), d=DeformConv2d(4, 6, 3, padding=1, groups=2)
    )
    assert network_costs(network, (4, 5, 5)).macs == 6 * 2 * 9 * 25


def test_activations_are_outputs_of_operators_with_weights() -> None:
    network = use(lambda m, x: m.b(m.a(x)) @ x.mT, a=nn.Linear(8, 3), b=nn.Linear(3, 8))
    found = _counted(network)
    assert found.activations == 6 * 3 + 6 * 8
    assert found.macs_by_operator == {"linear": 2 * 6 * 3 * 8, "matmul": 6 * 6 * 8}


def test_what_is_not_counted_is_named() -> None:
    network = use(lambda m, x: torch.cdist(torch.fft.fft(x).abs(), m.w), (3, 8))
    found = _counted(network)
    assert (found.macs, found.uncounted) == (0, ("cdist", "fft_fft"))
    assert _counted(use(lambda m, x: x.relu() + m.w, (8,))).uncounted == ()


def test_a_network_that_wants_more_than_one_example_is_counted_for_one() -> None:
    def pairs(m: Any, x: Tensor) -> Tensor:
        first, second = x.chunk(2)
        result: Tensor = m.a(x) + m.a(first - second).repeat(2, 1, 1)
        return result

    assert _counted(use(pairs, a=nn.Linear(8, 3))).macs == 6 * 8 * 3 * 3 // 2


def test_a_captured_graph_is_shared_out_to_its_examples() -> None:
    network = use(lambda m, x: m.a(x) + (m.w @ m.v), (6, 5), (5, 3), a=nn.Linear(8, 3))
    assert costs(capture(network, TOKENS, batch=4), batch=4) == _counted(network)


def _counted(network: nn.Module) -> Costs:
    return network_costs(network, TOKENS)


def _by_flop_counter(network: nn.Module) -> int:
    """With fused kernels off, so that the products inside recurrent layers and attention show."""
    counter = FlopCounterMode(display=False)
    with mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH), counter:
        network.train()(torch.randn(1, *TOKENS))  # without gradients attention takes a fused path
    return counter.get_total_flops() // 2
