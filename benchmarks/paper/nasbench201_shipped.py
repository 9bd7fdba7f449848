"""A scorer that exists, on the cells of NAS-Bench-201 it did not see: ``benchmarks.paper.nasbench201 --scorer``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.paper.nasbench201_agreement import DATASETS, FIGURES, Unseen
from benchmarks.paper.nasbench201_training import SPACE
from benchmarks.results import table
from benchmarks.shared.boards import comparison_markdown
from fxscore.evaluate import Measures, compare_scorers, read_population, score_refs, scores_of, seen_by
from fxscore.run import LocalExecutor, Store
from fxscore.scorer import load_scorer
from fxscore.types import ScoreRecord


def evaluate_scorer(options: argparse.Namespace) -> tuple[str, str, str]:
    """Key, title and text of a scorer's section."""
    name = Path(options.scorer).stem
    everything = read_population(SPACE, options.data)
    seen = seen_by(load_scorer(options.scorer), SPACE, options.data, len(everything))
    if seen.doubt:
        raise SystemExit(f"{name}: {seen.doubt}")
    rest = everything.without(seen.indices).draw(options.n, options.measure_seed)
    with Store(options.work / "store.sqlite") as store, LocalExecutor(options.workers) as executor:
        records = score_refs(rest.refs, options.scorer, executor=executor, store=store)
    columns = {name: records, "params": _sizes(records, "params"), "macs": _sizes(records, "macs")}
    measures = Measures(resamples=options.resamples, seed=options.measure_seed)
    comparison = compare_scorers(rest, columns, measures, [f"{dataset}.test" for dataset in DATASETS])
    places = {str(ref): place for place, ref in enumerate(everything.refs)}
    unseen = Unseen(everything, seen.indices, [places[str(ref)] for ref in rest.refs])
    rows = [
        [f"{dataset}.test", *(f"{value:.3f}" for value in unseen.figures(scores_of(records), dataset)[2:])]
        for dataset in DATASETS
    ]
    sisters = int(np.sum(~unseen.strict))
    text = "\n\n".join(
        (
            f"The scorer {name}, on cells of the table that it was neither trained on nor chosen by.",
            f"Strict: without the {sisters} cells that the benchmark's string form joins with a seen one.",
            table(("label", *FIGURES[2:]), rows),
            f"### {name}: {len(seen.indices)} cells seen",
            comparison_markdown(comparison),
        )
    )
    key = re.sub(r"[^a-z0-9]+", "-", f"nasbench201-scorer-{name.lower()}")
    return key, f"Scorer {name} on NAS-Bench-201", text


def _sizes(records: Sequence[ScoreRecord], name: str) -> list[ScoreRecord]:
    """The same networks with a size as their score."""
    return [
        record if record.score is None else replace(record, score=float(getattr(record, name)))
        for record in records
    ]
