"""Packed sequences are captured, represented and counted by the lengths of the example."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import fxscore
from fxscore.errors import FxScoreError


class Reader(nn.Module):
    """Two recurrent layers on a packed sequence, the second a stack."""

    def __init__(self, layers: int = 2, enforce_sorted: bool = False) -> None:
        super().__init__()
        self.first = nn.GRU(6, 5, bidirectional=True)
        self.second = nn.LSTM(10, 4, layers)
        self.head = nn.Linear(4, 3)
        self.enforce_sorted = enforce_sorted

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=self.enforce_sorted)
        sequence, _ = self.second(self.first(packed)[0])
        padded, found = pad_packed_sequence(sequence, batch_first=True)
        result: Tensor = self.head(padded.sum(1) / found[:, None])
        return result


EXAMPLES = {"x": torch.randn(2, 7, 6), "lengths": torch.tensor([6, 4])}


@pytest.mark.parametrize(("enforce_sorted", "lengths"), [(False, [6, 4]), (False, [4, 6]), (True, [6, 6])])
def test_steps_of_the_first_example_count(enforce_sorted: bool, lengths: list[int]) -> None:
    examples = {**EXAMPLES, "lengths": torch.tensor(lengths)}
    found = fxscore.explain(Reader(enforce_sorted=enforce_sorted), example_inputs=examples)
    steps = 2 * 3 * 5 * (6 + 5) + 4 * 4 * (10 + 4) + 4 * 4 * (4 + 4)
    assert found.macs == lengths[0] * steps + 4 * 3


def test_the_depth_of_a_stack_shows() -> None:
    scores = {fxscore.score(Reader(layers), example_inputs=EXAMPLES) for layers in (1, 2, 3)}
    assert len(scores) == 3


def test_lengths_without_values_are_one_clear_error() -> None:
    class Computed(Reader):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(x, (x.sum((1, 2)) > 0).long() + 1)

    with pytest.raises(FxScoreError, match="lengths that are computed from the values of an input"):
        fxscore.score(Computed(), example_inputs=EXAMPLES)
