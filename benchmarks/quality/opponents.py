"""How opponents rank the networks of all tables: handcrafted scores, those of the last years among them, and sizes.

``python -m benchmarks.quality.opponents --data ../shared/data --write`` draws networks of one task of every table, runs
each proxy at a small input, and writes how they rank the accuracies, beside plain sizes and the shipped general
scorer. That
one has learned from these tables: its column is no forecast, and `benchmarks.quality.board` says what it is worth on
tables that were left out. Values are kept in `--store`, so that the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.results import command_line, table, write_section
from benchmarks.shared.proxy_scores import known_records, measure
from fxscore.evaluate import Estimate, Measures, agreement, score_refs, scores_of
from fxscore.evaluate.task import RankingTask
from fxscore.evaluate.tasks import task_tables
from fxscore.proxies import get_proxy
from fxscore.proxies.az_nas import COMPONENTS, az_scores
from fxscore.proxies.base import BaseProxy
from fxscore.proxies.probe import SeededProxy
from fxscore.report.evaluation_table import interval_text
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.types import ModelRef

Floats = NDArray[np.float64]
OWN_TABLES = Path(__file__).parents[1] / "tables"
OURS = "general (has seen these tables)"
SIZES = ("params", "macs", "activations")
RUN = ("naswot", "synflow", "swap", "wrcor", "vkdnw", *COMPONENTS[:3])
BATCH = 8
SHARPER = ("naswot", "swap")  # which sharpen with the batch, and cost no backward pass: twice as many images


def _values(
    refs: Sequence[ModelRef],
    proxies: dict[str, BaseProxy],
    resolution: int | None,
    executor: Executor,
    store: Store,
) -> dict[str, Floats]:
    measure({ref: list(proxies.values()) for ref in refs}, resolution, executor, store)
    found = {name: known_records(refs, proxy, resolution, store) for name, proxy in proxies.items()}
    return {name: scores_of([known[ref] for ref in refs]) for name, known in found.items()}


def proxy_of(name: str) -> BaseProxy:
    """A proxy with the batch of this board."""
    proxy = get_proxy(name)
    if isinstance(proxy, SeededProxy):
        proxy = replace(proxy, batch=BATCH * (1 + (name in SHARPER)))
    assert isinstance(proxy, BaseProxy)
    return proxy


@dataclass(frozen=True, eq=False)
class Measured:
    """A task's drawn networks.

    Attributes:
        task: its name.
        labels: (n,).
        scores: (n,) by scorer; NaN where a network has none.
    """

    task: str
    labels: Floats
    scores: dict[str, Floats]

    def estimate(self, name: str) -> Estimate:
        """ρ with its interval; networks without a score are the last."""
        scores = rankdata(np.nan_to_num(self.scores[name], nan=-np.inf))  # differences of infinities are none
        return agreement(scores, self.labels, Measures(resamples=1000)).figures["spearman"]

    def value(self, name: str) -> float:
        """ρ; 0 where all scores are equal."""
        return self.estimate(name).value or 0.0 if len(np.unique(self.scores[name])) > 1 else 0.0


def tasks(options: argparse.Namespace) -> Iterator[RankingTask]:
    """The first task of every table whose networks bring their own input."""
    for each in task_tables([options.data, OWN_TABLES], options.tables):
        if each.tasks and each.tasks[0].input_shape is None:
            yield each.tasks[0]


def measured(
    task: RankingTask, options: argparse.Namespace, executor: Executor, store: Store
) -> Measured | None:
    """The drawn networks of one task, small enough at the small input; None where there are fewer than ten."""
    order = np.random.default_rng(options.seed).permutation(len(task)).tolist()
    drawn = order[: options.n]
    refs = [task.population.refs[row] for row in drawn]
    sizes = _values(refs, {name: proxy_of(name) for name in (*SIZES, "flops")}, options.side, executor, store)
    share = min(1.0, (options.side / _side(task)) ** 2)
    kept = [place for place in range(len(refs)) if sizes["macs"][place] * share <= options.mmacs * 1e6]
    if len(kept) < 10:
        print(f"{task.name}: {len(kept)} of {len(refs)} networks are small enough", flush=True)
        return None
    refs = [refs[place] for place in kept]
    scores = {name: values[kept] for name, values in sizes.items()}
    scores |= _values(refs, {name: proxy_of(name) for name in RUN}, options.side, executor, store)
    ours = scores_of(score_refs(refs, "general", executor=executor, store=store))
    return Measured(
        task.name, task.values[[drawn[place] for place in kept]], {OURS: ours, **together(scores)}
    )


def _side(task: RankingTask) -> int:
    """The side of the first network's input, which stands for all."""
    from fxscore.scorer.subject import subject_of

    return int(subject_of(task.population.refs[0]).input_shape[-1])


def together(scores: dict[str, Floats]) -> dict[str, Floats]:
    """What the board shows: with the size of two factors, the regularised SWAP-Score and AZ-NAS's sum of ranks."""
    millions = scores["params"] / 1e6
    most = millions.max()
    regular = (
        np.log(scores["swap"]) - (millions - most) ** 2 / most
    )  # of Ψ·exp(−(Θ − μ)²/σ), σ = μ, as in the paper
    return {
        "params": scores["params"],
        "MACs": scores["macs"],
        "activations": scores["activations"],
        "activations·√params": scores["activations"] * np.sqrt(scores["params"]),
        **{name: scores[name] for name in ("naswot", "synflow", "swap")},
        "swap, regularised": regular,
        "wrcor": scores["wrcor"],
        "az_nas": az_scores(scores),
        **{name.replace("az_", "az: "): scores[name] for name in COMPONENTS[:3]},
        "vkdnw": scores["vkdnw"],
    }


def overview(found: Sequence[Measured]) -> str:
    """ρ of every scorer on every task, and the mean over tasks with its interval over tasks."""
    names = list(found[0].scores)
    values = np.array([[each.value(name) for name in names] for each in found])
    rows: list[list[object]] = [
        [each.task, len(each.labels), *(f"{value:.2f}" for value in row)]
        for each, row in zip(found, values, strict=True)
    ]
    draws = np.random.default_rng(0).integers(len(found), size=(2000, len(found)))
    low, high = np.quantile(values[draws].mean(1), (0.025, 0.975), axis=0)
    spans = [f"{m:.2f} ({a:.2f} to {b:.2f})" for m, a, b in zip(values.mean(0), low, high, strict=True)]
    rows.append(["**mean**", sum(len(each.labels) for each in found), *spans])
    return table(["task", "n", *names], rows)


def intervals(found: Sequence[Measured]) -> str:
    """ρ with its interval, a line for each scorer and task, and how many networks it has no score for."""
    rows = [
        [
            each.task,
            name,
            len(each.labels),
            interval_text(each.estimate(name)),
            int(np.isnan(each.scores[name]).sum()),
        ]
        for each in found
        for name in each.scores
    ]
    return table(["task", "scorer", "n", "ρ", "without a score"], rows)


def note(options: argparse.Namespace) -> str:
    """What was done."""
    return (
        f"Spearman's ρ on networks drawn with seed {options.seed} from one task of every table, those of at most "
        f"{options.mmacs:g} M MACs at {options.side}×{options.side}; sizes are at the networks' own input, proxies run "
        f"at {options.side}×{options.side} (or the nearest that a network takes) with {BATCH} images, "
        f"{' and '.join(SHARPER)} with {2 * BATCH}. A network without a score ranks last. Means: 95 % percentiles of "
        "2,000 resamples of tasks. "
        "*az_nas*: the sum of logarithms of ranks of its three components and FLOPs, within the drawn networks. *swap, "
        "regularised*: μ = σ = the parameters of the largest drawn network, in millions. *vkdnw*: of a single network. "
        "The general scorer has learned from these tables, so its column is no forecast; left out, it is in the "
        "section on populations left out."
    )


def main() -> None:
    """Measure, print, and keep the section with ``--write``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--tables", nargs="*", default=(), help="names of tables; all by default")
    parser.add_argument("--n", type=int, default=40, help="networks of each task")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--side", type=int, default=32, help="height and width at which proxies run")
    parser.add_argument("--mmacs", type=float, default=100.0, help="of a network at that size, millions")
    parser.add_argument("--store", type=Path, default=Path("runs/opponents.db"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds for one network")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    options.store.parent.mkdir(parents=True, exist_ok=True)
    found = []
    with Store(options.store) as store, LocalExecutor(options.workers, options.time_limit) as executor:
        for task in tasks(options):
            each = measured(task, options, executor, store)
            if each is not None:
                found.append(each)
                print(
                    f"{each.task}: {', '.join(f'{n} {each.value(n):.2f}' for n in each.scores)}", flush=True
                )
    text = f"{note(options)}\n\n{overview(found)}"
    print(text)
    if options.write:
        title = "Opponents of the last years"
        write_section("opponents", title, f"{text}\n\n{intervals(found)}", command_line(), headline=text)


if __name__ == "__main__":
    main()
