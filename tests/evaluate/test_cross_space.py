from __future__ import annotations

import numpy as np
import pytest

from fxscore.evaluate import CrossSpace, Estimate, score_matrix

HANDCRAFTED = {"zen": 0.4, "params": 0.6, "naswot": 0.5}


def matrix(
    value: float | None, trained: bool = False, handcrafted: dict[str, float] | None = None
) -> CrossSpace:
    known = HANDCRAFTED if handcrafted is None else handcrafted
    cells = {("row", name): Estimate(each) for name, each in known.items()}
    cells["row", "net"] = Estimate(value)
    where = {"net": frozenset({"row"})} if trained else {}
    return CrossSpace(("row",), ("net",), tuple(known), cells, trained=where)


@pytest.mark.parametrize(
    ("value", "mark"),
    [(0.7, "bold"), (0.55, "underline"), (0.45, ""), (0.6, "underline"), (0.1, ""), (None, "")],
)
def test_marks_follow_the_papers_rule(value: float | None, mark: str) -> None:
    assert matrix(value).mark("row", "net") == mark


def test_the_diagonal_and_handcrafted_scorers_are_not_marked() -> None:
    assert matrix(0.9, trained=True).mark("row", "net") == ""
    assert matrix(0.9).mark("row", "params") == ""
    assert matrix(0.9, handcrafted={}).mark("row", "net") == ""


def test_negative_cells_are_counted_off_the_diagonal() -> None:
    assert matrix(-0.1).negative == [("row", "net")]
    assert matrix(-0.1, trained=True).negative == []
    assert matrix(None).negative == []


def test_score_matrix_is_the_mean_over_populations_that_have_both() -> None:
    up = np.arange(5.0)
    partly = np.array([0.0, 1.0, np.nan, 3.0, 4.0])
    scores = {"one": {"a": up, "b": partly}, "two": {"a": up, "b": -up}, "three": {"a": up}}
    found = score_matrix(scores, ["a", "b", "c"], ["a", "b"])
    assert found.values[0, 0] == pytest.approx(1)
    assert found.values[0, 1] == pytest.approx(0)  # 1 and −1
    assert found.values[1, 1] == pytest.approx(1)
    assert np.isnan(found.values[2]).all()
