"""The recipes of trained scorers, `benchmarks/plans`, are what their names say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.catalogue import BENCHMARKS
from fxscore.cli.app import run
from fxscore.train.data import TABLES
from fxscore.train.plan import TrainingPlan

ROOT = Path(__file__).parents[2]
PLANS = sorted((ROOT / "benchmarks" / "plans").glob("*.json"))
RECIPES = sorted((ROOT / "benchmarks" / "recipes").glob("*.sh"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_is_what_its_name_says(path: Path) -> None:
    plan = TrainingPlan.read(path)
    kind, _, what = path.stem.partition("-")
    if kind == "spaces":
        assert plan.schedule == what
        assert set(plan.spaces) == set(TABLES) - {"wild", "zen_resnet"}  # trained by others
    else:
        assert plan.spaces == (what.removesuffix("-no-v-norm") or kind,)
    assert plan.settings.v_norm == ("no-v-norm" not in path.stem)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_names_what_there_is(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["bash", "-n", str(path)], check=True)
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for plan in re.findall(r"benchmarks/plans/[\w.-]+\.json", text):
        assert (ROOT / plan).is_file()
    for module in re.findall(r"-m (benchmarks[\w.]+)", text):
        assert module in {each.module for each in BENCHMARKS}
    assert run(["train", "--help"]) == 0
    usage = capsys.readouterr().out
    for line in (line for line in text.splitlines() if line.strip().startswith("fxscore train")):
        assert all(f"{option} " in usage for option in re.findall(r"--[a-z-]+", line))
