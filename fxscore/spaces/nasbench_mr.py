"""NAS-Bench-MR: networks of one to four branches at different resolutions (Ding et al., ICLR 2022).

Two conv3×3-BN-ReLU of stride 2, then four stages of 1 to 4 branches; branch i works at 1 / (4·2^i) of the image. A
stage repeats a module: first neighbouring branches are fused, then every branch has its own basic residual blocks.
The head joins the branches, at the least resolution to classify and at the largest to segment. Text form, as the
benchmark writes it: `c0-c1-[b1-n-w]-[b2-n1-n2-w1-w2]-[b3-…]-[b4-…]-last`, with b modules, n blocks and w channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.csv_rows import column
from fxscore.spaces.files.task_rows import read_tasks
from fxscore.spaces.layers import conv_bn_relu
from fxscore.spaces.multi_resolution import Branches, Join, fused_stage
from fxscore.spaces.table import BenchmarkTable
from fxscore.types import Shape

_STEM_WIDTHS = (8, 16, 24, 32, 48, 64, 128)
_WIDTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128)
_COUNTS = (1, 2, 3, 4)
CLASSES, SEGMENT_CLASSES = 50, 19  # of ImageNet-50, whose heads the published counts have, and of Cityscapes

CLASSIFY: Mapping[str, str] = {
    "ImageNet-50-1000 (50 classes x 1000 images)": "imagenet50_1000.test",
    "ImageNet-50-100": "imagenet50_100.test",
    "ImageNet-10-1000": "imagenet10_1000.test",
    "ImageNet-10-100 (folder cls-10c)": "imagenet10_100.test",
    "HMDB51 video": "hmdb51.test",
    "HMDB51 video, pretrained": "hmdb51_pretrained.test",
}
SEGMENT: Mapping[str, str] = {
    "Cityscapes": "cityscapes.test",
    "Cityscapes 4x down": "cityscapes_quarter.test",
}


@dataclass(frozen=True)
class Stage:
    """`modules` equal modules; the number of blocks and the width of every branch."""

    modules: int
    blocks: tuple[int, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class MultiResolution:
    """The widths of the stem, four stages of one to four branches, and the width of the head."""

    stem: tuple[int, int]
    stages: tuple[Stage, ...]
    last: int


def _variables() -> Iterator[Variable]:
    yield from (Variable(f"stem_{i}", _STEM_WIDTHS, ordered=True) for i in range(2))
    for branches in range(1, 5):
        yield Variable(f"modules_{branches}", _COUNTS, ordered=True)
        yield from (Variable(f"blocks_{branches}_{i}", _COUNTS, ordered=True) for i in range(branches))
        yield from (Variable(f"width_{branches}_{i}", _WIDTHS, ordered=True) for i in range(branches))
    yield Variable("last", _WIDTHS, ordered=True)


class NASBenchMR(SearchSpace[MultiResolution]):
    """The networks that classify (128×128, as the published counts tell) or segment (512×1024)."""

    variables = tuple(_variables())

    def __init__(self, segment: bool = False) -> None:
        self.segment = segment
        self.name = "nasbench_mr_segment" if segment else "nasbench_mr"
        self.input_shape: Shape = (3, 512, 1024) if segment else (3, 128, 128)

    def values_of(self, genotype: MultiResolution) -> tuple[Value, ...]:
        """The numbers of the text form, in its order."""
        stages = ((stage.modules, *stage.blocks, *stage.widths) for stage in genotype.stages)
        return (*genotype.stem, *(number for stage in stages for number in stage), genotype.last)

    def from_values(self, values: tuple[Value, ...]) -> MultiResolution:
        """Read what `values_of` gives."""
        first, second, *numbers, last = map(int, values)
        stages = []
        for branches in range(1, 5):
            modules, *rest = numbers[: 2 * branches + 1]
            numbers = numbers[2 * branches + 1 :]
            stages.append(Stage(modules, tuple(rest[:branches]), tuple(rest[branches:])))
        return MultiResolution((first, second), tuple(stages), last)

    def format(self, genotype: MultiResolution) -> str:
        """The numbers joined by dashes."""
        return "-".join(map(str, self.values_of(genotype)))

    def parse(self, text: str) -> MultiResolution:
        """Read the text form; `SpaceError` says what does not fit."""
        if not re.fullmatch(rf"\d+(-\d+){{{len(self.variables) - 1}}}", text.strip()):
            raise SpaceError(
                f"{self.name}: {text!r} must read {len(self.variables)} numbers joined by dashes"
            )
        numbers = map(int, text.strip().split("-"))
        return self.decode([variable.index(n) for variable, n in zip(self.variables, numbers, strict=True)])

    def build(self, genotype: MultiResolution) -> nn.Module:
        """The benchmark's network: logits (N, 50), or (N, 19, H/4, W/4)."""
        first, second = genotype.stem
        stem = [*conv_bn_relu(3, first, 3, 2), *conv_bn_relu(first, second, 3, 2)]
        modules: list[nn.Module] = []
        widths: tuple[int, ...] = (second,)
        for stage in genotype.stages:
            modules += fused_stage(widths, stage.widths, stage.blocks, stage.modules)
            widths = stage.widths
        classes = SEGMENT_CLASSES if self.segment else CLASSES
        return nn.Sequential(*stem, Branches(modules), Join(widths, genotype.last, classes, self.segment))

    def read_official(self, path: str | Path) -> BenchmarkTable[MultiResolution]:
        """Read a table with a row per network and task: `architecture`, `dataset`, `accuracy`, `params_M`, `flops_G`.

        The published counts are those of the networks that classify.
        """
        rows, labels = read_tasks(path, SEGMENT if self.segment else CLASSIFY, ("params_M", "flops_G"))
        counts = None if self.segment else (column(rows, "params_M", 0), column(rows, "flops_G", 0))
        return BenchmarkTable(
            self.name,
            tuple(row.parse("architecture", self.parse) for row in rows),
            labels,
            params=None if counts is None else 1e6 * counts[0],
            flops=None if counts is None else 1e9 * counts[1],
            caution="" if self.segment else "the videos of HMDB51 are ranked by the network for one image",
        )
