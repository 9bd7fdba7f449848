"""Trains one network: seeded, with a state after every epoch from which a run goes on as if it had not stopped.

All that is random in an epoch (order, augmentation, dropout) is drawn from the plan's seed and the epoch's number, so
that a resumed run equals an uninterrupted one, bit for bit where the device computes alike each time, as a CPU does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from timm.scheduler.scheduler import Scheduler
from timm.scheduler.scheduler_factory import create_scheduler_v2
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch.nn import functional as F

from fxscore.capture.modes import evaluating
from fxscore.errors import TrainingError
from fxscore.network_training.captured_step import CapturedStep
from fxscore.network_training.checkpoint import read_state, write_state
from fxscore.network_training.images import Images, whole_batches
from fxscore.network_training.network import Network
from fxscore.network_training.plan import ClassifierPlan
from fxscore.sources import file_hash
from fxscore.sources.building import seeded
from fxscore.texts import first_line

_WARMUP_FROM = 0.01  # of the highest learning rate


@dataclass(frozen=True)
class EpochReport:
    """What one epoch did.

    Attributes:
        epoch: its number, from 1.
        loss: mean over the training images, label smoothing included.
        learning_rate: of its last step.
        accuracy: share of the test images that are classified right, in percent; None where it was not measured.
        seconds: that it took.
    """

    epoch: int
    loss: float
    learning_rate: float
    accuracy: float | None
    seconds: float


class ClassifierTrainer:
    """One training run.

    Args:
        network: to train; changed in place.
        plan: the recipe.
        training: the images to learn from.
        test: the images to measure on; they decide nothing.
        state_path: where the state is kept after every epoch; an existing one of the same run is resumed. None keeps
            nothing.
        data_name: of the data set, so that a state of other data is refused.
        device: where to compute.
        measure_every: epochs between measurements; the last one is always measured.
        captured: record a step on a CUDA device and replay it, see `CapturedStep`; other devices compute as ever. Not
            with `state_path`.
    """

    def __init__(
        self,
        network: Network,
        plan: ClassifierPlan,
        training: Images,
        test: Images,
        *,
        state_path: Path | None = None,
        data_name: str = "",
        device: str | torch.device = "cpu",
        measure_every: int = 1,
        captured: bool = False,
    ) -> None:
        if not len(training) or not len(test):
            raise TrainingError("there are no images to train on, or none to measure on")
        if captured and state_path is not None:
            raise TrainingError("a run with a captured step keeps no state; leave out one of the two")
        self.network, self.plan = network, plan
        self.training, self.test = training, test
        self.state_path, self.measure_every = state_path, measure_every
        self.device = torch.device(device)
        self.history: list[EpochReport] = []
        self.about = {
            "model": str(network.ref),
            "sha256": file_hash(network.ref),  # a file that was changed builds another network
            "input_shape": list(network.input_shape),
            "data": data_name,
            **plan.as_dict(),
        }
        self._format = torch.channels_last if self._lays_channels_last() else torch.contiguous_format
        self.module: nn.Module = network.module.to(self.device).to(memory_format=self._format)
        self._prepare()
        self._step: Callable[[Tensor, Tensor], Tensor] = self._plain_step
        if captured and self.device.type == "cuda":
            self._step = CapturedStep(self._plain_step, self.module, self._optimiser)
        if state_path is not None and state_path.exists():
            self._load(read_state(state_path, self.about, self.device))

    def _lays_channels_last(self) -> bool:
        """Not on several threads of a processor: torch 2.14's backward of strided 1×1 layers ruins memory there."""
        return self.plan.channels_last and (self.device.type != "cpu" or torch.get_num_threads() == 1)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of one epoch."""
        return -(-whole_batches(len(self.training), self.plan.batch) // self.plan.batch)

    @property
    def trained(self) -> nn.Module:
        """The network that the run stands for: with averaged weights, where the plan averages."""
        return self.module if self._average is None else self._average.module

    def run(self) -> Iterator[EpochReport]:
        """Go through the remaining epochs, one report each."""
        while len(self.history) < self.plan.epochs:
            epoch, start = len(self.history), time.perf_counter()
            with seeded(self._seed(epoch)), self._seeded_device(epoch):
                loss = self._train(epoch)
            last = epoch + 1 == self.plan.epochs
            accuracy = self.measure() if last or (epoch + 1) % self.measure_every == 0 else None
            rate = float(self._optimiser.param_groups[0]["lr"])
            self.history.append(EpochReport(epoch + 1, loss, rate, accuracy, time.perf_counter() - start))
            if self.state_path is not None:
                write_state(self.state_path, self._state(), self.about)
            yield self.history[-1]

    @torch.no_grad()
    def measure(self) -> float:
        """Accuracy on the test images, in percent."""
        right, module = 0, evaluating(self.trained)
        for images, labels in self.test.batches(4 * self.plan.batch):
            with self._precision():
                outputs = module(self._moved(images))
            right += int((outputs.argmax(1).cpu() == labels.cpu()).sum())
        return 100 * right / len(self.test)

    def _prepare(self) -> None:
        try:
            self._optimiser, self._schedule = self._timm_parts()
        except (
            ValueError,
            AssertionError,
            TypeError,
        ) as error:  # timm's, of a name or a value that it does not know
            raise TrainingError(f"timm does not take these settings: {_reason(error)}") from error
        average = self.plan.averaging
        self._average = ModelEmaV3(self.module, average, use_warmup=True) if average else None
        self._half = self.plan.mixed_precision and self.device.type == "cuda"
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self._half)

    def _timm_parts(self) -> tuple[torch.optim.Optimizer, Scheduler]:
        plan = self.plan
        optimiser = create_optimizer_v2(
            self.module,
            opt=plan.optimiser,
            lr=plan.learning_rate,
            weight_decay=plan.weight_decay,
            momentum=plan.momentum,
        )
        schedule, _ = create_scheduler_v2(
            optimiser,
            plan.schedule,
            num_epochs=plan.epochs,
            warmup_epochs=plan.warmup,
            warmup_lr=_WARMUP_FROM * plan.learning_rate,
            step_on_epochs=False,
            updates_per_epoch=self.steps_per_epoch,
        )
        if schedule is None:
            raise ValueError("a schedule is needed; constant holds the learning rate after the warm-up")
        return optimiser, schedule

    def _train(self, epoch: int) -> float:
        self.module.train()
        total = torch.zeros((), device=self.device)
        done = epoch * self.steps_per_epoch
        for images, labels in self.training.batches(self.plan.batch, self._seed(epoch)):
            # The schedule depends on the number of the step alone, so that it has no state to keep.
            self._schedule.step_update(done)
            total += self._step(self._moved(images), labels.to(self.device))
            done += 1
            if self._average is not None:
                self._average.update(self.module, step=done)
        loss = float(total) / self.steps_per_epoch
        if not torch.isfinite(total):
            raise TrainingError(
                f"{self.network.ref}: the loss of epoch {epoch + 1} is {loss}; lower the learning rate, "
                "lengthen the warm-up, or clip the gradient"
            )
        return loss

    def _plain_step(self, images: Tensor, labels: Tensor) -> Tensor:
        self._optimiser.zero_grad(set_to_none=True)
        with self._precision():
            outputs = self.module(images)
            loss = F.cross_entropy(outputs, labels, label_smoothing=self.plan.label_smoothing)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if self.plan.clip:
            self._scaler.unscale_(self._optimiser)
            nn.utils.clip_grad_norm_(self.module.parameters(), self.plan.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return loss.detach()

    def _moved(self, images: Tensor) -> Tensor:
        return images.to(self.device, non_blocking=True, memory_format=self._format)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, enabled=self._half)

    def _seed(self, epoch: int) -> int:
        return (self.plan.seed + 1) * 1_000_003 + epoch

    @contextmanager
    def _seeded_device(self, epoch: int) -> Iterator[None]:
        if self.device.type != "cuda":
            yield
            return
        with torch.random.fork_rng(devices=[self.device]), torch.cuda.device(self.device):
            torch.cuda.manual_seed(self._seed(epoch))
            yield

    def _state(self) -> dict[str, Any]:
        return {
            "module": self.module.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "average": None if self._average is None else self._average.module.state_dict(),
            "scaler": self._scaler.state_dict(),
            "history": [asdict(report) for report in self.history],
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._average is not None:
            self._average.module.load_state_dict(state["average"])
        if self._half:
            self._scaler.load_state_dict(state["scaler"])
        self.history = [EpochReport(**report) for report in state["history"]]


def _reason(error: Exception) -> str:
    return first_line(error)
