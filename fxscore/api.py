"""What users call: `score`, `rank`, `explain` (and `construct`, `represents`, `load_scorer` from their own rooms)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import nn

from fxscore.capture.inputs import Examples
from fxscore.explanation import Explanation, explain_subject
from fxscore.run import Watcher, Where, evaluate, in_order
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.run.job import finite
from fxscore.score_job import ScoreJob, score_module
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.registry import portable
from fxscore.scorer.subject import Model, sorted_out, subject_of
from fxscore.types import Ranking, Shape, shape_of


def score(
    model: Model,
    *,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    scorer: str | Path | Scorer | None = None,
) -> float:
    """The score of one network, without training it; higher is better, and only comparisons mean something.

    Args:
        model: a module (its weights are not read, and it is left as it is), or a reference such as `timm:resnet50`.
        input_shape: (C, H, W); by default the reference's own, or 3×224×224.
        example_inputs: what the network takes, where that is not one image: a tensor, a sequence of positional or a
            mapping of named inputs, the first axis of each the batch. By default the module's `example_input_array`.
        scorer: a name (`fxscore scorers` lists them), a path, or an object; None is the default scorer.

    Raises:
        FxScoreError: the model cannot be built, captured, run or represented; says what, where and how to mend it.
            Nothing else is raised, whatever the network's own code raises: that is the error's cause.
    """
    used = load_scorer(scorer)
    with own_errors_only(), unchanged_globals():
        return finite(used.score(subject_of(model, input_shape, example_inputs, weights=used.needs_weights)))


def rank(
    models: Model | Iterable[Model] | Mapping[str, nn.Module],
    *,
    scorer: str | Path | Scorer | None = None,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    workers: int | None = None,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    store: Path | str | None = None,
    no_store: bool = False,
    cluster: str | None = None,
    worker_wait: float | None = None,
    watcher: Watcher | None = None,
) -> Ranking:
    """Score many networks and rank them from the best to the worst; a failure is a record with its error.

    Modules are scored in this process, references and patterns (`timm:resnet*`, `zoo/*.py`) by workers.

    Args:
        models: modules, references or patterns, or one of the latter two; a mapping names its modules.
        scorer: as for `score`.
        input_shape: as for `score`, for all networks.
        example_inputs: as for `score`, for all networks.
        workers: worker processes; one per core by default.
        time_limit: seconds for one network.
        memory_limit: bytes for one network.
        store: file of the result store; the default one in the user's cache folder.
        no_store: neither read nor keep results.
        cluster: address of a Dask scheduler, or `local`.
        worker_wait: seconds that a cluster may be without workers; 60 by default.
        watcher: is told of each start and record, for a display.

    Raises:
        FxScoreError: nothing can be ranked: `models` holds what is no network, the scorer cannot be loaded, or no
            worker can start. A network that fails ends nothing: it is a record.
    """
    used = load_scorer(scorer)
    modules, refs = sorted_out(models)
    shape = None if input_shape is None else shape_of(input_shape)
    records = [score_module(ref, module, used, shape, example_inputs) for ref, module in modules]
    if not refs:
        return Ranking.of(records)
    job = ScoreJob(portable(scorer), used.scorer_id, shape, example_inputs)
    where = Where(workers, time_limit, memory_limit, store, no_store, cluster, worker_wait)
    with where.executor() as executor, where.opened_store() as opened:
        found = list(evaluate(refs, job, executor, opened, watcher=watcher))
    return Ranking.of(records + in_order(refs, found))


def explain(
    model: Model,
    *,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    scorer: str | Path | Scorer | None = None,
) -> Explanation:
    """What each operator of a network became, what is encoded, and what it costs; arguments as for `score`."""
    used = load_scorer(scorer)
    with own_errors_only(), unchanged_globals():
        subject = subject_of(model, input_shape, example_inputs, weights=used.needs_weights)
        return explain_subject(_name(model), subject, used.batch or 16)


def _name(model: Model) -> str:
    return (
        type(model).__name__
        if isinstance(model, nn.Module)
        else os.fsdecode(model)
        if isinstance(model, os.PathLike)
        else str(model)
    )
