"""What users call with one network: `score` and `explain` (`rank` and `compare`, of many, are beside it)."""

from __future__ import annotations

import os
from pathlib import Path

from torch import nn

from fxscore.capture.inputs import Examples
from fxscore.explanation import Explanation, explain_against, explain_judged
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.run.job import finite
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.given import Model
from fxscore.scorer.subject import subject_of
from fxscore.types import Shape


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
