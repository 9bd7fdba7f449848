"""The paper's search (III-E, IV-A3): the Zen-NAS space under a million parameters and 18 sub-layers.

``python -m benchmarks.search --population 512 --generations 100 --hours 2 --write`` searches with each scorer of
``--scorers`` (names or files), chooses the highest score among networks of at least 900 k parameters, and keeps
front, plots, drawing and Python file of each in ``runs/search/SCORER``. A search that the time cuts short says how far
it came; the same command goes on. ``--compare N`` then gives every algorithm N scored networks, for each of
``--seeds``.

The number of parameters is maximised, as the paper's second sign of quality ("capacity"); ``--objective params``
minimises it instead.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.results import command_line, table, write_section
from fxscore.evaluate import mean_over_runs
from fxscore.report.search_files import write_search
from fxscore.run.processes import usable_cores
from fxscore.searching import ALGORITHMS, HISTORY, Evaluation, Progress, SearchResult, search
from fxscore.types import ModelRef, ScoreRecord

SPACE = "zen_resnet"
LIMITS: dict[str, Any] = {"max_params": 1e6, "max_layers": 18}
MIN_PARAMS = 9e5
FOLDER = Path("runs/search")


@dataclass
class Watch:
    """Counts what arrives, prints a line a generation, and interrupts when the time is up."""

    seconds: float = float("inf")
    fresh: int = 0
    cached: int = 0
    begin: float = field(default_factory=time.monotonic)

    def working(self, refs: Sequence[ModelRef]) -> None:
        """Nothing to count."""

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """A score is there."""
        self.cached += cached
        self.fresh += not cached
        if self.elapsed > self.seconds:
            raise KeyboardInterrupt

    def generation(self, progress: Progress) -> None:
        """A generation is done."""
        print(f"{progress}, {self.rate:.2f} fresh networks/s", flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begin

    @property
    def rate(self) -> float:
        """Fresh networks a second."""
        return self.fresh / self.elapsed


def paper_search(scorer: str, options: argparse.Namespace) -> tuple[SearchResult, Watch]:
    """One search as in the paper, begun or gone on with."""
    folder, watch = options.folder / Path(scorer).stem, Watch(3600 * options.hours)
    result = search(
        SPACE,
        scorer=scorer,
        objectives=("score", options.objective),
        budget=options.population * options.generations,
        population=options.population,
        generations=options.generations,
        seed=options.seeds[0],
        folder=folder,
        resume=True,
        store=options.folder / "store.db",
        workers=options.workers,
        watcher=watch,
        **LIMITS,
    )
    return result, watch


def describe(name: str, result: SearchResult, watch: Watch, folder: Path) -> tuple[list[Any], str]:
    """A row of the table of searches, and the lines about the chosen network."""
    every = result.evaluations
    scored = [each for each in every if each.feasible]
    seen = watch.fresh + watch.cached
    share = f"{100 * watch.cached / seen:.0f} %" if seen else "–"
    rate = f"{watch.rate:.2f}" if watch.fresh else "–"
    row = [name, len(result.history), len(every), len(scored), len({e.fingerprint for e in scored})]
    chosen = _chosen(result)
    write_search(result, chosen, folder, picture="png")
    return [*row, share, rate, len(result.front)], _about(name, result, chosen)


def _chosen(result: SearchResult) -> Evaluation | None:
    found = [e for e in result.evaluations if e.feasible and e.values["params"] >= MIN_PARAMS]
    return max(found, key=lambda each: each.values["score"], default=None)


def _about(name: str, result: SearchResult, chosen: Evaluation | None) -> str:
    if chosen is None:
        return f"**{name}**: no network of {MIN_PARAMS:,.0f} parameters or more was scored."
    chain = result.space.parse(chosen.text)
    widths = ", ".join(str(block.channels) for block in chain.blocks)
    strides = sum(block.stride == 2 for block in chain.blocks)
    return (
        f"**{name}**: score {chosen.values['score']:.4f}, {chosen.values['params']:,.0f} parameters, "
        f"{chosen.values['layers']:.0f} sub-layers in {len(chain.blocks)} super-blocks of widths {widths}, {strides} "
        f"of them with stride 2, tail {chain.tail}.\n\n`{chosen.text}`"
    )


def comparison(options: argparse.Namespace, scorer: str) -> str:
    """The best score of every algorithm after as many scored networks, mean over seeds."""
    rows = []
    for algorithm in ALGORITHMS:
        best = [_best(options, scorer, algorithm, seed) for seed in options.seeds]
        estimate = mean_over_runs(best)
        interval = "–" if estimate.low is None else f"{estimate.low:.4f} to {estimate.high:.4f}"
        rows.append((algorithm, len(best), f"{estimate.value:.4f}", interval))
    head = f"Highest score of {scorer} after {options.compare} scored networks, the same limits, generations of 32:"
    return f"{head}\n\n" + table(("algorithm", "seeds", "mean", "95 % interval"), rows)


def _best(options: argparse.Namespace, scorer: str, algorithm: str, seed: int) -> float:
    folder = options.folder / "compared" / f"{Path(scorer).stem}-{algorithm}-{options.compare}-{seed}"
    result = search(
        SPACE,
        scorer=scorer,
        budget=options.compare,
        population=32,
        objectives=("score", options.objective),
        algorithm=algorithm,
        seed=seed,
        folder=folder,
        resume=(folder / HISTORY).exists(),
        store=options.folder / "store.db",
        workers=options.workers,
        **LIMITS,
    )
    print(f"{algorithm}, seed {seed}: {result.best().values['score']:.4f}", flush=True)
    return result.best().values["score"]


def main() -> None:
    """Search; print the tables; keep them in RESULTS.md with ``--write``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scorers", nargs="+", default=["nasbench201"], help="names or files")
    parser.add_argument("--population", type=int, default=512)
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--hours", type=float, default=2.0, help="for each scorer, at most")
    parser.add_argument("--objective", default="max:params", help="beside the score")
    parser.add_argument("--compare", type=int, default=0, help="scored networks for each algorithm; 0: none")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows, abouts = [], []
    for scorer in options.scorers:
        result, watch = paper_search(scorer, options)
        row, about = describe(Path(scorer).stem, result, watch, options.folder / Path(scorer).stem)
        rows.append(row)
        abouts.append(about)
        (options.folder / Path(scorer).stem / "rate.json").write_text(json.dumps(vars(watch)))
    columns = ("scorer", "generations", "proposed", "scored", "architectures", "cached", "fresh/s", "front")
    note = (
        f"Population {options.population}, {options.generations} generations at most, {options.hours:g} hours at most, "
        f"seed {options.seeds[0]}, objectives score and {options.objective}, {options.workers} workers. Proposed "
        "networks that pass a limit are not scored. Chosen: the highest score from 900,000 parameters on."
    )
    body = "\n\n".join([note, table(columns, rows), *abouts])
    if options.compare:
        body += "\n\n" + comparison(options, options.scorers[0])
    print(body)
    if options.write:
        title = "Search of the Zen-NAS space under a million parameters"
        write_section("search", title, body, command_line())


if __name__ == "__main__":
    main()
