"""One fit as a user sees it: progress, what failed, the figure, the file with its record."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fxscore.cli import output
from fxscore.errors import TrainingError
from fxscore.scorer import FTScoreNet, Hybrid, load_scorer, shipped_scorers
from fxscore.scorer.checkpoint import save_checkpoint
from fxscore.train.fit import FOLDS, Fitted, Watch, fit_ft_scorenet, fit_hybrid
from fxscore.train.results import Result, read_results
from fxscore.types import Shape

_HELD_OUT = 0.2  # of the networks, to measure a trained FT-ScoreNet on
_STARTS = {"hybrid": "general", "ft": "nasbench201"}
_VERSIONS = ("fxscore", "torch", "numpy", "scikit-learn")


def run_fit(
    file: Path,
    out: Path,
    kind: str,
    start: str | None,
    input_shape: Shape | None,
    numbers: tuple[int, int, int],
) -> bool:
    """Fit, measure and write the scorer's file; False where some networks failed.

    Args:
        file: CSV table of models and accuracies.
        out: the scorer's file.
        kind: `hybrid` or `ft`.
        start: name or file of the scorer that is built upon.
        input_shape: of all networks.
        numbers: steps and samples of a training, and the seed.
    """
    console = output.console(stderr=True)
    results = read_results(file)
    scorer = _start(kind, start)
    steps, samples, seed = numbers
    refs, accuracies = [r.ref for r in results], [r.accuracy for r in results]
    with _progress(console, len(results) if kind == "hybrid" else len(results) + steps) as watch:
        if isinstance(scorer, Hybrid):
            fitted = fit_hybrid(scorer, refs, accuracies, input_shape=input_shape, seed=seed, watch=watch)
        else:
            fitted = fit_ft_scorenet(
                scorer,
                refs,
                accuracies,
                input_shape=input_shape,
                steps=steps,
                samples=samples,
                validation=_HELD_OUT,
                seed=seed,
                watch=watch,
            )
    _tell(console, results, fitted)
    fitted.scorer.name = out.name.removesuffix(".safetensors")
    save_checkpoint(out, fitted.scorer.to_checkpoint(record(file, fitted, kind, seed)))
    console.print(f"written to {out}", highlight=False, markup=False, soft_wrap=True)
    return not fitted.failed


def _start(kind: str, name: str | None) -> Hybrid | FTScoreNet:
    if name is None and _STARTS[kind] not in shipped_scorers():
        return Hybrid() if kind == "hybrid" else FTScoreNet()
    scorer = load_scorer(name or _STARTS[kind])
    if isinstance(scorer, Hybrid if kind == "hybrid" else FTScoreNet):
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
    if figure.value is None or figure.low is None or figure.high is None:
        return f"fitted to {len(fitted.used)} networks; ρ is undefined on {fitted.held_out} {how}"
    interval = f"95 % interval {figure.low:.3f} to {figure.high:.3f}"
    return f"ρ {figure.value:.3f} ({interval}) on {fitted.held_out} networks {how}"


def record(file: Path, fitted: Fitted, kind: str, seed: int) -> dict[str, Any]:
    """What the scorer's file says about its making."""
    figure = fitted.agreement
    on = f"{FOLDS} folds of the same networks" if kind == "hybrid" else "networks of the same file, held out"
    return {
        "trained_on": f"{len(fitted.used)} networks of {file.name}",
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
        "seed": seed,
        "table": hashlib.sha256(file.read_bytes()).hexdigest(),
        "versions": {name: version(name) for name in _VERSIONS},
        "date": date.today().isoformat(),
    }


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Watch]:
    if not console.is_terminal:
        yield lambda done: None
        return
    with Progress(
        BarColumn(20), MofNCompleteColumn(), TextColumn("networks"), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
