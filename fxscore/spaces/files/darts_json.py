"""The official results of NAS-Bench-301: one json file per trained network.

A file holds `optimized_hyperparamater_config` (the authors' spelling), where `…:darts:edge_normal_K` is the
operation on edge K (edges counted node by node, a node's sources in order: node 2 has edges 0 and 1, node 3
edges 2 to 4, and so on), and beside it `test_accuracy` and `info[0].val_accuracy`, in percent.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxscore.errors import SpaceError
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.json_file import read_json
from fxscore.spaces.table import BenchmarkTable

G = TypeVar("G", bound=Hashable)
Edge = tuple[str, int]

_CONFIG = "optimized_hyperparamater_config"
_PREFIX = "NetworkSelectorDatasetInfo:darts:edge_"


def read_results(
    space: str, path: str | Path, make: Callable[[Sequence[Edge], Sequence[Edge]], G]
) -> BenchmarkTable[G]:
    """A table of the result files in a folder (or of one file); raises `SpaceError` naming file and key."""
    path = Path(path)
    files = sorted(path.glob("**/result*.json")) if path.is_dir() else [path]
    if not files:
        raise SpaceError(f"{path} holds no file results_N.json")
    results = [read_json(file) for file in files]
    genotypes = tuple(_genotype(result[_CONFIG], make) for result in results)
    labels = {
        "cifar10.valid": np.array([r["info"].elements()[0]["val_accuracy"].number(0, 100) for r in results]),
        "cifar10.test": np.array([r["test_accuracy"].number(0, 100) for r in results]),
    }
    return BenchmarkTable(space, genotypes, labels)


def _genotype(config: Entry, make: Callable[[Sequence[Edge], Sequence[Edge]], G]) -> G:
    try:
        return make(_edges(config, "normal"), _edges(config, "reduce"))
    except SpaceError as error:
        raise config.fail(str(error)) from None


def _edges(config: Entry, cell: str) -> list[Edge]:
    edges: list[Edge] = []
    start = 0
    for node in range(2, 6):
        keys = {source: f"{_PREFIX}{cell}_{start + source}" for source in range(node)}
        found = [(config[key].text(), source) for source, key in keys.items() if key in config]
        if len(found) != 2:
            raise SpaceError(f"node {node} of the {cell} cell has {len(found)} edges, not two")
        edges, start = [*edges, *found], start + node
    return edges
