"""Scores of a table's networks, through the engine and its store: a second run is instant, a killed one resumes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from fxscore.errors import ScorerError
from fxscore.evaluate.coefficients import Floats
from fxscore.evaluate.population import refs_of
from fxscore.run import Executor, LocalExecutor, Store, Watcher, evaluate
from fxscore.score_job import ScoreJob
from fxscore.scorer import Scorer
from fxscore.scorer.card import card_of
from fxscore.scorer.names import portable
from fxscore.spaces import BenchmarkTable
from fxscore.types import ModelRef, ScoreRecord, Shape


def score_refs(
    refs: Sequence[ModelRef],
    scorer: str | Path | Scorer | None,
    *,
    input_shape: Shape | None = None,
    executor: Executor,
    store: Store | None = None,
    watcher: Watcher | None = None,
) -> list[ScoreRecord]:
    """One record per reference, in their order; a failure is a record with its error.

    Args:
        refs: the networks.
        scorer: a name, a path or an object, as for `fxscore.score`.
        input_shape: (C, H, W) for all networks; None takes each network's own.
        executor: where; kept open by the caller, so that several scorers share its processes.
        store: what is known already, and where what is new is kept.
        watcher: is told of each start and record.
    """
    job = ScoreJob(portable(scorer), card_of(scorer).scorer_id, input_shape)
    known = {record.ref: record for record in evaluate(refs, job, executor, store, watcher=watcher)}
    return [known[ref] for ref in refs]


def score_table(
    table: BenchmarkTable[Any],
    scorer: str | Path | Scorer | None,
    *,
    input_shape: Shape | None = None,
    store: Store | Path | None = None,
    workers: int | None = None,
    indices: Sequence[int] | None = None,
    failures: list[ScoreRecord] | None = None,
) -> Floats:
    """The scores of a table's rows, (n,).

    Args:
        table: the benchmark; its space names the source of its networks.
        scorer: a name, a path or an object.
        input_shape: (C, H, W) for all networks; None takes the space's own.
        store: an open store or the path of one; None keeps nothing.
        workers: worker processes; one per core by default.
        indices: of the rows; all by default.
        failures: takes the records of networks that cannot be scored, whose scores are then NaN.

    Raises:
        ScorerError: a network cannot be scored, and no list takes its record.
    """
    refs = refs_of(table, indices)
    with ExitStack() as stack:
        executor = stack.enter_context(LocalExecutor(workers))
        opened = stack.enter_context(Store(store)) if isinstance(store, Path) else store
        records = score_refs(refs, scorer, input_shape=input_shape, executor=executor, store=opened)
    failed = [record for record in records if record.error is not None]
    if failed and failures is None:
        raise ScorerError(
            f"{len(failed)} of {len(refs)} networks of {table.space} cannot be scored, "
            f"such as {failed[0].ref}: {failed[0].error}"
        )
    if failures is not None:
        failures.extend(failed)
    return scores_of(records)


def scores_of(records: Sequence[ScoreRecord]) -> Floats:
    """The scores of records, (n,); NaN marks a failure, which the record explains."""
    return np.array([np.nan if record.score is None else record.score for record in records])
