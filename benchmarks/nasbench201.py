"""FT-ScoreNet as a predictor on NAS-Bench-201 (Table VI of the paper), and shipped scorers on cells they did not see.

``python -m benchmarks.nasbench201 --data ../shared/data --work work/ --seeds 0 1 2`` trains, for each seed, on 100
random cells (200 steps over all of them, CIFAR-100 validation labels) and measures on all other cells of the table,
for three data sets, beside params and MACs of the same cells; ``--cells 50 100 781`` does so for each number of cells.
Fingerprints and sizes are those of ``python -m benchmarks.features nasbench201 --data ../shared/data``.
``--scorer nasbench201`` measures a scorer that exists instead. Training state, scorers and scores are kept in the work
folder, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.boards import comparison_markdown
from benchmarks.features import FOLDER, FeatureTable, read_features
from benchmarks.nasbench201_scores import Floats, score_table
from benchmarks.nasbench201_training import SPACE, curve_text, curves, plan_of, trained
from benchmarks.results import command_line, table, write_section
from fxscore.evaluate import (
    Comparison,
    Measures,
    Population,
    compare,
    kendall,
    mean_over_runs,
    read_population,
    score_refs,
    scores_of,
    seen_by,
    spearman,
    split_indices,
)
from fxscore.report.evaluation_table import interval_text
from fxscore.report.plots import plot_curves
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.scorer import load_scorer
from fxscore.spaces import get_space
from fxscore.types import ScoreRecord

DATASETS = ("cifar10", "cifar100", "imagenet16-120")
PAPER = (
    "The paper's Table VI states ρ 0.904 and τ 0.749 on CIFAR-100 with 100 cells, over the 15,525 other cells of the "
    "whole space."
)
PICKS = 10
CELLS = 100
FIGURES = ("ρ", "τ-b", "ρ without sisters", "τ-b without sisters", f"regret, seen + {PICKS}")


@dataclass(frozen=True)
class Outcome:
    """One scorer on the cells that it did not see.

    Attributes:
        name: of the scorer.
        trained_on: cells that it saw.
        comparison: with params and MACs, on three data sets.
        sisters: unseen cells that the benchmark's own string form joins with a seen one.
        strict: (ρ, τ) without them, by label.
        regret: points lost, by label (see `regret_of`).
    """

    name: str
    trained_on: int
    comparison: Comparison
    sisters: int
    strict: dict[str, tuple[float, float]]
    regret: dict[str, float]

    def figure(self, label: str, name: str) -> float:
        """A figure of the scorer itself."""
        found = [e for e in self.comparison.evaluations if (e.scorer, e.label) == (self.name, label)]
        value = found[0].agreement.figures[name].value
        return float("nan") if value is None else value


def measure(
    options: argparse.Namespace,
    name: str,
    scorer: str,
    seen: frozenset[int],
    executor: Executor,
    store: Store,
) -> Outcome:
    """Score the cells that a scorer did not see, and compare."""
    everything = read_population(SPACE, options.data)
    rest = everything.without(seen).draw(options.n, options.measure_seed)
    records = score_refs(rest.refs, scorer, executor=executor, store=store)
    columns = {name: records, "params": _sizes(records, "params"), "macs": _sizes(records, "macs")}
    labels = [f"{dataset}.test" for dataset in DATASETS]
    measures = Measures(resamples=options.resamples, seed=options.measure_seed)
    comparison = compare(rest, columns, measures, labels)
    scores = scores_of(records)
    sisters = _sisters(everything, seen, rest)
    usable = np.isfinite(scores)
    alone = usable & ~sisters
    strict = {
        n: (spearman(scores[alone], t[alone]), kendall(scores[alone], t[alone]))
        for n, t in _truths(rest, labels)
    }
    regret = {
        f"{d}.test": regret_of(
            everything, seen, rest.subset(np.flatnonzero(usable).tolist()), scores[usable], d
        )
        for d in DATASETS
    }
    return Outcome(name, len(seen), comparison, int(sisters.sum()), strict, regret)


def _truths(population: Population, labels: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    return [(name, population.label(name)) for name in labels]


def _sizes(records: Sequence[ScoreRecord], name: str) -> list[ScoreRecord]:
    """The same networks with a size as their score."""
    return [
        record if record.score is None else replace(record, score=float(getattr(record, name)))
        for record in records
    ]


def _sisters(everything: Population, seen: frozenset[int], rest: Population) -> np.ndarray:
    space = get_space(SPACE)

    def key(population: Population, index: int) -> str:
        return space.isomorphism_key(space.parse(population.refs[index].name))

    known = {key(everything, index) for index in seen}
    return np.array([key(rest, index) in known for index in range(len(rest))])


def regret_of(
    everything: Population, seen: frozenset[int], rest: Population, scores: np.ndarray, dataset: str
) -> float:
    """Points lost after training the seen cells and the ten best scored others.

    Of these, the one of best validation accuracy is taken; its test accuracy is compared with the best of the table.
    """
    picked = np.argsort(-scores, kind="stable")[:PICKS]
    known = everything.subset(sorted(seen))
    valid, test = (
        np.concatenate([known.label(f"{dataset}.{part}"), rest.label(f"{dataset}.{part}")[picked]])
        for part in ("valid", "test")
    )
    return float(everything.label(f"{dataset}.test").max() - test[valid.argmax()])


def report(outcome: Outcome, what: str) -> str:
    """The section of a scorer that exists."""
    labels = [f"{dataset}.test" for dataset in DATASETS]
    rows = [
        [label, *(f"{value:.3f}" for value in (*outcome.strict[label], outcome.regret[label]))]
        for label in labels
    ]
    text = f"Without the {outcome.sisters} cells that the benchmark's string form joins with a seen one:"
    strict = table(("label", *FIGURES[2:]), rows)
    title = f"### {outcome.name}: {outcome.trained_on} cells seen"
    return "\n\n".join([what, text, strict, title, comparison_markdown(outcome.comparison)])


@dataclass(frozen=True)
class Run:
    """One ranking of the cells that one training run did not see.

    Attributes:
        cells: that the run saw.
        scorer: what ranks.
        dataset: whose test accuracies are to be ranked.
        figures: ρ, τ-b, both without sisters, and regret, in the order of `FIGURES`.
    """

    cells: int
    scorer: str
    dataset: str
    figures: tuple[float, ...]


def runs_of(features: FeatureTable, cells: int, seed: int, columns: Mapping[str, Floats]) -> Iterator[Run]:
    """How well each column of scores ranks the cells that a training run did not see."""
    everything = features.population
    seen, rest = split_indices(SPACE, len(everything), cells, 0.0, seed)
    population = everything.subset(rest)
    sisters = _sisters(everything, seen, population)
    for name, column in columns.items():
        scores = column[rest]
        for dataset in DATASETS:
            truth = population.label(f"{dataset}.test")
            figures = [f(scores[rows], truth[rows]) for rows in (..., ~sisters) for f in (spearman, kendall)]
            regret = regret_of(everything, seen, population, scores, dataset)
            yield Run(cells, name, dataset, (*figures, regret))


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
    features = read_features(everything, options.features)
    found = score_table(list(paths.values()), features, options.data, options.resolution)
    sizes = {name: features.columns([f"log_{name}"])[:, 0] for name in ("params", "macs")}
    done: list[Run] = []
    for (cells, seed), scores in zip(paths, found, strict=True):
        done += runs_of(features, cells, seed, {"FT-ScoreNet": scores, **sizes})
    text = f"{_about(options, len(everything))}\n\n{summary(done)}"
    if curve := curves(list(paths.values())):
        text += f"\n\n{curve_text(curve, options.curve_cells)}"
        plot_curves(curve, options.work / f"{SPACE}-curve.svg")
    if options.cells == [CELLS]:
        return "nasbench201", "Prediction on NAS-Bench-201 (Table VI)", text
    return "nasbench201-sizes", "Prediction on NAS-Bench-201 by numbers of training cells", text


def _about(options: argparse.Namespace, count: int) -> str:
    plan = plan_of(options, max(options.cells), 0)
    return (
        f"FT-ScoreNet trained on random cells, {plan.steps} steps of all of them, at most {plan.samples}, "
        f"Adam {plan.learning_rate:g}, "
        f"cifar100.valid, batch {plan.settings.batch}, {options.resolution}×{options.resolution}, running average of "
        f"weights {plan.averaging:g}; the last average is used, nothing is chosen by test cells. Measured on all "
        f"others of {count} cells, at the resolution of training; mean over runs, with Student's 95 % interval where "
        "there are several. Sisters: unseen cells that the benchmark's string form joins with a seen one. Regret: of "
        f"the seen cells and the {PICKS} best scored others, the one of best validation accuracy, in points of test "
        f"accuracy below the best cell of the table. Sizes are those of the canonical graph, without what carries only "
        f"zeros. {PAPER}"
    )


def evaluate_scorer(options: argparse.Namespace) -> tuple[str, str, str]:
    """Key, title and text of a scorer's section."""
    name = Path(options.scorer).stem
    count = len(read_population(SPACE, options.data))
    seen = seen_by(load_scorer(options.scorer), SPACE, options.data, count)
    if seen.doubt:
        raise SystemExit(f"{name}: {seen.doubt}")
    with Store(options.work / "store.sqlite") as store, LocalExecutor(options.workers) as executor:
        outcome = measure(options, name, options.scorer, seen.indices, executor, store)
    what = f"The scorer {name}, on cells of the table that it was neither trained on nor chosen by."
    key = re.sub(r"[^a-z0-9]+", "-", f"nasbench201-scorer-{name.lower()}")
    return key, f"Scorer {name} on NAS-Bench-201", report(outcome, what)


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
    parser.add_argument("--samples", type=int, default=100, help="training cells in one step, at most")
    parser.add_argument(
        "--features", type=Path, default=FOLDER / f"{SPACE}.npz", help="file of the cells' features"
    )
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
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
