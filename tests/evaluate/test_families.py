"""Whole families can be left out by name: of what is measured, and of what a scorer trains on."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from benchmarks.quality.wild_training import LABEL
from fxscore.cli.app import run
from fxscore.errors import SpaceError
from fxscore.evaluate import read_population, seen_by
from fxscore.scorer import FTScoreNet, Settings, load_scorer
from fxscore.scorer.checkpoint import save_checkpoint
from fxscore.train.data import load_cells, set_families_aside, split_cells
from tests.evaluate.executor import InProcess

SMALL = Settings(batch=2, input_shape=(3, 8, 8), n_in=4, n_out=4)
TEXTS = [
    *(
        f"mlp:side=14,width={w},growth=1.0,depth=1,norm=none,activation=relu,residual=False,order=pre"
        for w in (4, 6, 8)
    ),
    *(
        f"lenet:side=14,width={w},growth=1.0,stages=1,kernel=3,down=max,norm=none,activation=relu,hidden=0"
        for w in (4, 6)
    ),
]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with a table of three networks of one family and two of another."""
    rows = [f'wild,"{text}",{50 + place}' for place, text in enumerate(TEXTS)]
    with gzip.open(tmp_path / "wild.csv.gz", "wt") as file:
        file.write("\n".join([f"space,genotype,{LABEL}", *rows]) + "\n")
    return tmp_path


def test_a_population_leaves_families_out_by_name(tables: Path) -> None:
    population = read_population("wild", tables)
    assert population.families == ("mlp", "mlp", "mlp", "lenet", "lenet")
    rest = population.without_families(("mlp",))
    assert [ref.name for ref in rest.refs] == TEXTS[3:]
    assert rest.label(LABEL).tolist() == [53, 54]
    with pytest.raises(SpaceError, match="no family vit; there are lenet, mlp"):
        population.without_families(("vit",))


def test_evaluate_takes_families_by_name(
    in_process: type[InProcess], tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "wild", "--data", str(tables), "--scorer", "params", "--resamples", "0", "--json"]
    words += ["--store", str(tables / "store"), "--by-network", "--without-families"]
    assert run([*words, "lenet"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 3
    assert run([*words, "vit"]) == 2
    assert "no family vit; there are lenet, mlp" in capsys.readouterr().err


def test_training_sets_families_aside_and_evaluation_knows(tables: Path) -> None:
    cells = load_cells(tables, "wild", None, SMALL)
    parts = split_cells(cells, 4, 0.5, 1)
    training, validation, rest = set_families_aside(parts, ("lenet",))
    families = [[cells.space.family_of(g) for g in part.genotypes] for part in (training, validation, rest)]
    assert set(families[0]) | set(families[1]) == {"mlp"}
    assert families[2].count("lenet") == 2
    assert sorted(str(g) for part in (training, validation, rest) for g in part.genotypes) == sorted(
        map(str, cells.genotypes)
    )
    plan = {"spaces": ["wild"], "cells": 4, "validation": 0.5, "seed": 1, "without_families": ["lenet"]}
    digest = hashlib.sha256((tables / "wild.csv.gz").read_bytes()).hexdigest()
    path = tables / "mine.safetensors"
    record = {"plan": plan, "tables": {"wild.csv.gz": digest}}
    save_checkpoint(path, FTScoreNet(SMALL, name="mine").to_checkpoint(record))
    population = read_population("wild", tables)
    seen = seen_by(load_scorer(path), "wild", tables, len(population), population.families)
    names = {population.refs[index].name for index in seen.indices}
    assert names == {cells.space.format(g) for part in (training, validation) for g in part.genotypes}
