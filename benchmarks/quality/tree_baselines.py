"""Tree and kernel baselines on graph and forward features of NAS-Bench-201: the learned opponent, run again here.

``python -m benchmarks.quality.tree_baselines --data ../shared/data --write`` fits ExtraTrees, gradient boosting, SVR
and their standardised mean on 78, 100, 156 and 781 random cells (validation accuracy), and ranks all other cells of the
table (test accuracy), for three data sets and five seeds. Features are those of ``python -m benchmarks.quality.features
nasbench201 --data ../shared/data``.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from benchmarks.quality.features import FOLDER, FeatureTable, read_features
from benchmarks.results import command_line, table, write_section
from benchmarks.shared.learners import MEAN, Floats, predictions
from fxscore.evaluate import kendall, mean_over_runs, read_population, spearman
from fxscore.graph_features import describe, forward

DATASETS = ("cifar10", "cifar100", "imagenet16-120")
SIZES = (78, 100, 156, 781)
FORWARD = tuple(forward.COLUMNS)
GRAPH = tuple(name for name in describe() if name not in forward.COLUMNS)
SETS = {"graph": GRAPH, "forward": FORWARD, "graph + forward": (*GRAPH, *FORWARD)}


@dataclass(frozen=True)
class Run:
    """One learner on one split: (ρ, τ) on the cells that it did not see."""

    dataset: str
    size: int
    features: str
    learner: str
    rho: float
    tau: float


def runs(features: FeatureTable, sizes: Sequence[int], seeds: Sequence[int]) -> Iterator[Run]:
    """Every data set, size, seed, set of features and learner."""
    matrices = {name: _moving(features.columns(columns)) for name, columns in SETS.items()}
    for dataset in DATASETS:
        valid, test = (features.population.label(f"{dataset}.{split}") for split in ("valid", "test"))
        for seed in seeds:
            order = np.random.default_rng(seed).permutation(len(valid))
            for size in sizes:
                seen, rest = order[:size], order[size:]
                for name, values in matrices.items():
                    yield from _measure(dataset, size, name, values, (seen, rest), valid, test, seed)


def _moving(values: Floats) -> Floats:
    """The columns that are not constant."""
    return values[:, np.ptp(values, axis=0) > 0]


def _measure(
    dataset: str,
    size: int,
    name: str,
    values: Floats,
    split: tuple[np.ndarray, np.ndarray],
    valid: Floats,
    test: Floats,
    seed: int,
) -> Iterator[Run]:
    seen, rest = split
    for learner, predicted in predictions(values[seen], valid[seen], values[rest], seed).items():
        yield Run(
            dataset, size, name, learner, spearman(predicted, test[rest]), kendall(predicted, test[rest])
        )


def summary(done: Sequence[Run], datasets: Sequence[str] = DATASETS) -> str:
    """One Markdown table per data set: mean over seeds and its 95 % interval."""
    groups: dict[tuple[str, str, str, int], list[Run]] = defaultdict(list)
    for run in done:
        groups[run.dataset, run.features, run.learner, run.size].append(run)
    parts = []
    for dataset in datasets:
        rows = [
            (size, features, learner, *_figures(found))
            for (of, features, learner, size), found in sorted(groups.items(), key=lambda item: item[0][3])
            if of == dataset
        ]
        parts.append(f"**{dataset}**\n\n" + table(("cells", "features", "learner", "ρ", "τ"), rows))
    return "\n\n".join(parts)


def _figures(found: Sequence[Run]) -> tuple[str, str]:
    return _interval([run.rho for run in found]), _interval([run.tau for run in found])


def _interval(values: Sequence[float]) -> str:
    estimate = mean_over_runs(values)
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def main() -> None:
    """Print the tables; keep them in RESULTS.md with ``--write``."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of training cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of features")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    population = read_population("nasbench201", options.data)
    features = read_features(population, options.folder / "nasbench201.npz")
    done = list(runs(features, options.sizes, options.seeds))
    body = summary(done)
    note = (
        f"{len(features.values)} cells with {len(set(features.fingerprints.tolist()))} fingerprints; tested on all "
        f"cells that are not trained on; mean over {len(options.seeds)} seeds with Student's 95 % interval. Trained on "
        "validation accuracy as −ln(100.5 − accuracy), ranked by test accuracy. The forward is that of an untrained "
        "kernel, 16 images of 3×16×16."
    )
    print(f"{note}\n\n{body}")
    if options.write:
        title = "NAS-Bench-201: trees and kernel machines on graph and forward features"
        best = [run for run in done if run.learner == MEAN]
        headline = f"{note}\n\n{summary(best, ['cifar100'])}"
        write_section("tree-baselines", title, f"{note}\n\n{body}", command_line(), headline=headline)


if __name__ == "__main__":
    main()
