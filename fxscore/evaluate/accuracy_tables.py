"""Published ImageNet accuracies of timm's and torchvision's networks, read like a benchmark's table.

Training recipes differ, which no score of an architecture can see. So timm's table keeps rows whose pretrained
tag looks like training on ImageNet-1k alone, and of each architecture the best of them; torchvision's keeps the
first weights (`IMAGENET1K_V1`), which were trained by similar, older recipes. A family is the library's module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fxscore.errors import SpaceError
from fxscore.evaluate.population import Population
from fxscore.spaces import BenchmarkTable
from fxscore.spaces.files.csv_rows import CsvRow, column, columns, read_rows

_TIMM_LABELS = {
    "imagenet_top1": "imagenet.top1",
    "imagenet_top5": "imagenet.top5",
    "imagenet_real_top1": "imagenet_real.top1",
    "imagenetv2_top1": "imagenetv2.top1",
}
_ALONE = "tag_looks_in1k_from_scratch"
_TIMM_COLUMNS = (
    "architecture",
    "family",
    "imagenet_top1",
    "params_millions",
    "gmacs",
    _ALONE,
)


def read_timm(path: Path) -> Population:
    """The results of timm: one row per architecture, its best weights trained on ImageNet-1k only.

    Raises:
        SpaceError: the file is wrong, cut short or foreign; names the row or column.
    """
    table, families = timm_table(path)
    return Population.of_table(table, families=families)


def timm_table(path: Path) -> tuple[BenchmarkTable[str], list[str]]:
    """The rows that `read_timm` takes, with published counts, and the family of each."""
    rows = _best_rows(read_rows(path, _TIMM_COLUMNS))
    labels = columns(rows, _TIMM_LABELS, 0, 100)
    table = BenchmarkTable(
        "timm",
        tuple(row.cells["architecture"] for row in rows),
        {name: labels[name] for name in _TIMM_LABELS.values() if name in labels},
        params=1e6 * column(rows, "params_millions", 0),
        flops=1e9 * column(rows, "gmacs", 0),
        caution="training recipes differ from network to network; a rough rule on the pretrained tag keeps those "
        "trained on ImageNet-1k alone",
    )
    return table, [row.cells["family"] for row in rows]


def torchvision_population() -> Population:
    """The accuracies of torchvision's own V1 weights, from its metadata; nothing is downloaded."""
    table, families = torchvision_table()
    return Population.of_table(table, families=families)


def torchvision_table() -> tuple[BenchmarkTable[str], list[str]]:
    """The rows of `torchvision_population`, with published counts, and the family of each."""
    from torchvision import models

    found = {name: weights for name in models.list_models(module=models) if (weights := _first_weights(name))}
    top = {k: [meta["_metrics"]["ImageNet-1K"][f"acc@{k}"] for meta in found.values()] for k in (1, 5)}
    table = BenchmarkTable(
        "torchvision",
        tuple(found),
        {f"imagenet.top{k}": np.array(values) for k, values in top.items()},
        params=np.array([meta["num_params"] for meta in found.values()]),
        flops=1e9 * np.array([meta["_ops"] for meta in found.values()]),
    )
    families = [models.get_model_builder(name).__module__.rpartition(".")[2] for name in found]
    return table, families


def _first_weights(name: str) -> dict[str, Any] | None:
    from torchvision import models

    named = {weights.name: weights.meta for weights in models.get_model_weights(name)}
    return named.get("IMAGENET1K_V1")


def _best_rows(rows: list[CsvRow]) -> list[CsvRow]:
    best: dict[str, CsvRow] = {}
    for row in rows:
        if row.parse(_ALONE, read_truth):
            known = best.setdefault(row.cells["architecture"], row)
            if row.number("imagenet_top1", 0, 100) > known.number("imagenet_top1", 0, 100):
                best[row.cells["architecture"]] = row
    if not best:
        raise SpaceError(f"{rows[0].path.name}, column {_ALONE}: no row is True, so no network is left")
    return list(best.values())


def read_truth(text: str) -> bool:
    """`True` or `False`; raises `SpaceError` for another text."""
    if text not in ("True", "False"):
        raise SpaceError(f"{text!r} is neither True nor False")
    return text == "True"
