"""Vision transformer: an image is a sentence of patches.

A. Dosovitskiy et al., *An Image is Worth 16x16 Words*, 2020 (arXiv:2010.11929).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INPUT_SHAPE = (3, 32, 32)
PATCH = 4
TOKENS = (INPUT_SHAPE[1] // PATCH) * (INPUT_SHAPE[2] // PATCH)


class Attention(nn.Module):
    """Every token asks every other one (multi-head self-attention)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, channels = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, heads, tokens, channels / heads)
        x = F.scaled_dot_product_attention(query, key, value)
        x = self.project(x.transpose(1, 2).reshape(batch, tokens, channels))
        return x


class EncoderLayer(nn.Module):
    """Attention, then an MLP; both normalised before, and added."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return x


class VisionTransformer(nn.Module):
    """Patches and a class token, placed by a learned embedding; the class token is classified."""

    def __init__(self, channels: int = 128, depth: int = 6, heads: int = 4, classes: int = 10) -> None:
        super().__init__()
        self.patches = nn.Conv2d(INPUT_SHAPE[0], channels, PATCH, stride=PATCH)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, channels))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + TOKENS, channels))
        self.layers = nn.Sequential(*(EncoderLayer(channels, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)  # (B, tokens, channels)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        x = self.norm(self.layers(x))
        x = self.head(x[:, 0])
        return x


def build() -> nn.Module:
    return VisionTransformer()
