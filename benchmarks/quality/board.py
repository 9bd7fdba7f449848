"""The general scorer on populations that it has not seen: every ranking task, with all of its origin left out.

``python -m benchmarks.quality.board --data ../shared/data --write`` leaves out one origin after another (its networks,
code and trainings), chooses the settings anew by the origins that remain, fits, and ranks what was left out; beside it
plain sizes and a ridge on sizes and entropies, fitted to the same networks. Then families of the two tables that have
many, the handcrafted scores that `benchmarks.quality.opponents` has measured, and how far the probabilities that a
scorer's file holds come true on populations that made no part of them.
Features are kept in `--store`; the same command goes on.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from benchmarks.quality.opponents import MEASURED, Compared, compared, intervals
from benchmarks.quality.opponents import NOTE as OPPONENTS_NOTE
from benchmarks.quality.opponents import overview as overview_of
from benchmarks.results import DOCS, command_line, picture, table, write_block, write_section
from benchmarks.shared.rows import kept_rows
from benchmarks.shared.standardised import standardised
from fxscore.evaluate import Measures, agreement, family_spearman, matched_spearman, spearman
from fxscore.evaluate.calibration import Calibration, calibration
from fxscore.report.evaluation_table import interval_text
from fxscore.report.plots import plot_calibration
from fxscore.run import Where
from fxscore.scorer.kernel_head import Floats
from fxscore.scorer.pair_table import LeftOut
from fxscore.train.general.choice import CANDIDATES, candidates, chosen_without
from fxscore.train.general.learning import Learning, Pool, pools_of
from fxscore.train.general.left_out import (
    FEW,
    ROBUST,
    SIZES,
    Judged,
    sizes_of,
    without_families,
    without_origins,
)
from fxscore.train.general.lessons import Lesson, read_lessons
from fxscore.train.general.make import WITH_FAMILIES, left_out_pairs, tallied

OWN_TABLES = Path(__file__).parents[1] / "tables"
RESAMPLES = 1000
OURS = "general"
RIDGE = "ridge on sizes"
_RIDGE_COLUMNS = (
    "log_params",
    "own_log_macs",
    "own_log_weighted_activations",
    "entropy_sum",
    "log_elements_sum",
)
_PENALTY = 100.0
_NEAR = 1.1  # the greater MACs of a pair over the smaller


@dataclass(frozen=True)
class TaskFigures:
    """One task: scores of every scorer, their ρ, and the interval of ours."""

    judged: Judged
    scores: Mapping[str, Floats]
    figures: Mapping[str, float]
    interval: str


def rows_of(judged: Iterable[Judged], pools: Sequence[Pool]) -> list[TaskFigures]:
    """Every task beside its opponents."""
    found = []
    for each in judged:
        labels = each.lesson.labels
        scores = {OURS: each.scores, **sizes_of(each.lesson), RIDGE: ridge(each.lesson, pools)}
        figures = {
            name: spearman(values, labels) if np.ptp(values) else 0.0 for name, values in scores.items()
        }
        ours = agreement(each.scores, labels, Measures(resamples=RESAMPLES), each.lesson.families).figures[
            "spearman"
        ]
        found.append(TaskFigures(each, scores, figures, interval_text(ours)))
    return found


def ridge(lesson: Lesson, pools: Sequence[Pool]) -> Floats:
    """What a ridge on size and entropy columns, standardised within populations, says of a task left out."""
    from sklearn.linear_model import Ridge

    from fxscore.scorer.features import feature_names

    places = [feature_names().index(name) for name in _RIDGE_COLUMNS]
    known = [pool for pool in pools if pool.origin != lesson.origin]
    columns = np.concatenate([standardised(pool.values[:, places]) for pool in known])
    weights = np.concatenate([np.full(len(pool.targets), 1 / len(pool.targets)) for pool in known])
    fitted = Ridge(_PENALTY / len(columns)).fit(
        columns, np.concatenate([pool.targets for pool in known]), weights
    )
    return np.asarray(fitted.predict(standardised(lesson.values[:, places])))


def board(rows: Sequence[TaskFigures]) -> str:
    """A line for each task, and the means."""
    names = [OURS, *SIZES, RIDGE]
    lines = [
        [
            row.judged.lesson.name,
            row.judged.lesson.origin,
            len(row.judged.lesson),
            row.interval,
            *_marked(row, names[1:]),
        ]
        for row in rows
    ]
    means = [np.mean([row.figures[name] for row in rows]) for name in names]
    by_origin = [_mean_over_origins(rows, name) for name in names]
    lines.append(["**mean over tasks**", "", len(rows), *(f"{value:.3f}" for value in means)])
    lines.append(["**mean over origins**", "", "", *(f"{value:.3f}" for value in by_origin)])
    return table(["task", "origin left out", "n", *names], lines)


def _marked(row: TaskFigures, names: Sequence[str]) -> list[str]:
    """Figures; bold where they are above ours."""
    ours = row.figures[OURS]
    return [f"**{row.figures[n]:.2f}**" if row.figures[n] > ours else f"{row.figures[n]:.2f}" for n in names]


def _mean_over_origins(rows: Sequence[TaskFigures], name: str) -> float:
    origins = sorted({row.judged.lesson.origin for row in rows})
    return float(
        np.mean(
            [
                np.mean([r.figures[name] for r in rows if r.judged.lesson.origin == origin])
                for origin in origins
            ]
        )
    )


def families(lessons: Sequence[Lesson], learning: Mapping[str, Learning]) -> str:
    """Tables of many families, in folds of whole ones."""
    pools, lines = pools_of(lessons), []
    for lesson in (each for each in lessons if each.table in WITH_FAMILIES and each.families is not None):
        judged = without_families(lesson, pools, learning[lesson.origin])
        for name, scores in {OURS: judged.scores, **sizes_of(lesson)}.items():
            lines.append([lesson.name, len(lesson), name, *_family_figures(lesson, scores)])
    heads = [
        "task",
        "n",
        "scorer",
        "ρ",
        "τ-b",
        "ρ within families",
        "ρ at equal parameters",
        "ρ at equal MACs",
        "pairs",
    ]
    return table(heads, lines)


def _family_figures(lesson: Lesson, scores: Floats) -> list[str]:
    assert lesson.families is not None
    whole = agreement(scores, lesson.labels, Measures(resamples=RESAMPLES), lesson.families).figures
    sizes = {name: np.exp(lesson.column(name)) for name in ("log_params", "own_log_macs")}
    equal = [matched_spearman(scores, lesson.labels, size, resamples=RESAMPLES) for size in sizes.values()]
    within = family_spearman(scores, lesson.labels, lesson.families, 5, resamples=RESAMPLES)
    texts = [interval_text(each) for each in (whole["spearman"], whole["kendall"], within, *equal)]
    return [*texts, f"{100 * pairs_right(scores, lesson.labels, sizes['own_log_macs']):.1f} %"]


def pairs_right(scores: Floats, labels: Floats, macs: Floats) -> float:
    """Share of the pairs of about equal MACs that scores order as labels do; a tie of labels counts for none."""
    first, second = np.triu_indices(len(labels), 1)
    ratio = np.abs(np.log(macs[first] / macs[second]))
    near = (ratio < np.log(_NEAR)) & (labels[first] != labels[second])
    right = np.sign(scores[first] - scores[second]) == np.sign(labels[first] - labels[second])
    return float(right[near].mean())


def calibrated_pairs(parts: Mapping[str, Sequence[LeftOut]]) -> Calibration:
    """Probabilities of an origin's pairs by the table of all other origins, against how often they came true."""
    return calibration(*tallied(parts), resamples=RESAMPLES)


def calibration_tables(found: Calibration) -> str:
    """A line for each bin of promises, and one for each origin."""
    bins = [
        [
            f"{each.promised:.3f}",
            f"{each.true:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
            each.pairs,
            f"{each.weight:.3f}",
        ]
        for each in found.bins
    ]
    origins = [
        [
            each.name,
            f"{each.promised:.3f}",
            f"{each.true:.3f}",
            f"{each.promised - each.true:+.3f}",
            each.pairs,
        ]
        for each in found.origins
    ]
    parts = (
        f"{CALIBRATION_NOTE} Expected calibration error {found.error:.3f} over {found.pairs} pairs of "
        f"{len(found.origins)} origins.",
        table(["promised", "came true", "95 % interval", "pairs", "share of weight"], bins),
        table(["origin left out", "promised", "came true", "promised too much", "pairs"], origins),
    )
    return "\n\n".join(parts)


def against_opponents(rows: Sequence[TaskFigures]) -> list[Compared]:
    """The tasks with enough networks that opponents were measured on."""
    measured, found = kept_rows(MEASURED), []
    for row in rows:
        lesson = row.judged.lesson
        sizes = {
            name: np.exp(lesson.column(column))
            for name, column in (("params", "log_params"), ("flops", "own_log_macs"))
        }
        found.append(compared(lesson.name, lesson.refs, lesson.labels, row.scores, sizes, measured))
    return [each for each in found if each is not None]


def beside_opponents(found: Sequence[Compared]) -> str:
    """Every task on the networks that opponents were measured on; nothing where there are none."""
    return f"{OPPONENTS_NOTE}\n\n{overview_of(found)}" if found else ""


def write_opponents(shown: str, found: Sequence[Compared]) -> None:
    """The section, with intervals in a file of its own."""
    if found:
        body = f"{shown}\n\n{intervals(found)}"
        write_section("opponents", "Opponents of the last years", body, command_line(), headline=shown)


def write_calibration(found: Calibration) -> None:
    """The section with its picture."""
    title = "Probabilities against what came true"
    shown = picture("calibration.png", title, partial(plot_calibration, found))
    write_section("calibration", title, f"{shown}\n\n{calibration_tables(found)}", command_line())


def overview(rows: Sequence[TaskFigures]) -> str:
    """One line for each origin, for the documentation; `python -m tests.test_readme` brings README to it."""
    names, lines = [OURS, "params", "MACs", "activations", ROBUST], []
    for origin in sorted({row.judged.lesson.origin for row in rows}):
        own = [row for row in rows if row.judged.lesson.origin == origin]
        means = [float(np.mean([row.figures[name] for row in own])) for name in names]
        best = max(means)
        lines.append([origin, len(own), *(f"**{m:.2f}**" if m == best else f"{m:.2f}" for m in means)])
    lines.append(
        ["mean over tasks", len(rows), *(f"{np.mean([r.figures[n] for r in rows]):.2f}" for n in names)]
    )
    return table(["origin, left out of training", "tasks", *names], lines)


def main() -> None:
    """Judge, print, write."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument(
        "--store", type=Path, help="where features are kept; by default the user's result store"
    )
    parser.add_argument(
        "--candidates", type=int, default=CANDIDATES, help="settings that are chosen among, the first so many"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    where = Where(workers=options.workers, store=options.store)
    lessons = read_lessons([options.data, OWN_TABLES], where, tell=lambda line: print(line, flush=True))
    few, pools = pools_of(lessons, whole=FEW), pools_of(lessons)
    learning = chosen_without(
        lessons, few, candidates(options.candidates), tell=lambda line: print(line, flush=True)
    )
    judged = [
        each
        for origin, chosen in learning.items()
        for each in without_origins([lesson for lesson in lessons if lesson.origin == origin], pools, chosen)
    ]
    rows = rows_of(judged, pools)
    parts = {
        origin: [left_out_pairs(each) for each in judged if each.lesson.origin == origin]
        for origin in learning
    }
    body = "\n\n".join([NOTE, board(rows), families(lessons, learning)])
    found, beside = calibrated_pairs(parts), against_opponents(rows)
    shown = beside_opponents(beside)
    print(body, shown, calibration_tables(found), sep="\n\n")
    if options.write:
        write_section("board", "The general scorer on populations left out", body, command_line())
        write_opponents(shown, beside)
        write_calibration(found)
        write_block("quality", overview(rows), DOCS / "quality.md")


NOTE = (
    f"Spearman's ρ; intervals are 95 % bootstrap percentiles from {RESAMPLES} resamples (seed 0), of whole families "
    "where there are any. Bold: above the general scorer. Settings are chosen for each left-out origin by the others, "
    "among candidates whose ranges were found on all (EXPERIMENTS.md). `pairs`: of networks whose MACs differ by less "
    "than 10 %, the share ordered rightly. Families: five folds, all else of the origin left out too."
)
CALIBRATION_NOTE = (
    "The pairs of an origin's networks, of scorers that its origin did not teach, by the probabilities that the pairs "
    "of all other origins give (`fxscore.evaluate.calibration`); settings were chosen without the origin, too. "
    f"Origins count alike; intervals are 95 % percentiles from {RESAMPLES} resamples of origins (seed 0)."
)


if __name__ == "__main__":
    main()
