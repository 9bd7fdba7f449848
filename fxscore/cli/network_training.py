"""The training of one network as a user sees it: a bar, a line for each epoch, an interruption that loses no epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fxscore.cli import output
from fxscore.cli.expand import expand
from fxscore.errors import TrainingError
from fxscore.network_training import (
    ClassifierPlan,
    ClassifierTrainer,
    EpochReport,
    build_network,
    open_data_set,
)
from fxscore.network_training.outcome import RESULT, STATE, WEIGHTS, read_outcome, write_outcome
from fxscore.report import numbers
from fxscore.types import ModelRef, Shape


def run_training(
    model: str,
    dataset: str,
    data: Path | None,
    plan: ClassifierPlan,
    out: Path,
    input_shape: Shape | None,
    device: str | None,
    workers: int,
    measure_every: int,
) -> bool:
    """Train a network and write its folder; False where the run was interrupted."""
    chosen = _device(device)
    images = open_data_set(dataset, data, workers, pinned=chosen.type == "cuda")
    network = build_network(_one(model), images.classes, input_shape=input_shape, seed=plan.seed)
    training, test = images.split(network.input_shape, plan)
    trainer = ClassifierTrainer(
        network,
        plan,
        training,
        test,
        state_path=out / STATE,
        data_name=dataset,
        device=chosen,
        measure_every=measure_every,
    )
    console = output.console(stderr=True)
    result = read_outcome(out, trainer.about)
    if result is None:
        try:
            _train(trainer, console)
        except KeyboardInterrupt:
            done = len(trainer.history)
            console.print(f"interrupted after epoch {done}; the same command goes on", highlight=False)
            return False
        result = write_outcome(trainer, out)
    _report(console, result, out)
    return True


def _train(trainer: ClassifierTrainer, console: Console) -> None:
    total = trainer.plan.epochs
    console.print(
        f"{trainer.network.ref}: {numbers.count(trainer.network.params)} parameters, {len(trainer.training)} images to "
        f"train on and {len(trainer.test)} to measure on, {trainer.device}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if trainer.history:
        console.print(f"going on after epoch {len(trainer.history)}", highlight=False)
    with _bar(console, total, len(trainer.history)) as show:
        for report in trainer.run():
            show(report)


@contextmanager
def _bar(console: Console, total: int, done: int) -> Iterator[Callable[[EpochReport], None]]:
    """A function that shows an epoch: a line, and on a terminal a bar below the lines."""
    begun, start = done, time.monotonic()
    columns = (BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("first epoch", total=total, completed=done)

        def show(report: EpochReport) -> None:
            each = (time.monotonic() - start) / (report.epoch - begun)
            left = numbers.seconds((total - report.epoch) * each)
            console.print(f"epoch {report.epoch}/{total}: {_line(report)}, {left} left", highlight=False)
            bar.update(task, completed=report.epoch, description=f"{left} left")

        yield show


def _line(report: EpochReport) -> str:
    accuracy = "" if report.accuracy is None else f", accuracy {report.accuracy:.2f} %"
    return f"loss {report.loss:.4f}{accuracy}, learning rate {report.learning_rate:.2g}"


def _report(console: Console, result: dict[str, Any], out: Path) -> None:
    """The result on stdout, the files on stderr."""
    output.console().print(
        f"accuracy {result['final']:.2f} % after the last epoch; best {result['best']:.2f} % after epoch "
        f"{result['best_epoch']}, chosen on the test images",
        highlight=False,
    )
    for name in (RESULT, WEIGHTS):
        console.print(f"written to {out / name}", highlight=False, markup=False, soft_wrap=True)


def _one(model: str) -> ModelRef:
    refs = expand([model], False)
    if len(refs) > 1:
        raise TrainingError(f"{model} stands for {len(refs)} networks; name one, such as {refs[0]}")
    return refs[0]


def _device(name: str | None) -> torch.device:
    chosen = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros((), device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(
            f"cannot compute on {chosen!r} ({reason}); leave --device out, or name cpu"
        ) from None
    return torch.device(chosen)
