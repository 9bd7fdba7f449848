"""What users call: `score`, `rank`, `explain` (and `construct`, `represents`, `load_scorer` from their own rooms)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import nn

from fxscore.capture.inputs import Examples
from fxscore.errors import FxScoreError
from fxscore.explanation import Explanation, explain_subject
from fxscore.job import ScoreJob, prepare
from fxscore.run import Watcher, Where, evaluate, in_order
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.registry import portable
from fxscore.scorer.subjects import Model, subject_of
from fxscore.sources import expand
from fxscore.types import ModelRef, Ranking, ScoreRecord, Shape


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
        FxScoreError: the model cannot be built, captured or represented; says what, where and how to mend it.
    """
    used = load_scorer(scorer)
    return used.score(subject_of(model, input_shape, example_inputs, weights=used.needs_weights))


def rank(
    models: Iterable[Model] | Mapping[str, nn.Module],
    *,
    scorer: str | Path | Scorer | None = None,
    input_shape: Shape | None = None,
    workers: int | None = None,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    store: Path | str | None = None,
    no_store: bool = False,
    cluster: str | None = None,
    watcher: Watcher | None = None,
) -> Ranking:
    """Score many networks and rank them from the best to the worst; a failure is a record with its error.

    Modules are scored in this process, references and patterns (`timm:resnet*`, `zoo/*.py`) by workers.

    Args:
        models: modules, references or patterns; a mapping names its modules.
        scorer: as for `score`.
        input_shape: as for `score`, for all networks.
        workers: worker processes; one per core by default.
        time_limit: seconds for one network.
        memory_limit: bytes for one network.
        store: file of the result store; the default one in the user's cache folder.
        no_store: neither read nor keep results.
        cluster: address of a Dask scheduler, or `local`.
        watcher: is told of each start and record, for a display.
    """
    used = load_scorer(scorer)
    modules, refs = _sort_out(models)
    records = [_score_module(ref, module, input_shape, used) for ref, module in modules]
    if not refs:
        return Ranking.of(records)
    job = ScoreJob(portable(scorer), used.scorer_id, input_shape)
    where = Where(workers, time_limit, memory_limit, store, no_store, cluster)
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
    subject = subject_of(model, input_shape, example_inputs, weights=used.needs_weights)
    return explain_subject(_name(model), subject, used.batch or 16)


def _name(model: Model) -> str:
    return type(model).__name__ if isinstance(model, nn.Module) else str(model)


def _sort_out(
    models: Iterable[Model] | Mapping[str, nn.Module],
) -> tuple[list[tuple[ModelRef, nn.Module]], list[ModelRef]]:
    """(modules with a name for their records, references)."""
    if isinstance(models, Mapping):
        return [(ModelRef("module", name), module) for name, module in models.items()], []
    modules: list[tuple[ModelRef, nn.Module]] = []
    refs: list[ModelRef] = []
    for index, model in enumerate(models):
        if isinstance(model, nn.Module):
            modules.append((ModelRef("module", f"{type(model).__name__}#{index}"), model))
        else:
            refs += expand(model) if isinstance(model, str) else [model]
    return modules, refs


def _score_module(ref: ModelRef, module: nn.Module, input_shape: Shape | None, scorer: Scorer) -> ScoreRecord:
    start = time.perf_counter()
    try:
        subject = subject_of(module, input_shape, weights=scorer.needs_weights)
        prepared = prepare(subject, scorer, f"{ref} {id(module)}")
        value = scorer.score(subject)
    except FxScoreError as error:
        seconds = time.perf_counter() - start
        return ScoreRecord(ref, error=_one_line(error), seconds=seconds, scorer_id=scorer.scorer_id)
    facts = (prepared.params, prepared.macs, time.perf_counter() - start, prepared.fingerprint)
    return ScoreRecord(ref, value, None, *facts, scorer.scorer_id)


def _one_line(error: FxScoreError) -> str:
    return str(error).splitlines()[0]
