"""MetaQNN: plain convolutional networks for SVHN without BatchNorm (Baker et al., ICLR 2017).

Layers in a chain on 3×32×32: `C(d,k,s)` convolution with bias of d filters k×k, stride s and padding k//2, ReLU;
`P(k,s)` max pooling, rounded up; `NIN(d)` two conv1×1 of d filters, ReLU after each; `D(i,n)` dropout, the i-th of n,
with probability i/(2n); `FC(d)` linear, ReLU; `GAP(c)` conv1×1 to c, ReLU, global average; `SM(c)` linear to c logits.
Text form: `[C(64,3,1), P(2,2), FC(128), SM(10)]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.task_rows import read_tasks
from fxscore.spaces.table import BenchmarkTable

MOST_LAYERS = 24  # places of the vector; the networks of the paper have up to 20 layers
SIDE, CLASSES = 32, 10
_NONE = "none"
_MAPS = (
    *(f"C({filters},{kernel},1)" for filters in (64, 128, 256, 512) for kernel in (1, 3, 5)),
    *(f"NIN({filters})" for filters in (64, 128, 256, 512)),
    *("P(2,2)", "P(3,2)", "P(5,3)"),
)
_VECTORS = tuple(f"FC({width})" for width in (128, 256, 512))
_DROPOUTS = tuple(f"D({i},{n})" for n in range(1, 13) for i in range(1, n + 1))
_LAYERS = (_NONE, *_MAPS, *_DROPOUTS, f"GAP({CLASSES})", *_VECTORS)
_TAKEN = re.compile(r"([A-Z]+)\(([\d,]+)\)")
_DATA_SETS = {"SVHN (68,257 train / 5,000 validation)": "svhn.valid"}


@dataclass(frozen=True)
class Layers:
    """The layers before the last, each in its text form."""

    layers: tuple[str, ...]


class MetaQNN(SearchSpace[Layers]):
    """Chains of up to 24 layers and the softmax layer."""

    name = "metaqnn"
    input_shape = (3, SIDE, SIDE)
    variables = tuple(Variable(f"layer_{i}", _LAYERS) for i in range(MOST_LAYERS))

    def values_of(self, genotype: Layers) -> tuple[Value, ...]:
        """A layer or `none` per place; the layers come first."""
        return (*genotype.layers, *[_NONE] * (MOST_LAYERS - len(genotype.layers)))

    def from_values(self, values: tuple[Value, ...]) -> Layers:
        """Read what `values_of` gives; places without a layer are passed over."""
        layers = tuple(str(value) for value in values if value != _NONE)
        _check(self.name, layers)
        return Layers(layers)

    def format(self, genotype: Layers) -> str:
        """The layers in brackets."""
        return f"[{', '.join((*genotype.layers, f'SM({CLASSES})'))}]"

    def parse(self, text: str) -> Layers:
        """Read the text form; `SpaceError` names the layer that does not fit."""
        match = re.fullmatch(rf"\[(.*?)(?:, )?SM\({CLASSES}\)\]", text.strip())
        if match is None:
            raise SpaceError(f"{self.name}: {text!r} must read [C(64,3,1), P(2,2), …, SM({CLASSES})]")
        layers = match[1].split(", ") if match[1] else []
        if len(layers) > MOST_LAYERS:
            raise SpaceError(f"{self.name}: {len(layers)} layers are more than {MOST_LAYERS}")
        for variable, layer in zip(self.variables, layers, strict=False):
            variable.index(layer)
        return self.from_values(tuple(layers))

    def sample(self, generator: torch.Generator) -> Layers:
        """Up to ten convolutions and poolings that leave a map of 2×2 or more, then perhaps linear layers."""

        def draw(names: tuple[str, ...]) -> str:
            return names[int(torch.randint(len(names), (), generator=generator))]

        layers: list[str] = []
        for _ in range(int(torch.randint(1, 11, (), generator=generator))):
            layer = draw(_MAPS)
            if not layer.startswith("P") or _side(layers) >= 4:
                layers.append(layer)
        count = int(torch.randint(3, (), generator=generator))
        return Layers((*(layers or [_MAPS[0]]), *(draw(_VECTORS) for _ in range(count))))

    def build(self, genotype: Layers) -> nn.Module:
        """The network, ten classes."""
        return nn.Sequential(*_modules(genotype.layers))

    def read_official(self, path: str | Path) -> BenchmarkTable[Layers]:
        """Read a table of columns `architecture`, `dataset` and `accuracy`."""
        rows, labels = read_tasks(path, _DATA_SETS)
        return BenchmarkTable(
            self.name,
            tuple(row.parse("architecture", self.parse) for row in rows),
            labels,
            caution="where training failed it was tried again with a lower learning rate",
        )


def _check(name: str, layers: tuple[str, ...]) -> None:
    if _side(layers) == 0:
        raise SpaceError(f"{name}: a pooling finds too small a map in {', '.join(layers)}")
    kinds = [layer.partition("(")[0] for layer in layers if not layer.startswith("D")]
    ends = [i for i, kind in enumerate(kinds) if kind in ("FC", "GAP")]
    if ends and any(kind in ("C", "P", "NIN") for kind in kinds[ends[0] :]):
        raise SpaceError(f"{name}: a convolution or pooling stands behind FC or GAP in {', '.join(layers)}")
    if "GAP" in kinds[:-1]:
        raise SpaceError(f"{name}: GAP must be the last layer but SM in {', '.join(layers)}")


def _side(layers: Sequence[str]) -> int:
    """The side of the map behind these layers; 0 where a pooling finds too small a map."""
    side = SIDE
    for layer in layers:
        kind, numbers = _read(layer)
        side = _pooled(side, *numbers) if kind == "P" else side
    return side


def _pooled(side: int, kernel: int, stride: int) -> int:
    """As MaxPool2d rounds up: no window begins behind the map."""
    count = max((side - kernel + stride - 1) // stride + 1, 0)
    return count - 1 if count and (count - 1) * stride >= side else count


def _read(layer: str) -> tuple[str, list[int]]:
    match = _TAKEN.fullmatch(layer)
    assert match is not None  # layers are values of the variables
    return match[1], list(map(int, match[2].split(",")))


def _modules(layers: Sequence[str]) -> Iterator[nn.Module]:
    channels, is_map = 3, True
    for i, layer in enumerate(layers):
        kind, numbers = _read(layer)
        if kind == "FC" and is_map:
            yield nn.Flatten()
            channels, is_map = channels * _side(layers[:i]) ** 2, False
        yield from _layer(kind, channels, numbers)
        channels = channels if kind in ("P", "D") else numbers[0]
        is_map = is_map and kind != "GAP"
    yield nn.Flatten()
    yield nn.Linear(channels * (_side(layers) ** 2 if is_map else 1), CLASSES)


def _layer(kind: str, inputs: int, numbers: Sequence[int]) -> list[nn.Module]:
    first = numbers[0]
    if kind == "D":
        return [nn.Dropout(first / (2 * numbers[1]))]
    if kind == "P":
        return [nn.MaxPool2d(first, numbers[1], ceil_mode=True)]
    if kind == "FC":
        return [nn.Linear(inputs, first), nn.ReLU()]
    if kind == "NIN":
        return [nn.Conv2d(inputs, first, 1), nn.ReLU(), nn.Conv2d(first, first, 1), nn.ReLU()]
    if kind == "GAP":
        return [nn.Conv2d(inputs, first, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    _, kernel, stride = numbers
    return [nn.Conv2d(inputs, first, kernel, stride, kernel // 2), nn.ReLU()]
