"""Handcrafted opponents of the board: that networks are measured once, and what is made of the values."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import opponents
from benchmarks.quality.opponents import Compared, compared, measured, overview, proxy_of, together
from fxscore.evaluate import Population
from fxscore.evaluate.task import RankingTask, TaskTable
from fxscore.run import Store
from fxscore.types import ModelRef
from tests.evaluate.executor import InProcess

CELL = "nasbench201:|{}~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|{}~1|none~2|"
KINDS = ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect")
REFS = tuple(ModelRef.parse(CELL.format(one, two)) for one in KINDS for two in KINDS)


def options(**changed: object) -> argparse.Namespace:
    return argparse.Namespace(**{"n": 11, "seed": 0, **changed})


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> TaskTable:
    """Sixteen cells."""
    monkeypatch.setattr(opponents, "RUN", ("swap",))
    monkeypatch.setattr(opponents, "SIDE", 8)
    population = Population("cells", REFS, {"x.test": np.arange(16.0)})
    task = RankingTask("cells/x.test", "cells", population, "x.test")
    return TaskTable("cells", "cells", (task,), REFS)


def test_a_network_is_measured_once(cells: TaskTable, in_process: type[InProcess], tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        first = measured(cells, options(), in_process(), store)
        scored = len(in_process.scored)
        again = measured(cells, options(), in_process(), store)
    assert len(in_process.scored) == scored
    assert first == again
    assert len({row["network"] for row in first}) == 11
    assert {row["network"] for row in first} <= {str(ref) for ref in REFS}
    assert all(float(row["swap"]) >= 1 for row in first)


def test_large_networks_are_not_measured(
    cells: TaskTable, in_process: type[InProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opponents, "MOST_MMACS", 1e-6)
    with Store(tmp_path / "store") as store:
        assert measured(cells, options(), in_process(), store) == []


def rows(count: int, **columns: object) -> list[dict[str, str]]:
    """What the file holds of the last `count` cells, and of another table's."""
    known = dict.fromkeys(opponents.RUN, "1") | {name: str(value) for name, value in columns.items()}
    own = [{"table": "cells", "network": str(ref), **known} for ref in REFS[-count:]]
    return [*own, *({**row, "table": "others"} for row in own)]


def sizes() -> dict[str, np.ndarray]:
    return {name: np.arange(1.0, 17) * 1e6 for name in ("params", "flops")}


def test_opponents_stand_beside_the_same_networks_of_a_task() -> None:
    labels = np.arange(16.0)
    found = compared("cells/x.test", REFS, labels, {"ours": -labels}, sizes(), rows(10, naswot=2, wrcor=""))
    assert found is not None
    assert found.labels.tolist() == labels[-10:].tolist()
    assert found.scores["ours"].tolist() == (-labels[-10:]).tolist()
    assert found.scores["naswot"].tolist() == [2.0] * 10
    assert np.isnan(found.scores["wrcor"]).all()
    assert compared("cells/x.test", REFS, labels, {}, sizes(), rows(9)) is None


def test_regularised_swap_is_made_of_what_was_measured() -> None:
    known = {name: np.ones(4) for name in (*opponents.RUN, "flops")}
    found = together(known | {"swap": np.full(4, 100.0), "params": np.array([1.0, 2, 3, 4]) * 1e6})
    # ln 100 − (Θ − 4)² / 4
    assert (np.log(100) - found["swap, regularised"]).tolist() == pytest.approx([9 / 4, 1, 1 / 4, 0])


def test_means_over_tasks_and_networks_without_a_score() -> None:
    labels = np.arange(10.0)
    ours = {"ours": labels, "zen": np.where(labels < 2, np.nan, labels)}
    found = [Compared("one", labels, ours), Compared("two", labels, {"ours": -labels, "zen": labels})]
    assert found[0].value("zen") == pytest.approx(1, abs=0.01)  # the two without a score are the worst ones
    assert "| one | 10 | 1.00 |" in overview(found)
    assert "| **mean** | 2 | 0.00 (-1.00 to 1.00) |" in overview(found)


def test_proxies_that_sharpen_with_the_batch_have_twice_as_many_images() -> None:
    assert proxy_of("swap").batch == 2 * proxy_of("wrcor").batch == 16  # type: ignore[attr-defined]
