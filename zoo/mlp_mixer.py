"""MLP-Mixer: one MLP mixes the patches, another mixes the channels; neither convolution nor attention.

I. Tolstikhin et al., *MLP-Mixer: An all-MLP Architecture for Vision*, 2021 (arXiv:2105.01601).
"""

from __future__ import annotations

from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)
PATCH = 4
TOKENS = (INPUT_SHAPE[1] // PATCH) * (INPUT_SHAPE[2] // PATCH)


def mlp(features: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, features))


class MixerLayer(nn.Module):
    """Mix along the token axis, then along the channel axis, each with a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.mix_tokens = mlp(TOKENS, 2 * TOKENS)
        self.norm2 = nn.LayerNorm(channels)
        self.mix_channels = mlp(channels, 4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mix_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.mix_channels(self.norm2(x))
        return x


class MLPMixer(nn.Module):
    """Patches, mixer layers, mean over the tokens, classifier."""

    def __init__(self, channels: int = 128, depth: int = 6, classes: int = 10) -> None:
        super().__init__()
        self.patches = nn.Conv2d(INPUT_SHAPE[0], channels, PATCH, stride=PATCH)
        self.layers = nn.Sequential(*(MixerLayer(channels) for _ in range(depth)))
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)  # (B, tokens, channels)
        x = self.norm(self.layers(x))
        x = self.head(x.mean(dim=1))
        return x


def build() -> nn.Module:
    return MLPMixer()
