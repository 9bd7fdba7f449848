"""NAS-Bench-Macro: eight choices of identity or inverted residual in a chain (Su et al., CVPR 2021).

Skeleton: conv3×3-BN-ReLU to 32; stages of 2, 3 and 3 blocks at 64, 128 and 256 channels, the first block of
each of stride 2; conv1×1-BN-ReLU to 1280, global average, linear. A block is 0 identity (conv1×1-BN where the
shape changes), 1 an inverted residual of kernel 3 and expansion 3, or 2 one of kernel 5 and expansion 6, with
a shortcut where the shape is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files import entries
from fxscore.spaces.files.csv_rows import column, columns, read_rows, refuse_repeats
from fxscore.spaces.files.json_file import read_json
from fxscore.spaces.layers import Classifier, Residual, conv_bn, conv_bn_relu
from fxscore.spaces.table import BenchmarkTable

STAGES = (2, 3, 3)
BLOCKS = ("identity", "mb3_k3", "mb6_k5")

_LABELS = {"cifar10_test_mean": "cifar10.test"}


@dataclass(frozen=True)
class Chain:
    """The kinds of the eight blocks, by name."""

    blocks: tuple[str, ...]


class NASBenchMacro(SearchSpace[Chain]):
    """The 6,561 chains, for CIFAR-10; the text form is eight digits."""

    name = "nasbench_macro"
    input_shape = (3, 32, 32)
    variables = tuple(Variable(f"block_{i}", BLOCKS) for i in range(sum(STAGES)))

    def values_of(self, genotype: Chain) -> tuple[Value, ...]:
        """The eight names."""
        return genotype.blocks

    def from_values(self, values: tuple[Value, ...]) -> Chain:
        """A chain of eight names."""
        return Chain(tuple(map(str, values)))

    def format(self, genotype: Chain) -> str:
        """Eight digits, the benchmark's key."""
        return "".join(map(str, self.encode(genotype)))

    def parse(self, text: str) -> Chain:
        """Read eight digits 0, 1, 2; leading zeros count."""
        text = text.strip()
        if len(text) != sum(STAGES) or set(text) - set("012"):
            raise SpaceError(f"{self.name}: {text!r} is not eight digits of 0 identity, 1 mb3_k3, 2 mb6_k5")
        return self.decode(list(map(int, text)))

    def build(self, genotype: Chain) -> nn.Module:
        """The benchmark's network, ten classes."""
        layers, channels, kinds = conv_bn_relu(3, 32, 3), 32, iter(genotype.blocks)
        for stage in STAGES:
            layers += [_block(next(kinds), channels, 2 * channels, 2)]
            channels *= 2
            layers += [_block(next(kinds), channels, channels, 1) for _ in range(stage - 1)]
        return nn.Sequential(*layers, *conv_bn_relu(channels, 1280, 1), Classifier(1280, 10))

    def read_official(self, path: str | Path) -> BenchmarkTable[Chain]:
        """Read `nas-bench-macro_cifar10.json`, or a table with columns `arch`, `params`, `flops`."""
        return self._read_json(path) if ".json" in Path(path).suffixes else self._read_csv(path)

    def _read_csv(self, path: str | Path) -> BenchmarkTable[Chain]:
        rows = read_rows(path, ("arch", "cifar10_test_mean", "params", "flops"))
        genotypes = tuple(row.parse("arch", self.parse) for row in rows)
        refuse_repeats(rows, "arch", genotypes)
        labels = columns(rows, _LABELS, 0.0, 100.0)
        params, flops = (column(rows, key, 0.0) for key in ("params", "flops"))
        return BenchmarkTable(self.name, genotypes, labels, params=params, flops=flops)

    def _read_json(self, path: str | Path) -> BenchmarkTable[Chain]:
        networks = read_json(path).items()
        genotypes = tuple(entry.parse(name, self.parse) for name, entry in networks)
        values = [entry for _, entry in networks]
        labels = {"cifar10.test": entries.column(values, "mean_acc", 0, 100)}
        params, flops = (entries.column(values, key, 0) for key in ("params", "flops"))
        return BenchmarkTable(self.name, genotypes, labels, params=params, flops=flops)


def _block(kind: str, inputs: int, outputs: int, stride: int) -> nn.Module:
    same = stride == 1 and inputs == outputs
    if kind == "identity":
        return nn.Identity() if same else nn.Sequential(*conv_bn(inputs, outputs, 1, stride))
    kernel, hidden = (3, 3 * inputs) if kind == "mb3_k3" else (5, 6 * inputs)
    widen, depthwise = conv_bn_relu(inputs, hidden, 1), conv_bn_relu(hidden, hidden, kernel, stride, hidden)
    body = nn.Sequential(*widen, *depthwise, *conv_bn(hidden, outputs, 1))
    return Residual(body) if same else body
