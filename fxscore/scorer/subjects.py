"""Networks as users name them, made into what a scorer is given."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from fxscore.capture.inputs import Examples, own_examples
from fxscore.errors import FxScoreError
from fxscore.scorer.subject import Subject
from fxscore.sources import build
from fxscore.sources.base import DEFAULT_INPUT_SHAPE
from fxscore.types import ModelRef, Shape

Model = nn.Module | ModelRef | str


def subject_of(
    model: Model,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    *,
    weights: bool = False,
) -> Subject:
    """A module or reference as scorers take it.

    Args:
        model: a module, or a reference such as `timm:resnet50`.
        input_shape: (C, H, W); by default the reference's own, or 3×224×224.
        example_inputs: what the network takes, where that is not one image; by default what the module says of itself.
        weights: whether the scorer reads them.

    Raises:
        FxScoreError: it cannot be built.
    """
    if isinstance(model, nn.Module):
        module, shape, owned, rebuild = model, input_shape or DEFAULT_INPUT_SHAPE, False, None
    else:
        built = build(ModelRef.parse(model) if isinstance(model, str) else model, weights=weights)
        module, shape, owned = built.module, input_shape or built.input_shape, not weights
        rebuild = built.resized
    if example_inputs is None and input_shape is None:
        example_inputs = own_examples(module)
    return Subject(module, shape, owned=owned, example_inputs=example_inputs, rebuild=rebuild)


def subjects_of(models: Sequence[Model], input_shape: Shape | None = None) -> list[Subject]:
    """All of them; an error names the network by its place."""
    return [_named(model, place, input_shape) for place, model in enumerate(models)]


def _named(model: Model, place: int, input_shape: Shape | None) -> Subject:
    try:
        return subject_of(model, input_shape)
    except FxScoreError as error:
        raise type(error)(f"network {place}: {error}") from None
