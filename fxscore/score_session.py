"""What a worker does with one reference that is to be scored, sized or looked at; and the same for modules, in place.

Kept apart from the jobs (`fxscore.score_job`, `fxscore.budgets`), which load no torch.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from torch import nn

from fxscore.capture.inputs import Examples
from fxscore.collection import collection_paused
from fxscore.costs import Costs
from fxscore.errors import FxScoreError
from fxscore.run import Prepared
from fxscore.run.failure import describe_exception
from fxscore.run.guard import unchanged_globals
from fxscore.run.job import Found
from fxscore.scorer import Hybrid, Scorer, Subject, load_scorer
from fxscore.scorer.confidence import Standing, form_of, kind_of
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.features import fingerprint_of
from fxscore.scorer.names import SIZES
from fxscore.scorer.subject import subject_of
from fxscore.sources import recipe_key
from fxscore.types import ModelRef, ScoreRecord, Shape

if TYPE_CHECKING:
    from typing_extensions import Self


class ScoreSession:
    """A scorer at work in one process."""

    def __init__(
        self, scorer: Scorer, input_shape: Shape | None, example_inputs: Examples | None = None
    ) -> None:
        self.scorer = scorer
        self.input_shape = input_shape
        self.example_inputs = example_inputs

    @classmethod
    def of(
        cls, name: str | Scorer | None, input_shape: Shape | None, example_inputs: Examples | None
    ) -> Self:
        """Load the scorer that a name, a path or an object stands for, and look at one small network.

        What is imported and compiled on first use is then there before processes are forked for networks.
        """
        session = cls(load_scorer(name), input_shape, example_inputs)
        session.warm_up(Subject(_small_network(), (3, 8, 8)))
        return session

    def warm_up(self, subject: Subject) -> None:
        """Score it; a scorer that fails here says so again for every network."""
        with suppress(FxScoreError):
            self.scorer.score(subject)

    @collection_paused()
    def prepare(self, ref: ModelRef) -> Prepared:
        """Build the network, and construct it where the scorer will."""
        recipe = recipe_key(ref)  # before its code runs, which may change the folder
        return prepare(self.subject(ref, weights=self.scorer.needs_weights), self.scorer, recipe)

    def subject(self, ref: ModelRef, *, weights: bool = False) -> Subject:
        """The network, with the inputs that were given for all, or its own."""
        return subject_of(ref, self.input_shape, self.example_inputs, weights=weights, counted=True)

    def finish(self, prepared: Prepared) -> float | Found:
        """The score, and where the network stands to training."""
        return found_of(self.scorer, prepared.payload)


def score_module(
    ref: ModelRef,
    module: nn.Module,
    scorer: Scorer,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
) -> ScoreRecord:
    """The record of a module in this very process, whatever its code raises; Ctrl-C goes through."""

    def work() -> tuple[Prepared, float | Found]:
        weights = scorer.needs_weights
        subject = subject_of(module, input_shape, example_inputs, weights=weights, counted=True)
        prepared = prepare(subject, scorer, f"{ref} {id(module)}")
        return prepared, found_of(scorer, subject)

    return attempted(ref, scorer.scorer_id, work)


def attempted(
    ref: ModelRef, scorer_id: str, work: Callable[[], tuple[Prepared, float | Found]]
) -> ScoreRecord:
    """The record of what `work` finds, or of what it raises; a boundary like a worker's, without its process."""
    start = time.perf_counter()
    try:
        with unchanged_globals():
            prepared, result = work()
            found = Found.of(result)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  a network's own code raises anything
        seconds = time.perf_counter() - start
        return ScoreRecord(ref, error=describe_exception(error), seconds=seconds, scorer_id=scorer_id)
    facts = (prepared.params, prepared.macs, time.perf_counter() - start, prepared.fingerprint)
    return ScoreRecord(ref, found.score, None, *facts, scorer_id, prepared.note, found.values)


def found_of(scorer: Scorer, subject: Subject) -> Found:
    """A network's score with its `Standing` beside it, of which other scorers than these know the kind alone."""
    if isinstance(scorer, (Hybrid, Ensemble)):
        standing = scorer.standing(subject)
    else:
        standing = Standing(scorer.score(subject), kind_of(subject.inputs))
    return Found(standing.score, standing.values)


class FeatureSession(ScoreSession):
    """A hybrid scorer's encoder at work in one process."""

    scorer: Hybrid  # what a `FeatureJob` is made with

    def warm_up(self, subject: Subject) -> None:
        """Read its features."""
        self.scorer.features(subject)

    def finish(self, prepared: Prepared) -> Found:
        """The features, in the order of `feature_names`; the score is the form of the inputs."""
        return features_found(self.scorer, prepared.payload)


class SizeSession(ScoreSession):
    """Counting in one process."""

    def warm_up(self, subject: Subject) -> None:
        """There is nothing to load."""

    def prepare(self, ref: ModelRef) -> Prepared:
        """Build the network weight-free and capture it once, at its own size."""
        prepared = super().prepare(ref)
        if prepared.params is None:
            prepared.payload.costs()  # says why
        return prepared

    def finish(self, prepared: Prepared) -> Found:
        """Parameters; memory and activations beside them."""
        return size_found(prepared.payload.costs())


def size_module(
    ref: ModelRef, module: nn.Module, input_shape: Shape | None = None, examples: Examples | None = None
) -> ScoreRecord:
    """The record of a `SizeJob` for a module in this very process, whatever its code raises."""

    def work() -> tuple[Prepared, Found]:
        size = subject_of(module, input_shape, examples).costs()
        return Prepared("", size.params, size.macs), size_found(size)

    return attempted(ref, SIZES, work)


def size_found(size: Costs) -> Found:
    """What a `SizeJob` finds: parameters; memory and activations beside them."""
    return Found(size.params, (float(size.memory), float(size.activations)))


def features_found(scorer: Hybrid, subject: Subject) -> Found:
    """What a `FeatureJob` finds: the form of the inputs as the score, and the features."""
    return Found(form_of(subject.inputs), tuple(scorer.features(subject).values.tolist()))


def feature_module(
    ref: ModelRef,
    module: nn.Module,
    scorer: Hybrid,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
) -> ScoreRecord:
    """The record of a `FeatureJob` for a module in this very process, whatever its code raises."""

    def work() -> tuple[Prepared, Found]:
        return Prepared(""), features_found(scorer, subject_of(module, input_shape, example_inputs))

    return attempted(ref, scorer.scorer_id, work)


def prepare(subject: Subject, scorer: Scorer, recipe: str) -> Prepared:
    """The fingerprint and the size of a network."""
    known = fingerprint(subject, scorer, recipe)
    size = _costs(subject) if scorer.batch is None else subject.costs()
    note = note_of(subject.left_out, size.uncounted if size else ())
    return Prepared(known, size.params if size else None, size.macs if size else None, subject, note)


def note_of(left_out: tuple[str, ...], uncounted: tuple[str, ...]) -> str | None:
    """What a record says of modules that the score does not see, and operators that the counts do not hold."""
    lines = {"score and MACs without": left_out, "MACs without": uncounted}
    return "; ".join(f"{what} {', '.join(names)}" for what, names in lines.items() if names) or None


def fingerprint(subject: Subject, scorer: Scorer, recipe: str) -> str:
    """Equal where a scorer must give equal scores.

    A scorer that does not construct networks may tell apart what their canonical graphs do not (parameters that
    reach no output): for it, only equal recipes are equal.
    """
    if scorer.batch is None:
        return "recipe-" + hashlib.sha256(recipe.encode()).hexdigest()[:24]
    constructed = subject.construct(scorer.batch, scorer.shape_for(subject.input_shape))
    return fingerprint_of(constructed, subject.input_shape)


def _small_network() -> nn.Module:
    layers = [
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    ]
    return nn.Sequential(*layers)


def _costs(subject: Subject) -> Costs | None:
    """Size of a network that is not constructed; None where it cannot be captured, which need not stop a proxy."""
    try:
        return subject.costs()
    except FxScoreError:
        return None
