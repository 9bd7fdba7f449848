"""The recipes of trained scorers, `benchmarks/plans`, are what their names say."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxscore.train.data import TABLES
from fxscore.train.plan import TrainingPlan

PLANS = sorted((Path(__file__).parents[2] / "benchmarks" / "plans").glob("*.json"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_is_what_its_name_says(path: Path) -> None:
    plan = TrainingPlan.read(path)
    kind, _, what = path.stem.partition("-")
    if kind == "spaces":
        assert (plan.schedule, len(plan.spaces)) == (what, len(TABLES))
    else:
        assert plan.spaces == (what.removesuffix("-no-v-norm") or kind,)
    assert plan.settings.v_norm == ("no-v-norm" not in path.stem)
