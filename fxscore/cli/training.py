"""One training run as a user sees it: progress, an interruption that loses nothing, a file with its record."""

from __future__ import annotations

import hashlib
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from scipy.stats import kendalltau, spearmanr
from torch import Tensor

from fxscore.cli import output
from fxscore.errors import TrainingError
from fxscore.evaluate import Measures, agreement
from fxscore.evaluate.agreement import Floats
from fxscore.evaluate.tables import TABLE_FILES
from fxscore.report import numbers
from fxscore.scorer.checkpoint import save_checkpoint
from fxscore.scorer.percentiles import Percentiles
from fxscore.train.data import TABLES, CellSet, load_cells, set_families_aside, split_cells
from fxscore.train.loop import StepReport, Trainer, score_cells
from fxscore.train.plan import TrainingPlan

LINE_EVERY = 10.0  # seconds between lines where there is no terminal
_VERSIONS = ("fxscore", "torch", "numpy", "torchsort")


def run_training(
    plan: TrainingPlan, data: Path, out: Path, test: int, validate_every: int | None = None
) -> bool:
    """Train, measure and write the scorer's file; False where the run was interrupted.

    Args:
        plan: The run.
        data: Folder of the benchmark tables.
        out: The scorer's file; the state of an unfinished run lies beside it.
        test: Cells of each space to measure on, among those not drawn for the run; 0 takes all.
        validate_every: Steps between looks at the validation part.
    """
    console = output.console(stderr=True)
    splits = {space: split(plan, data, space, plan.labels.get(space)) for space in plan.spaces}
    state = out.with_name(f"{out.name}.state")
    training, validation = ([split[part] for split in splits.values()] for part in (0, 1))
    validated = [cells for cells in validation if len(cells) > 1]
    trainer = Trainer(plan, training, validated, state, validate_every=validate_every)
    try:
        with _progress(console, trainer) as show:
            for step in trainer.run():
                show(step)
    except KeyboardInterrupt:
        console.print(
            f"interrupted after step {trainer.state.step}; the same command goes on", highlight=False
        )
        return False
    scorer = trainer.trained()
    scorer.name = out.name.removesuffix(".safetensors")
    measured = measure_all(partial(score_cells, scorer), plan, data, test)
    about = record(plan, data, training, measured, trainer.state.history)
    if measured:
        scorer.scale = Percentiles.of(np.concatenate([each.scores for each in measured]))
        about["scale"] = "percentile among " + "; ".join(f"{len(m.scores)} {m.line['on']}" for m in measured)
    save_checkpoint(out, scorer.to_checkpoint(about))
    state.unlink(missing_ok=True)
    report(console, measured, out)
    return True


@dataclass(frozen=True)
class Measured:
    """How well a scorer ranks cells that the run did not draw.

    Attributes:
        line: the figures, as a scorer's record holds them.
        scores: (n,) of these cells.
    """

    line: dict[str, Any]
    scores: Floats


def measure_all(
    score: Callable[[CellSet], Tensor], plan: TrainingPlan, data: Path, test: int
) -> list[Measured]:
    """On every space of the plan that has cells left."""
    found = (measure(score, plan, data, space, test) for space in plan.spaces)
    return [each for each in found if each is not None]


def report(console: Console, measured: Sequence[Measured], out: Path) -> None:
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


def split(plan: TrainingPlan, data: Path, space: str, label: str | None) -> tuple[CellSet, CellSet, CellSet]:
    """The cells that a plan trains on, validates on, and does not draw."""
    cells = load_cells(data, space, label, plan.settings)
    drawn = split_cells(cells, plan.cells, plan.validation, plan.seed)
    return set_families_aside(drawn, plan.without_families)


def measure(
    score: Callable[[CellSet], Tensor], plan: TrainingPlan, data: Path, space: str, test: int
) -> Measured | None:
    """Rank correlations with the test label on cells that the run did not draw, params and MACs beside them.

    None where fewer than two are left.

    The interval is that of ρ: 95 %, bootstrap over networks, 1000 resamples of seed 0.
    """
    label = TABLES[space].test_label
    rest = split(plan, data, space, label)[2]
    cells = rest.subset(rest.sample(test or len(rest), torch.Generator().manual_seed(plan.seed)))
    if len(cells) < 2:
        return None
    sizes = [cells[index].costs for index in range(len(cells))]
    scores = score(cells).double().numpy()
    if not np.isfinite(scores).all():
        raise TrainingError(f"the scorer gives cells of {space} no finite score; lower the learning rate")
    columns = {
        "": scores.tolist(),
        "params_": [size.params for size in sizes],
        "macs_": [size.macs for size in sizes],
    }
    line: dict[str, Any] = {"on": f"cells of {space} that were not drawn, {label}", "n": len(cells)}
    if cells.caution:
        line["caution"] = cells.caution
    for name, values in columns.items():
        line[f"{name}spearman"] = _correlation(spearmanr, values, cells.accuracies.tolist())
        line[f"{name}kendall"] = _correlation(kendalltau, values, cells.accuracies.tolist())
    figure = agreement(scores, cells.accuracies.double().numpy(), Measures()).figures["spearman"]
    if figure.low is not None and figure.high is not None:
        line["interval"] = [round(figure.low, 4), round(figure.high, 4)]
    return Measured(line, scores)


def _correlation(coefficient: Callable[..., Any], values: list[float], accuracies: list[float]) -> float:
    """A rank correlation, rounded; 0 where one side is constant, and so ranks nothing."""
    if len(set(values)) == 1 or len(set(accuracies)) == 1:
        return 0.0
    return round(float(coefficient(values, accuracies).statistic), 4)


def record(
    plan: TrainingPlan,
    data: Path,
    training: Sequence[CellSet],
    measured: Sequence[Measured],
    history: Sequence[Mapping[str, float]],
) -> dict[str, Any]:
    """What a scorer's file says about its making."""
    drawn = [
        f"{len(cells)} cells of {space}, {plan.labels.get(space) or TABLES[space].train_label}"
        + (f" ({cells.caution})" if cells.caution else "")
        for space, cells in zip(plan.spaces, training, strict=True)
    ]
    return {
        "trained_on": "; ".join(drawn),
        "measured": [each.line for each in measured],
        "caution": f"It has seen networks of {', '.join(plan.spaces)} alone, at one size of images: others, and other "
        "sizes, it may rank worse than their parameters do.",
        **provenance(plan, data),
        "history": list(history),
    }


def provenance(plan: TrainingPlan, data: Path) -> dict[str, Any]:
    """The command, the plan, the tables and the versions behind a scorer's file."""
    files = [TABLE_FILES[space] for space in plan.spaces]
    return {
        "command": command(data),
        "plan": plan.as_dict(),
        "tables": {name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in files},
        "versions": {name: version(name) for name in _VERSIONS},
        "date": date.today().isoformat(),
    }


def command(data: Path) -> str:
    """The command that is running; where the tables lie on this machine is nobody's business."""
    words = ["TABLES" if word == str(data) else word for word in sys.argv[1:]]
    return shlex.join(["fxscore", *(word.replace(f"--data={data}", "--data=TABLES") for word in words)])


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


@contextmanager
def _progress(console: Console, trainer: Trainer) -> Iterator[Any]:
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
