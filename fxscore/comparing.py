"""`fxscore.compare`: which of some networks is better, how surely, what speaks for each, and what would settle it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from fxscore.budgets import SizeJob
from fxscore.capture.inputs import Examples
from fxscore.comparison import Comparison, Contender, Verdict
from fxscore.errors import UsageError
from fxscore.ranking import rank
from fxscore.run import Where, evaluate, shows_where
from fxscore.score_job import FeatureJob
from fxscore.score_session import feature_module, size_module
from fxscore.scorer import Hybrid, Scorer, load_scorer
from fxscore.scorer.confidence import standing_of
from fxscore.scorer.contributions import Contribution
from fxscore.scorer.features import feature_names
from fxscore.scorer.given import Model, sorted_out
from fxscore.scorer.reasons import by_group, neighbours
from fxscore.types import ModelRef, Place, Ranking, ScoreRecord, Shape, shape_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

_SETTLED = 0.9  # a probability from which more evidence is hardly worth its price


@shows_where
def compare(
    *models: Model | Mapping[str, nn.Module],
    scorer: str | Path | Scorer | None = None,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    **where: Unpack[Place],
) -> Comparison:
    """Which of some networks is better, with what probability, and what speaks for each.

    Args:
        models: two or more modules or references, or a mapping of names to modules.
        scorer: as for `fxscore.score`.
        input_shape: (C, H, W) for all networks; by default each network's own.
        example_inputs: as for `fxscore.score`, for all networks.
        **where: workers, limits, store and cluster: the keywords of `fxscore.Where`.

    Raises:
        UsageError: fewer than two networks.
        FxScoreError: as `fxscore.rank`; a network that fails is among the ranking's failures.
    """
    only = models[0] if len(models) == 1 else None
    given: Any = only if isinstance(only, Mapping) else list(models)
    modules, refs = sorted_out(given)
    refs = list(dict.fromkeys(refs))
    if len(modules) + len(refs) < 2:
        raise UsageError("a comparison takes two networks at least, as in fxscore.compare(a, b)")
    shape = None if input_shape is None else shape_of(input_shape)
    ranking = rank(given, scorer=scorer, input_shape=shape, example_inputs=example_inputs, **where)
    look = _Look(load_scorer(scorer), modules, refs, shape, example_inputs, Where(**where))
    return _compared(ranking, look)


class _Look:
    """Sizes and features of the networks, by reference; a network that fails has none."""

    def __init__(
        self,
        scorer: Scorer,
        modules: Sequence[tuple[ModelRef, nn.Module]],
        refs: Sequence[ModelRef],
        shape: Shape | None,
        examples: Examples | None,
        where: Where,
    ) -> None:
        self.scorer = scorer
        hybrid = scorer if isinstance(scorer, Hybrid) else Hybrid()
        seen = [feature_module(ref, module, hybrid, shape, examples) for ref, module in modules]
        sized = [size_module(ref, module, shape, examples) for ref, module in modules]
        encoder = Hybrid(hybrid.encoder, name="features")
        jobs = (
            FeatureJob(encoder, encoder.scorer_id, shape, examples),
            SizeJob(input_shape=shape, example_inputs=examples),
        )
        found: list[list[ScoreRecord]] = [[], []]
        if refs:
            with where.executor() as executor, where.opened_store() as store:
                found = [list(evaluate(refs, job, executor, store)) for job in jobs]
        self.features = _values(seen + found[0])
        self.sizes = _values(sized + found[1])

    def contender(self, record: ScoreRecord) -> Contender:
        """A record with its sizes."""
        memory, activations = map(int, self.sizes.get(record.ref, (0, 0)))
        known = self.features.get(record.ref)
        named = {} if known is None else dict(zip(feature_names(), known, strict=True))
        layers, depth = (int(named[name]) if named else None for name in ("count_weighted", "depth"))
        standing = standing_of(record)
        like = () if standing is None else neighbours(self.scorer, standing)
        return Contender(record, memory or None, activations or None, layers, depth, like)

    def contributions(self, first: ModelRef, second: ModelRef) -> tuple[Contribution, ...]:
        """What speaks for each; () where the scorer has no features."""
        known = [self.features.get(ref) for ref in (first, second)]
        return () if None in known else by_group(self.scorer, *(np.array(values) for values in known))


def _values(records: Sequence[ScoreRecord]) -> dict[ModelRef, tuple[float, ...]]:
    return {record.ref: record.values for record in records if record.error is None}


def _compared(ranking: Ranking, look: _Look) -> Comparison:
    scored = [record for record in ranking if record.score is not None]
    verdicts = tuple(_verdict(ranking, scored[0], other, look) for other in scored[1:])
    return Comparison(tuple(map(look.contender, scored)), verdicts, _advice(scored, verdicts, look), ranking)


def _verdict(ranking: Ranking, better: ScoreRecord, other: ScoreRecord, look: _Look) -> Verdict:
    compares = better.group == other.group
    shares = look.contributions(better.ref, other.ref) if compares else ()
    return Verdict(better.ref, other.ref, ranking.probability(better, other), compares, shares)


def _advice(records: Sequence[ScoreRecord], verdicts: Sequence[Verdict], look: _Look) -> tuple[str, ...]:
    found = []
    if far := [str(record.ref) for record in records if record.support == "outside"]:
        found.append(
            f"Outside what the scorer was trained on, where its score is worth little: {', '.join(far)}."
        )
    if any(verdict.compares and verdict.probability is None for verdict in verdicts):
        found.append(_without_probabilities(look.scorer))
    if any(verdict.compares and (verdict.probability or 0) < _SETTLED for verdict in verdicts):
        found.append(
            "To settle it: train these; or train 20 and more networks like them for a few epochs, and fit a scorer to "
            "their accuracies (fxscore fit)."
        )
    return tuple(found)


def _without_probabilities(scorer: Scorer) -> str:
    """What the scorer's record says of pairs, where its file has no probability of this one."""
    record: Mapping[str, Any] = getattr(scorer, "record", {})
    taus = [each["kendall"] for each in record.get("measured", ()) if each.get("kendall") is not None]
    if not taus:
        return "The scorer's file has no probabilities."
    low, high = (round(50 * (1 + tau)) for tau in (min(taus), max(taus)))
    return (
        "The scorer's file has no probabilities for these; of all pairs in populations that it had not seen, it "
        f"ordered {low} to {high} % rightly."
    )
