"""`fxscore.rank`: many networks from the best to the worst; only modules, not references, load torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fxscore.budgets import Budget, SizeJob
from fxscore.published.accuracies import published_accuracy
from fxscore.quantities import Quantity
from fxscore.run import Watcher, Where, evaluate, in_order, shows_where
from fxscore.score_job import ScoreJob
from fxscore.scorer.card import Card, card_of
from fxscore.scorer.given import Model, sorted_out
from fxscore.scorer.names import portable
from fxscore.types import ModelRef, Place, Ranking, ScoreRecord, Shape, shape_of

if TYPE_CHECKING:
    from torch import nn
    from typing_extensions import Unpack

    from fxscore.capture.inputs import Examples
    from fxscore.scorer import Scorer


class RankWatcher(Watcher, Protocol):
    """Is told what happens in `rank`, for a display."""

    def sized(self) -> None:
        """One more network has been counted, which is done before any is scored where there is a budget."""

    def left_out(self, failed: Sequence[ScoreRecord], large: Sequence[ModelRef]) -> None:
        """These are not scored: their size could not be counted, or is over the budget."""


@shows_where
def rank(
    models: Model | Iterable[Model] | Mapping[str, nn.Module],
    *,
    scorer: str | Path | Scorer | None = None,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    watcher: RankWatcher | None = None,
    max_params: Quantity | None = None,
    max_macs: Quantity | None = None,
    max_memory: Quantity | None = None,
    top: int | None = None,
    **where: Unpack[Place],
) -> Ranking:
    """Score many networks and rank them from the best to the worst; a failure is a record with its error.

    Modules are scored in this process, references and patterns (`timm:resnet*`, `zoo/*.py`) by workers.

    Args:
        models: modules, references or patterns, or one of the latter two; a mapping names its modules.
        scorer: as for `score`.
        input_shape: as for `score`, for all networks.
        example_inputs: as for `score`, for all networks.
        watcher: is told of each start and record, for a display.
        max_params: learnable numbers at most, such as ``25e6`` or ``"25M"``; larger networks are not scored, and are
            named by the ranking's `over_budget`.
        max_macs: multiply-accumulates of one image at most, such as ``"5G"``.
        max_memory: bytes of one forward of one image at most, such as ``"512M"``: parameters and the tensors alive at
            one time, in single precision.
        top: keep so many of the best; all by default.
        **where: workers, limits, store and cluster: the keywords of `fxscore.Where`.

    Raises:
        FxScoreError: nothing can be ranked: `models` holds what is no network, the scorer cannot be loaded, or no
            worker can start. A network that fails ends nothing: it is a record.
    """
    asked = _Asked(
        scorer,
        card_of(scorer),
        None if input_shape is None else shape_of(input_shape),
        example_inputs,
        Budget.of(max_params, max_macs, max_memory),
    )
    modules, refs = sorted_out(models)
    records, over = _of_modules(modules, asked) if modules else ([], [])
    if refs:
        found, large = _of_references(refs, asked, Where(**where), watcher)
        records, over = records + found, over + large
    judge = asked.card.confidence
    told = [_with_published(judge.annotated(record)) for record in records]
    ranking = Ranking.of(told, over, judge)
    return ranking if top is None else ranking.top(top)


@dataclass(frozen=True)
class _Asked:
    """How all networks of a ranking are looked at."""

    scorer: str | Path | Scorer | None
    card: Card
    input_shape: Shape | None
    example_inputs: Examples | None
    budget: Budget

    def within(
        self, refs: Sequence[ModelRef], sizes: Sequence[ScoreRecord]
    ) -> tuple[list[ModelRef], list[ScoreRecord], list[ModelRef]]:
        """(networks to score, records of those whose size cannot be counted, networks that are too large)."""
        failed = [replace(size, scorer_id=self.card.scorer_id) for size in sizes if size.error is not None]
        over = {size.ref for size in sizes if size.error is None and not self.budget.allows(size)}
        out = over | {record.ref for record in failed}
        return [ref for ref in refs if ref not in out], failed, [ref for ref in refs if ref in over]


def _of_modules(
    modules: Sequence[tuple[ModelRef, nn.Module]], asked: _Asked
) -> tuple[list[ScoreRecord], list[ModelRef]]:
    """(records, networks that are too large), found in this process, where torch is: there are modules."""
    from fxscore.score_session import score_module, size_module
    from fxscore.scorer import load_scorer

    used, given = load_scorer(asked.scorer), (asked.input_shape, asked.example_inputs)
    sizes = [size_module(*each, *given) for each in modules] if asked.budget else []
    within, failed, over = asked.within([ref for ref, _ in modules], sizes)
    return failed + [score_module(*each, used, *given) for each in modules if each[0] in within], over


def _of_references(
    refs: Sequence[ModelRef], asked: _Asked, where: Where, watcher: RankWatcher | None
) -> tuple[list[ScoreRecord], list[ModelRef]]:
    """(records in the order given, networks that are too large), from the store or by workers."""
    shape, examples = asked.input_shape, asked.example_inputs
    job = ScoreJob(portable(asked.scorer), asked.card.scorer_id, shape, examples)
    counting = SizeJob(input_shape=shape, example_inputs=examples)
    with where.executor() as executor, where.opened_store() as opened:
        told = None if watcher is None else _Counting(watcher)
        sizes = list(evaluate(refs, counting, executor, opened, watcher=told)) if asked.budget else []
        chosen, failed, large = asked.within(refs, sizes)
        if watcher is not None and asked.budget:
            watcher.left_out(failed, large)
        found = list(evaluate(chosen, job, executor, opened, watcher=watcher))
    return in_order(refs, failed + found), large


class _Counting:
    """Tells the watcher of a ranking of networks that are counted."""

    def __init__(self, watcher: RankWatcher) -> None:
        self._watcher = watcher

    def working(self, refs: Sequence[ModelRef]) -> None:
        self._watcher.working(refs)

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        self._watcher.sized()


def _with_published(record: ScoreRecord) -> ScoreRecord:
    """The record with the accuracy of its published weights, where there are any."""
    if record.score is None or record.ref.source not in ("timm", "torchvision"):
        return record
    return replace(record, published=published_accuracy(record.ref))
