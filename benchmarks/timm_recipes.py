"""All weights of timm's accuracy table, each with how it was trained as its tag tells: lessons for the general scorer.

The same architecture trained in two ways shows what the recipe is worth. A scorer that learns from both, with the
recipe as further columns, need not explain the recipe by the graph; it scores with all of them 0, which stands for
training on ImageNet-1k alone. The rules are rough: they read the tag's letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.features import network_key, read_known
from fxscore.evaluate import table_path
from fxscore.evaluate.accuracy_tables import read_truth
from fxscore.scorer.features import feature_names
from fxscore.scorer.hybrid_head import RECIPE
from fxscore.scorer.hybrid_learners import targets_of
from fxscore.spaces.files.csv_rows import read_rows
from fxscore.types import ModelRef

Floats = NDArray[np.float64]
_COLUMNS = ("architecture", "family", "pretrained_tag", "imagenet_top1", "tag_looks_in1k_from_scratch")
_RULES = {
    "in21k": ("in21k", "in22k"),
    "in12k": ("in12k",),
    "captions": ("clip", "laion", "openai", "datacomp", "webli", "dfn", "merged"),
    "unlabelled": ("mim", "mae", "dino", "beit"),
    "distilled": ("dist", "kd"),
    "semi": ("ssl", "swsl", "yfcc", "ig1b", "ns_", "jft", "m38m", "m30m"),
}
RECIPES = tuple(RECIPE + name for name in (*_RULES, "torchvision", "more_data"))
NAMES = (*feature_names(), *RECIPES)


@dataclass(frozen=True, eq=False)
class Lessons:
    """Trained weights.

    Attributes:
        values: (n, `NAMES`).
        targets: (n,), standardised by those trained on ImageNet-1k alone.
        families: (n,) modules of timm.
    """

    values: Floats
    targets: Floats
    families: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.targets)

    def subset(self, rows: NDArray[Any]) -> Lessons:
        """The weights at `rows`."""
        return replace(
            self, values=self.values[rows], targets=self.targets[rows], families=self.families[rows]
        )

    def without(self, families: Iterable[str]) -> Lessons:
        """The weights of all other families."""
        return self.subset(~np.isin(self.families, list(families)))


def read_lessons(data: Path, folder: Path) -> Lessons:
    """The weights of the table whose architecture has features in `folder`."""
    known = read_known(folder / "timm.npz")
    if not known:
        raise SystemExit(f"{folder / 'timm.npz'} has no features; run python -m benchmarks.coverage")
    found = []
    for row in read_rows(table_path("timm", data), _COLUMNS):
        key = network_key(ModelRef("timm", row.cells["architecture"]))
        if key in known:
            alone = row.parse(_COLUMNS[-1], read_truth)
            recipe = recipe_of(row.cells["pretrained_tag"], alone)
            found.append((known[key][1], recipe, row.number("imagenet_top1", 0, 100), row.cells["family"]))
    features, recipes, accuracies, families = zip(*found, strict=True)
    values = np.concatenate([np.stack(features), np.array(recipes)], 1)
    targets, alone = targets_of(np.array(accuracies)), values[:, -1] == 0
    targets = (targets - targets[alone].mean()) / targets[alone].std()
    return Lessons(values, targets, np.array(families))


def recipe_of(tag: str, alone: bool) -> list[float]:
    """The columns `RECIPES` of weights with this tag; `alone`: trained on ImageNet-1k alone."""
    found = [any(part in tag for part in parts) for parts in _RULES.values()]
    return [float(each) for each in (*found, tag.startswith("tv_"), not alone)]
