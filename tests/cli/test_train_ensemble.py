from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch

from fxscore.cli.app import run
from fxscore.scorer import load_scorer
from fxscore.scorer.checkpoint import load_checkpoint
from fxscore.scorer.ensemble import Ensemble
from fxscore.spaces import get_space

Captured = pytest.CaptureFixture[str]
SMALL = "--cells 6 --samples 4 --steps 2 --batch 2 --resolution 8 --validation 0.4 --test 3".split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table of ten random cells; their labels grow from row to row."""
    space, generator = get_space("nasbench201"), torch.Generator().manual_seed(0)
    columns = ["cifar100_test_200ep", "cifar100_valid_200ep"]
    rows = [f"{space.format(space.sample(generator))},{50 + i},{40 + i}" for i in range(10)]
    folder = tmp_path / "tables"
    folder.mkdir()
    with gzip.open(folder / "nas_bench_201.csv.gz", "wt") as file:
        file.write("\n".join([f"cell,{','.join(columns)}", *rows]) + "\n")
    return folder


@pytest.fixture
def members(data: Path, tmp_path: Path) -> list[str]:
    """Two scorers, with v-norm and without."""
    files = [str(tmp_path / f"{name}.safetensors") for name in ("plain", "kaiming")]
    for file, more in zip(files, ([], ["--no-v-norm"]), strict=True):
        assert run(["train", "nasbench201", "--data", str(data), "--out", file, *SMALL, *more]) == 0
    return files


def test_an_ensemble_is_one_scorer_with_its_members_records(
    data: Path, members: list[str], tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "both.safetensors"
    capsys.readouterr()
    draw = "--cells 6 --validation 0.4 --test 3".split()
    assert run(["train", "--ensemble", *members, "--data", str(data), "--out", str(out), *draw]) == 0
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.count("weight ") == 2
    assert f"written to {out}" in stderr
    scorer, record = load_scorer(out), load_checkpoint(out).record
    assert isinstance(scorer, Ensemble)
    assert scorer.name == "both"
    assert record["trained_on"] == "2 members; weights found on cells: 2 of nasbench201"
    assert [entry["name"] for entry in record["members"]] == ["plain", "kaiming"]
    assert all(entry["record"]["plan"]["steps"] == 2 for entry in record["members"])
    assert record["plan"]["spaces"] == ["nasbench201"]
    assert [(line["n"], "params_spearman" in line) for line in record["measured"]] == [(3, True)]
    assert "history" not in json.dumps(record["members"])


def test_the_draw_is_that_of_the_members_unless_they_differ(
    data: Path, members: list[str], tmp_path: Path, capsys: Captured
) -> None:
    out = str(tmp_path / "both.safetensors")
    assert run(["train", "--ensemble", *members, "--data", str(data), "--out", out]) == 0
    record = load_checkpoint(Path(out)).record
    assert record["trained_on"] == "2 members; weights found on cells: 2 of nasbench201"
    assert [record["plan"][name] for name in ("cells", "validation", "seed")] == [6, 0.4, 0]
    other = str(tmp_path / "other.safetensors")
    assert run(["train", "nasbench201", "--data", str(data), "--out", other, *SMALL, "--seed", "1"]) == 0
    capsys.readouterr()
    assert run(["train", "--ensemble", members[0], other, "--data", str(data), "--out", out]) == 2
    assert "not trained on one draw" in capsys.readouterr().err


def test_what_is_no_ft_scorenet_is_refused(
    data: Path, members: list[str], tmp_path: Path, capsys: Captured
) -> None:
    for names in (["params", members[0]], []):
        out = str(tmp_path / "x.safetensors")
        capsys.readouterr()
        assert run(["train", "--ensemble", *names, "--data", str(data), "--out", out]) == 2
        assert "ensemble" in capsys.readouterr().err
