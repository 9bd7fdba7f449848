"""How the shipped NAS-Bench-201 scorer ranks at resolutions other than the one it was trained at.

    python -m benchmarks.quality.resolution --data ../shared/data            # prints
    python -m benchmarks.quality.resolution --data ../shared/data --write    # and keeps the figures in RESULTS.md

Cells are drawn from those that the scorer neither trained on nor was chosen by; they are the same at every resolution.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.results import command_line, table, write_section
from fxscore.evaluate import Measures, agreement
from fxscore.report.evaluation_table import interval_text
from fxscore.scorer import FTScoreNet, load_scorer
from fxscore.train.data import CellSet, load_cells, split_cells
from fxscore.train.loop import score_cells
from fxscore.train.plan import TrainingPlan

SPACE, LABEL, RESAMPLES = "nasbench201", "cifar100.test", 1000


def main() -> None:
    """Measure and report."""
    options = arguments()
    torch.set_num_threads(1)
    scorer = load_scorer(SPACE)
    assert isinstance(scorer, FTScoreNet)
    cells = unseen_cells(scorer, options.data, options.n)
    rows = [row(scorer, cells.at(resolution), resolution) for resolution in options.resolutions]
    note = f"Spearman ρ of {SPACE} with {LABEL}, n = {len(cells)} unseen cells, 95 % bootstrap interval."
    text = f"{note}\n\n{table(['resolution', 'ρ'], rows)}"
    print(text)
    if options.write:
        write_section("resolution", "The shipped scorer at other resolutions", text, command_line())


def unseen_cells(scorer: FTScoreNet, data: Path, count: int) -> CellSet:
    """`count` cells outside the scorer's own split."""
    plan = TrainingPlan.from_dict(scorer.record["plan"])
    settings = replace(plan.settings, small_inputs=False)
    rest = split_cells(load_cells(data, SPACE, LABEL, settings), plan.cells, plan.validation, plan.seed)[2]
    return rest.subset(rest.sample(count, torch.Generator().manual_seed(1)))


def row(scorer: FTScoreNet, cells: CellSet, resolution: int) -> list[str]:
    """The correlation at one resolution, and its interval."""
    scores, accuracies = score_cells(scorer, cells).double().numpy(), cells.accuracies.double().numpy()
    found = agreement(scores, accuracies, Measures(resamples=RESAMPLES)).figures["spearman"]
    return [f"{resolution}×{resolution}", interval_text(found)]


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description="Rank at several resolutions.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--n", type=int, default=150, help="unseen cells")
    parser.add_argument("--resolutions", type=int, nargs="+", default=[8, 16, 24, 32])
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
