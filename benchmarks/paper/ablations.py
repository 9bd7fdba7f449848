"""What each part of FT-ScoreNet is worth, in the setting of Table VI of the paper at a small fidelity.

``python -m benchmarks.paper.ablations --data ../shared/data --work runs/ablations --write`` trains on 100 cells of
NAS-Bench-201 (CIFAR-100 validation accuracy) and measures on other cells (CIFAR-100 test accuracy), changing one thing
at a time. Every variant meets the same splits, seeds and number of training forwards; differences to the first row are
paired by seed. The last rows are the hybrid scorer on the same splits, with the unitisation factors and without; its
features are those of ``python -m benchmarks.quality.features nasbench201 --data ../shared/data``. Finished runs are
kept in the work folder, so that an interrupted command goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.paper.hybrid import ablated, hybrid
from benchmarks.quality.features import FOLDER, read_whole
from benchmarks.results import command_line, table, write_section
from fxscore.evaluate import kendall, mean_over_runs, read_population, spearman, split_indices
from fxscore.report.evaluation_table import interval_text
from fxscore.scorer import Settings
from fxscore.train.data import CellSet, load_cells, split_cells
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.plan import TrainingPlan

SPACE = "nasbench201"
CELLS, SAMPLES, FORWARDS = 100, 16, 640
LEARNING_RATE, AVERAGING = 3e-3, 0.9
HYBRID, FACTORS = "hybrid", "unitisation factors"


@dataclass(frozen=True)
class Variant:
    """One row: what differs from the first."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    samples: int = SAMPLES
    resolution: int = 16
    forwards: int = FORWARDS

    def plan(self, seed: int) -> TrainingPlan:
        """Its training run."""
        return TrainingPlan(
            cells=CELLS,
            validation=0.0,
            samples=self.samples,
            steps=max(1, self.forwards // self.samples),
            learning_rate=LEARNING_RATE,
            averaging=AVERAGING,
            resolutions=(self.resolution,),
            frozen=self.frozen,
            seed=seed,
            settings=Settings(**self.settings),
        )


VARIANTS = (
    Variant("v-norm, all learned, s = 16, batch 16, 16×16"),
    Variant("no v-norm (Kaiming)", {"v_norm": False}),
    Variant("input: fixed noise", frozen=("input_like",)),
    Variant("kernel: random, fixed", frozen=("kernel",)),
    Variant("input and kernel fixed: head alone", frozen=("input_like", "kernel")),
    Variant("s = 4", samples=4),
    Variant("s = 8", samples=8),
    Variant("s = 32", samples=32),
    Variant("s = 64", samples=64),
    Variant("batch 8", {"batch": 8}),
    Variant("batch 32", {"batch": 32}),
    Variant("8×8", resolution=8),
    Variant("32×32", resolution=32),
    Variant("kernel of 7×7 maps", {"kernel_size": 7}),
    Variant("kernel of 16·16 maps", {"n_in": 16, "n_out": 16}),
)


@dataclass(frozen=True)
class Result:
    """One run: correlations on unseen cells, and the processor's seconds of training an FT-ScoreNet."""

    spearman: float
    kendall: float
    seconds: float | None = None


class Cells:
    """Training and test cells, constructed once per batch and resolution."""

    def __init__(self, data: Path, count: int) -> None:
        self._data, self._count = data, count
        self._known: dict[tuple[int, int], tuple[CellSet, CellSet]] = {}

    def of(self, variant: Variant, seed: int) -> tuple[CellSet, CellSet]:
        """(training, test) at the variant's batch and resolution; of one seed only the last variants are kept."""
        settings = Settings(**variant.settings)
        key = (seed, settings.batch)
        if key not in self._known:
            self._known = {known: sets for known, sets in self._known.items() if known[0] == seed}
            training = split_cells(load_cells(self._data, SPACE, None, settings), CELLS, 0.0, seed)[0]
            rest = split_cells(load_cells(self._data, SPACE, "cifar100.test", settings), CELLS, 0.0, seed)[2]
            self._known[key] = (
                training,
                rest.subset(rest.sample(self._count, torch.Generator().manual_seed(seed))),
            )
        training, test = self._known[key]
        return training.at(variant.resolution), test.at(variant.resolution)


def run(variant: Variant, seed: int, cells: Cells) -> Result:
    """Train and measure."""
    training, test = cells.of(variant, seed)
    trainer = Trainer(variant.plan(seed), [training])
    begin = time.process_time()
    for _ in trainer.run():
        pass
    seconds = time.process_time() - begin
    scores, truth = score_cells(trainer.trained(), test).double().numpy(), test.accuracies.double().numpy()
    return Result(spearman(scores, truth), kendall(scores, truth), seconds)


def results(options: argparse.Namespace) -> dict[str, list[Result]]:
    """All runs by variant, seed by seed; those of an earlier call are read."""
    path: Path = options.work / "ablations.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    found: dict[str, list[Result]] = {variant.name: [] for variant in VARIANTS}
    cells = Cells(options.data, options.test)
    for seed in range(options.seeds):
        for variant in VARIANTS:
            key = _key(variant, seed, options.test)
            if key not in known:
                known[key] = vars(run(variant, seed, cells))
                path.write_text(json.dumps(known))
                print(f"seed {seed}: {variant.name}: ρ {known[key]['spearman']:.3f}", flush=True)
            found[variant.name].append(Result(**known[key]))
    return found


def hybrid_results(options: argparse.Namespace) -> dict[str, list[Result]]:
    """The hybrid scorer on the same training and test cells, without factors as well."""
    features = read_whole(read_population(SPACE, options.data), options.features)
    valid, test = (features.population.label(f"cifar100.{part}") for part in ("valid", "test"))
    found: dict[str, list[Result]] = {HYBRID: [], f"{HYBRID} without {FACTORS}": []}
    for seed in range(options.seeds):
        drawn, _, others = split_indices(len(valid), CELLS, 0.0, seed)
        seen = sorted(drawn)
        chosen = torch.randperm(len(others), generator=torch.Generator().manual_seed(seed))[: options.test]
        rest = np.array(others)[chosen.numpy()]
        given = (features.values[seen], valid[seen], features.values[rest], seed)
        scores = hybrid(*given) | ablated(*given, titles=[FACTORS])
        for name, runs in found.items():
            runs.append(Result(spearman(scores[name], test[rest]), kendall(scores[name], test[rest])))
    return found


def _key(variant: Variant, seed: int, test: int) -> str:
    text = json.dumps([variant.plan(seed).as_dict(), test], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def report(found: Mapping[str, Sequence[Result]], options: argparse.Namespace) -> str:
    """The section."""
    first = next(iter(found.values()))
    rows = []
    for name, runs in found.items():
        base = found[HYBRID] if name.startswith(f"{HYBRID} without") else first
        rho, tau = ([getattr(r, key) for r in runs] for key in ("spearman", "kendall"))
        gains = [r.spearman - b.spearman for r, b in zip(runs, base, strict=True)]
        shown = "–" if runs is base else interval_text(mean_over_runs(gains))
        rows.append([name, *(interval_text(mean_over_runs(v)) for v in (rho, tau)), shown, _seconds(runs)])
    what = (
        f"{CELLS} training cells (cifar100.valid), {FORWARDS} training forwards (steps × s; s = 16: "
        f"{FORWARDS // SAMPLES} steps), Adam {LEARNING_RATE:g}, running average {AVERAGING:g}, last average used; "
        f"measured on {options.test} other cells (cifar100.test) at the resolution of training; {options.seeds} seeds "
        "of split, samples and initial values. Mean and Student's 95 % interval over seeds, differences paired. "
        "A small fidelity: the paper's setting has 200 steps of 100. The hybrid is fitted to the same cells; without "
        "factors its difference is to the row above."
    )
    columns = ["variant", "ρ", "τ-b", "ρ − first row", "CPU s of training"]
    return f"{what}\n\n{table(columns, rows)}"


def _seconds(runs: Sequence[Result]) -> str:
    known = [run.seconds for run in runs if run.seconds is not None]
    return f"{sum(known) / len(known):.0f}" if known else "–"


def main() -> None:
    """Run, print, and write the section."""
    options = arguments()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    text = report(results(options) | hybrid_results(options), options)
    print(text)
    if options.write:
        write_section("ablations", "Ablations on NAS-Bench-201", text, command_line())


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument(
        "--work", type=Path, default=Path("work"), help="folder in which finished runs are kept"
    )
    parser.add_argument(
        "--features", type=Path, default=FOLDER / f"{SPACE}.npz", help="file of the cells' features"
    )
    parser.add_argument("--seeds", type=int, default=3, help="runs of each variant")
    parser.add_argument("--test", type=int, default=300, help="unseen cells to measure on")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
