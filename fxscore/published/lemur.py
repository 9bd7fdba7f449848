"""Networks of LEMUR (package nn-dataset, Goodarzi et al. 2025, MIT), which generators wrote for CIFAR-10."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from fxscore.errors import ModelRefError

INPUT_SHAPE = (3, 32, 32)


def network(architecture: str, classes: int = 10, dropout: float = 0.2) -> nn.Module:
    """The class `Net` of the package's file `ab/nn/nn/ARCHITECTURE.py`, with the hyperparameters of the recipe.

    Raises:
        ModelRefError: the package is not installed, or has no such network.
    """
    settings = {"lr": 0.01, "batch": 16, "momentum": 0.9, "dropout": dropout}
    made: nn.Module = _module(architecture).Net(INPUT_SHAPE, (classes,), settings, torch.device("cpu"))
    return made


def _module(architecture: str) -> ModuleType:
    """The file alone: importing the package `ab.nn` would load its trainers and databases (seen in 2.1.2)."""
    package = importlib.util.find_spec("ab")
    places = list(package.submodule_search_locations or []) if package else []
    if not places:
        raise ModelRefError('LEMUR\'s networks need nn-dataset; pip install --no-deps "nn-dataset==2.1.2"')
    file = Path(places[0], "nn", "nn", f"{architecture}.py")
    spec = importlib.util.spec_from_file_location("fxscore_lemur_network", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise ModelRefError(f"nn-dataset has no network {architecture!r}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
