"""How the training of one network comes along, on stderr: a bar, a line for each epoch, and the result on stdout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fxscore.cli import output
from fxscore.network_training import ClassifierTrainer, EpochReport
from fxscore.network_training.outcome import RESULT, WEIGHTS
from fxscore.report import numbers


def show_training(console: Console, trainer: ClassifierTrainer) -> None:
    """Train to the end."""
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


def report(console: Console, result: dict[str, Any], out: Path) -> None:
    """The result on stdout, the files on stderr."""
    output.console().print(
        f"accuracy {result['final']:.2f} % after the last epoch; best {result['best']:.2f} % after epoch "
        f"{result['best_epoch']}, chosen on the test images",
        highlight=False,
    )
    for name in (RESULT, WEIGHTS):
        console.print(f"written to {out / name}", highlight=False, markup=False, soft_wrap=True)
