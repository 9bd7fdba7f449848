"""Measures what the board's opponents say: handcrafted scores, those of the last years among them.

``python -m benchmarks.quality.opponents --data ../shared/data`` draws networks of every table, of those that the
general scorer's board looks at, and runs each proxy at a small input. A row for each network is added to
``opponents.csv`` as a table is done; `benchmarks.quality.board` puts them beside the scorer in every run. Values are
kept in `--store` too, so that the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.results import table
from benchmarks.shared.proxy_scores import known_records, measure
from benchmarks.shared.rows import keep_rows, kept_rows
from fxscore.evaluate import Estimate, Measures, agreement, scores_of, spearman
from fxscore.evaluate.task import TaskTable
from fxscore.evaluate.tasks import task_tables
from fxscore.proxies import get_proxy
from fxscore.proxies.az_nas import COMPONENTS, az_scores
from fxscore.proxies.base import BaseProxy
from fxscore.proxies.probe import SeededProxy
from fxscore.report.evaluation_table import interval_text
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.train.general.lessons import looked_at
from fxscore.types import ModelRef

Floats = NDArray[np.float64]
OWN_TABLES = Path(__file__).parents[1] / "tables"
MEASURED = Path(__file__).with_name("opponents.csv")
RUN = ("naswot", "synflow", "swap", "wrcor", "vkdnw", *COMPONENTS[:3])
COLUMNS = ("table", "network", *RUN)
SIDE, MOST_MMACS = 32, 100.0
TRIED = 3  # times as many networks are drawn, where most are too large
BATCH = 8
SHARPER = ("naswot", "swap")  # which sharpen with the batch, and cost no backward pass: twice as many images
LEAST = 10  # networks of a task


def proxy_of(name: str) -> BaseProxy:
    """A proxy with the batch of this board."""
    proxy = get_proxy(name)
    if isinstance(proxy, SeededProxy):
        proxy = replace(proxy, batch=BATCH * (1 + (name in SHARPER)))
    assert isinstance(proxy, BaseProxy)
    return proxy


def measured(
    table: TaskTable, options: argparse.Namespace, executor: Executor, store: Store
) -> list[dict[str, Any]]:
    """A row for each of the first `n` drawn networks that are small enough at the small input."""
    refs = looked_at(table)
    order = np.random.default_rng(options.seed).permutation(len(refs)).tolist()
    drawn = [refs[place] for place in order[: TRIED * options.n]]
    macs = _values(drawn, ("macs",), executor, store)["macs"]
    share = min(1.0, (SIDE / _side(drawn[0])) ** 2)
    small = [ref for ref, own in zip(drawn, macs, strict=True) if own * share <= MOST_MMACS * 1e6]
    kept = small[: options.n]
    values = _values(kept, RUN, executor, store) if kept else {}
    return [
        {"table": table.name, "network": str(ref)} | {name: _text(own[place]) for name, own in values.items()}
        for place, ref in enumerate(kept)
    ]


def _values(
    refs: Sequence[ModelRef], names: Sequence[str], executor: Executor, store: Store
) -> dict[str, Floats]:
    proxies = {name: proxy_of(name) for name in names}
    measure({ref: list(proxies.values()) for ref in refs}, SIDE, executor, store)
    found = {name: known_records(refs, proxy, SIDE, store) for name, proxy in proxies.items()}
    return {name: scores_of([known[ref] for ref in refs]) for name, known in found.items()}


def _text(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.8g}"


def _side(ref: ModelRef) -> int:
    """The side of a table's first network, which stands for all."""
    from fxscore.scorer.subject import subject_of

    return int(subject_of(ref).input_shape[-1])


@dataclass(frozen=True, eq=False)
class Compared:
    """A task's networks that opponents were measured on.

    Attributes:
        task: its name.
        labels: (n,).
        scores: (n,) by scorer; NaN where a network has none.
    """

    task: str
    labels: Floats
    scores: dict[str, Floats]

    def ranked(self, name: str) -> Floats:
        """(n,) ranks of a scorer's values; networks without one are the last."""
        known = np.nan_to_num(self.scores[name], nan=-np.inf)
        return np.asarray(rankdata(known))  # differences of infinities are none

    def estimate(self, name: str) -> Estimate:
        """ρ with its interval."""
        return agreement(self.ranked(name), self.labels, Measures(resamples=1000)).figures["spearman"]

    def value(self, name: str) -> float:
        """ρ; 0 where all scores are equal."""
        ranks = self.ranked(name)
        return spearman(ranks, self.labels) if np.ptp(ranks) else 0.0


def compared(
    task: str,
    refs: Sequence[ModelRef],
    labels: Floats,
    others: Mapping[str, Floats],
    sizes: Mapping[str, Floats],
    rows: Sequence[Mapping[str, str]],
) -> Compared | None:
    """What opponents say of a task's networks, where enough of them were measured.

    Args:
        task: its name, which begins with that of its table.
        refs: (n,) all its networks.
        labels: (n,) what was measured of them.
        others: (n,) scores to stand beside the opponents.
        sizes: (n,) `params` and `flops` of the networks.
        rows: of `MEASURED`.
    """
    own = {row["network"]: row for row in rows if row["table"] == task.partition("/")[0]}
    places = [place for place, ref in enumerate(refs) if str(ref) in own]
    if len(places) < LEAST:
        return None
    found = [own[str(refs[place])] for place in places]
    values = {name: np.array([float(row[name] or "nan") for row in found]) for name in RUN}
    values |= {name: size[places] for name, size in sizes.items()}
    scores = {name: each[places] for name, each in others.items()}
    return Compared(task, labels[places], {**scores, **together(values)})


def together(values: Mapping[str, Floats]) -> dict[str, Floats]:
    """What the board shows: the proxies, the regularised SWAP-Score and AZ-NAS's sum of ranks."""
    millions = values["params"] / 1e6
    most = millions.max()
    regular = (
        np.log(values["swap"]) - (millions - most) ** 2 / most
    )  # of Ψ·exp(−(Θ − μ)²/σ), σ = μ, as in the paper
    return {
        **{name: values[name] for name in ("naswot", "synflow", "swap")},
        "swap, regularised": regular,
        "wrcor": values["wrcor"],
        "az_nas": az_scores(values),
        **{name.replace("az_", "az: "): values[name] for name in COMPONENTS[:3]},
        "vkdnw": values["vkdnw"],
    }


def overview(found: Sequence[Compared]) -> str:
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
    rows.append(["**mean**", len(found), *spans])
    return table(["task", "n", *names], rows)


def intervals(found: Sequence[Compared]) -> str:
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


NOTE = (
    "Spearman's ρ on the networks that opponents were measured on (`benchmarks.quality.opponents`): drawn with seed 0 "
    f"from every table, those of at most {MOST_MMACS:g} M MACs at {SIDE}×{SIDE}. The general scorer is of populations "
    f"left out, as on the board; sizes are at the networks' own input, proxies run at {SIDE}×{SIDE} (or the nearest "
    f"that a network takes) with {BATCH} images, {' and '.join(SHARPER)} with {2 * BATCH}. A network without a score "
    "ranks last. Means: 95 % percentiles of 2,000 resamples of tasks. *az_nas*: the sum of logarithms of ranks of its "
    "three components and MACs, within a task's networks. *swap, regularised*: μ = σ = the parameters of the largest "
    "of them, in millions. *vkdnw*: of a single network."
)


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--tables", nargs="*", default=(), help="names of tables; all by default")
    parser.add_argument("--n", type=int, default=20, help="networks of each table")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--store", type=Path, default=Path("runs/opponents.db"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds for one network")
    options = parser.parse_args()
    options.store.parent.mkdir(parents=True, exist_ok=True)
    with Store(options.store) as store, LocalExecutor(options.workers, options.time_limit) as executor:
        for each in task_tables([options.data, OWN_TABLES], options.tables):
            if not each.tasks:
                continue
            rows = measured(each, options, executor, store)
            others = [row for row in kept_rows(MEASURED) if row["table"] != each.name]
            keep_rows(MEASURED, COLUMNS, [*others, *rows])
            print(f"{each.name}: {len(rows)} networks", flush=True)


if __name__ == "__main__":
    main()
