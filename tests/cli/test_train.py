from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch

from fxscore.cli import train
from fxscore.cli.app import run
from fxscore.errors import TrainingError
from fxscore.scorer.checkpoint import load_checkpoint
from fxscore.spaces import get_space
from fxscore.train.loop import Trainer

Captured = pytest.CaptureFixture[str]
SMALL = "--cells 6 --samples 4 --steps 3 --batch 2 --resolution 8 --validation 0.4 --test 3".split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table of ten random cells."""
    return write_table(tmp_path / "tables", 10)


def write_table(folder: Path, count: int) -> Path:
    """Labels grow from row to row."""
    space, generator = get_space("nasbench201"), torch.Generator().manual_seed(0)
    columns = ["cifar100_test_200ep", "cifar100_valid_200ep"]
    rows = [f"{space.format(space.sample(generator))},{50 + i},{40 + i}" for i in range(count)]
    folder.mkdir()
    with gzip.open(folder / "nas_bench_201.csv.gz", "wt") as file:
        file.write("\n".join([f"cell,{','.join(columns)}", *rows]) + "\n")
    return folder


def words(data: Path, out: Path) -> list[str]:
    return ["train", "nasbench201", "--data", str(data), "--out", str(out), *SMALL]


def test_train_writes_a_scorer_with_its_record(
    data: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mine.safetensors"
    monkeypatch.setattr("sys.argv", ["fxscore", *words(data, Path("mine.safetensors"))])
    assert run(words(data, out)) == 0
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert "step 3/3: loss " in stderr
    assert f"written to {out}" in stderr
    checkpoint = load_checkpoint(out)
    assert checkpoint.name == "mine"
    record = checkpoint.record
    assert record["trained_on"] == "4 cells of nasbench201, cifar100.valid"
    assert (
        record["command"]
        == f"fxscore train nasbench201 --data TABLES --out mine.safetensors {' '.join(SMALL)}"
    )
    assert [row["n"] for row in record["measured"]] == [3]
    assert {"spearman", "interval", "kendall", "params_spearman", "macs_kendall"} <= record["measured"][
        0
    ].keys()
    assert [row["step"] for row in record["history"]] == [1, 2, 3]
    assert record["plan"]["settings"]["input_shape"] == [3, 8, 8]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.safetensors", "tables"]


def test_an_interrupted_run_goes_on_and_ends_the_same(
    data: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, halves = tmp_path / "whole.safetensors", tmp_path / "halves.safetensors"
    assert run(words(data, whole)) == 0
    with monkeypatch.context() as patch:
        step = Trainer._step

        def interrupted(trainer: Trainer) -> float:
            if trainer.state.step == 2:
                raise KeyboardInterrupt
            trainer.every = 1  # a state after every step
            return step(trainer)

        patch.setattr(Trainer, "_step", interrupted)
        assert run(words(data, halves)) == 130
    assert "interrupted after step 2; the same command goes on" in capsys.readouterr().err
    assert not halves.exists()
    assert run(words(data, halves)) == 0
    first, second = load_checkpoint(whole), load_checkpoint(halves)
    assert all(torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items())


def test_missing_data_and_unknown_spaces_are_one_line(data: Path, tmp_path: Path, capsys: Captured) -> None:
    out = str(tmp_path / "x.safetensors")
    for arguments in (["nasbench201", "--data", str(tmp_path)], ["nosuchspace", "--data", str(data)]):
        assert run(["train", *arguments, "--out", out]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_options_override_the_plan_and_the_plan_its_defaults(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(
        json.dumps({"spaces": ["macro"], "steps": 7, "labels": {"macro": "a"}, "settings": {"batch": 4}})
    )
    plan = train.combine(
        file, ("nasbench201", "macro"), ["nasbench201=b=c"], {"steps": 9, "seed": None}, {"v_norm": False}
    )
    assert (plan.spaces, plan.steps, plan.seed) == (("nasbench201", "macro"), 9, 0)
    assert plan.labels == {"macro": "a", "nasbench201": "b=c"}
    assert (plan.settings.batch, plan.settings.v_norm, plan.settings.input_shape) == (4, False, (3, 16, 16))


def test_a_plan_with_an_unknown_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"spaces": ["macro"], "stepz": 7}))
    with pytest.raises(TrainingError, match="stepz"):
        train.combine(file, (), [], {}, {})


@pytest.mark.parametrize(("count", "measured"), [(10, []), (20, [2])])
def test_without_a_number_of_cells_a_tenth_is_left_to_measure_on(
    count: int, measured: list[int], tmp_path: Path, capsys: Captured
) -> None:
    data, out = write_table(tmp_path / "tables", count), tmp_path / "all.safetensors"
    few = "--samples 4 --steps 1 --batch 2 --resolution 8".split()
    assert run(["train", "nasbench201", "--data", str(data), "--out", str(out), *few]) == 0
    assert [line["n"] for line in load_checkpoint(out).record["measured"]] == measured
    assert ("not measured" in capsys.readouterr().err) == (not measured)
