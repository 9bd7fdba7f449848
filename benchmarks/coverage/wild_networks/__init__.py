"""Networks of packages from PyPI, by kind: which they are, and a variant of each. Nothing is downloaded.

A kind is a file here; its table `NETWORKS` has a recipe for each network. Needs the extra `bench`.
"""

from __future__ import annotations

import os
from importlib import import_module

from torch import nn

from benchmarks.coverage.wild_networks.recipe import Recipe

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a configuration that wants weights fails instead

KINDS = (
    "segmentation",
    "detection",
    "medical",
    "images",
    "vision_transformers",
    "language",
    "transformers_images",
    "audio",
    "graphs",
    "tables",
    "series",
    "spiking",
    "operators",
    "generative",
)


def recipes(kind: str) -> dict[str, Recipe]:
    """The recipes of one kind by name, such as `segmentation/unet`."""
    table: dict[str, Recipe] = import_module(f"{__name__}.{kind}").NETWORKS
    return {f"{kind}/{name}": recipe for name, recipe in table.items()}


def recipe(name: str) -> Recipe:
    """The recipe of a network."""
    return recipes(name.partition("/")[0])[name]


def network(name: str, changed: bool = False) -> nn.Module:
    """Build a network, or with `changed` the variant of it."""
    return recipe(name).build(changed)
