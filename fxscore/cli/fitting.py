"""One fit as a user sees it: progress, what failed, the figure, the file with its record."""

from __future__ import annotations

import glob
import hashlib
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fxscore.cli import options, output
from fxscore.errors import TrainingError
from fxscore.run import Where
from fxscore.scorer import FTScoreNet, Hybrid, load_scorer, shipped_scorers
from fxscore.scorer.checkpoint import save_checkpoint
from fxscore.train.fit import FOLDS, Fitted, fit_both, fit_ft_scorenet, fit_hybrid
from fxscore.train.looking import Watch
from fxscore.train.results import Result, read_results
from fxscore.types import ModelRef, Shape

_HELD_OUT = 0.2  # of the networks, to measure trained FT-ScoreNets on
_STARTS = {"hybrid": "general", "ft": "nasbench201", "both": "general"}
_VERSIONS = ("fxscore", "torch", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        file: CSV table of models and accuracies.
        out: the scorer's file.
        kind: `hybrid`, `ft` or `both`.
        start: name or file of the scorer that is built upon.
        input_shape: of all networks.
        members: FT-ScoreNets of the kind `both`.
        steps, samples: of the training of an FT-ScoreNet.
        seed: of all that is drawn.
        where: workers, limits, store and cluster.
    """

    file: Path
    out: Path
    kind: str
    start: str | None
    input_shape: Shape | None
    members: int
    steps: int
    samples: int
    seed: int
    where: options.Where

    @property
    def training_steps(self) -> int:
        """Steps of all trainings."""
        return {"hybrid": 0, "ft": self.steps, "both": self.members * self.steps}[self.kind]


def run_fit(asked: Request) -> bool:
    """Fit, measure and write the scorer's file; False where some networks failed."""
    console = output.console(stderr=True)
    results = read_results(asked.file)
    with _progress(console, len(results) + asked.training_steps) as watch:
        fitted = _fit(asked, [r.ref for r in results], [r.accuracy for r in results], watch)
    _tell(console, results, fitted)
    fitted.scorer.name = asked.out.name.removesuffix(".safetensors")
    save_checkpoint(asked.out, fitted.scorer.to_checkpoint(record(asked, fitted)))
    for state in asked.out.parent.glob(f"{glob.escape(asked.out.name)}.{'[0-9a-f]' * 12}.state"):
        state.unlink()
    console.print(f"written to {asked.out}", highlight=False, markup=False, soft_wrap=True)
    return not fitted.failed


def _fit(asked: Request, refs: Sequence[ModelRef], accuracies: Sequence[float], watch: Watch) -> Fitted:
    start = _start(asked.kind, asked.start)
    where = Where(**asked.where)
    fit: Callable[..., Fitted]
    if isinstance(start, FTScoreNet):
        fit = partial(fit_ft_scorenet, start)
    elif asked.kind == "both":
        fit = partial(fit_both, start, members=asked.members)
    else:
        return fit_hybrid(
            start, refs, accuracies, input_shape=asked.input_shape, seed=asked.seed, where=where, watch=watch
        )
    return fit(
        refs,
        accuracies,
        input_shape=asked.input_shape,
        steps=asked.steps,
        samples=asked.samples,
        validation=_HELD_OUT,
        seed=asked.seed,
        where=where,
        state=asked.out,
        watch=watch,
    )


def _start(kind: str, name: str | None) -> Hybrid | FTScoreNet:
    wanted = FTScoreNet if kind == "ft" else Hybrid
    if name is None and _STARTS[kind] not in shipped_scorers():
        return wanted()
    scorer = load_scorer(name or _STARTS[kind])
    if isinstance(scorer, wanted):
        return scorer
    raise TrainingError(f"--start {name} is no scorer of the kind {kind}; leave it out, or change --kind")


def _tell(console: Console, results: Sequence[Result], fitted: Fitted) -> None:
    for place, error in fitted.failed.items():
        rows = ", ".join(map(str, results[place].rows))
        console.print(f"left out, row {rows}: {error}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{summary(fitted)}", highlight=False, markup=False, soft_wrap=True)


def summary(fitted: Fitted) -> str:
    """The figure in words."""
    figure = fitted.agreement
    how = (
        f"in {FOLDS} folds, each scored by a fit to the others"
        if isinstance(fitted.scorer, Hybrid)
        else "that were held out"
    )
    if figure.value is None:
        return f"fitted to {len(fitted.used)} networks; ρ is undefined on {fitted.held_out} {how}"
    known = figure.low is not None and figure.high is not None
    interval = f" (95 % interval {figure.low:.3f} to {figure.high:.3f})" if known else ""
    return f"ρ {figure.value:.3f}{interval} on {fitted.held_out} networks {how}"


def record(asked: Request, fitted: Fitted) -> dict[str, Any]:
    """What the scorer's file says about its making."""
    figure = fitted.agreement
    folds = asked.kind == "hybrid"
    trained = "" if folds else f", FT-ScoreNets on {len(fitted.used) - fitted.held_out} of them"
    on = f"{FOLDS} folds of the same networks" if folds else "networks of the same file, held out"
    return {
        "trained_on": f"{len(fitted.used)} networks of {asked.file.name}{trained}",
        "measured": [
            {
                "on": on,
                "n": fitted.held_out,
                "spearman": figure.value,
                "interval": [figure.low, figure.high],
            }
        ],
        "caution": "Ranks networks like those that it was fitted to.",
        "command": shlex.join(["fxscore", *sys.argv[1:]]),
        "seed": asked.seed,
        "table": hashlib.sha256(asked.file.read_bytes()).hexdigest(),
        "versions": {name: version(name) for name in _VERSIONS},
        "date": date.today().isoformat(),
    }


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Watch]:
    if not console.is_terminal:
        yield lambda done: None
        return
    with Progress(
        BarColumn(20), MofNCompleteColumn(), TextColumn("networks and steps"), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
