"""Makes the general scorer: settings chosen on populations left out, a head fitted to all, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from fxscore.errors import ScorerError
from fxscore.evaluate import Measures, agreement, spearman
from fxscore.evaluate.calibration import calibration
from fxscore.evaluate.tables import TABLE_FILES
from fxscore.provenance import file_sha256, provenance
from fxscore.published.tables import TABLES
from fxscore.run import Where
from fxscore.scorer import Hybrid
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.features import feature_names
from fxscore.scorer.head_neighbours import neighbours_of
from fxscore.scorer.kernel_head import Floats, KernelHead
from fxscore.scorer.pair_table import LeftOut, PairTable, Tally, gaps_of
from fxscore.scorer.percentiles import Percentiles
from fxscore.train.general.choice import candidates, chosen
from fxscore.train.general.learning import Learning, Pool, fit, pools_of
from fxscore.train.general.left_out import FEW, Judged, sizes_of, without_families, without_origins
from fxscore.train.general.lessons import Lesson, read_lessons
from fxscore.train.general.named import networks_of

NAME = "general"
WITH_FAMILIES = ("wild", "timm")
RESAMPLES = 1000
LEAST_ORIGINS = 3
CAUTION = (
    "A score is a percentile among the networks of its training, not an accuracy. It compares networks for one task; "
    "for pretrained weights published accuracies say more. Inputs of other kinds than images are outside its "
    "training. Within a narrow space of one's own, fit a scorer to some trained networks (fxscore fit). Labels of "
    "NAS-Bench-301 are a surrogate's."
)


def make(
    folders: Sequence[Path],
    out: Path,
    where: Where,
    about: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Hybrid:
    """Make the scorer from the tables to its file.

    Args:
        folders: of tables, looked through in this order.
        out: the scorer's file.
        where: workers, limits and store; what the store has of the networks is not computed again.
        about: further entries of the file's record.
        tell: is told a line for each step.

    Raises:
        SpaceError: no such folder, or a table that is wrong.
        ScorerError: tables of fewer than three origins, of which none could be left out to choose.
    """
    scorer = taught(read_lessons(folders, where, tell=tell), tell)
    scorer.record = {**scorer.record, "tables": table_hashes(folders), **(about or {})}
    scorer.save(out)
    return scorer


def taught(lessons: Sequence[Lesson], tell: Callable[[str], None] = lambda line: None) -> Hybrid:
    """The scorer that these lessons teach, with its confidence and a record of what it is worth; as `make`."""
    if len({lesson.origin for lesson in lessons if lesson.may_train}) < LEAST_ORIGINS:
        raise ScorerError(
            f"the general scorer needs tables of {LEAST_ORIGINS} origins at least, to leave one out"
        )
    learning = chosen(lessons, pools_of(lessons, whole=FEW), candidates())
    tell(f"the mean of the best of {len(candidates())} settings: {learning}")
    pools = pools_of(lessons)
    head = fit(pools, learning)
    judged = left_out(lessons, learning)
    tell(f"judged on {len(judged)} tasks and families that were left out")
    parts = by_origin([each for _, each in judged])
    found = confidence(head, pools, parts)
    scorer = Hybrid(head=head, scale=scale_of(head), name=NAME, confidence=found)
    scorer.record = record(lessons, learning, judged, parts)
    return scorer


def left_out(lessons: Sequence[Lesson], learning: Learning) -> list[tuple[str, Judged]]:
    """(what was left out, judged) for every task, and for tables of many families."""
    pools = pools_of(lessons)
    found = [("everything of its origin", each) for each in without_origins(lessons, pools, learning)]
    for lesson in lessons:
        if lesson.table in WITH_FAMILIES and lesson.families is not None:
            found.append(("five folds of whole families", without_families(lesson, pools, learning)))
    return found


def scale_of(head: KernelHead) -> Percentiles:
    """Percentiles among the networks that taught a head."""
    return Percentiles.of(head.own_scores())


def confidence(head: KernelHead, pools: Sequence[Pool], parts: Mapping[str, Sequence[LeftOut]]) -> Confidence:
    """Distances from the training of `head` by `pools`; probabilities from networks that were left out of theirs."""
    gaps, tallies = tallied(parts)
    pairs = PairTable.of_tally(gaps, reduce(add, tallies.values()))
    return Confidence(neighbours_of(head, networks_of(pools)), pairs, (0.0, 100.0))


def by_origin(judged: Sequence[Judged]) -> dict[str, list[LeftOut]]:
    """The populations of each origin, as users would see them."""
    found: dict[str, list[LeftOut]] = {}
    for each in judged:
        found.setdefault(each.lesson.origin, []).append(left_out_pairs(each))
    return found


def tallied(parts: Mapping[str, Sequence[LeftOut]]) -> tuple[Floats, dict[str, Tally]]:
    """(gaps, pairs of each origin), as `fxscore.evaluate.calibration` takes them."""
    gaps = gaps_of([each for own in parts.values() for each in own])
    return gaps, {origin: Tally.of(gaps, own) for origin, own in parts.items()}


def left_out_pairs(judged: Judged) -> LeftOut:
    """As users would see it: percentiles of that head's training, and distances from it."""
    scale, (neighbours,) = scale_of(judged.head), neighbours_of(judged.head)
    distances = [neighbours.distance(feature_names(), row) for row in judged.lesson.values]
    scores = np.array([scale(raw) for raw in judged.scores.tolist()])
    return LeftOut(scores, judged.lesson.labels, np.array(distances))


def record(
    lessons: Sequence[Lesson],
    learning: Learning,
    judged: Sequence[tuple[str, Judged]],
    parts: Mapping[str, Sequence[LeftOut]],
) -> dict[str, Any]:
    """What the file says of its making, without where and by which command."""
    pools = pools_of(lessons)
    gaps, tallies = tallied(parts)
    networks = {pool.table: 0 for pool in pools}
    for pool in pools:
        networks[pool.table] += len(pool.targets)
    return {
        "trained_on": "; ".join(f"{count} of {table}" for table, count in networks.items()),
        "seen": {
            lesson.table: list(lesson.seen)
            for lesson in lessons
            if lesson.may_train and lesson.table in TABLE_FILES
        },
        "scale": f"percentile among the {sum(networks.values())} networks of its training",
        "measured": [_line(how, each) for how, each in judged],
        "calibration": calibration(gaps, tallies).as_dict(),
        "pairs": {"gaps": gaps.tolist(), "origins": {name: own.rows() for name, own in tallies.items()}},
        "caution": CAUTION,
        "learning": asdict(learning),
        "seed": 0,
        **provenance(("fxscore", "torch", "timm", "numpy", "scipy")),
    }


def _line(how: str, judged: Judged) -> dict[str, Any]:
    lesson = judged.lesson
    figures = agreement(judged.scores, lesson.labels, Measures(resamples=RESAMPLES), lesson.families).figures
    rho, tau = figures["spearman"], figures["kendall"]
    sizes = {name: spearman(scores, lesson.labels) for name, scores in sizes_of(lesson).items()}
    return {
        "on": f"{lesson.name}, {how} left out",
        "task": lesson.name,
        "origin": lesson.origin,
        "left_out": how,
        "n": len(lesson),
        "spearman": _round(rho.value),
        "interval": [_round(rho.low), _round(rho.high)],
        "kendall": _round(tau.value),
        "sizes": {name: _round(value) for name, value in sizes.items()},
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def table_hashes(folders: Sequence[Path]) -> Mapping[str, str]:
    """SHA-256 of every table that lies in one of the folders, by file name."""
    names = sorted({*TABLE_FILES.values(), *(entry.file for entry in TABLES)})
    found = {
        name: next((folder / name for folder in folders if (folder / name).is_file()), None) for name in names
    }
    return {name: file_sha256(path) for name, path in found.items() if path is not None}
