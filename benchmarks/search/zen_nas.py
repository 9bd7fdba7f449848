"""The paper's search (III-E, IV-A3): the Zen-NAS space under a million parameters and 18 sub-layers.

``python -m benchmarks.search.zen_nas --population 512 --generations 100 --hours 2 --write`` searches with each scorer
of ``--scorers`` (names or files), and chooses the highest score among networks of at least 900 k parameters in which no
layer is more than sixteen times as wide as the one before or behind it: wider ones gain nothing in training.
Front, plots, drawing and Python file of each are kept in ``runs/search/SCORER``; ``--write`` puts plots and drawings
beside RESULTS.md. A search that the time cuts short says how far it came; the same command goes on. ``--compare N``
then gives every algorithm N scored networks, for each of ``--seeds``.

The number of parameters is maximised, as the paper's second sign of quality ("capacity"); ``--objective params``
minimises it instead.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.results import command_line, picture, table, write_section
from benchmarks.search.width_steps import WIDEST, factor, widest_step
from fxscore.evaluate import mean_over_runs
from fxscore.report.search.files import write_search
from fxscore.report.search.plots import plot_convergence
from fxscore.run.processes import usable_cores
from fxscore.searching import ALGORITHMS, HISTORY, Evaluation, SearchResult, SearchStanding, search
from fxscore.searching.goals import HELD_BACK
from fxscore.types import ModelRef, ScoreRecord

SPACE = "zen_resnet"
LIMITS: dict[str, Any] = {"max_params": 1e6, "max_layers": 18}
MIN_PARAMS = 9e5
FOLDER = Path("runs/search")
FIRST = "search"  # the section with pictures
NETWORKS = Path(__file__).parent / "networks"


@dataclass
class Watch:
    """Counts what arrives, prints a line a generation, and interrupts when the time is up.

    Time runs from the first network that is worked on, so that what is replayed costs none.
    """

    seconds: float = float("inf")
    fresh: int = 0
    cached: int = 0
    begin: float | None = None

    def working(self, refs: Sequence[ModelRef]) -> None:
        """Networks are worked on; without any time, none is."""
        if self.begin is None:
            self.begin = time.monotonic()
        if self.elapsed >= self.seconds:
            raise KeyboardInterrupt

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """A score is there."""
        self.cached += cached
        self.fresh += not cached
        if self.elapsed > self.seconds:
            raise KeyboardInterrupt

    def generation(self, progress: SearchStanding) -> None:
        """A generation is done."""
        rate = self.fresh / self.elapsed if self.fresh else 0.0
        print(f"{progress}, {rate:.2f} fresh networks/s", flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the first network was worked on."""
        return 0.0 if self.begin is None else time.monotonic() - self.begin


def paper_search(scorer: str, options: argparse.Namespace) -> tuple[SearchResult, Watch]:
    """One search as in the paper, begun or gone on with."""
    folder, watch = folder_of(scorer, options), Watch(3600 * options.hours)
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
        cautious=False if options.bold else None,
        watcher=watch,
        **LIMITS,
    )
    return result, watch


def folder_of(scorer: str, options: argparse.Namespace) -> Path:
    """Where a search and what it found are kept."""
    folder: Path = options.folder / (Path(scorer).stem + ("-bold" if options.bold else ""))
    return folder


@dataclass(frozen=True)
class Throughput:
    """What all timed sessions of one search have scored, replays apart."""

    fresh: int
    cached: int
    seconds: float

    @classmethod
    def after(cls, watch: Watch, folder: Path) -> Throughput:
        """Add a session to those that the folder knows of."""
        path = folder / "sessions.json"
        sessions = json.loads(path.read_text()) if path.exists() else []
        if watch.fresh:
            sessions.append({"fresh": watch.fresh, "cached": watch.cached, "seconds": watch.elapsed})
            path.write_text(json.dumps(sessions))
        return cls(*(sum(session[name] for session in sessions) for name in ("fresh", "cached", "seconds")))

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Fresh networks, share of cached records, fresh networks a second, and hours."""
        if not self.fresh:
            return "0", "–", "–", "–"
        share = 100 * self.cached / (self.fresh + self.cached)
        return (
            str(self.fresh),
            f"{share:.1f} %",
            f"{self.fresh / self.seconds:.2f}",
            f"{self.seconds / 3600:.1f}",
        )


def describe(name: str, result: SearchResult, watch: Watch, folder: Path) -> tuple[list[Any], str]:
    """A row of the table of searches, and the lines about the front and the chosen network."""
    scored = [each for each in result.evaluations if each.feasible]
    architectures = len({each.fingerprint for each in scored})
    counts = [len(result.history), len(result.evaluations), len(scored), architectures]
    chosen = found(result)
    write_search(result, chosen, folder, picture="png")
    row = [name, *counts, *Throughput.after(watch, folder).cells, len(result.front)]
    return row, f"{about(name, result, chosen)}\n\n{_front(result)}"


def _front(result: SearchResult) -> str:
    rows = [
        [f"{each.values['score']:.4f}", f"{each.values['params']:,.0f}", f"{each.values['layers']:.0f}"]
        for each in sorted(result.front, key=lambda each: -each.values["score"])
    ]
    return "The front:\n\n" + table(("score", "params", "sub-layers"), rows)


def pictures(name: str, folder: Path) -> str:
    """Copies of the plots and of the network's Python file beside RESULTS.md, as Markdown."""
    lines = []
    if (source := folder / "network.py").exists():
        NETWORKS.mkdir(exist_ok=True)
        copy = NETWORKS / f"zen_{name.replace('-', '_')}.py"
        shutil.copy(source, copy)
        lines.append(f"The network: [{copy.name}]({copy.relative_to(NETWORKS.parent)}).")
    for kind, title in (("network", "the chosen network"), ("pareto", "score against parameters")):
        if (source := folder / f"{kind}.png").exists():
            lines.append(
                picture(f"search-{name}-{kind}.png", f"{name}: {title}", partial(shutil.copy, source))
            )
    return "\n\n".join(lines)


def found(result: SearchResult) -> Evaluation | None:
    """The best of the large networks without a layer far wider than its neighbours."""
    return next((each for each in large(result) if factor(widest_step(result.build(each))) <= WIDEST), None)


def large(result: SearchResult) -> list[Evaluation]:
    """The networks of at least `MIN_PARAMS` parameters, best first."""
    scored = [e for e in result.evaluations if e.feasible and e.values["params"] >= MIN_PARAMS]
    return sorted(scored, key=lambda each: -each.values["score"])


def about(name: str, result: SearchResult, chosen: Evaluation | None) -> str:
    """What was chosen, and what scored higher."""
    if chosen is None:
        return (
            f"**{name}**: no network of {MIN_PARAMS:,.0f} parameters or more without a wide step was scored."
        )
    chain = result.space.parse(chosen.text)
    widths = ", ".join(str(block.channels) for block in chain.blocks)
    strides = sum(block.stride == 2 for block in chain.blocks)
    before, after = widest_step(result.build(chosen))
    off = chosen.values.get(HELD_BACK)
    held = "" if off is None else f"; held back from its score: {off:.2f}"
    return (
        f"**{name}**: score {chosen.values['score']:.4f}, {chosen.values['params']:,.0f} parameters, "
        f"{chosen.values['layers']:.0f} sub-layers in {len(chain.blocks)} super-blocks of widths {widths}, {strides} "
        f"of them with stride 2, tail {chain.tail}. The widest step from a layer to the next is from {before} to "
        f"{after} channels{held}.\n\n`{chosen.text}`{_wider(result, chosen)}"
    )


def _wider(result: SearchResult, chosen: Evaluation) -> str:
    """What scored higher, and has a wider step."""
    best = large(result)[0]
    if best is chosen:
        return ""
    before, after = widest_step(result.build(best))
    return (
        f"\n\nThe best of all, with a step from {before} to {after} channels: score {best.values['score']:.4f}, "
        f"`{best.text}`."
    )


def comparison(options: argparse.Namespace, scorer: str) -> str:
    """The best score of every algorithm after as many scored networks, mean over seeds."""
    rows, first = [], {}
    for algorithm in ALGORITHMS:
        found = [_compared(options, scorer, algorithm, seed) for seed in options.seeds]
        best = [result.best().values["score"] for result in found]
        first[algorithm] = found[0]
        estimate = mean_over_runs(best)
        interval = "–" if estimate.low is None else f"{estimate.low:.4f} to {estimate.high:.4f}"
        rows.append((algorithm, len(best), f"{estimate.value:.4f}", interval))
    head = f"Highest score of {scorer} after {options.compare} scored networks, the same limits, generations of 32:"
    body = f"{head}\n\n" + table(("algorithm", "seeds", "mean", "95 % interval"), rows)
    if not options.write:
        return body
    title = f"Convergence, seed {options.seeds[0]}"
    shown = picture(f"{options.section}-convergence.png", title, partial(plot_convergence, first))
    return f"{body}\n\n{shown}"


def _compared(options: argparse.Namespace, scorer: str, algorithm: str, seed: int) -> SearchResult:
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
    return result


def title_of(workers: int) -> str:
    """The section's heading."""
    title = "Search of the Zen-NAS space under a million parameters"
    return title if workers == 1 else f"{title}: {workers} workers"


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
    parser.add_argument("--bold", action="store_true", help="hold no score back, however far from training")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    parser.add_argument(
        "--section", default=FIRST, help="of RESULTS.md, for a second run beside the first, without pictures"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows, abouts = [], []
    for scorer in options.scorers:
        result, watch = paper_search(scorer, options)
        name, folder = Path(scorer).stem, folder_of(scorer, options)
        row, about = describe(name, result, watch, folder)
        rows.append(row)
        shown = options.write and options.section == FIRST
        abouts += [about, *([pictures(name, folder)] if shown else [])]
    columns = (
        "scorer",
        "generations",
        "proposed",
        "scored",
        "architectures",
        "timed",
        "cached",
        "fresh/s",
        "hours",
        "front",
    )
    note = (
        f"Population {options.population}, {options.generations} generations at most, "
        f"seed {options.seeds[0]}, objectives score and {options.objective}; fresh networks a second with "
        f"{options.workers} workers, while other work ran on the machine, over the timed sessions alone. Proposed "
        "networks that pass a limit are not scored. Chosen: the highest score from 900,000 parameters on, of networks "
        f"in which no layer is more than {WIDEST} times as wide as the one before or behind it."
    )
    body = "\n\n".join([note, table(columns, rows), *abouts])
    if options.compare:
        body += "\n\n" + comparison(options, options.scorers[0])
    print(body)
    if options.write:
        write_section(options.section, title_of(options.workers), body, command_line())


if __name__ == "__main__":
    main()
