"""CoAtNet: convolutions while the map is large, attention with relative positions once it is small.

Z. Dai et al., *CoAtNet: Marrying Convolution and Attention for All Data Sizes*, 2021 (arXiv:2106.04803).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 64, 64)


class MBConv(nn.Module):
    """Pre-activated inverted residual: expand, filter each channel, project."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        hidden = 4 * outputs
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.GELU(),
            nn.Conv2d(hidden, hidden, 3, stride, padding=1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.GELU(),
            nn.Conv2d(hidden, outputs, 1),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            pool = nn.MaxPool2d(stride, ceil_mode=True)
            self.shortcut = nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def relative_positions(size: int) -> Tensor:
    """For each pair of cells of a size×size map, the row of the bias table: shape `(size², size²)`."""
    steps = torch.arange(size)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    down = rows.flatten()[:, None] - rows.flatten()[None, :] + size - 1
    right = columns.flatten()[:, None] - columns.flatten()[None, :] + size - 1
    return down * (2 * size - 1) + right


class RelativeAttention(nn.Module):
    """Self-attention whose logits get a learned bias for each offset between two cells."""

    index: Tensor

    def __init__(self, channels: int, heads: int, size: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, (channels // heads) ** -0.5
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.project = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros((2 * size - 1) ** 2, heads))
        self.register_buffer("index", relative_positions(size))

    def split_heads(self, x: Tensor) -> Tensor:
        batch, tokens, channels = x.shape
        return x.view(batch, tokens, self.heads, channels // self.heads).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (self.split_heads(f(x)) for f in (self.query, self.key, self.value))
        logits = self.scale * query @ key.transpose(-2, -1) + self.bias[self.index].permute(2, 0, 1)
        x = (logits.softmax(dim=-1) @ value).transpose(1, 2).flatten(2)
        x = self.project(x)
        return x


class TransformerBlock(nn.Module):
    """Relative attention and an MLP over the cells of a `(B, C, H, W)` map."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = RelativeAttention(channels, heads=4, size=size)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        tokens: Tensor = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(self.norm1(tokens))
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens.transpose(1, 2).reshape(x.shape)


def build() -> nn.Module:
    size = INPUT_SHAPE[1] // 16
    return nn.Sequential(
        nn.Conv2d(INPUT_SHAPE[0], 24, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(24),
        nn.GELU(),
        MBConv(24, 32, stride=2),
        MBConv(32, 32, stride=1),
        MBConv(32, 64, stride=2),
        MBConv(64, 64, stride=1),
        nn.Conv2d(64, 128, 2, stride=2),
        *(TransformerBlock(128, size) for _ in range(4)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.LayerNorm(128),
        nn.Linear(128, 10),
    )
