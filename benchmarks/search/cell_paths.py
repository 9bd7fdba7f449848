"""Features of NAS-Bench-201 cells by arithmetic on the cell alone: what is on the paths from input to output.

A network-free stand-in for `fxscore.graph_features`, for experiments that must not wait for forwards. Edges on no path
without a `none` carry nothing and count as absent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fxscore.spaces.nasbench201 import OPERATIONS, Cell

Floats = NDArray[np.float64]
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # from node 0 to node 3, as positions of edges
ALIVE = OPERATIONS[1:]


def cell_paths(cells: Sequence[Cell]) -> Floats:
    """(cells, columns), standardised; columns that are constant over these cells are left out."""
    values = np.array([_row(cell.operations) for cell in cells])
    values = values[:, np.ptp(values, axis=0) > 0]
    return np.asarray((values - values.mean(0)) / values.std(0))


def _row(operations: Sequence[str]) -> list[float]:
    paths = [path for path in PATHS if all(operations[edge] != "none" for edge in path)]
    alive = {edge for path in paths for edge in path}
    which = [float(edge in alive and operations[edge] == kind) for edge in range(6) for kind in ALIVE]
    along = [[operations[edge] for edge in path] for path in paths]
    row = [*which, float(len(paths)), float(len(alive))]
    for kind in ALIVE:
        on_edges = sum(operations[edge] == kind for edge in alive)
        row += [on_edges, *_spread([names.count(kind) for names in along])]
    convolutions = [sum(name.startswith("nor_conv") for name in names) for names in along]
    plain = sum(set(names) == {"skip_connect"} for names in along)
    return [*row, *_spread(convolutions), float(convolutions.count(0)), float(plain)]


def _spread(counts: list[int]) -> list[float]:
    """Most, least and mean."""
    return [float(max(counts)), float(min(counts)), float(np.mean(counts))] if counts else [0.0, 0.0, 0.0]
