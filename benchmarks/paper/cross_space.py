"""Scorers across spaces: Tables I to IV of the paper, with the scorers and the benchmarks that there are.

``python -m benchmarks.paper.cross_space --data ../shared/data --work work/ [--scorers NAME|FILE …]`` writes the section
"Across spaces" of RESULTS.md: rows are where a scorer is tested, columns are scorers; a further scorer is a further
column, by its name or its file. The networks of a row are drawn once; where a scorer was trained on some of them,
its own cell leaves those out. Scores are kept in the work folder, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.results import table, write_section
from benchmarks.shared.boards import NETWORKS, Board, boards, drawn_parts
from benchmarks.shared.matrix import matrix_markdown
from benchmarks.shared.proxy_scores import known_records, measure
from fxscore.evaluate import (
    CrossSpace,
    Estimate,
    Measures,
    Population,
    ScoreMatrix,
    agreement,
    score_matrix,
    score_refs,
    scores_of,
    seen_by,
    trained_spaces,
)
from fxscore.evaluate.coefficients import Floats
from fxscore.evaluate.study import named
from fxscore.proxies import proxy_names
from fxscore.report.evaluation_files import cross_space_csv
from fxscore.report.evaluation_table import value_text
from fxscore.report.plots import plot_cross_space
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.scorer import Scorer, list_scorers, load_scorer
from fxscore.types import ScoreRecord

HANDCRAFTED = ("zen", "params", "naswot")  # the paper's three, by which cells are marked
MISSING_DATA = (
    "The paper's NDS rows and columns (DARTS, NASNet, Amoeba, ENAS, PNAS on CIFAR; Figure 5a to 5e and Table IV on "
    "ImageNet) have no data here; NAS-Bench-301's surrogate labels and the ImageNet tables stand in."
)


@dataclass
class Measured:
    """What has been measured so far."""

    cells: dict[tuple[str, str], Estimate] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    scores: dict[str, dict[str, Floats]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def measure_board(
    board: Board,
    scorers: Mapping[str, str],
    options: argparse.Namespace,
    executor: Executor,
    store: Store,
    into: Measured,
) -> None:
    """One row of the matrix."""
    everything = board.population(options.data)
    drawn = drawn_indices(board, len(everything), list(scorers.values()), options)
    population = everything.subset(drawn)
    truth = population.label(board.label)
    into.scores[board.name] = {}
    for name, text in scorers.items():
        begin, scorer = time.monotonic(), load_scorer(text)
        scores = scores_of(records_of(board, population, text, scorer, executor, store))
        into.scores[board.name][name] = scores
        seen = seen_by(scorer, board.space, options.data, len(everything))
        usable = np.isfinite(scores) & ~np.isin(drawn, sorted(seen.indices))
        _note_failures(into, board, name, scores, seen.doubt)
        print(f"{board.name}: {name} in {time.monotonic() - begin:.0f} s, n = {usable.sum()}", flush=True)
        if usable.sum() < 2:
            continue
        families = None if population.families is None else np.array(population.families)[usable].tolist()
        measures = Measures(resamples=options.resamples, seed=options.seed)
        found = agreement(scores[usable], truth[usable], measures, families)
        into.cells[board.name, name] = found.figures["spearman"]
        into.counts[board.name, name] = int(usable.sum())


def drawn_indices(board: Board, count: int, scorers: Sequence[str], options: argparse.Namespace) -> list[int]:
    """Networks that all scorers measure: a part of those of `benchmarks.quality.handcrafted`."""
    size = min(board.draws(scorers, count, options.n))
    return drawn_parts(count, [size], options.seed)[size]


def records_of(
    board: Board, population: Population, text: str, scorer: Scorer, executor: Executor, store: Store
) -> list[ScoreRecord]:
    """A scorer's records; a proxy's are those of `benchmarks.quality.handcrafted`, where it has run."""
    if text not in proxy_names():
        return score_refs(population.refs, scorer, executor=executor, store=store)
    proxy = board.proxy(text)
    measure(dict.fromkeys(population.refs, (proxy,)), board.resolution, executor, store)
    known = known_records(population.refs, proxy, board.resolution, store)
    return [known[ref] for ref in population.refs]


def _note_failures(into: Measured, board: Board, name: str, scores: Floats, doubt: str) -> None:
    if failed := int((~np.isfinite(scores)).sum()):
        into.notes.append(f"{board.name}: {name} failed on {failed} of {len(scores)} networks.")
    if doubt:
        into.notes.append(f"{board.name}: {name}: {doubt}.")


def matrix_of(
    measured: Measured,
    rows: Sequence[Board],
    learned: Sequence[str],
    handcrafted: Sequence[str],
    trained: Mapping[str, Sequence[str]],
) -> CrossSpace:
    """The paper's Table I or II."""
    where = {name: frozenset(b.name for b in rows if b.space in spaces) for name, spaces in trained.items()}
    names = tuple(board.name for board in rows)
    return CrossSpace(names, tuple(learned), tuple(handcrafted), measured.cells, measured.counts, where)


def score_markdown(matrix: ScoreMatrix) -> str:
    """Scorer against scorer."""
    rows = [
        [name, *map(value_text, map(float, values))]
        for name, values in zip(matrix.rows, matrix.values, strict=True)
    ]
    return f"Mean ρ over {', '.join(matrix.populations)}.\n\n{table(['scorer', *matrix.columns], rows)}"


def report(measured: Measured, matrix: CrossSpace, used: Sequence[Board], options: argparse.Namespace) -> str:
    """The whole section."""
    sizes = ", ".join(
        f"{b.name} {max(_counts(measured, b), default=0)} ({b.label}; {b.setting()})" for b in used
    )
    marks = (
        f"Spearman's ρ with 95 % bootstrap intervals ({options.resamples} resamples, seed {options.seed}; of families "
        "for timm and torchvision). Bold: a learned scorer outperforms all handcrafted ones; underlined: two of them "
        "or more; †: trained on that space, measured on cells that it did not see, not marked. "
        f"Networks: {sizes}. Learned scorers see networks at the small inputs of `fxscore.scorer.seen_size`."
    )
    negative = [f"{name} on {row}" for row, name in matrix.negative]
    parts = ["### Score and accuracy (Tables I and II)", marks, matrix_markdown(matrix)]
    if matrix.learned:
        parts.append(f"Negative cells off the diagonal: {', '.join(negative) or 'none'}.")
    names = (*matrix.learned, *matrix.handcrafted)
    for title, imagenet in (("CIFAR (Table III)", False), ("ImageNet (Table IV)", True)):
        chosen = {b.name: measured.scores[b.name] for b in used if b.imagenet == imagenet}
        if chosen:
            found = score_matrix(chosen, names, matrix.handcrafted)
            parts += [f"### Score and score, {title}", score_markdown(found)]
    return "\n\n".join([*parts, MISSING_DATA, *("- " + note for note in measured.notes)])


def _counts(measured: Measured, board: Board) -> list[int]:
    return [count for (row, _), count in measured.counts.items() if row == board.name]


def main() -> None:
    """Measure, print, and write the section."""
    options = arguments()
    learned = named(
        options.scorers if options.scorers is not None else [info.name for info in list_scorers()]
    )
    handcrafted = {name: name for name in options.handcrafted}
    trained = {name: trained_spaces(load_scorer(text)) for name, text in learned.items()}
    used, measured = list(boards(options.boards)), Measured()
    options.work.mkdir(parents=True, exist_ok=True)
    with (
        Store(options.work / "store.sqlite") as store,
        LocalExecutor(options.workers, options.time_limit) as executor,
    ):
        for board in used:
            measure_board(board, {**learned, **handcrafted}, options, executor, store, measured)
    matrix = matrix_of(measured, used, list(learned), list(handcrafted), trained)
    text = report(measured, matrix, used, options)
    print(text)
    if options.csv:
        options.csv.write_text(cross_space_csv(matrix), encoding="utf-8")
    if options.plot:
        plot_cross_space(matrix, options.plot)
    if not options.quick:
        chosen = " ".join(learned)
        command = f"python -m benchmarks.paper.cross_space --data DATA --work WORK --n {options.n} --scorers {chosen}"
        write_section("cross-space", "Across spaces", text, command)


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder of the result store")
    parser.add_argument("--scorers", nargs="*", help="names or files; all shipped ones by default")
    parser.add_argument(
        "--handcrafted", nargs="*", default=list(HANDCRAFTED), help="the paper's three by default"
    )
    parser.add_argument("--boards", nargs="*", help="spaces, timm, torchvision; all by default")
    parser.add_argument("--n", type=int, default=NETWORKS, help="networks of each row; 0 takes all")
    parser.add_argument("--seed", type=int, default=0, help="of the draw and the resamples")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--workers", type=int, help="worker processes; one per core by default")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one network")
    parser.add_argument("--csv", type=Path, help="write the matrix to a file")
    parser.add_argument("--plot", type=Path, help="draw the matrix: .png, .svg or .pdf")
    parser.add_argument("--quick", action="store_true", help="12 networks a row, nothing written")
    options = parser.parse_args()
    if options.quick:
        options.n, options.resamples = min(options.n, 12), min(options.resamples, 100)
    return options


if __name__ == "__main__":
    main()
