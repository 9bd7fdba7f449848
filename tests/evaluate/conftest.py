"""Small tables of NAS-Bench-201 cells, and scoring in this process."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fxscore.spaces import get_space
from tests.evaluate.executor import InProcess

COLUMNS = "cell,cifar10_test_200ep,cifar100_test_200ep,cifar100_valid_200ep"


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> type[InProcess]:
    InProcess.scored = []
    for place in ("fxscore.run.where.LocalExecutor", "fxscore.evaluate.scoring.LocalExecutor"):
        monkeypatch.setattr(place, InProcess)
    return InProcess


@pytest.fixture
def make_table(tmp_path: Path) -> Callable[[int], Path]:
    """Writes a table of so many different cells, whose labels grow from row to row; gives its folder."""

    def make(count: int) -> Path:
        space, generator = get_space("nasbench201"), torch.Generator().manual_seed(0)
        cells: dict[str, None] = {}
        while len(cells) < count:
            cells[space.format(space.sample(generator))] = None
        lines = [f"{cell},{80 + i / 10},{50 + i / 10},{40 + i / 10}" for i, cell in enumerate(cells)]
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        with gzip.open(folder / "nas_bench_201.csv.gz", "wt") as file:
            file.write("\n".join([COLUMNS, *lines]) + "\n")
        return folder

    return make
