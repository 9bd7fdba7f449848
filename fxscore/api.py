"""What users call: `score`, `rank`, `explain` (and `construct`, `represents`, `load_scorer` from their own rooms)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from torch import nn

from fxscore.budgets import Budget, SizeJob, size_module
from fxscore.capture.inputs import Examples
from fxscore.explanation import Explanation, explain_against, explain_judged
from fxscore.published.accuracies import published_accuracy
from fxscore.quantities import Quantity
from fxscore.run import Watcher, Where, evaluate, in_order
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.run.job import finite
from fxscore.score_job import ScoreJob, score_module
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.hybrid import confidence_of
from fxscore.scorer.registry import portable
from fxscore.scorer.subject import Model, sorted_out, subject_of
from fxscore.types import ModelRef, Ranking, ScoreRecord, Shape, shape_of


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
    watcher: RankWatcher | None = None,
    max_params: Quantity | None = None,
    max_macs: Quantity | None = None,
    max_memory: Quantity | None = None,
    top: int | None = None,
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
        max_params: learnable numbers at most, such as ``25e6`` or ``"25M"``; larger networks are not scored, and are
            named by the ranking's `over_budget`.
        max_macs: multiply-accumulates of one image at most, such as ``"5G"``.
        max_memory: bytes of one forward of one image at most, such as ``"512M"``: parameters and the tensors alive at
            one time, in single precision.
        top: keep so many of the best; all by default.

    Raises:
        FxScoreError: nothing can be ranked: `models` holds what is no network, the scorer cannot be loaded, or no
            worker can start. A network that fails ends nothing: it is a record.
    """
    used = load_scorer(scorer)
    modules, refs = sorted_out(models)
    shape = None if input_shape is None else shape_of(input_shape)
    budget = Budget.of(max_params, max_macs, max_memory)
    where = Where(workers, time_limit, memory_limit, store, no_store, cluster, worker_wait)
    sizes = [size_module(*each, shape, example_inputs) for each in modules] if budget else []
    within, records, over = _by_budget([ref for ref, _ in modules], sizes, budget, used)
    records += [score_module(*each, used, shape, example_inputs) for each in modules if each[0] in within]
    if refs:
        job = ScoreJob(portable(scorer), used.scorer_id, shape, example_inputs)
        counting = SizeJob(input_shape=shape, example_inputs=example_inputs)
        with where.executor() as executor, where.opened_store() as opened:
            sizes = list(evaluate(refs, counting, executor, opened)) if budget else []
            chosen, failed, large = _by_budget(refs, sizes, budget, used)
            if watcher is not None and budget:
                watcher.left_out(failed, large)
            found = list(evaluate(chosen, job, executor, opened, watcher=watcher))
        records, over = records + in_order(refs, failed + found), over + large
    judge = confidence_of(used)
    told = [_with_published(judge.annotated(record)) for record in records]
    ranking = Ranking.of(told, over, judge)
    return ranking if top is None else ranking.top(top)


def _with_published(record: ScoreRecord) -> ScoreRecord:
    """The record with the accuracy of its published weights, where there are any."""
    if record.score is None or record.ref.source not in ("timm", "torchvision"):
        return record
    return replace(record, published=published_accuracy(record.ref))


class RankWatcher(Watcher, Protocol):
    """Is told what happens in `rank`, for a display."""

    def left_out(self, failed: Sequence[ScoreRecord], large: Sequence[ModelRef]) -> None:
        """These are not scored: their size could not be counted, or is over the budget."""


def _by_budget(
    refs: Sequence[ModelRef], sizes: Sequence[ScoreRecord], budget: Budget, scorer: Scorer
) -> tuple[list[ModelRef], list[ScoreRecord], list[ModelRef]]:
    """(networks to score, records of those whose size cannot be counted, networks that are too large)."""
    failed = [replace(size, scorer_id=scorer.scorer_id) for size in sizes if size.error is not None]
    over = {size.ref for size in sizes if size.error is None and not budget.allows(size)}
    out = over | {record.ref for record in failed}
    return [ref for ref in refs if ref not in out], failed, [ref for ref in refs if ref in over]


def explain(
    model: Model,
    *,
    against: Model | None = None,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    scorer: str | Path | Scorer | None = None,
) -> Explanation:
    """What became of a network, what it costs, its score, and the networks of training that it looks most like.

    Args:
        model: as for `score`, like all arguments that are not named here.
        against: another network; the explanation then says what makes the difference of the two scores.
        input_shape: of both.
        example_inputs: of both.
        scorer: whose score is explained.

    Raises:
        FxScoreError: as `score`; a network that the scorer gives no score is explained without one.
    """
    used = load_scorer(scorer)
    with own_errors_only(), unchanged_globals():
        subject = subject_of(model, input_shape, example_inputs, weights=used.needs_weights)
        if against is None:
            return explain_judged(_name(model), subject, used)
        other = subject_of(against, input_shape, example_inputs, weights=used.needs_weights)
        name, other_name = _names(model, against)
        return explain_against(name, subject, other_name, other, used)


def _name(model: Model) -> str:
    return (
        type(model).__name__
        if isinstance(model, nn.Module)
        else os.fsdecode(model)
        if isinstance(model, os.PathLike)
        else str(model)
    )


def _names(first: Model, second: Model) -> tuple[str, str]:
    """Modules of one class are told apart as in a ranking."""
    names = _name(first), _name(second)
    return names if names[0] != names[1] else (f"{names[0]}#0", f"{names[1]}#1")
