from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fxscore.errors import ScorerError
from fxscore.evaluate import Measures, compare_scorers, read_population, score_refs, score_table
from fxscore.evaluate.population import Population
from fxscore.run import Store
from fxscore.spaces import BenchmarkTable, get_space
from fxscore.types import ModelRef, ScoreRecord
from tests.evaluate.executor import InProcess

TWO_CONVS = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|"
SKIP = "|skip_connect~0|+|skip_connect~0|none~1|+|skip_connect~0|none~1|none~2|"


def table_of(*cells: str) -> BenchmarkTable[object]:
    space = get_space("nasbench201")
    return BenchmarkTable(
        "nasbench201", tuple(space.parse(cell) for cell in cells), {"x": np.arange(float(len(cells)))}
    )


def record(name: str, score: float | None) -> ScoreRecord:
    ref = ModelRef("timm", name)
    return ScoreRecord(ref, score) if score is not None else ScoreRecord(ref, error="no good")


def population(count: int) -> Population:
    refs = tuple(ModelRef("timm", f"n{i}") for i in range(count))
    return Population("p", refs, {"x.test": np.arange(float(count)), "x.valid": np.arange(float(count))})


def test_a_table_is_scored_in_its_order(in_process: type[InProcess]) -> None:
    scores = score_table(table_of(SKIP, TWO_CONVS), "params")
    assert scores[1] > scores[0] > 0
    assert score_table(table_of(SKIP, TWO_CONVS), "params", indices=[1]).tolist() == [scores[1]]


def test_a_second_run_scores_nothing_and_a_resumed_one_only_the_rest(
    in_process: type[InProcess], tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite"
    first = score_table(table_of(SKIP), "params", store=path)
    assert len(in_process.scored) == 1
    both = score_table(table_of(SKIP, TWO_CONVS), "params", store=path)
    assert [ref.name for ref in in_process.scored] == [SKIP, TWO_CONVS]
    again = score_table(table_of(SKIP, TWO_CONVS), "params", store=path)
    assert len(in_process.scored) == 2
    assert both.tolist() == again.tolist()
    assert both[0] == first[0]


def test_a_failure_is_an_error_or_a_record_never_a_silent_nan(in_process: type[InProcess]) -> None:
    table = BenchmarkTable("timm", ("no_such_network",), {"x": np.array([1.0])})
    with pytest.raises(
        ScorerError, match="1 of 1 networks of timm cannot be scored, such as timm:no_such_network"
    ):
        score_table(table, "params")
    failures: list[ScoreRecord] = []
    assert np.isnan(score_table(table, "params", failures=failures)).all()
    assert [str(each.ref) for each in failures] == ["timm:no_such_network"]


@pytest.mark.slow
def test_real_workers_give_the_same(make_table: Callable[[int], Path], tmp_path: Path) -> None:
    refs = read_population("nasbench201", make_table(2)).refs
    from fxscore.run import LocalExecutor

    with LocalExecutor(1) as executor, Store(tmp_path / "s") as store:
        records = score_refs(refs, "params", executor=executor, store=store)
    with InProcess() as executor:
        InProcess.scored = []
        expected = score_refs(refs, "params", executor=executor)
    assert [r.score for r in records] == [r.score for r in expected]
    assert [r.params for r in records] == [r.params for r in expected]


def test_scorers_are_compared_on_the_networks_that_all_scored() -> None:
    found = compare_scorers(
        population(5),
        {
            "up": [record(f"n{i}", float(i)) for i in range(5)],
            "gap": [record(f"n{i}", None if i == 2 else -float(i)) for i in range(5)],
        },
        Measures(resamples=10),
    )
    assert (found.n, found.drawn) == (4, 5)
    assert [(e.scorer, e.n) for e in found.evaluations] == [("up", 4), ("gap", 4)]
    values = [e.agreement.figures["spearman"].value for e in found.evaluations]
    assert values == pytest.approx([1, -1])
    assert [str(r.ref) for r in found.failures["gap"]] == ["timm:n2"]
    assert {e.label for e in found.evaluations} == {"x.test"}


def test_a_scorer_that_fails_on_most_is_set_aside_and_named() -> None:
    records = {
        "up": [record(f"n{i}", float(i)) for i in range(4)],
        "bad": [record(f"n{i}", 1.0 if i == 0 else None) for i in range(4)],
    }
    found = compare_scorers(population(4), records, Measures(resamples=0))
    assert found.n == 4
    assert [e.scorer for e in found.evaluations] == ["up"]
    assert found.notes == ("bad is set aside: it failed on 3 of 4 networks",)
    assert len(found.failures["bad"]) == 3


def test_nothing_left_to_compare_is_an_error_with_the_reason() -> None:
    records = {"bad": [record(f"n{i}", None) for i in range(3)]}
    with pytest.raises(ScorerError, match="timm:n0: no good"):
        compare_scorers(population(3), records, Measures())
