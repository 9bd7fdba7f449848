"""The heads that TransNAS-Bench-101 puts on its backbones, one kind per group of tasks.

Scene, object and room layout end in global average and linear; jigsaw runs the backbone on nine tiles and
classifies their joined averages; segmentation, surface normals and autoencoding decode 8×8 features to
256×256 maps (Duan et al., CVPR 2021, section 3.1, and its configuration files).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fxscore.spaces.layers import Classifier

TASKS = (
    "class_scene",
    "class_object",
    "room_layout",
    "jigsaw",
    "segmentsemantic",
    "normal",
    "autoencoder",
)
TILES = 9

_CLASSES = {"class_scene": 47, "class_object": 75, "room_layout": 9}
_METRICS = {
    "room_layout": "neg_loss",
    "segmentsemantic": "acc",
    "normal": "ssim",
    "autoencoder": "ssim",
}
# (width, upsampling) of each decoder layer; kernel 3, BatchNorm, LeakyReLU 0.2.
_SEGMENTATION = [(1024, 0), (512, 0), (256, 1), (128, 1), (64, 1), (32, 1), (32, 1)]
_GENERATIVE = [
    *[(1024, 0), (1024, 0), (512, 0), (512, 0), (256, 1), (128, 0), (64, 1)],
    *[(64, 0), (32, 1), (32, 0), (16, 1), (32, 0), (16, 1)],
]


def metric(task: str) -> str:
    """The benchmark's name of the metric by which it compares networks on a task; more is better."""
    return _METRICS.get(task, "top1")


def head(task: str, channels: int) -> nn.Module:
    """The head of a task over `channels` backbone channels."""
    if task in _CLASSES:
        return Classifier(channels, _CLASSES[task])
    if task == "jigsaw":
        return Classifier(channels * TILES, 1000)
    if task == "segmentsemantic":
        return _decoder(channels, _SEGMENTATION, [nn.Conv2d(32, 17, 3, 1, 1)])
    return _decoder(channels, _GENERATIVE, [nn.Conv2d(16, 3, 3, 1, 1), nn.Tanh()])


def with_head(backbone: nn.Module, task_head: nn.Module, task: str) -> nn.Module:
    """The whole network of a task."""
    return Siamese(backbone, task_head) if task == "jigsaw" else nn.Sequential(backbone, task_head)


def _decoder(channels: int, layers: list[tuple[int, int]], last: list[nn.Module]) -> nn.Module:
    modules: list[nn.Module] = []
    for width, upsampling in layers:
        modules += [_layer(channels, width, bool(upsampling)), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
        channels = width
    return nn.Sequential(*modules, *last)


def _layer(inputs: int, outputs: int, upsampling: bool) -> nn.Module:
    if upsampling:
        return nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1)
    return nn.Conv2d(inputs, outputs, 3, 1, 1)


class Siamese(nn.Module):
    """One backbone on nine tiles, which stand one after another on the channel axis."""

    def __init__(self, backbone: nn.Module, task_head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = task_head

    def forward(self, x: Tensor) -> Tensor:
        """(N, 9 · 3, H, W) to (N, 1000)."""
        tiles = torch.chunk(x, TILES, 1)
        joined = torch.cat([self.backbone(tile) for tile in tiles], 1)
        logits: Tensor = self.head(joined)
        return logits
