"""Residual families: basic, bottleneck, pre-activation, wide, gated, with cardinality, re-parametrisable."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from fxscore.spaces.wild.choices import Choices
from fxscore.spaces.wild.layers import activation, around, conv, conv_norm, conv_unit, gate, norm
from fxscore.spaces.wild.registry import COURSE, family
from fxscore.spaces.wild.stages import network


@family("resnet", *COURSE, "kernel", "residual")
def resnet(c: Choices) -> nn.Module:
    """Two convolutions a block, activation after the sum (He 2015)."""
    return network(c, _basic)


@family("se_resnet", *COURSE, "kernel", "residual")
def se_resnet(c: Choices) -> nn.Module:
    """Basic blocks with squeeze-and-excitation (Hu 2017)."""
    return network(replace(c, gate="se"), _basic)


@family("eca_resnet", *COURSE, "kernel", "residual")
def eca_resnet(c: Choices) -> nn.Module:
    """Basic blocks with efficient channel attention (Wang 2020)."""
    return network(replace(c, gate="eca"), _basic)


def _basic(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    first = conv_unit(c, inputs, outputs, c.kernel, stride)
    body = nn.Sequential(*first, *conv_norm(c, outputs, outputs, c.kernel), *gate(c, outputs))
    return nn.Sequential(around(c, body, inputs, outputs, stride), activation(c))


@family("bottleneck", *COURSE, "kernel", "residual", "ratio", "gate")
def bottleneck(c: Choices) -> nn.Module:
    """1×1 to fewer channels, k×k, 1×1 back (He 2015)."""
    return network(c, _bottleneck)


@family("resnext", *COURSE, "kernel", "residual", "ratio", "groups", "gate")
def resnext(c: Choices) -> nn.Module:
    """Bottlenecks whose k×k convolution is grouped (Xie 2016)."""
    return network(c, _bottleneck)


def _bottleneck(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    inner = max(c.groups, outputs // c.ratio // c.groups * c.groups)
    body = nn.Sequential(
        *conv_unit(c, inputs, inner, 1),
        *conv_unit(c, inner, inner, c.kernel, stride, c.groups),
        *conv_norm(c, inner, outputs, 1),
        *gate(c, outputs),
    )
    return nn.Sequential(around(c, body, inputs, outputs, stride), activation(c))


@family("preact_resnet", *COURSE, "kernel", "residual", "gate")
def preact_resnet(c: Choices) -> nn.Module:
    """Normalisation and activation before each convolution (He 2016)."""
    return network(c, _preact)


@family("wide_resnet", *COURSE, "kernel", "residual", "ratio")
def wide_resnet(c: Choices) -> nn.Module:
    """Pre-activation blocks, `ratio` times as wide as the stem (Zagoruyko 2016)."""
    return network(c, _wide)


def _preact(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    first = [norm(c, inputs), activation(c), conv(c, inputs, outputs, c.kernel, stride)]
    second = [norm(c, outputs), activation(c), conv(c, outputs, outputs, c.kernel)]
    return around(c, nn.Sequential(*first, *second, *gate(c, outputs)), inputs, outputs, stride)


def _wide(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    inner = c.ratio * outputs
    first = [norm(c, inputs), activation(c), conv(c, inputs, inner, c.kernel, stride)]
    second = [norm(c, inner), activation(c), conv(c, inner, outputs, c.kernel)]
    return around(c, nn.Sequential(*first, *second), inputs, outputs, stride)


class Branches(nn.Module):
    """k×k, 1×1 and, where shapes allow, the input, each normalised, summed (RepVGG, Ding 2021)."""

    def __init__(self, c: Choices, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.wide = nn.Sequential(*conv_norm(c, inputs, outputs, c.kernel, stride))
        self.point = nn.Sequential(*conv_norm(c, inputs, outputs, 1, stride))
        kept = c.residual and inputs == outputs and stride == 1
        self.same = norm(c, inputs) if kept else None
        self.activation = activation(c)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H', W')."""
        total: Tensor = self.wide(x) + self.point(x)
        return torch.as_tensor(self.activation(total if self.same is None else total + self.same(x)))


@family("repvgg", *COURSE, "kernel", "residual")
def repvgg(c: Choices) -> nn.Module:
    """Branches as RepVGG is trained."""
    return network(c, Branches)
