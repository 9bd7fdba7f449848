from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from fxscore.cli.app import run
from fxscore.network_training import build_network
from fxscore.network_training.trainer import ClassifierTrainer, EpochReport
from fxscore.types import ModelRef

Captured = pytest.CaptureFixture[str]
SHORT = "--dataset digits --epochs 3 --warmup 1 --batch 32 --training-images 64 --device cpu".split()


def words(file: Path, out: Path) -> list[str]:
    return ["train-network", str(file), *SHORT, "--out", str(out)]


def test_it_writes_the_result_and_the_weights(network_file: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "run"
    assert run(words(network_file, out)) == 0
    stdout, stderr = capsys.readouterr()
    result = json.loads((out / "result.json").read_text())
    assert f"accuracy {result['final']:.2f} % after the last epoch" in stdout
    assert "epoch 3/3: loss " in stderr
    assert [row["epoch"] for row in result["epochs"]] == [1, 2, 3]
    assert result["final"] == result["epochs"][-1]["accuracy"]
    assert result["best"] == max(row["accuracy"] for row in result["epochs"])
    assert (result["training_images"], result["test_images"]) == (64, 1733)
    assert result["run"]["model"] == f'{network_file}{{"num_classes": 10}}'
    assert sorted(path.name for path in out.iterdir()) == ["result.json", "weights.pt"]
    network = build_network(ModelRef.parse(str(network_file)), 10).module
    network.load_state_dict(torch.load(out / "weights.pt", weights_only=True))


def test_an_interrupted_run_goes_on_and_a_finished_one_is_shown(
    network_file: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert run(words(network_file, whole)) == 0
    with monkeypatch.context() as patch:
        train = ClassifierTrainer.run

        def interrupted(trainer: ClassifierTrainer) -> Iterator[EpochReport]:
            yield next(train(trainer))
            raise KeyboardInterrupt

        patch.setattr(ClassifierTrainer, "run", interrupted)
        assert run(words(network_file, halves)) == 130
    assert "interrupted after epoch 1; the same command goes on" in capsys.readouterr().err
    assert [path.name for path in halves.iterdir()] == ["state.pt"]
    assert run(words(network_file, halves)) == 0
    assert "going on after epoch 1" in capsys.readouterr().err
    first, second = (torch.load(out / "weights.pt", weights_only=True) for out in (whole, halves))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    assert run(words(network_file, halves)) == 0
    shown = capsys.readouterr()
    assert "epoch 1/3" not in shown.err
    assert "after the last epoch" in shown.out


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--epochs", "4"], "the result of another run"),
        (["--device", "abacus"], "leave --device out"),
        (["--input-shape", "3,8,8"], "--input-shape"),
        (["--warmup", "3"], "does not fit into 3"),
        (["--dataset", "cifar10"], "needs a folder"),
        (["--optimiser", "downhill"], "downhill"),
        (["--schedule", "daily"], "daily"),
    ],
)
def test_errors_are_one_line(
    network_file: Path, tmp_path: Path, capsys: Captured, more: list[str], reason: str
) -> None:
    out = tmp_path / "run"
    assert run(words(network_file, out)) == 0
    capsys.readouterr()
    assert run([*words(network_file, out), *more]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert len(error.splitlines()) == 1


def test_a_pattern_of_several_networks_is_refused(tmp_path: Path, capsys: Captured) -> None:
    assert run(["train-network", "timm:resnet*", *SHORT, "--out", str(tmp_path)]) == 2
    assert "networks; name one" in capsys.readouterr().err
