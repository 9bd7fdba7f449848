"""How a training comes along, on stderr: a bar or a line now and then, and at the end what the scorer reaches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fxscore.cli.progress import LINE_EVERY
from fxscore.report import numbers
from fxscore.train.loop import StepReport, Trainer
from fxscore.train.measured import UnseenFigures


def report(console: Console, measured: Sequence[UnseenFigures], out: Path) -> None:
    """Print what a new scorer reaches, and where it is."""
    for line in (each.line for each in measured):
        figures = f"ρ {line['spearman']:.3f}, τ {line['kendall']:.3f}"
        caution = f" ({line['caution']})" if "caution" in line else ""
        console.print(f"{figures} on {line['n']} {line['on']}{caution}", highlight=False)
    if not measured:
        console.print(
            "not measured, and raw scores: fewer than two cells of every space were left or asked for (--cells, --test)"
        )
    console.print(f"written to {out}", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def show_steps(console: Console, trainer: Trainer) -> Iterator[Callable[[StepReport], None]]:
    """A function that shows a step."""
    line, steps = _Line(trainer), trainer.plan.steps
    if console.is_terminal:
        with Progress(
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        ) as bar:
            task = bar.add_task("constructing architectures", total=steps, completed=trainer.state.step)
            yield lambda report: bar.update(task, completed=report.step, description=line.text(report))
        return
    last = time.monotonic()

    def show(report: StepReport) -> None:
        nonlocal last
        text = line.text(report)
        if time.monotonic() - last >= LINE_EVERY or report.step == steps:
            last = time.monotonic()
            console.print(f"step {report.step}/{steps}: {text}", highlight=False, markup=False)

    yield show


class _Line:
    """A step in words, and how long the rest will take."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._begun_at, self._start = trainer.state.step, time.monotonic()
        self._validation: float | None = None

    def text(self, report: StepReport) -> str:
        self._validation = self._validation if report.validation is None else report.validation
        taken = report.step - self._begun_at
        left = (self._trainer.plan.steps - report.step) * (time.monotonic() - self._start) / taken
        rho = "" if self._validation is None else f", ρ {self._validation:.3f} on the validation part"
        return f"loss {report.loss:.4f}{rho}, {numbers.seconds(left)} left"
