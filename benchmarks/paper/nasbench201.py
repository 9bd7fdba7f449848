"""Prediction on NAS-Bench-201 from a few trained cells (Table VI of the paper), and shipped scorers on unseen cells.

``python -m benchmarks.paper.nasbench201 --data ../shared/data --work work/ --seeds 0 1 2`` trains FT-ScoreNets, for
each seed, on 100 random cells (CIFAR-100 validation labels) and measures on all other cells of the table, for three
data sets: one FT-ScoreNet, the ensemble of all, the hybrid scorer of the same cells, that with the ensemble, trees and
a kernel machine on the hybrid's features, and sizes. ``--cells 50 100 781`` does so for each number of cells. Features
and fingerprints are those of ``python -m benchmarks.quality.features nasbench201 --data ../shared/data``. ``--scorer
nasbench201`` measures a scorer that exists instead. Training state, scorers and scores are kept in the work folder, so
that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.paper.hybrid import TUNED_ON
from benchmarks.paper.nasbench201_agreement import DATASETS, FIGURES, PICKS, Unseen
from benchmarks.paper.nasbench201_scores import Floats, score_table
from benchmarks.paper.nasbench201_shipped import evaluate_scorer
from benchmarks.paper.nasbench201_training import (
    SPACE,
    curve_text,
    curves,
    plan_of,
    trained,
    training_seconds,
)
from benchmarks.quality.features import FOLDER, FeatureTable, network_key, read_whole
from benchmarks.results import command_line, picture, table, write_section
from benchmarks.shared.learners import predictions
from fxscore.evaluate import mean_over_runs, read_population, split_indices
from fxscore.report.evaluation_table import interval_text
from fxscore.report.plots import plot_curves
from fxscore.scorer.features import feature_names
from fxscore.scorer.hybrid_learners import HeadLearning, fit_head, targets_of
from fxscore.train.ensemble import mixture_of
from fxscore.train.fit.both import SCORENETS_SHARE, stacked

PAPER = (
    "The paper's Table VI states ρ 0.904 and τ 0.749 on CIFAR-100 with 100 cells, over the 15,525 other cells of the "
    "whole space."
)
CELLS = 100
SIZES = {
    "params": "log_params",
    "macs": "log_macs",
    "activations": "own_log_weighted_activations",
    "depth": "depth",
}


@dataclass(frozen=True)
class Run:
    """One ranking of the cells that one training run did not see.

    Attributes:
        cells: that the run saw.
        scorer: what ranks.
        dataset: whose test accuracies are to be ranked.
        figures: in the order of `FIGURES`.
    """

    cells: int
    scorer: str
    dataset: str
    figures: tuple[float, ...]


def columns_of(
    features: FeatureTable, seen: Sequence[int], members: Sequence[Floats], seed: int
) -> dict[str, Floats]:
    """Scores of all cells by scorer; NaN where the members did not score."""
    raw = np.stack(members, axis=1)
    count = raw.shape[1]
    labels = features.population.label("cifar100.valid")[seen]
    head = fit_head(feature_names(), features.values[seen], targets_of(labels), HeadLearning(seed=seed))
    hybrid = head.predict(feature_names(), features.values)
    both = np.column_stack([hybrid, raw])
    together = mixture_of(raw[seen], [1 / count] * count)
    sizes = features.columns(list(SIZES.values())).T
    varying = np.ptp(features.values[seen], axis=0) > 0
    opponents = predictions(features.values[seen][:, varying], labels, features.values[:, varying], seed)
    all_nets = f"{count} FT-ScoreNets" if count > 1 else "FT-ScoreNet"
    return {
        all_nets: together.combine(raw),
        "FT-ScoreNet": raw[:, 0],
        "hybrid": hybrid,
        f"hybrid and {all_nets}": stacked(both[seen]).combine(both),
        **opponents,
        **dict(zip(SIZES, sizes, strict=True)),
    }


def runs_of(
    features: FeatureTable, cells: int, seed: int, pool: frozenset[int], members: Sequence[Floats]
) -> Iterator[Run]:
    """How well each scorer ranks the cells of the pool that a training run did not see."""
    everything = features.population
    split = split_indices(len(everything), cells, 0.0, seed)
    seen, rest = split.drawn, split.rest
    ranked = [place for place in rest if place in pool]
    tuned = frozenset(network_key(ref) for ref in everything.draw(TUNED_ON, 0).refs)
    unseen = Unseen(everything, seen, ranked, tuned)
    for name, column in columns_of(features, sorted(seen), members, seed).items():
        for dataset in DATASETS:
            yield Run(cells, name, dataset, unseen.figures(column[ranked], dataset))


def summary(done: Sequence[Run]) -> str:
    """Means over seeds, one table per data set."""
    groups: dict[tuple[str, int, str], list[Run]] = defaultdict(list)
    for run in done:
        groups[run.dataset, run.cells, run.scorer].append(run)
    parts = []
    for dataset in DATASETS:
        rows = [
            [
                cells,
                scorer,
                len(found),
                *(interval_text(mean_over_runs(values)) for values in _columns(found)),
            ]
            for (of, cells, scorer), found in groups.items()
            if of == dataset
        ]
        parts.append(f"**{dataset}.test**\n\n{table(('cells', 'scorer', 'runs', *FIGURES), rows)}")
    return "\n\n".join(parts)


def _columns(found: Sequence[Run]) -> list[list[float]]:
    return [list(values) for values in zip(*(run.figures for run in found), strict=True)]


def evaluate_training(options: argparse.Namespace) -> tuple[str, str, str]:
    """Key, title and text of Table VI's section."""
    paths = {
        (cells, seed): trained(options, cells, seed) for cells in options.cells for seed in options.seeds
    }
    everything = read_population(SPACE, options.data)
    features = read_whole(everything, options.features)
    pool = _pool(len(everything), options)
    wanted = {
        path: pool | split_indices(len(everything), cells, 0.0, seed).drawn
        for (cells, seed), members in paths.items()
        for path in members
    }
    found = iter(score_table(wanted, features, options.data, options.resolution))
    done: list[Run] = []
    for (cells, seed), members in paths.items():
        done += runs_of(features, cells, seed, pool, [next(found) for _ in members])
    text = f"{_about(options, len(everything))}{_cost(list(wanted))}\n\n{summary(done)}"
    if options.curve and (curve := curves([members[0] for members in paths.values()])):
        text += f"\n\n{curve_text(curve, options.curve_cells)}"
        if options.write:
            text += "\n\n" + picture(f"{SPACE}-curve.png", "Learning curve", partial(plot_curves, curve))
    if options.cells == [CELLS]:
        return "nasbench201", "Prediction on NAS-Bench-201 (Table VI)", text
    return "nasbench201-sizes", "Prediction on NAS-Bench-201 by numbers of training cells", text


def _cost(files: Sequence[Path]) -> str:
    seconds = training_seconds(files)
    if not seconds:
        return ""
    mean = sum(seconds) / len(seconds)
    return f" Training one FT-ScoreNet took {mean:.0f} s of one core (mean of {len(seconds)} runs)."


def _pool(count: int, options: argparse.Namespace) -> frozenset[int]:
    """Places of the cells that are ranked where they are unseen."""
    order = np.random.default_rng(options.measure_seed).permutation(count)
    return frozenset(order[: options.n or count].tolist())


def _about(options: argparse.Namespace, count: int) -> str:
    plan = plan_of(options, max(options.cells), 0)
    ranked = f"{options.n} cells drawn of {count}" if options.n else f"{count} cells"
    return (
        f"FT-ScoreNets trained on random cells, {options.members} on each draw; {plan.steps} steps of {plan.samples}, "
        f"Adam {plan.learning_rate:g}, "
        f"cifar100.valid, batch {plan.settings.batch}, {options.resolution}×{options.resolution}, running average of "
        f"weights {plan.averaging:g}; the last average is used. The first of them alone, their ensemble (equation 4 "
        "with equal weights, means and deviations over the training cells), a hybrid fitted to the same labels, and "
        f"equation 4 of the hybrid (weight 1) and all FT-ScoreNets (weight {SCORENETS_SHARE:g} together). Measured "
        f"on the others of {ranked}, at the resolution of training; mean over runs, with Student's 95 % interval where "
        f"there are several. Strict: without the {TUNED_ON} cells on which settings were chosen, and without cells "
        "that the benchmark's string form joins with one of these or with a training cell. Regret: of "
        f"the seen cells and the {PICKS} best scored others, the one of best validation accuracy, in points of test "
        f"accuracy below the best of these cells. ExtraTrees, boosting and a kernel machine "
        "(`benchmarks.shared.learners`) learn from the hybrid's features and labels. Sizes are those of the "
        f"canonical graph, without what carries only zeros. {PAPER}"
    )


def main() -> None:
    """Train or load, measure, print, and write the section."""
    options = arguments()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    run = evaluate_scorer if options.scorer else evaluate_training
    key, title, text = run(options)
    print(text)
    if options.write:
        write_section(key, title, text, command_line())


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument(
        "--work", type=Path, default=Path("work"), help="folder of training states, scorers and scores"
    )
    parser.add_argument("--scorer", help="measure this scorer (name or file) instead of training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one training run each")
    parser.add_argument("--cells", type=int, nargs="+", default=[CELLS], help="numbers of training cells")
    parser.add_argument("--members", type=int, default=3, help="FT-ScoreNets of one draw of cells")
    parser.add_argument("--samples", type=int, default=16, help="training cells in one step, at most")
    parser.add_argument(
        "--features", type=Path, default=FOLDER / f"{SPACE}.npz", help="file of the cells' features"
    )
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument(
        "--averaging", type=float, default=0.97, help="decay of the running average of weights"
    )
    parser.add_argument("--batch", type=int, default=16, help="images in the input-like tensor")
    parser.add_argument("--resolution", type=int, default=16, help="height and width of the input")
    parser.add_argument("--n", type=int, default=0, help="other cells to measure on; 0 takes all")
    parser.add_argument(
        "--measure-seed", type=int, default=0, help="of the draw of those, and of the resamples"
    )
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument(
        "--curve", type=int, default=0, metavar="STEPS", help="measure a learning curve so often"
    )
    parser.add_argument("--curve-cells", type=int, default=300, help="unseen cells behind each of its points")
    parser.add_argument("--workers", type=int, help="worker processes for scoring; one per core by default")
    parser.add_argument("--threads", type=int, default=1, help="threads of the training")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
