"""Families of cheap convolutions: MobileNets, ShuffleNet, ConvNeXt."""

from __future__ import annotations

from torch import Tensor, nn

from fxscore.spaces.wild.choices import Choices
from fxscore.spaces.wild.layers import activation, around, conv, conv_norm, conv_unit, fitting, gate, norm
from fxscore.spaces.wild.registry import COURSE, family
from fxscore.spaces.wild.stages import network


@family("mobilenet_v1", *COURSE, "kernel")
def mobilenet_v1(c: Choices) -> nn.Module:
    """k×k in each channel, then 1×1 over the channels (Howard 2017)."""
    return network(c, _separable)


def _separable(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    depthwise = conv_unit(c, inputs, inputs, c.kernel, stride, inputs)
    return nn.Sequential(*depthwise, *conv_unit(c, inputs, outputs, 1))


@family("mobilenet_v2", *COURSE, "kernel", "ratio", "residual")
def mobilenet_v2(c: Choices) -> nn.Module:
    """Inverted residuals (Sandler 2018)."""
    return network(c, _inverted)


@family("mobilenet_v3", *COURSE, "kernel", "ratio", "residual", "gate")
def mobilenet_v3(c: Choices) -> nn.Module:
    """Inverted residuals with a gate inside (Howard 2019)."""
    return network(c, _inverted)


def _inverted(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    inner = c.ratio * inputs
    expand = conv_unit(c, inputs, inner, 1) if c.ratio > 1 else []
    depthwise = conv_unit(c, inner, inner, c.kernel, stride, inner)
    body = nn.Sequential(*expand, *depthwise, *gate(c, inner), *conv_norm(c, inner, outputs, 1))
    return around(c, body, inputs, outputs, stride) if inputs == outputs and stride == 1 else body


class Shuffle(nn.Module):
    """Channels of the groups in turn."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        count, channels, height, width = x.shape
        apart = x.reshape(count, self.groups, channels // self.groups, height, width)
        return apart.transpose(1, 2).reshape(count, channels, height, width)


@family("shufflenet", *COURSE, "kernel", "groups", "residual")
def shufflenet(c: Choices) -> nn.Module:
    """Grouped 1×1 convolutions, channels shuffled between them (Zhang 2017)."""
    return network(c, _shuffle_block)


def _shuffle_block(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    inner = max(c.groups, outputs // 4 // c.groups * c.groups)
    body = nn.Sequential(
        *conv_unit(c, inputs, inner, 1, 1, c.groups),
        Shuffle(fitting(c.groups, inner)),
        *conv_norm(c, inner, inner, c.kernel, stride, inner),
        *conv_norm(c, inner, outputs, 1, 1, c.groups),
    )
    return nn.Sequential(around(c, body, inputs, outputs, stride), activation(c))


@family("convnext", *COURSE, "kernel", "ratio", "residual")
def convnext(c: Choices) -> nn.Module:
    """k×k in each channel, normalisation, an inner MLP over the channels (Liu 2022)."""
    return network(c, _convnext_block)


def _convnext_block(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    inner = c.ratio * outputs
    depthwise = [conv(c, inputs, inputs, c.kernel, stride, inputs), norm(c, inputs)]
    mlp = [nn.Conv2d(inputs, inner, 1), activation(c), nn.Conv2d(inner, outputs, 1)]
    return around(c, nn.Sequential(*depthwise, *mlp), inputs, outputs, stride)
