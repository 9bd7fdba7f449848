"""Accel-NASBench: MnasNet-like networks of seven stages for ImageNet (Ahmad et al., DATE 2024).

Skeleton: conv3×3 of stride 2 to 32 channels, seven stages of inverted residuals (torchvision's MBConv of
EfficientNet: SiLU, squeeze-excitation to a quarter of the block's input width), conv1×1 to 1280, global
average, dropout, linear. Per stage: expansion 1, 4 or 6, kernel 3 or 5, one to three layers (stage 5 up to
four) and whether it has squeeze-excitation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files import entries
from fxscore.spaces.files.csv_rows import CsvRow, column, columns, read_rows
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.json_file import read_json
from fxscore.spaces.layers import Classifier, Residual, SqueezeExcitation, conv_bn
from fxscore.spaces.table import BenchmarkTable

STAGES = 7
WIDTHS = (16, 24, 40, 80, 112, 192, 320)
STRIDES = (1, 2, 2, 2, 1, 2, 1)

_CHOICES: dict[str, tuple[tuple[int, ...], bool]] = {
    "expansion": ((1, 4, 6), True),
    "kernel": ((3, 5), True),
    "layers": ((1, 2, 3), True),
    "squeeze_excite": ((0, 1), False),
}
_LETTERS = dict(zip("ekls", _CHOICES, strict=True))  # of the text form
_COLUMNS = {name: f"{name}_blocks0to6" for name in _CHOICES}
_JSON_KEYS = dict(zip(_CHOICES, ("e", "k", "l", "se"), strict=True))
_LABELS = {"imagenet_val_top1": "imagenet.valid", "imagenet_val_top5": "imagenet_top5.valid"}


@dataclass(frozen=True)
class Stages:
    """Seven numbers of each kind, stage by stage."""

    expansion: tuple[int, ...]
    kernel: tuple[int, ...]
    layers: tuple[int, ...]
    squeeze_excite: tuple[int, ...]


class AccelNASBench(SearchSpace[Stages]):
    """The networks for ImageNet at 224×224. Text form: `e4411644-k5335353-l3112132-s0000000`."""

    name = "accel_nasbench"
    input_shape = (3, 224, 224)
    variables = tuple(
        Variable(f"{name}_{i}", (1, 2, 3, 4) if (name, i) == ("layers", 5) else values, ordered)
        for name, (values, ordered) in _CHOICES.items()
        for i in range(STAGES)
    )

    def values_of(self, genotype: Stages) -> tuple[Value, ...]:
        """Expansions, kernels, layers and squeeze-excitations, seven each."""
        return (*genotype.expansion, *genotype.kernel, *genotype.layers, *genotype.squeeze_excite)

    def from_values(self, values: tuple[Value, ...]) -> Stages:
        """Read what `values_of` gives."""
        numbers = tuple(map(int, values))
        return Stages(*(numbers[start : start + STAGES] for start in range(0, len(numbers), STAGES)))

    def format(self, genotype: Stages) -> str:
        """Four groups of seven digits, each behind its letter."""
        groups = ((letter, getattr(genotype, name)) for letter, name in _LETTERS.items())
        return "-".join(letter + "".join(map(str, digits)) for letter, digits in groups)

    def parse(self, text: str) -> Stages:
        """Read the text form; `SpaceError` names a digit that does not fit."""
        match = re.fullmatch(r"e(\d{7})-k(\d{7})-l(\d{7})-s(\d{7})", text.strip())
        if match is None:
            raise SpaceError(f"{self.name}: {text!r} must read e4411644-k5335353-l3112132-s0000000")
        return self._checked([int(digit) for digits in match.groups() for digit in digits])

    def _checked(self, numbers: list[int]) -> Stages:
        return self.decode([variable.index(n) for variable, n in zip(self.variables, numbers, strict=True)])

    def build(self, genotype: Stages) -> nn.Module:
        """The benchmark's network, a thousand classes."""
        blocks, inputs = [*conv_bn(3, 32, 3, 2), nn.SiLU()], 32
        for i, outputs in enumerate(WIDTHS):
            for layer in range(genotype.layers[i]):
                stride = 1 if layer else STRIDES[i]
                shape = genotype.expansion[i], genotype.kernel[i], stride
                blocks.append(_block(inputs, outputs, *shape, bool(genotype.squeeze_excite[i])))
                inputs = outputs
        last = [*conv_bn(inputs, 4 * inputs, 1), nn.SiLU()]
        return nn.Sequential(*blocks, *last, Classifier(4 * inputs, 1000, dropout=0.2))

    def read_official(self, path: str | Path) -> BenchmarkTable[Stages]:
        """Read a folder of the official `result_N.json` files, one of them, or a table of them.

        A few networks were drawn and trained more than once; they share a group.
        """
        path = Path(path)
        if path.is_dir():
            return self._from_results(sorted(path.glob("**/result_*.json")), path)
        return self._from_results([path], path) if path.suffix == ".json" else self._from_csv(path)

    def _from_csv(self, path: Path) -> BenchmarkTable[Stages]:
        rows = read_rows(path, (*_COLUMNS.values(), *_LABELS, "macs_millions", "params_millions"))
        genotypes = tuple(self._row(row) for row in rows)
        params, flops = (np.round(column(rows, f"{k}_millions", 0.0) * 1e6) for k in ("params", "macs"))
        group = tuple(map(self.format, genotypes))
        return BenchmarkTable(
            self.name, genotypes, columns(rows, _LABELS, 0.0, 100.0), group, params=params, flops=flops
        )

    def _row(self, row: CsvRow) -> Stages:
        groups = (row.cells[key].replace(" ", "") for key in _COLUMNS.values())
        text = "-".join(letter + digits for letter, digits in zip(_LETTERS, groups, strict=True))
        return row.parse_text(next(iter(_COLUMNS.values())), text, self.parse)

    def _from_results(self, files: list[Path], path: Path) -> BenchmarkTable[Stages]:
        if not files:
            raise SpaceError(f"{path} holds no file result_N.json")
        results = [read_json(file) for file in files]
        genotypes = tuple(self._architecture(result) for result in results)
        labels = {
            "imagenet.valid": entries.column(results, "metrics.val_top1", 0, 100),
            "imagenet_top5.valid": entries.column(results, "metrics.val_top5", 0, 100),
        }
        info = (entries.column(results, f"model_info.{key}", 0) for key in ("params", "macs"))
        params, flops = (np.round(1e6 * millions) for millions in info)
        group = tuple(map(self.format, genotypes))
        return BenchmarkTable(self.name, genotypes, labels, group, params=params, flops=flops)

    def _architecture(self, result: Entry) -> Stages:
        values = [
            _integer(result["architecture"][f"block{i}_{key}"])
            for key in _JSON_KEYS.values()
            for i in range(STAGES)
        ]
        try:
            return self._checked(values)
        except SpaceError as error:
            raise result["architecture"].fail(str(error)) from None


def _integer(entry: Entry) -> int:
    """A number, or the truth values that stand for squeeze-excitation."""
    truth: Mapping[object, int] = {True: 1, False: 0, "True": 1, "False": 0}
    if isinstance(entry.value, bool | str) and entry.value in truth:
        return truth[entry.value]
    return int(entry.number())


def _block(inputs: int, outputs: int, expansion: int, kernel: int, stride: int, squeeze: bool) -> nn.Module:
    hidden = expansion * inputs
    layers = [*conv_bn(inputs, hidden, 1), nn.SiLU()] if expansion != 1 else []
    layers += [*conv_bn(hidden, hidden, kernel, stride, hidden), nn.SiLU()]
    layers += [SqueezeExcitation(hidden, max(1, inputs // 4))] if squeeze else []
    body = nn.Sequential(*layers, *conv_bn(hidden, outputs, 1))
    return Residual(body) if stride == 1 and inputs == outputs else body
