from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fxscore.errors import CheckpointError, ScorerError
from fxscore.evaluate import read_population, seen_by, split_indices, trained_spaces
from fxscore.evaluate.study import choose, named
from fxscore.scorer import FTScoreNet, Settings, load_scorer
from fxscore.scorer.checkpoint import load_checkpoint, save_checkpoint
from fxscore.scorer.ensemble import Ensemble
from fxscore.train.data import load_cells, split_cells

SMALL = Settings(batch=2, input_shape=(3, 8, 8), n_in=4, n_out=4)


def scorer_file(
    folder: Path, table: Path, *, cells: int = 6, spaces: tuple[str, ...] = ("nasbench201",)
) -> Path:
    plan = {"spaces": spaces, "cells": cells, "validation": 0.5, "seed": 3}
    record: dict[str, Any] = {
        "plan": plan,
        "tables": {table.name: hashlib.sha256(table.read_bytes()).hexdigest()},
    }
    path = folder / "mine.safetensors"
    save_checkpoint(path, FTScoreNet(SMALL, name="mine").to_checkpoint(record))
    return path


def test_the_split_of_training_is_drawn_again(make_table: Callable[[int], Path], tmp_path: Path) -> None:
    data = make_table(12)
    cells = load_cells(data, "nasbench201", None, SMALL)
    training, validation, rest = split_cells(cells, 6, 0.5, 3)
    population = read_population("nasbench201", data)
    texts = [cells.space.format(genotype) for genotype in (*training.genotypes, *validation.genotypes)]
    scorer = load_scorer(scorer_file(tmp_path, data / "nas_bench_201.csv.gz"))
    seen = seen_by(scorer, "nasbench201", data, len(population))
    assert {population.refs[index].name for index in seen.indices} == set(texts)
    others = split_indices(12, 6, 0.5, 3).rest
    assert [population.refs[i].name for i in others] == [cells.space.format(g) for g in rest.genotypes]


def test_networks_that_a_record_lists_are_seen(make_table: Callable[[int], Path], tmp_path: Path) -> None:
    data = make_table(12)
    scorer = FTScoreNet.from_checkpoint(load_checkpoint(scorer_file(tmp_path, data / "nas_bench_201.csv.gz")))
    listed = {key: value for key, value in scorer.record.items() if key != "plan"}
    scorer.record = {**listed, "seen": {"nasbench201": [1, 5]}}
    assert trained_spaces(scorer) == ("nasbench201",)
    assert seen_by(scorer, "nasbench201", data, 12).indices == {1, 5}
    assert not seen_by(scorer, "nasbench_macro", data, 12).indices
    scorer.record = {**scorer.record, "tables": {}}
    assert seen_by(scorer, "nasbench201", data, 12).doubt


def test_an_ensemble_has_seen_what_its_members_saw(make_table: Callable[[int], Path], tmp_path: Path) -> None:
    data, one = make_table(12), torch.ones(1)
    alone = FTScoreNet.from_checkpoint(
        load_checkpoint(scorer_file(tmp_path, data / "nas_bench_201.csv.gz", cells=5))
    )
    together = Ensemble([alone], one, one, one)
    assert trained_spaces(together) == ("nasbench201",)
    assert seen_by(together, "nasbench201", data, 12) == seen_by(alone, "nasbench201", data, 12)
    together.record = {**alone.record, "plan": {**alone.record["plan"], "cells": 8}}
    assert len(seen_by(together, "nasbench201", data, 12).indices) == 8
    together.record = {**together.record, "tables": {}}
    assert seen_by(together, "nasbench201", data, 12).doubt


def test_seen_networks_are_left_out_unless_asked_for(
    make_table: Callable[[int], Path], tmp_path: Path
) -> None:
    data = make_table(12)
    scorers = named([str(scorer_file(tmp_path, data / "nas_bench_201.csv.gz")), "params"])
    assert list(scorers) == ["mine", "params"]
    study = choose("nasbench201", data, scorers, 0, 0)
    assert len(study.population) == 6
    assert study.notes == ("6 networks that mine was trained on or chosen by are left out",)
    assert len(choose("nasbench201", data, scorers, 0, 0, with_seen=True).population) == 12


def test_a_scorer_trained_on_everything_has_nothing_left(
    make_table: Callable[[int], Path], tmp_path: Path
) -> None:
    data = make_table(4)
    scorers = {"mine": str(scorer_file(tmp_path, data / "nas_bench_201.csv.gz", cells=0))}
    with pytest.raises(ScorerError, match="trained on all 4 networks"):
        choose("nasbench201", data, scorers, 0, 0)


def test_another_table_of_the_space_leaves_a_doubt(make_table: Callable[[int], Path], tmp_path: Path) -> None:
    table = make_table(5) / "nas_bench_201.csv.gz"
    path = scorer_file(tmp_path, table)
    make_table(6)
    seen = seen_by(load_scorer(path), "nasbench201", table, 6)
    assert seen.indices == frozenset()
    assert "another table" in seen.doubt


def test_other_spaces_and_handcrafted_scorers_have_seen_nothing(
    make_table: Callable[[int], Path], tmp_path: Path
) -> None:
    data = make_table(5)
    path = scorer_file(tmp_path, data / "nas_bench_201.csv.gz", spaces=("macro",))
    assert trained_spaces(load_scorer(path)) == ("nasbench_macro",)
    assert seen_by(load_scorer(path), "nasbench201", data, 5).indices == frozenset()
    assert trained_spaces(load_scorer("params")) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": {"spaces": ["nasbench201"], "cells": "many", "validation": 0.5, "seed": 3}},
        {"plan": {"spaces": ["nasbench201"]}},
        {"plan": {"spaces": 3}},
        {"seen": {"nasbench201": 7}, "plan": {}},
    ],
)
def test_a_record_that_does_not_read_is_one_line(
    changes: dict[str, Any], make_table: Callable[[int], Path], tmp_path: Path
) -> None:
    data = make_table(8)
    scorer = load_scorer(scorer_file(tmp_path, data / "nas_bench_201.csv.gz"))
    scorer.record = {**scorer.record, **changes}  # type: ignore[attr-defined]
    with pytest.raises(CheckpointError, match=r"training record of mine@.* does not read"):
        seen_by(scorer, "nasbench201", data, 8)
