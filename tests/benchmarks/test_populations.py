from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage.populations import agrees, check, drawn, report
from fxscore.evaluate.population import Population
from fxscore.evaluate.task import RankingTask, TaskTable
from fxscore.types import ModelRef

LENET = ModelRef("fxscore.published.cifar", "lenet")
MISSING = ModelRef("fxscore.published.cifar", "nothing")


def lenets(count: float) -> TaskTable:
    population = Population(
        "small", (LENET, MISSING), {"c.accuracy": np.array([1.0, 2.0])}, caution="made up"
    )
    task = RankingTask("small/c", "made", population, "c.accuracy", may_train=False)
    return TaskTable("small", "made", (task,), population.refs, {LENET: count}, {"no reason": 3})


@pytest.mark.parametrize(
    ("count", "published", "same"),
    [(62_006, 62_006, True), (62_007, 62_006, False), (272_474, 270_000, True), (290_000, 270_000, False)],
)
def test_counts_agree_to_the_last_digit(count: int, published: float, same: bool) -> None:
    assert agrees(count, published) == same


def test_networks_are_built_and_counted() -> None:
    seen = check(lenets(62_006), 0)
    assert (seen.built, seen.tried, seen.compared, seen.exact, seen.largest) == (1, 2, 1, 1, 0)
    assert list(seen.failures.values()) == [str(MISSING)]
    assert check(lenets(31_003), 0).largest == pytest.approx(1.0)


def test_a_draw_is_seeded_and_ordered() -> None:
    refs = [ModelRef("timm", f"net{i:02}") for i in range(50)]
    assert drawn(refs, 5) == drawn(refs, 5) == sorted(drawn(refs, 5))
    assert drawn(refs, 0) == drawn(refs, 99) == refs


def test_the_report_says_what_is_missing() -> None:
    table = lenets(62_006)
    text = report([(table, check(table, 0))], ["wild"])
    for part in (
        "1 ranking tasks",
        "judge only",
        "1 of 2",
        "3 rows: no reason",
        "made up",
        "not there: wild",
    ):
        assert part in text
