"""Families over patches: ViT, MLP-Mixer, PoolFormer, and convolutions with attention behind them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fxscore.spaces.wild.choices import Choices
from fxscore.spaces.wild.layers import activation, classifier, conv_unit, fitting, halved, stem, vector_norm
from fxscore.spaces.wild.registry import family
from fxscore.spaces.wild.stages import course

_TOKENS = ("width", "depth", "patch", "norm", "activation", "pool", "hidden", "residual", "order", "position")


class TokenNorm(nn.Module):
    """The network's normalisation of tokens (N, L, C): over the channels of a token, or as of maps."""

    def __init__(self, c: Choices, channels: int) -> None:
        super().__init__()
        self.over_channels = c.norm == "layer"
        self.norm = nn.LayerNorm(channels) if self.over_channels else vector_norm(c, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same shape."""
        out: Tensor = self.norm(x) if self.over_channels else self.norm(x.transpose(1, 2)).transpose(1, 2)
        return out


class Step(nn.Module):
    """A function of tokens with its normalisation before or behind it, and a sum around where sums are on."""

    def __init__(self, c: Choices, body: nn.Module, channels: int) -> None:
        super().__init__()
        self.body, self.norm = body, TokenNorm(c, channels)
        self.before, self.residual = c.order == "pre", c.residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same shape."""
        if self.before:
            changed: Tensor = self.body(self.norm(x))
            return x + changed if self.residual else changed
        changed = self.body(x)
        out: Tensor = self.norm(x + changed if self.residual else changed)
        return out


class Attention(nn.Module):
    """Self-attention of several heads over tokens."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = fitting(heads, channels)
        self.project = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same shape."""
        joint: Tensor = self.project(x)
        split = joint.reshape(*joint.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(split[0], split[1], split[2])
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class MixTokens(nn.Module):
    """An MLP over the positions, the same for every channel."""

    def __init__(self, c: Choices, tokens: int) -> None:
        super().__init__()
        self.mlp = mlp(c, tokens, max(1, tokens * c.ratio // 2))

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same shape."""
        out: Tensor = self.mlp(x.transpose(1, 2)).transpose(1, 2)
        return out


class PoolTokens(nn.Module):
    """The mean of the neighbours less the token itself (PoolFormer, Yu 2021)."""

    def __init__(self, side: int, kernel: int) -> None:
        super().__init__()
        self.side = side
        self.pool = nn.AvgPool2d(kernel, 1, kernel // 2, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same shape."""
        maps = x.transpose(1, 2).reshape(len(x), -1, self.side, self.side)
        out: Tensor = self.pool(maps) - maps
        return out.flatten(2).transpose(1, 2)


class Position(nn.Module):
    """Adds what tells positions apart: learned, or sines of the position; or nothing."""

    waves: Tensor

    def __init__(self, kind: str, tokens: int, channels: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "learned":
            self.embedding = nn.Parameter(0.02 * torch.randn(1, tokens, channels))
        elif kind == "sine":
            self.register_buffer("waves", sines(tokens, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same shape."""
        if self.kind == "none":
            return x
        return x + (self.embedding if self.kind == "learned" else self.waves)


def sines(tokens: int, channels: int) -> Tensor:
    """(1, tokens, channels): sines and cosines of falling frequencies (Vaswani 2017)."""
    angles = torch.arange(tokens)[:, None] / 10_000 ** (torch.arange(channels) // 2 * 2 / channels)
    return torch.where(torch.arange(channels) % 2 == 0, angles.sin(), angles.cos())[None]


class TokenPool(nn.Module):
    """From tokens (N, L, C) to (N, features)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to (N, C), or (N, L·C) where all are kept."""
        if self.kind == "flatten":
            return x.flatten(1)
        return x.mean(1) if self.kind == "avg" else x.amax(1)


class ToTokens(nn.Module):
    """A map as tokens."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, H·W, C)."""
        return x.flatten(2).transpose(1, 2)


def mlp(c: Choices, channels: int, inner: int) -> nn.Sequential:
    """Linear, activation, linear, over the last axis."""
    return nn.Sequential(nn.Linear(channels, inner), activation(c), nn.Linear(inner, channels))


def attention_block(c: Choices, width: int) -> list[nn.Module]:
    """Attention, then an MLP over the channels."""
    inner = mlp(c, width, c.ratio * width)
    return [Step(c, Attention(width, c.groups), width), Step(c, inner, width)]


def token_network(c: Choices, mixers: list[list[nn.Module]]) -> nn.Module:
    """Patches, positions, blocks, the last normalisation, a classifier."""
    tokens = (c.side // c.patch) ** 2
    cut = [nn.Conv2d(1, c.width, c.patch, c.patch), ToTokens(), Position(c.position, tokens, c.width)]
    blocks = [step for block in mixers for step in block]
    return nn.Sequential(*cut, *blocks, *token_head(c, c.width, tokens))


def token_head(c: Choices, width: int, tokens: int) -> list[nn.Module]:
    """From tokens to classes."""
    features = tokens * width if c.pool == "flatten" else width
    return [TokenNorm(c, width), TokenPool(c.pool), *classifier(c, features)]


@family("vit", *_TOKENS, "ratio", "groups")
def vit(c: Choices) -> nn.Module:
    """Attention and MLP in turn (Dosovitskiy 2020); `groups`: heads."""
    return token_network(c, [attention_block(c, c.width) for _ in range(c.depth)])


@family("mixer", *_TOKENS, "ratio")
def mixer(c: Choices) -> nn.Module:
    """MLPs over positions and over channels in turn (Tolstikhin 2021)."""
    tokens, w = (c.side // c.patch) ** 2, c.width
    return token_network(
        c,
        [[Step(c, MixTokens(c, tokens), w), Step(c, mlp(c, w, c.ratio * w), w)] for _ in range(c.depth)],
    )


@family("poolformer", *_TOKENS, "ratio", "kernel")
def poolformer(c: Choices) -> nn.Module:
    """Pooling over neighbours and MLP in turn (Yu 2021)."""
    side, w = c.side // c.patch, c.width
    return token_network(
        c,
        [
            [Step(c, PoolTokens(side, c.kernel), w), Step(c, mlp(c, w, c.ratio * w), w)]
            for _ in range(c.depth)
        ],
    )


@family(
    "hybrid",
    *(
        "width",
        "growth",
        "depth",
        "kernel",
        "stem",
        "strides",
        "down",
        "norm",
        "activation",
        "pool",
        "hidden",
    ),
    *("residual", "order", "position", "ratio", "groups"),
)
def hybrid(c: Choices) -> nn.Module:
    """Convolutions first, attention behind them on a map of at most 7×7 (in the spirit of CoAtNet, Dai 2021)."""
    layers, side = stem(c, c.width)
    blocks, width, side = course(c, _conv_block, c.width, side)
    while side > 7:
        blocks.append(nn.AvgPool2d(2, ceil_mode=True))
        side = halved(side, 2)
    tokens = [ToTokens(), Position(c.position, side * side, width)]
    for _ in range(math.ceil(c.depth / 2)):
        tokens += attention_block(c, width)
    return nn.Sequential(*layers, *blocks, *tokens, *token_head(c, width, side * side))


def _conv_block(c: Choices, inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(*conv_unit(c, inputs, outputs, c.kernel, stride))
