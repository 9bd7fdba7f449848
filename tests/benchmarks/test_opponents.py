"""The board of handcrafted opponents: what it makes of values, and that tasks are measured once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from benchmarks.quality import opponents
from benchmarks.quality.opponents import OURS, Measured, measured, overview, proxy_of, together
from fxscore.evaluate import Population, scores_of
from fxscore.evaluate.task import RankingTask
from fxscore.proxies import get_proxy
from fxscore.proxies.az_nas import COMPONENTS
from fxscore.run import Store
from fxscore.types import ModelRef
from tests.evaluate.executor import InProcess

CELL = "nasbench201:|{}~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|{}~1|none~2|"
KINDS = ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect")
REFS = tuple(ModelRef.parse(CELL.format(one, two)) for one in KINDS for two in KINDS)


def options(**changed: object) -> argparse.Namespace:
    return argparse.Namespace(**{"n": 11, "seed": 0, "side": 8, "mmacs": 1000.0, **changed})


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> RankingTask:
    """Sixteen cells; the general scorer is left to its own tests."""
    monkeypatch.setattr(opponents, "RUN", ("swap", *COMPONENTS[:3]))
    monkeypatch.setattr(opponents, "score_refs", lambda refs, *_, **__: [])
    monkeypatch.setattr(opponents, "scores_of", _no_scores_of_ours(scores_of))
    population = Population("cells", REFS, {"x.test": np.arange(16.0)})
    return RankingTask("cells/x.test", "cells", population, "x.test")


def _no_scores_of_ours(real: Callable[..., object]) -> Callable[..., object]:
    def of(records: list[object]) -> object:
        return real(records) if records else np.zeros(11)

    return of


def test_a_task_is_measured_once_and_its_labels_stay_with_their_networks(
    task: RankingTask, in_process: type[InProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opponents, "together", lambda scores: scores)
    with Store(tmp_path / "store") as store:
        first = measured(task, options(), in_process(), store)
        scored = len(in_process.scored)
        again = measured(task, options(), in_process(), store)
    assert first is not None
    assert again is not None
    assert len(in_process.scored) == scored
    assert np.array_equal(first.scores["swap"], again.scores["swap"], equal_nan=True)
    sizes = [get_proxy("params")(_module(int(label)), (3, 32, 32)) for label in first.labels]
    assert first.scores["params"].tolist() == sizes


def _module(row: int) -> nn.Module:
    from fxscore.sources import build

    return build(REFS[row]).module


def test_large_networks_are_left_out_and_too_few_make_no_task(
    task: RankingTask, in_process: type[InProcess], tmp_path: Path
) -> None:
    with Store(tmp_path / "store") as store:
        assert measured(task, options(mmacs=1e-6), in_process(), store) is None


def columns(n: int = 4) -> dict[str, np.ndarray]:
    names = ("params", "macs", "activations", "flops", *opponents.RUN)
    return {name: np.arange(1.0, n + 1) * 1e6 for name in names}


def test_size_and_regularised_swap_are_made_of_what_was_measured() -> None:
    found = together(
        columns() | {"swap": np.array([100.0, 100, 100, 100]), "params": np.array([1.0, 2, 3, 4]) * 1e6}
    )
    assert found["activations·√params"].tolist() == pytest.approx(
        [1e6 * k * (k * 1e6) ** 0.5 for k in (1, 2, 3, 4)]
    )
    # ln 100 − (Θ − 4)² / 4
    assert (np.log(100) - found["swap, regularised"]).tolist() == pytest.approx([9 / 4, 1, 1 / 4, 0])


def test_means_over_tasks_and_networks_without_a_score() -> None:
    labels = np.arange(10.0)
    ours = {OURS: labels, "zen": np.where(labels < 2, np.nan, labels)}
    found = [Measured("one", labels, ours), Measured("two", labels, {OURS: -labels, "zen": labels})]
    assert found[0].value("zen") == pytest.approx(1, abs=0.01)  # the two without a score are the worst ones
    assert "| one | 10 | 1.00 |" in overview(found)
    assert "| **mean** | 20 | 0.00 (-1.00 to 1.00) |" in overview(found)


def test_proxies_that_sharpen_with_the_batch_have_twice_as_many_images() -> None:
    assert proxy_of("swap").batch == 2 * proxy_of("wrcor").batch == 16  # type: ignore[attr-defined]
