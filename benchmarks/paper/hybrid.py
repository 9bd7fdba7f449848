"""The hybrid scorer fitted to a few cells of NAS-Bench-201 (Table VI), beside the learned opponents on the same cells.

``python -m benchmarks.paper.hybrid --data ../shared/data --write`` fits on 50 to 781 random cells (validation accuracy)
and ranks other cells (test accuracy), for three data sets and five seeds, in two settings: all other cells of the
table, as in the paper; and only cells on which no setting of the learners was chosen, for training and for test.
Features are those of ``python -m benchmarks.quality.features nasbench201 --data ../shared/data``.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.paper.nasbench201_agreement import DATASETS, PICKS, regret_of
from benchmarks.quality.features import FOLDER, FeatureTable, network_key, read_features
from benchmarks.results import command_line, table, write_section
from benchmarks.shared.learners import Floats, predictions
from fxscore.evaluate import Population, kendall, mean_over_runs, read_population, spearman
from fxscore.report.evaluation_table import interval_text
from fxscore.scorer.features import FORWARD, feature_names
from fxscore.scorer.hybrid_learners import HeadLearning, fit_head, targets_of

SPACE = "nasbench201"
SIZES = (50, 78, 100, 156, 781)
TUNED_ON = 2500  # cells, drawn with seed 0, on which learners and their settings were chosen
SETTINGS = ("all other cells", "cells that nothing was chosen on")
ABLATED = {  # what is left out: parts of the columns' names
    "unitisation factors": ("factors",),
    "activation patterns": ("patterns", "_log_det", "_agreement"),
    "the forward": FORWARD,
}
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Run:
    """One ranking of the cells of one split that were not trained on."""

    setting: str
    dataset: str
    size: int
    method: str
    rho: float
    tau: float
    regret: float


def hybrid(train: Floats, accuracies: Floats, test: Floats, seed: int) -> dict[str, Floats]:
    """The hybrid scorer's raw scores."""
    head = fit_head(feature_names(), train, targets_of(accuracies), HeadLearning(seed=seed))
    return {"hybrid": head.predict(feature_names(), test)}


def ablated(
    train: Floats, accuracies: Floats, test: Floats, seed: int, titles: Sequence[str] = tuple(ABLATED)
) -> dict[str, Floats]:
    """The hybrid scorer without a part of its features, by each of `titles`."""
    found = {}
    for title in titles:
        columns = [name for name in feature_names() if not any(part in name for part in ABLATED[title])]
        head = fit_head(
            feature_names(), train, targets_of(accuracies), HeadLearning(seed=seed), columns=columns
        )
        found[f"hybrid without {title}"] = head.predict(feature_names(), test)
    return found


def opponents(train: Floats, accuracies: Floats, test: Floats, seed: int) -> dict[str, Floats]:
    """What trees and kernel machines predict from the same features, and the logarithm of parameters."""
    moving = np.ptp(train, axis=0) > 0
    params = test[:, feature_names().index("log_params")]
    found = predictions(train[:, moving], accuracies, test[:, moving], seed)
    return {**found, "params": params}


def untouched(features: FeatureTable, population: Population) -> Indices:
    """Rows that the benchmark joins with no cell that settings were chosen on."""
    tuned = {network_key(ref) for ref in population.draw(TUNED_ON, 0).refs}
    keys = [network_key(ref) for ref in features.population.refs]
    return np.array([row for row, key in enumerate(keys) if key not in tuned])


def runs(
    features: FeatureTable,
    pools: Mapping[str, Indices],
    sizes: Sequence[int],
    seeds: Sequence[int],
    opposed: Sequence[int],
) -> Iterator[Run]:
    """Every setting, data set, seed and size."""
    for setting, pool in pools.items():
        for dataset in DATASETS:
            for seed in seeds:
                order = np.random.default_rng(seed).permutation(pool)
                for size in sizes:
                    methods = [hybrid, ablated, opponents] if size in opposed else [hybrid]
                    for method in methods:
                        yield from _measure(setting, dataset, features, order, size, seed, method)


def _measure(
    setting: str,
    dataset: str,
    features: FeatureTable,
    order: Indices,
    size: int,
    seed: int,
    method: Callable[[Floats, Floats, Floats, int], dict[str, Floats]],
) -> Iterator[Run]:
    valid, test = (features.population.label(f"{dataset}.{split}") for split in ("valid", "test"))
    seen, rest = order[:size], order[size:]
    found = method(features.values[seen], valid[seen], features.values[rest], seed)
    for name, scores in found.items():
        rho, tau = spearman(scores, test[rest]), kendall(scores, test[rest])
        regret = regret_of(scores, seen, rest, valid, test)
        yield Run(setting, dataset, size, name, rho, tau, regret)


def summary(done: Sequence[Run], datasets: Sequence[str] = DATASETS) -> str:
    """One Markdown table per setting and data set: means over seeds with Student's 95 % interval."""
    groups: dict[tuple[str, str, int, str], list[Run]] = defaultdict(list)
    for run in done:
        groups[run.setting, run.dataset, run.size, run.method].append(run)
    parts = []
    for setting in dict.fromkeys(run.setting for run in done):
        for dataset in datasets:
            rows = [
                [size, method, *(_interval(found, name) for name in ("rho", "tau", "regret"))]
                for (of, data, size, method), found in groups.items()
                if (of, data) == (setting, dataset)
            ]
            rows.sort(key=lambda row: int(str(row[0])))
            title = f"**{dataset}, {setting}**"
            parts.append(f"{title}\n\n{table(('cells', 'scorer', 'ρ', 'τ-b', 'regret'), rows)}")
    return "\n\n".join(parts)


def _interval(found: Sequence[Run], figure: str) -> str:
    return interval_text(mean_over_runs([getattr(run, figure) for run in found]))


def note(features: FeatureTable, pools: Mapping[str, Indices], seeds: Sequence[int]) -> str:
    """What was done, in words."""
    counts = " and ".join(str(len(pool)) for pool in pools.values())
    return (
        f"{len(features.values)} cells with {len(set(features.fingerprints.tolist()))} fingerprints; {counts} cells "
        "in the two settings. Trained on validation accuracy as −ln(100.5 − accuracy), ranked by test accuracy; mean "
        f"over {len(seeds)} seeds with Student's 95 % interval. Regret: of the seen cells and the {PICKS} best scored "
        "others, the one of best validation accuracy, in points of test accuracy below the best cell of the pool. The "
        f"learners and their settings were chosen on {TUNED_ON} cells drawn with seed 0 (EXPERIMENTS.md). The forward "
        "is that of an untrained kernel, 16 images of 3×16×16."
    )


def main() -> None:
    """Print the tables; keep them in RESULTS.md with ``--write``."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of features")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of training cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--opposed", type=int, nargs="*", default=[100], help="sizes with opponents")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    population = read_population(SPACE, options.data)
    features = read_features(population, options.folder / f"{SPACE}.npz")
    everything = np.arange(len(features.values))
    pools = dict(zip(SETTINGS, (everything, untouched(features, population)), strict=True))
    done = list(runs(features, pools, options.sizes, options.seeds, options.opposed))
    about = note(features, pools, options.seeds)
    body = f"{about}\n\n{summary(done)}"
    print(body)
    if options.write:
        title = "Hybrid scorer on NAS-Bench-201 (Table VI)"
        headline = f"{about}\n\n{summary(done, ['cifar100'])}"
        write_section("hybrid-nasbench201", title, body, command_line(), headline=headline)


if __name__ == "__main__":
    main()
