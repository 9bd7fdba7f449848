"""Tests that fail when a change makes a network worse: an assertion for pytest, and any other runner."""

from __future__ import annotations

from pathlib import Path

from fxscore.api import score
from fxscore.capture.inputs import Examples
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.given import Model
from fxscore.types import Shape


def assert_not_worse(
    model: Model,
    reference: Model,
    *,
    margin: float = 0.0,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    scorer: str | Path | Scorer | None = None,
) -> None:
    """Fail where a network scores lower than another, without training either.

    Args:
        model: the network as it is now.
        reference: what it must not be worse than, such as the one of the last release.
        margin: how much lower it may score, in units of the scorer (of the default one, percent of networks).
        input_shape: as for `fxscore.score`, of both.
        example_inputs: as for `fxscore.score`, of both.
        scorer: as for `fxscore.score`.

    Raises:
        AssertionError: it scores lower by more than the margin; says both scores.
        FxScoreError: a network cannot be scored.
    """
    __tracebackhide__ = True  # pytest shows the test's line, not this one
    used = load_scorer(scorer)
    now, before = (
        score(each, input_shape=input_shape, example_inputs=example_inputs, scorer=used)
        for each in (model, reference)
    )
    if now < before - margin:
        raise AssertionError(
            f"the network scores {now:.4f} by {used.scorer_id.split('@')[0]}, the reference {before:.4f}: "
            f"worse by {before - now:.4f}, where {margin:g} is allowed"
        )
