"""What scorers' files, and fits, say of learning, read back to be drawn: learning curves and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fxscore.errors import UsageError
from fxscore.evaluate.calibration import Calibration
from fxscore.evaluate.curves import LearningCurve, Point, validation_curve
from fxscore.evaluate.estimates import Estimate
from fxscore.report.recorded import MISSHAPEN, read_fit
from fxscore.scorer.file_contents import read_contents
from fxscore.scorer.names import ScorerFile, find_scorer


def read_curve(source: str) -> LearningCurve:
    """The learning curve of a scorer's training by step, or of a fit by number of networks.

    Args:
        source: a scorer's name or file, or what `fxscore fit --json` wrote.

    Raises:
        UsageError: nothing was measured on the way.
    """
    if source.lower().endswith(".json"):
        name, worth, history = Path(source).stem, read_fit(Path(source)), []
    else:
        record = _record(source)
        name, worth, history = Path(source).stem, record.get("worth", {}), record.get("history", [])
    try:
        found = _by_networks(name, worth) if worth.get("curve") else validation_curve(name, history)
    except MISSHAPEN as error:
        raise UsageError(f"{source}: its learning curve cannot be read ({error!r})") from None
    if not found.points:
        raise UsageError(
            f"{source} has no learning curve: nothing was measured on the way; `fxscore train` with --validation, "
            "and `fxscore fit` to enough networks, keep one"
        )
    return found


def read_calibration(scorer: str) -> Calibration:
    """What a scorer's file says of its probabilities on origins that were left out.

    Raises:
        UsageError: it says nothing of that.
    """
    known = _record(scorer).get("calibration")
    if known is None:
        raise UsageError(
            f"{scorer} does not say how far its probabilities came true, for which several origins are left out in "
            "turn; `general` does"
        )
    try:
        return Calibration.from_dict(known)
    except MISSHAPEN as error:
        raise UsageError(f"{scorer}: its calibration cannot be read ({error!r})") from None


def _record(scorer: str) -> Mapping[str, Any]:
    """The record in the file that a name or a path stands for; a handcrafted scorer has none."""
    found = find_scorer(scorer)
    if not isinstance(found, ScorerFile):
        raise UsageError(f"{scorer} is handcrafted: it learned nothing; name a trained scorer, or its file")
    return read_contents(found.path).record


def _by_networks(name: str, worth: Mapping[str, Any]) -> LearningCurve:
    """What `Worth.as_dict` has of its curve."""
    points = tuple(
        Point(
            each["networks"],
            Estimate(each["spearman"], *(each["spearman_interval"] or (None, None))),
            each["draws"],
        )
        for each in worth["curve"]
    )
    return LearningCurve(name, "networks learned from", points)
