"""The training runs behind ``python -m benchmarks.paper.nasbench201``: resumable, each with its learning curve.

Several FT-ScoreNets are trained on the same cells; they differ in what a seed decides (initial values, samples).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import torch

from benchmarks.results import command_line, table
from fxscore.evaluate import LearningCurve, learning_curve, spearman, split_indices, table_path
from fxscore.report.evaluation_table import interval_text
from fxscore.scorer import Settings
from fxscore.scorer.checkpoint import load_checkpoint, save_checkpoint
from fxscore.train.data import CellSet, load_cells, split_cells
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.plan import TrainingPlan

SPACE = "nasbench201"
MEMBERS = 1000  # more than there will be: tells the seeds of different draws apart


def plan_of(options: argparse.Namespace, cells: int, seed: int) -> TrainingPlan:
    """The training run of one FT-ScoreNet; `seed` is of its initial values and samples."""
    return TrainingPlan(
        cells=cells,
        validation=0.0,
        samples=min(options.samples, cells),
        steps=options.steps,
        learning_rate=options.learning_rate,
        averaging=options.averaging,
        seed=seed,
        settings=Settings(
            batch=options.batch,
            input_shape=(3, options.resolution, options.resolution),
            small_inputs=options.resolution < 32,  # cells are 32×32; smaller, they are seen at 16×16
        ),
    )


def trained(options: argparse.Namespace, cells: int, seed: int) -> list[Path]:
    """The scorers of one number of cells and one draw of them: trained now, or found in the work folder."""
    return [_trained(options, cells, seed, member) for member in range(options.members)]


def _trained(options: argparse.Namespace, cells: int, seed: int, member: int) -> Path:
    plan = plan_of(options, cells, MEMBERS * seed + member)
    mark = hashlib.sha256(json.dumps(plan.as_dict(), sort_keys=True).encode()).hexdigest()[:8]
    path: Path = options.work / f"{SPACE}-seed{seed}-member{member}-{mark}.safetensors"
    if not path.exists():
        everything = load_cells(options.data, SPACE, None, plan.settings)
        training, _, _ = split_cells(everything, cells, 0.0, seed)
        trainer = Trainer(plan, [training], state_path=path.with_suffix(".state"))
        begun, begin = trainer.state.step, time.process_time()
        every = options.curve if member == 0 else 0
        _run(trainer, seed, _Curve(options, path, every, plan, seed))
        scorer = trainer.trained()
        scorer.name = path.stem
        seen = split_indices(len(everything), cells, 0.0, seed).drawn
        record = record_of(plan, options.data, trainer, seen)
        if not begun and not every:  # neither resumed nor with looks at other cells
            record["cpu_seconds"] = round(time.process_time() - begin)
        save_checkpoint(path, scorer.to_checkpoint(record))
        path.with_suffix(".state").unlink(missing_ok=True)
    return path


def _run(trainer: Trainer, seed: int, curve: _Curve) -> None:
    for report in trainer.run():
        if report.step % 10 == 0 or report.step == trainer.plan.steps:
            place = f"step {report.step}/{trainer.plan.steps}"
            print(f"{trainer.plan.cells} cells, seed {seed}: {place}, loss {report.loss:.4f}", flush=True)
        curve.measure(trainer, report.step)


def record_of(plan: TrainingPlan, data: Path, trainer: Trainer, seen: Collection[int]) -> dict[str, object]:
    """What the scorer's file says about its making; `seen` are the places of its cells in the table."""
    file = table_path(SPACE, data)
    return {
        "trained_on": f"{plan.cells} cells of {SPACE}, cifar100.valid",
        "command": command_line(),
        "plan": plan.as_dict(),
        "seen": {SPACE: sorted(seen)},
        "tables": {file.name: hashlib.sha256(file.read_bytes()).hexdigest()},
        "history": trainer.state.history,
    }


def training_seconds(paths: Sequence[Path]) -> list[int]:
    """Processor's seconds of those trainings that were timed."""
    found = (load_checkpoint(path).record.get("cpu_seconds") for path in paths)
    return [seconds for seconds in found if seconds is not None]


class _Curve:
    """ρ on a seeded sample of the other cells, by step (Figure 5f); kept beside the scorer, so that it resumes."""

    def __init__(
        self, options: argparse.Namespace, scorer: Path, every: int, plan: TrainingPlan, seed: int
    ) -> None:
        self._every, self._count = every, options.curve_cells
        self._plan, self._seed = plan, seed
        self._data = options.data
        self._path = curve_path(scorer)
        self._cells: CellSet | None = None

    def measure(self, trainer: Trainer, step: int) -> None:
        if not self._every or step % self._every:
            return
        cells = self._cells = self._cells or self._sample()
        points = read_curve(self._path)
        points[step] = spearman(
            score_cells(trainer.trained(), cells).double().numpy(), cells.accuracies.numpy()
        )
        self._path.write_text(json.dumps(points))

    def _sample(self) -> CellSet:
        cells = load_cells(self._data, SPACE, "cifar100.test", self._plan.settings)
        _, _, rest = split_cells(cells, self._plan.cells, 0.0, self._seed)
        return rest.subset(rest.sample(self._count, torch.Generator().manual_seed(0)))


def curve_path(scorer: Path) -> Path:
    """Where the learning curve of a scorer is kept."""
    return scorer.with_suffix(".curve.json")


def read_curve(path: Path) -> dict[float, float]:
    """A learning curve by step; empty where there is none."""
    return {float(step): rho for step, rho in json.loads(path.read_text()).items()} if path.exists() else {}


def curves(paths: Sequence[Path]) -> list[LearningCurve]:
    """The mean learning curve of the runs; none where nothing was measured on the way."""
    runs = [points for path in paths if (points := read_curve(curve_path(path)))]
    return [learning_curve(f"mean of {len(runs)} runs", "step", runs)] if runs else []


def curve_text(found: Sequence[LearningCurve], cells: int) -> str:
    """Learning curves as a table."""
    rows = [
        [int(point.x), point.runs, interval_text(point.estimate)] for curve in found for point in curve.points
    ]
    body = table(["step", "runs", "ρ"], rows)
    return f"### Learning curve (Figure 5f)\n\nρ on {cells} unseen cells, cifar100.test.\n\n{body}"
