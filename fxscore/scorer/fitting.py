"""What fitting a scorer to one's own networks needs: the networks, and accuracies that make sense."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from torch import nn

from fxscore.capture.inputs import own_examples
from fxscore.errors import FxScoreError, ScorerError
from fxscore.scorer.subject import Subject
from fxscore.sources import build
from fxscore.types import ModelRef, Shape

Model = nn.Module | ModelRef | str
LEAST = 8  # networks without which there is nothing to learn
_MODULE_SHAPE: Shape = (3, 224, 224)


def subject_of(model: Model, input_shape: Shape | None = None) -> Subject:
    """A module or reference as scorers take it; raises `FxScoreError` where it cannot be built."""
    if isinstance(model, nn.Module):
        module, shape, owned = model, input_shape or _MODULE_SHAPE, False
    else:
        built = build(ModelRef.parse(model) if isinstance(model, str) else model, weights=False)
        module, shape, owned = built.module, input_shape or built.input_shape, True
    examples = None if input_shape else own_examples(module)
    return Subject(module, shape, owned=owned, example_inputs=examples)


def subjects_of(models: Sequence[Model], input_shape: Shape | None = None) -> list[Subject]:
    """All of them; an error names the network by its place."""
    return [_named(model, place, input_shape) for place, model in enumerate(models)]


def _named(model: Model, place: int, input_shape: Shape | None) -> Subject:
    try:
        return subject_of(model, input_shape)
    except FxScoreError as error:
        raise type(error)(f"network {place}: {error}") from None


def check_accuracies(models: Sequence[object], accuracies: Sequence[float]) -> None:
    """Refuse what nothing can be learned from.

    Raises:
        ScorerError: not one number for each network, too few networks, a number that is not finite, or all equal.
    """
    if len(models) != len(accuracies):
        raise ScorerError(f"{len(models)} networks and {len(accuracies)} accuracies: give one for each")
    wrong = next((place for place, value in enumerate(accuracies) if not isfinite(value)), None)
    if wrong is not None:
        raise ScorerError(f"the accuracy of network {wrong} is {accuracies[wrong]}; leave the network out")
    if len(models) < LEAST:
        raise ScorerError(
            f"{len(models)} networks are too few to learn from; give {LEAST} at least, better 20 to 200"
        )
    if len(set(accuracies)) == 1:
        raise ScorerError(f"all accuracies are {accuracies[0]}: there is no order to learn")
