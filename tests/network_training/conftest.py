from __future__ import annotations

from pathlib import Path

import pytest

NETWORK = """
from torch import nn

INPUT_SHAPE = (1, 8, 8)


def build(width: int = 6, num_classes: int = 10) -> nn.Module:
    layers = [nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, num_classes))
"""


@pytest.fixture
def network_file(tmp_path: Path) -> Path:
    """A file with a small network for digits, whose dropout draws random numbers."""
    path = tmp_path / "net.py"
    path.write_text(NETWORK)
    return path
