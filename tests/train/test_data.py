"""Cells are run at the size at which scorers see their space, and every space with a table has one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fxscore.errors import TrainingError
from fxscore.evaluate.tables import TABLE_FILES
from fxscore.scorer import FTScoreNet, Settings, Subject
from fxscore.spaces import BenchmarkTable, get_space
from fxscore.train.data import TABLES, CellSet, load_cells
from fxscore.train.loop import Trainer, score_cells
from tests.train.small import SETTINGS, Tiny, cells, plan


class Large(Tiny):
    """Networks of inputs larger than scorers look at."""

    name = "large"
    input_shape = (3, 40, 40)


def test_cells_are_run_at_the_size_at_which_the_scorer_sees_them() -> None:
    assert cells().shape_of(0) == (3, 5, 5)
    assert cells(Large())[0].input_shape == cells(Large()).shape_of(0) == (3, 16, 16)
    own = CellSet(Large(), [(2, 1, "none")], torch.ones(1), replace(SETTINGS, small_inputs=False))
    assert own[0].input_shape == (3, 40, 40)


def test_training_and_scoring_see_the_same() -> None:
    scorer, chosen = FTScoreNet(SETTINGS), cells(Large()).subset([1, 7])
    scores = [
        scorer.score(Subject(Large().build(genotype), Large.input_shape)) for genotype in chosen.genotypes
    ]
    assert score_cells(scorer, chosen).tolist() == pytest.approx(scores, abs=1e-7)


def test_a_subset_stays_at_its_resolution_and_keeps_its_caution() -> None:
    whole = CellSet(Tiny(), [(2, 1, "none"), (3, 1, "none")], torch.ones(2), SETTINGS, caution="predicted")
    part = whole.at(7).subset([1])
    assert (part.shape, part.caution) == ((3, 7, 7), "predicted")
    assert whole.at(5) is whole


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_of_a_space_that_there_is(name: str) -> None:
    assert get_space(name).name == name


def test_rows_of_one_network_count_once(tmp_path: Path) -> None:
    space = get_space("nasbench_macro")
    genotypes = tuple(space.sample(torch.Generator().manual_seed(seed)) for seed in range(3))
    labels = {"cifar10.test": np.array([80.0, 90.0, 70.0, 60.0])}
    table = BenchmarkTable(
        space.name,
        (genotypes[0], *genotypes),
        labels,
        group=("a", "a", "b", "c"),
        caution="predicted, not trained",
    )
    space.write(table, tmp_path / TABLE_FILES["nasbench_macro"])
    loaded = load_cells(tmp_path, "nasbench_macro", None, Settings())
    assert loaded.accuracies.tolist() == [85.0, 70.0, 60.0]
    assert loaded.caution == "predicted, not trained"


def test_frozen_parts_keep_their_initial_values() -> None:
    run = Trainer(plan(frozen=("kernel", "input_like"), steps=2), [cells()])
    list(run.run())
    before = FTScoreNet(SETTINGS, seed=run.plan.seed).state_dict()
    changed = {name for name, value in run.trained().state_dict().items() if not value.equal(before[name])}
    assert changed
    assert not any(name.startswith(("kernel", "input_like")) for name in changed)


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(TrainingError, match="'kernels'"):
        plan(frozen=("kernels",))


def test_validation_may_be_rarer_than_states(tmp_path: Path) -> None:
    run = Trainer(
        plan(steps=5), [cells()], [cells()], tmp_path / "state.safetensors", every=1, validate_every=3
    )
    seen = [report.step for report in run.run() if report.validation is not None]
    assert seen == [3, 5]
