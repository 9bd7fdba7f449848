"""FT-ScoreNet as a predictor on NAS-Bench-201 (Table VI of the paper), and shipped scorers on cells they did not see.

``python -m benchmarks.nasbench201 --data ../shared/data --work work/ --seeds 0 1 2`` trains, for each seed, on 100
random cells (200 steps over all of them, CIFAR-100 validation labels) and measures on all other cells of the table,
for three data sets, beside params and MACs of the same cells. ``--scorer nasbench201`` measures a scorer that exists
instead. Training state, scorers and scores are kept in the work folder, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.boards import comparison_markdown
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
from fxscore.report.evaluation_table import interval_text, value_text
from fxscore.report.plots import plot_curves
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.scorer import load_scorer
from fxscore.spaces import get_space
from fxscore.types import ScoreRecord

DATASETS = ("cifar10", "cifar100", "imagenet16-120")
PAPER = (
    "The paper's Table VI states ρ 0.904 and τ 0.749 on CIFAR-100, over the 15,525 other cells of the whole space; "
    ""
)
PICKS = 10


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


def summary(outcomes: Sequence[Outcome]) -> str:
    """Mean over seeds, one row per data set."""
    rows = []
    for label in (f"{dataset}.test" for dataset in DATASETS):
        rho, tau = ([o.figure(label, name) for o in outcomes] for name in ("spearman", "kendall"))
        strict = [o.strict[label] for o in outcomes]
        regret = [o.regret[label] for o in outcomes]
        estimates = [rho, tau, [s[0] for s in strict], [s[1] for s in strict], regret]
        rows.append([label, len(outcomes), *(interval_text(mean_over_runs(values)) for values in estimates)])
    columns = [
        "label",
        "runs",
        "ρ",
        "τ-b",
        "ρ without sisters",
        "τ-b without sisters",
        f"regret, seen + {PICKS}",
    ]
    text = (
        "Mean over runs, with Student's 95 % interval where there are several. Sisters: unseen cells that the "
        f"benchmark's string form joins with a seen one ({', '.join(str(o.sisters) for o in outcomes)} cells). Regret: "
        f"of the seen cells and the {PICKS} best scored others, the one of best validation accuracy, in points of test "
        "accuracy below the best cell of the table."
    )
    return f"{table(columns, rows)}\n\n{text}"


def report(outcomes: Sequence[Outcome], what: str) -> str:
    """The whole section."""
    parts = [what, summary(outcomes)]
    for outcome in outcomes:
        title = f"### {outcome.name}: {outcome.trained_on} cells seen"
        parts += [title, comparison_markdown(outcome.comparison)]
    return "\n\n".join(parts)


def evaluate_training(options: argparse.Namespace, executor: Executor, store: Store) -> tuple[str, str, str]:
    """Key, title and text of Table VI's section."""
    paths = [trained(options, seed) for seed in options.seeds]
    population = read_population(SPACE, options.data)
    outcomes = []
    for seed, path in zip(options.seeds, paths, strict=True):
        seen, _ = split_indices(SPACE, len(population), options.cells, 0.0, seed)
        outcomes.append(measure(options, f"seed {seed}", str(path), seen, executor, store))
        print(f"seed {seed}: ρ {value_text(outcomes[-1].figure('cifar100.test', 'spearman'))}", flush=True)
    plan = plan_of(options, 0)
    what = (
        f"FT-ScoreNet trained on {plan.cells} random cells, {plan.steps} steps of {plan.samples}, cifar100.valid, "
        f"batch {plan.settings.batch}, {options.resolution}×{options.resolution}, running average of weights "
        f"{plan.averaging:g}; the last average is used, nothing is chosen by test cells. Measured at the resolution "
        f"of training. {PAPER}"
    )
    text = report(outcomes, what)
    if found := curves(paths):
        text += f"\n\n{curve_text(found, options.curve_cells)}"
        plot_curves(found, options.work / f"{SPACE}-curve.svg")
    return "nasbench201", "Prediction on NAS-Bench-201 (Table VI)", text


def evaluate_scorer(options: argparse.Namespace, executor: Executor, store: Store) -> tuple[str, str, str]:
    """Key, title and text of a scorer's section."""
    name = Path(options.scorer).stem
    count = len(read_population(SPACE, options.data))
    seen = seen_by(load_scorer(options.scorer), SPACE, options.data, count)
    if seen.doubt:
        raise SystemExit(f"{name}: {seen.doubt}")
    outcome = measure(options, name, options.scorer, seen.indices, executor, store)
    what = f"The scorer {name}, on cells of the table that it was neither trained on nor chosen by."
    key = re.sub(r"[^a-z0-9]+", "-", f"nasbench201-scorer-{name.lower()}")
    return key, f"Scorer {name} on NAS-Bench-201", report([outcome], what)


def main() -> None:
    """Train or load, measure, print, and write the section."""
    options = arguments()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    run = evaluate_scorer if options.scorer else evaluate_training
    with Store(options.work / "store.sqlite") as store, LocalExecutor(options.workers) as executor:
        key, title, text = run(options, executor, store)
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
    parser.add_argument("--cells", type=int, default=100, help="training cells")
    parser.add_argument(
        "--samples", type=int, default=0, help="cells in one step; 0 takes all training cells"
    )
    parser.add_argument("--steps", type=int, default=200)
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
