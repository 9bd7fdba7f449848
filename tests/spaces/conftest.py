from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def shapes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes time and changes no shape: initial weights and BatchNorm."""

    def nothing(module: nn.Module) -> None:
        return None

    def same(module: nn.Module, x: Tensor) -> Tensor:
        return x

    for kind in (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d):
        monkeypatch.setattr(kind, "reset_parameters", nothing)
    monkeypatch.setattr(nn.BatchNorm2d, "forward", same)
