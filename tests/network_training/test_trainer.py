from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fxscore.errors import TrainingError
from fxscore.network_training import ClassifierPlan, ClassifierTrainer, build_network, open_data_set
from fxscore.network_training.trainer import EpochReport
from fxscore.types import ModelRef

SHORT: dict[str, Any] = {"epochs": 4, "batch": 32, "warmup": 1, "training_images": 100}


def trainer(file: Path, state: Path | None = None, **options: Any) -> ClassifierTrainer:
    plan = ClassifierPlan(**{**SHORT, **options})
    network = build_network(ModelRef.parse(str(file)), 10, seed=plan.seed)
    training, test = open_data_set("digits").split(network.input_shape, plan)
    return ClassifierTrainer(network, plan, training, test, state_path=state, data_name="digits")


def outcome(run: ClassifierTrainer) -> tuple[dict[str, Tensor], list[tuple[int, float, float, float | None]]]:
    for _ in run.run():
        pass
    rows = [(r.epoch, r.loss, r.learning_rate, r.accuracy) for r in run.history]
    return {name: tensor.clone() for name, tensor in run.trained.state_dict().items()}, rows


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"averaging": 0.9, "optimiser": "adamw", "learning_rate": 0.01},
        {"clip": 0.5, "label_smoothing": 0.1},
    ],
    ids=["sgd", "adamw with averaging", "clipped and smoothed"],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    network_file: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    weights, history = outcome(trainer(network_file, **options))
    state = tmp_path / "state.pt"
    for _ in range(
        SHORT["epochs"]
    ):  # every epoch in a run of its own, after a draw that nobody reckoned with
        torch.rand(7)
        next(trainer(network_file, state, **options).run())
    resumed = trainer(network_file, state, **options)
    assert [(r.epoch, r.loss, r.learning_rate, r.accuracy) for r in resumed.history] == history
    found = resumed.trained.state_dict()
    assert found.keys() == weights.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in weights.items())


def test_channels_last_is_another_layout_of_the_same_numbers(
    network_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    runs = [trainer(network_file, channels_last=last, learning_rate=1e-3) for last in (False, True)]
    (_, rows), (_, others) = map(outcome, runs)  # dropout draws its numbers in the order of memory
    assert [row[1] for row in rows] == pytest.approx([row[1] for row in others], abs=0.05)
    images = torch.zeros(2, 3, 8, 8)
    layouts = [run._moved(images).is_contiguous(memory_format=torch.channels_last) for run in runs]
    assert layouts == [False, True]


def test_several_threads_of_a_processor_keep_the_layout_in_which_torch_is_right(
    network_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    run = trainer(network_file, channels_last=True)
    assert not run._moved(torch.zeros(2, 3, 8, 8)).is_contiguous(memory_format=torch.channels_last)


def test_seeds_decide_the_run_and_the_global_generator_is_left_alone(network_file: Path) -> None:
    before = torch.get_rng_state()
    one, again, other = (outcome(trainer(network_file, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert one[1] == again[1]
    assert one[1] != other[1]


def test_it_learns(network_file: Path) -> None:
    run = trainer(network_file, epochs=12, training_images=1200)
    history = outcome(run)[1]
    losses, accuracy = [row[1] for row in history], history[-1][3]
    assert losses[-1] < 0.6 * losses[0]
    assert accuracy is not None
    assert accuracy > 60  # chance is 10
    assert accuracy == run.measure()


def test_the_learning_rate_rises_and_falls(network_file: Path) -> None:
    rates = [report.learning_rate for report in trainer(network_file, epochs=6, warmup=2).run()]
    assert max(rates) == rates[1] or max(rates) == rates[2]
    assert rates[-1] < 0.01 < 0.05 < max(rates) <= 0.1


def test_the_average_is_measured_and_kept(network_file: Path) -> None:
    run = trainer(network_file, averaging=0.9)
    weights = outcome(run)[0]
    assert any(not torch.equal(tensor, weights[name]) for name, tensor in run.module.state_dict().items())
    plain = outcome(trainer(network_file))[0]
    assert all(torch.equal(tensor, run.module.state_dict()[name]) for name, tensor in plain.items())


def test_accuracies_are_measured_when_wanted_and_at_the_end(network_file: Path) -> None:
    run = trainer(network_file)
    run.measure_every = 3
    measured = [report.epoch for report in run.run() if report.accuracy is not None]
    assert measured == [3, 4]


def test_a_state_of_another_run_is_refused(network_file: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.pt"
    next(trainer(network_file, state).run())
    with pytest.raises(TrainingError, match=r"another run \(batch: 32 then, 16 now"):
        trainer(network_file, state, batch=16)
    network_file.write_text(network_file.read_text() + "\n# changed\n")
    with pytest.raises(TrainingError, match="sha256"):
        trainer(network_file, state)


@pytest.mark.parametrize("damage", [b"", b"no state", None])
def test_a_damaged_state_is_refused(network_file: Path, tmp_path: Path, damage: bytes | None) -> None:
    state = tmp_path / "state.pt"
    next(trainer(network_file, state).run())
    state.write_bytes(state.read_bytes()[:-1000] if damage is None else damage)
    with pytest.raises(TrainingError, match="is damaged"):
        trainer(network_file, state)


def test_a_state_that_would_run_code_is_refused(network_file: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.pt"
    torch.save({"about": "{}", "module": EpochReport(1, 0.0, 0.0, None, 0.0)}, state)
    with pytest.raises(TrainingError, match="is damaged"):
        trainer(network_file, state)


def test_a_loss_that_is_not_finite_ends_the_run(network_file: Path) -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        outcome(trainer(network_file, learning_rate=1e30, warmup=0))


@pytest.mark.parametrize(
    "wrong", [{"warmup": 4}, {"epochs": 0}, {"averaging": 1.0}, {"augmentation": "mixup"}]
)
def test_a_senseless_plan_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TrainingError):
        ClassifierPlan(**{**SHORT, **wrong})


def test_a_builder_gets_the_number_of_classes_if_it_takes_it(network_file: Path, tmp_path: Path) -> None:
    built = build_network(ModelRef.parse(str(network_file)), 7)
    assert built.ref.kwargs == {"num_classes": 7}
    assert built.module(torch.zeros(2, 1, 8, 8)).shape == (2, 7)
    fixed = tmp_path / "fixed.py"
    fixed.write_text(
        network_file.read_text().replace(", num_classes: int = 10", "").replace("num_classes", "10")
    )
    assert build_network(ModelRef.parse(str(fixed)), 10).ref.kwargs == {}
    with pytest.raises(TrainingError, match=r"gives \(2, 10\) for 2 images, and 7 classes"):
        build_network(ModelRef.parse(str(fixed)), 7)


def test_another_image_shape_must_fit(network_file: Path) -> None:
    ref = ModelRef.parse(str(network_file))
    assert build_network(ref, 10, input_shape=(1, 12, 12)).input_shape == (1, 12, 12)
    with pytest.raises(TrainingError, match="--input-shape"):
        build_network(ref, 10, input_shape=(3, 8, 8))


@pytest.mark.zoo
def test_timm_networks_take_the_classes_and_small_images() -> None:
    ref = ModelRef.parse("timm:resnet10t")
    network = build_network(ref, 10, input_shape=(3, 32, 32))
    plan = ClassifierPlan(epochs=1, warmup=0, batch=16, training_images=16)
    training, test = open_data_set("digits").split(network.input_shape, plan)
    (images, labels), *_ = training.batches(16, seed=0)
    assert images.shape == (16, 3, 32, 32)
    assert network.module(images).shape == (16, 10)
    assert len(labels) == 16
    assert len(test) == 1797 - 16
