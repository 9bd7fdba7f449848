"""Parts of multi-resolution networks: fusions of neighbouring branches, blocks on every branch, heads.

A list of feature maps runs through such a network, the largest first, each half as large as the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fxscore.spaces.layers import Classifier, Residual, conv_bn, conv_bn_relu


def fused_stage(
    before: Sequence[int], widths: Sequence[int], blocks: Sequence[int], modules: int
) -> list[nn.Module]:
    """`modules` times a fusion and the blocks of every branch.

    Args:
        before: the widths of the branches that come in.
        widths: the widths of the branches of this stage.
        blocks: how many blocks each branch has in a module.
        modules: how often all this is repeated.
    """
    inputs = [before, *[widths] * (modules - 1)]
    return [part for widths_in in inputs for part in (Fusion(widths_in, widths), Blocks(widths, blocks))]


class Fusion(nn.Module):
    """Each branch becomes ReLU(Σ f(branch)) over itself and its neighbours; a new one comes from the last."""

    def __init__(self, before: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        kept = min(len(before), len(widths))
        self.neighbours = [[j for j in (i - 1, i, i + 1) if 0 <= j < len(before)] for i in range(kept)]
        self.paths = nn.ModuleList(
            nn.ModuleList(_path(before[j], widths[i], j - i) for j in near)
            for i, near in enumerate(self.neighbours)
        )
        self.new = nn.ModuleList(
            nn.Sequential(*conv_bn_relu(widths[i - 1], widths[i], 3, 2)) for i in range(kept, len(widths))
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """The feature maps of the branches before to those of the branches of this stage."""
        fused = []
        for near, paths in zip(self.neighbours, self.paths, strict=True):
            parts = [path(maps[j]) for j, path in zip(near, paths, strict=True)]  # type: ignore[call-overload]
            fused.append(F.relu(sum(parts[1:], parts[0])))
        for branch in self.new:
            fused.append(branch(fused[-1]))
        return fused


def _path(inputs: int, outputs: int, finer: int) -> nn.Sequential:
    """From the branch itself (0), from the finer one before it (-1) or from the coarser one behind it (1)."""
    if finer > 0:
        return nn.Sequential(*conv_bn_relu(inputs, outputs, 1), nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*conv_bn_relu(inputs, outputs, 3, 1 if finer == 0 else 2))


class Blocks(nn.Module):
    """Basic residual blocks on every branch."""

    def __init__(self, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        pairs = zip(widths, blocks, strict=True)
        self.branches = nn.ModuleList(
            nn.Sequential(*(_basic_block(width) for _ in range(count))) for width, count in pairs
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """The feature maps, in the same shapes."""
        return [branch(x) for branch, x in zip(self.branches, maps, strict=True)]


def _basic_block(width: int) -> nn.Sequential:
    body = nn.Sequential(*conv_bn_relu(width, width, 3), *conv_bn(width, width, 3))
    return nn.Sequential(Residual(body), nn.ReLU())


class Branches(nn.Module):
    """Modules that take and give lists of feature maps, from one map on."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, C, H, W) to the maps of all branches."""
        maps = [x]
        for stage in self.stages:
            maps = stage(maps)
        return maps


class Join(nn.Module):
    """Resize all branches alike, concatenate, conv1×1-BN-ReLU, and one logit per class.

    Args:
        widths: of the branches.
        last: channels behind the concatenation.
        classes: the number of logits.
        segment: logits of every place at the largest branch's resolution instead of one of the image.
    """

    def __init__(self, widths: Sequence[int], last: int, classes: int, segment: bool) -> None:
        super().__init__()
        self.segment = segment
        self.merge = nn.Sequential(*conv_bn_relu(sum(widths), last, 1))
        self.head: nn.Module = nn.Conv2d(last, classes, 1) if segment else Classifier(last, classes)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """The maps of all branches to (N, classes), or to (N, classes, H, W) of the largest."""
        size = maps[0 if self.segment else -1].shape[-2:]
        alike = [F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in maps]
        logits: Tensor = self.head(self.merge(torch.cat(alike, 1)))
        return logits
