"""Recurrent layers: stacks are layers one by one, and every setting of one shows in scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import fxscore
from fxscore.constructed import construct


class Tagger(nn.Module):
    """Token ids, or an image behind a convolution, read by a recurrent layer."""

    def __init__(
        self, layer: nn.Module, *, vocabulary: int = 60, width: int = 12, image: bool = False
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3) if image else nn.Embedding(vocabulary, width)
        self.layer = layer
        self.image = image

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        y = y.relu().mean(2).transpose(1, 2) if self.image else y
        result: Tensor = self.layer(y)[0][:, -1]
        return result


def layer(kind: type[nn.Module] = nn.GRU, hidden: int = 20, width: int = 12, **options: Any) -> nn.Module:
    return kind(width, hidden, batch_first=True, **options)


VARIANTS: dict[str, Callable[[], nn.Module]] = {
    "gru": layer,
    "lstm": lambda: layer(nn.LSTM),
    "rnn": lambda: layer(nn.RNN),
    "wider": lambda: layer(hidden=28),
    "deeper": lambda: layer(num_layers=2),
    "both ways": lambda: layer(bidirectional=True),
    "projected": lambda: layer(nn.LSTM, proj_size=9),
}
IDS = torch.tensor([[3, 59, 1, 7, 20, 4]])


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("image", [False, True], ids=["tokens", "behind a convolution"])
def test_every_setting_of_a_recurrent_layer_shows(image: bool) -> None:
    given: dict[str, Any] = {"input_shape": (3, 14, 14)} if image else {"example_inputs": IDS}
    scores = {name: fxscore.score(Tagger(make(), image=image), **given) for name, make in VARIANTS.items()}
    for first, second in combinations(scores, 2):
        assert scores[first] != pytest.approx(scores[second], rel=1e-6), (first, second)


def test_vocabulary_and_width_of_an_embedding_show() -> None:
    sizes = [(60, 12), (90, 12), (60, 16)]
    scores = {
        fxscore.score(Tagger(layer(width=width), vocabulary=vocabulary, width=width), example_inputs=IDS)
        for vocabulary, width in sizes
    }
    assert len(scores) == len(sizes)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_stack_is_its_layers_one_by_one(kind: type[nn.Module]) -> None:
    class Read(nn.Module):
        def __init__(self, *layers: nn.Module) -> None:
            super().__init__()
            self.layers = nn.ModuleList(layers)

        def forward(self, x: Tensor) -> Tensor:
            for each in self.layers:
                x = each(x)[0]
            return x

    stack, apart = Read(layer(kind, width=8, num_layers=2)), Read(layer(kind, width=8), layer(kind, width=20))
    first, second = (fxscore.score(network, input_shape=(6, 8)) for network in (stack, apart))
    assert first == pytest.approx(second, rel=1e-6)
    lines = construct(stack, (6, 8), batch=4).coverage
    assert len({name for line in lines for name in line.parameters}) == 8


@pytest.mark.parametrize("steps", [40, 160])
def test_a_relu_bounds_no_state_and_long_series_stay_finite(steps: int) -> None:
    model = nn.Sequential(nn.Linear(6, 12), nn.RNN(12, 64, nonlinearity="relu", batch_first=True))
    assert math.isfinite(fxscore.score(model, example_inputs=torch.zeros(1, steps, 6)))


class Decay(nn.Module):
    """A state space's decay: a number per channel, made negative, times the step sizes."""

    def __init__(self, form: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.steps, self.head = nn.Linear(6, 12), nn.Linear(12, 3)
        self.rate = nn.Parameter(torch.zeros(12))
        self.form = form

    def forward(self, x: Tensor) -> Tensor:
        shares = F.softplus(self.steps(x)) * -self.form(self.rate.float())[None, None, :]
        output: Tensor = self.head(shares.cumsum(1).exp().mean(1))
        return output


@pytest.mark.parametrize("form", [torch.exp, F.softplus])
def test_a_decay_decays(form: Callable[[Tensor], Tensor]) -> None:
    assert math.isfinite(fxscore.score(Decay(form), example_inputs=torch.zeros(1, 300, 6)))


PADDED: dict[str, Callable[[nn.Module, Tensor, Any], Tensor]] = {
    "sorted": lambda layer, x, _: layer(pack_padded_sequence(x, [6] * len(x), batch_first=True))[1],
    "in any order": lambda layer, x, lengths: layer(
        pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    )[1],
    "unpacked": lambda layer, x, _: pad_packed_sequence(
        layer(pack_padded_sequence(x, [6] * len(x), batch_first=True))[0], batch_first=True
    )[0],
}


class Packing(Tagger):
    """Reads its sequences packed or padded, and gives final states or the whole."""

    def __init__(self, read: Callable[[nn.Module, Tensor, Any], Any], layer: nn.Module) -> None:
        super().__init__(layer)
        self.read = read

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        found: Tensor = self.read(self.layer, self.first(x), lengths)
        return found.transpose(0, 1).flatten(1) if len(found) != len(x) else found.mean(1)


@pytest.mark.parametrize("way", PADDED)
def test_packed_sequences_of_one_length_are_padded_ones(way: str) -> None:
    def plain(layer: nn.Module, x: Tensor, _: Any) -> Any:
        return layer(x)[0 if way == "unpacked" else 1]

    given = (IDS, torch.tensor([6]))
    scores = [
        fxscore.score(Packing(read, layer(bidirectional=True, num_layers=2)), example_inputs=given)
        for read in (plain, PADDED[way])
    ]
    assert scores[0] == pytest.approx(scores[1], rel=1e-9)


def test_sequences_of_several_lengths_are_not() -> None:
    def shorter(layer: nn.Module, x: Tensor, _: Any) -> Any:
        return layer(pack_padded_sequence(x, [6] + [3] * (len(x) - 1), batch_first=True))[1]

    given = (IDS, torch.tensor([6]))
    whole, cut = (
        fxscore.score(Packing(read, layer()), example_inputs=given) for read in (PADDED["sorted"], shorter)
    )
    assert whole != pytest.approx(cut, rel=1e-6)
