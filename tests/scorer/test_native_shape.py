"""A scorer that was trained at another resolution than its networks' own sees them as it did in training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fxscore.scorer import FTScoreNet, Settings, Subject


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
    """Takes inputs of 16 × 16 alone."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(1, 3, 16, 16))
        self.body = convolutions()

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.body(x + self.positions)
        return output


SCORER = FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8), native_shape=(3, 16, 16)))


def test_a_network_of_the_native_shape_is_seen_as_in_training() -> None:
    assert SCORER.score(Subject(convolutions(), (3, 16, 16))) == SCORER.score(
        Subject(convolutions(), (3, 8, 8))
    )


def test_other_shapes_are_seen_as_they_are() -> None:
    assert SCORER.score(Subject(convolutions(), (3, 12, 12))) != SCORER.score(
        Subject(convolutions(), (3, 8, 8))
    )


def test_a_network_that_takes_its_own_shape_alone_is_scored_at_that() -> None:
    plain = FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8)))
    assert SCORER.score(Subject(FixedPositions(), (3, 16, 16))) == plain.score(
        Subject(FixedPositions(), (3, 16, 16))
    )


def test_costs_are_those_of_the_networks_own_shape() -> None:
    subject = Subject(convolutions(), (3, 16, 16))
    SCORER.score(subject)
    assert subject.costs().macs == 16 * 16 * 8 * 27 + 80


def test_settings_are_part_of_the_scorers_identity() -> None:
    assert SCORER.scorer_id != FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8))).scorer_id
