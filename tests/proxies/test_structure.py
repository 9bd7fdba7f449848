from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fxscore.capture.empty_weights import build_without_weights
from fxscore.proxies import count_params, get_proxy, measure_structure
from fxscore.proxies.structure import Structure
from tests.proxies.networks import SHAPE, Attention, Functional, small_net


def test_counts_of_a_network_worked_out_by_hand() -> None:
    first, second, head = 4 * 8 * 8, 6 * 2 * 2, 5
    macs = first * 3 * 9 + second * 4 * 9 + head * 6
    elementwise = 2 * first + first + 4 * 4 * 4 * 4 + second  # BN, ReLU, pool of 2×2, ReLU
    assert measure_structure(small_net(), SHAPE) == Structure(
        params=4 * 27 + 8 + 6 * 36 + 6 + 30 + 5,
        macs=macs,
        flops=macs + elementwise,
        activations=first + second + head,
        layers=3,
        layer_depth=3,
    )


def test_functional_spelling_counts_as_modules_do() -> None:
    assert measure_structure(Functional(), SHAPE) == measure_structure(small_net(), SHAPE)


@pytest.mark.parametrize("build", [small_net, Functional, Attention])
def test_no_weights_are_needed(build: Callable[[], nn.Module]) -> None:
    weight_free = build_without_weights(build).module
    assert any(parameter.is_meta for parameter in weight_free.parameters())
    assert measure_structure(weight_free, SHAPE) == measure_structure(build(), SHAPE)


def test_macs_agree_with_the_flop_counter_of_torch() -> None:
    # With batch 1 and gradients on, the counter sees the transformer layer operator by operator.
    for network in (small_net().eval(), Attention().eval()):
        with FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, *SHAPE))
        attention = 2 * 2 * 5 * 5 * 8 if isinstance(network, Attention) else 0  # the counter leaves it out
        assert 2 * measure_structure(network, SHAPE).macs == counter.get_total_flops() + attention


class Branches(nn.Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.long = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(3)))
        self.short = nn.Conv2d(3, 3, 1)
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.long(x) * self.weight + self.short(x)
        return total


def test_depth_is_the_longest_path_and_a_zero_cuts_it() -> None:
    whole, cut = (measure_structure(Branches(weight), SHAPE) for weight in (0.5, 0.0))
    assert (whole.layer_depth, whole.layers) == (3, 4)
    # The branch that is multiplied by zero is still executed, so only depth changes.
    assert (cut.layer_depth, cut.layers, cut.macs) == (1, 4, whole.macs)


def test_depth_follows_writes_into_parts_of_a_tensor() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            out = torch.zeros_like(x)
            out[:, :2] = self.conv(x)[:, :2]
            return out

    assert measure_structure(Writes(), SHAPE).layer_depth == 1


def test_products_of_two_activations_cost_macs_but_are_no_layer() -> None:
    class Gram(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            rows = x.flatten(2)
            return rows @ rows.transpose(1, 2)

    structure = measure_structure(Gram(), SHAPE)
    assert (structure.macs, structure.layers, structure.layer_depth) == (3 * 3 * 64, 0, 0)


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        weight = (self.weight - self.weight.mean()) / self.weight.std()
        return nn.functional.conv2d(x, weight, self.bias, padding=self.padding)


class Einsum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,co->bohw", x, self.weight)


@pytest.mark.parametrize(
    ("network", "macs", "activations"),
    [
        (Standardised(3, 4, 3, padding=1), 4 * 64 * 27, 4 * 64),
        (Einsum(), 4 * 64 * 3, 4 * 64),
        (nn.ConvTranspose2d(3, 4, 2, stride=2), 3 * 64 * 4 * 4, 4 * 256),
        (nn.Conv2d(3, 6, 3, groups=3, padding=1), 6 * 64 * 9, 6 * 64),
        (nn.Linear(8, 2), 3 * 8 * 8 * 2, 3 * 8 * 2),
    ],
    ids=["standardised", "einsum", "transposed", "grouped", "linear"],
)
def test_every_spelling_of_a_weighted_layer(network: nn.Module, macs: int, activations: int) -> None:
    structure = measure_structure(network, SHAPE)
    assert (structure.macs, structure.activations, structure.layers) == (macs, activations, 1)


def test_a_transformer_layer_by_hand() -> None:
    width, tokens, hidden = 8, 5, 16
    layers = 4 * width * 48 + tokens * (width * 3 * width + width * width + 2 * width * hidden) + 5 * width
    structure = measure_structure(Attention(width), SHAPE)
    assert structure.macs == layers + 2 * tokens * tokens * width
    assert structure.layer_depth == 1 + 4 + 1


def test_tied_parameters_count_once() -> None:
    first = nn.Linear(8, 8)
    tied = nn.Sequential(first, nn.ReLU(), first)
    assert count_params(tied) == 72
    assert measure_structure(tied, SHAPE).layers == 2


def test_resolution_replaces_height_and_width() -> None:
    assert get_proxy("macs", resolution=8)(small_net(), (3, 32, 32)) == get_proxy("macs")(small_net(), SHAPE)
