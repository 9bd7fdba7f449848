"""At which size a scorer sees a network, and what it does with networks that take one size alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fxscore.errors import CaptureError
from fxscore.scorer import FTScoreNet, Settings, Subject
from fxscore.scorer.seen_size import attempts, seen_shape
from fxscore.scorer.subject import subject_of
from fxscore.types import Shape


def convolutions() -> nn.Module:
    layers = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers, nn.Linear(8, 10))


class FixedPositions(nn.Module):
    """Takes inputs of 32 × 32 alone."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(1, 3, 32, 32))
        self.body = convolutions()

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.body(x + self.positions)
        return output


class Resizable(FixedPositions):
    """The same, but it can be told another size."""

    def set_input_size(self, img_size: tuple[int, int]) -> None:
        self.positions = nn.Parameter(self.positions.new_zeros(1, 3, *img_size))


SMALL = FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8)))
OWN = FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8), small_inputs=False))


@pytest.mark.parametrize(
    ("own", "seen"),
    [
        ((3, 8, 8), (3, 8, 8)),
        ((3, 32, 32), (3, 16, 16)),
        ((1, 28, 28), (1, 16, 16)),
        ((3, 48, 48), (3, 16, 16)),
        ((3, 49, 49), (3, 49, 49)),
        ((3, 96, 96), (3, 64, 64)),
        ((3, 224, 224), (3, 64, 64)),
        ((3, 512, 256), (3, 64, 32)),
        ((3, 224, 160), (3, 64, 48)),  # 45.7: to the nearest multiple of 16
        ((3, 130, 224), (3, 32, 64)),  # 37.1
        ((3, 224, 20), (3, 64, 16)),  # 5.7: one multiple at least
        ((3, 16, 112, 112), (3, 16, 64, 64)),
        ((80, 3000), (80, 3000)),
        ((12,), (12,)),
    ],
)
def test_the_table_of_sizes(own: Shape, seen: Shape) -> None:
    assert seen_shape(own) == seen


def test_a_network_is_seen_at_the_small_size() -> None:
    assert SMALL.score(Subject(convolutions(), (3, 32, 32))) == OWN.score(
        Subject(convolutions(), (3, 16, 16))
    )
    assert SMALL.score(Subject(convolutions(), (3, 32, 32))) != OWN.score(
        Subject(convolutions(), (3, 32, 32))
    )


def test_a_network_that_takes_its_own_shape_alone_is_seen_at_that() -> None:
    fixed = FixedPositions()
    assert SMALL.score(Subject(fixed, (3, 32, 32))) == OWN.score(Subject(fixed, (3, 32, 32)))


def test_a_network_that_can_be_resized_is_resized_on_a_copy() -> None:
    network = Resizable()
    subject = Subject(network, (3, 32, 32))
    assert subject.construct(4, (3, 16, 16)).input_shape == (3, 16, 16)
    assert network.positions.shape == (1, 3, 32, 32)


def test_a_network_that_fits_no_size_says_why() -> None:
    with pytest.raises(CaptureError, match="100"):
        Subject(FixedPositions(), (3, 100, 100)).construct(4, (3, 64, 64))


def test_the_own_size_comes_last() -> None:
    sizes = [size for _, size in attempts(Resizable(), (3, 224, 224), (3, 64, 64))]
    assert sizes == [(3, 64, 64), (3, 64, 64), (3, 112, 112), (3, 96, 96), (3, 224, 224)]


def test_costs_are_those_of_the_networks_own_shape() -> None:
    subject = Subject(convolutions(), (3, 32, 32))
    SMALL.score(subject)
    assert subject.costs().macs == 32 * 32 * 8 * 27 + 80


def test_settings_are_part_of_the_scorers_identity() -> None:
    assert SMALL.scorer_id != OWN.scorer_id


def test_what_a_reference_is_fitted_at_is_what_it_is_scored_at() -> None:
    """LeViT takes one size, but its recipe builds it for another."""
    subject = subject_of("timm:levit_128s")
    subject.construct(2, (3, 64, 64))
    assert subject.seen_shapes == ((3, 64, 64),)
