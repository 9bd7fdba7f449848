"""How well handcrafted scores rank the networks of every benchmark that has data: the opponents of all that follows.

``python -m benchmarks.quality.handcrafted --data ../shared/data --work work/`` scores 1,000 networks of each benchmark
(all where there are fewer) with every proxy, and writes the section "Handcrafted scores" of RESULTS.md and a file of
`results` for each benchmark. Scores are kept in the work folder, so that an interrupted run goes on. ``--quick`` takes
a few networks and cheap proxies and only prints. Benchmarks without data here (NDS, all of NAS-Bench-101, NATS-Bench's
size space) are not in the table.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.results import table, write_details, write_section
from benchmarks.shared.boards import NETWORKS, Board, boards, comparison_markdown, drawn_parts
from benchmarks.shared.proxy_scores import known_records, measure
from fxscore.evaluate import (
    Measures,
    Population,
    ScorerComparison,
    compare_scorers,
    matched_spearman,
    scores_of,
)
from fxscore.proxies import proxy_names
from fxscore.proxies.base import BaseProxy
from fxscore.report.evaluation_files import comparison_csv
from fxscore.report.evaluation_table import interval_text, value_text
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.types import ModelRef, ScoreRecord

QUICK_PROXIES = ("params", "macs", "activations", "layers")
QUICK_NETWORKS = 12
REFERENCE = "params"  # stands beside proxies that were measured on fewer networks
MISSING_DATA = (
    "No data here, so not in the tables: NDS (DARTS, NASNet, Amoeba, ENAS, PNAS on CIFAR and ImageNet), the whole of "
    "NAS-Bench-101, NATS-Bench's size space. The surrogate labels of NAS-Bench-301 and the libraries' tables stand "
    "in for NDS."
)


Part = tuple[Population, dict[str, list[ScoreRecord]]]


def measured(board: Board, options: argparse.Namespace, executor: Executor, store: Store) -> list[Part]:
    """A board's networks with the records of the proxies that measured all of them; the most networks first."""
    everything = board.population(options.data)
    draws = board.draws(options.proxies, len(everything), options.n)
    parts = drawn_parts(len(everything), list(draws), options.seed)
    proxies = {name: board.proxy(name) for name in options.proxies}
    wanted: dict[ModelRef, list[BaseProxy]] = {}
    for size, names in draws.items():
        for index in parts[size]:
            wanted[everything.refs[index]] = [proxies[name] for name in names]
    measure(wanted, board.resolution, executor, store)
    return [
        (population, {name: _records(population, proxies[name], board, store) for name in names})
        for size, names in draws.items()
        for population in [everything.subset(parts[size])]
    ]


def _records(population: Population, proxy: BaseProxy, board: Board, store: Store) -> list[ScoreRecord]:
    known = known_records(population.refs, proxy, board.resolution, store)
    return [known[ref] for ref in population.refs]


def at_equal_macs(
    records: dict[str, list[ScoreRecord]], population: Population, label: str, resamples: int
) -> dict[str, str]:
    """Mean ρ within bins of ±15 % MACs, by scorer."""
    if "macs" not in records:
        return {}
    macs, truth = scores_of(records["macs"]), population.label(label)
    found = {}
    for name, each in records.items():
        scores = scores_of(each)
        known = np.isfinite(scores) & np.isfinite(macs)
        estimate = matched_spearman(scores[known], truth[known], macs[known], resamples=min(resamples, 300))
        found[name] = interval_text(estimate)
    return found


def section(
    board: Board, options: argparse.Namespace, executor: Executor, store: Store
) -> tuple[str, list[ScorerComparison]]:
    """One board's part of the report, and its comparisons."""
    texts, comparisons, shown = [], [], set[str]()
    for population, found in measured(board, options, executor, store):
        records = {name: each for name, each in found.items() if name not in shown or name == REFERENCE}
        shown |= records.keys()
        measures = Measures(resamples=options.resamples, seed=options.seed)
        comparison = compare_scorers(population, records, measures, board.labels)
        extra = {}
        if board.space in ("timm", "torchvision"):
            extra["ρ at equal MACs"] = at_equal_macs(found, population, board.label, options.resamples)
        texts.append(comparison_markdown(comparison, extra))
        comparisons.append(comparison)
    notes = [board.setting(), *([board.note] if board.note else [])]
    return "\n\n".join([*("- " + note for note in notes), *texts]), comparisons


def summary(found: Sequence[tuple[Board, list[ScorerComparison]]], proxies: Sequence[str]) -> str:
    """ρ of every proxy on every label, without intervals, on the most networks that it measured."""
    rows = []
    for board, comparisons in found:
        for label in board.labels:
            cells = [_largest(comparisons, label, name) for name in proxies]
            rows.append([f"{board.name}, {label}", comparisons[0].n, *cells])
    return table(["tested on", "n", *proxies], rows)


def _largest(comparisons: Sequence[ScorerComparison], label: str, name: str) -> str:
    for place, comparison in enumerate(comparisons):
        for each in comparison.evaluations:
            if (each.scorer, each.label) == (name, label):
                value = value_text(each.agreement.figures["spearman"].value)
                return f"{value} (of {comparison.n})" if place else value
    return "–"


def main() -> None:
    """Measure and print; write a section per board as it is done, and the summary where all were measured."""
    options = arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    found = []
    options.work.mkdir(parents=True, exist_ok=True)
    with (
        Store(options.work / "store.sqlite") as store,
        LocalExecutor(options.workers, options.time_limit, options.memory_limit) as executor,
    ):
        for board in boards(options.boards):
            text, comparisons = section(board, options, executor, store)
            found.append((board, comparisons))
            print(f"\n{text}\n", flush=True)
            if not options.quick:
                title = f"Handcrafted scores: {board.name}"
                write_details(_key(board), title, text, command(options, board.space))
    if options.csv:
        options.csv.write_text(
            comparison_csv(*(c for _, comparisons in found for c in comparisons)), encoding="utf-8"
        )
    links = ", ".join(f"[{board.name}](results/{_key(board)}.md)" for board, _ in found)
    head = f"Spearman's ρ. All figures with their intervals: {links}."
    text = f"{head}\n\n{summary(found, options.proxies)}\n\n{MISSING_DATA}"
    print(text)
    if not options.quick and not options.boards:
        write_section("handcrafted", "Handcrafted scores", text, command(options))


def _key(board: Board) -> str:
    return f"handcrafted-{board.space.replace('_', '-')}"


def command(options: argparse.Namespace, board: str | None = None) -> str:
    """The command that prints these figures."""
    chosen = f" --boards {board}" if board else ""
    drawn = f"--n {options.n} --seed {options.seed}"
    return f"python -m benchmarks.quality.handcrafted --data DATA --work WORK {drawn}{chosen}"


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder of the result store")
    parser.add_argument("--n", type=int, default=NETWORKS, help="networks of each benchmark; 0 takes all")
    parser.add_argument("--seed", type=int, default=0, help="of the draw and the resamples")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--boards", nargs="*", help="spaces, timm, torchvision; all by default")
    parser.add_argument("--proxies", nargs="*", default=list(proxy_names()), help="all by default")
    parser.add_argument("--workers", type=int, help="worker processes; one per core by default")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one network")
    parser.add_argument(
        "--memory-limit", type=int, help="bytes for one network; a share of the machine's by default"
    )
    parser.add_argument("--csv", type=Path, help="write all figures to a file")
    parser.add_argument("--quick", action="store_true", help="a few networks, cheap proxies, nothing written")
    options = parser.parse_args()
    if options.quick:
        options.n = min(options.n, QUICK_NETWORKS)
        options.proxies = [name for name in options.proxies if name in QUICK_PROXIES] or options.proxies
        options.resamples = min(options.resamples, 100)
    return options


if __name__ == "__main__":
    main()
