"""What became of a network, what the scorer says of it, and what sets it apart from another."""

from __future__ import annotations

from fxscore.explanation.against import Against
from fxscore.explanation.judgement import Judgement
from fxscore.explanation.operators import OperatorDifference, OperatorSummary
from fxscore.explanation.whole import Explanation, batch_of, explain_against, explain_judged, explain_subject

__all__ = [
    "Against",
    "Explanation",
    "Judgement",
    "OperatorDifference",
    "OperatorSummary",
    "batch_of",
    "explain_against",
    "explain_judged",
    "explain_subject",
]
