from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fxscore.errors import TrainingError
from fxscore.network_training import ClassifierPlan, ClassifierTrainer, Network
from fxscore.network_training.captured_step import CapturedStep
from fxscore.network_training.images import TensorImages
from fxscore.types import ModelRef

PLAN = ClassifierPlan(
    epochs=3, batch=10, warmup=1, optimiser="adamw", learning_rate=3e-3, clip=1.0, mixed_precision=False
)


def trainer(device: str, captured: bool, plan: ClassifierPlan = PLAN) -> ClassifierTrainer:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3)
    )
    images, labels = torch.randn(64, 1, 6, 6), torch.arange(64) % 3
    data = TensorImages(images + labels[:, None, None, None] / 2, labels, (1, 6, 6), flip=True)
    network = Network(ModelRef("zoo", "none"), module, (1, 6, 6))
    return ClassifierTrainer(network, plan, data, data, device=device, captured=captured)


def losses(device: str, captured: bool) -> list[float]:
    return [report.loss for report in trainer(device, captured).run()]


def test_other_devices_compute_as_ever() -> None:
    assert losses("cpu", True) == losses("cpu", False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_replayed_step_learns_what_a_plain_one_learns() -> None:
    plain, captured = losses("cuda", False), losses("cuda", True)
    assert captured == pytest.approx(plain, rel=1e-3)
    assert captured == pytest.approx(losses("cpu", False), rel=1e-2)
    assert captured[-1] < captured[0]


def test_an_optimiser_that_cannot_be_recorded_is_refused() -> None:
    module = nn.Linear(2, 2)
    with pytest.raises(TrainingError, match=r"SGD cannot be recorded on the device; take adamw"):
        CapturedStep(lambda images, _: images.sum(), module, torch.optim.SGD(module.parameters(), 0.1))


def test_a_captured_run_keeps_no_state(tmp_path: Path) -> None:
    plain = trainer("cpu", False)
    with pytest.raises(TrainingError, match="leave out one of the two"):
        ClassifierTrainer(
            plain.network, PLAN, plain.training, plain.test, state_path=tmp_path / "state.pt", captured=True
        )
