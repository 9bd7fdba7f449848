"""What sets two networks apart: members of the scorer, groups of features, operators, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fxscore.explanation.judgement import Judgement, judge
from fxscore.explanation.operators import OperatorDifference, Sizes, differences
from fxscore.scorer import Hybrid, Scorer, Subject
from fxscore.scorer.card import confidence_of
from fxscore.scorer.confidence import Standing, in_words
from fxscore.scorer.contributions import Contribution
from fxscore.scorer.features import NetworkFeatures
from fxscore.scorer.reasons import by_group, by_member


@dataclass(frozen=True)
class Against:
    """A network against another.

    Attributes:
        other: its name.
        judgement: what the scorer says of the other.
        sentence: which is better, and how surely.
        probability: that the explained network is the better one; None where that is not known.
        points, raw: its score over the other's, and its raw score; None where one has none.
        members: both, by member of the scorer; they add up to `points` and `raw`.
        groups: both, by group of features; they add up likewise.
        operators: those of which the two have not the same.
        unknown: what none of this says, a sentence each.
    """

    other: str
    judgement: Judgement
    sentence: str
    probability: float | None
    points: float | None
    raw: float | None
    members: tuple[Contribution, ...]
    groups: tuple[Contribution, ...]
    operators: tuple[OperatorDifference, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """One of the two networks: its name, itself, and its operators' sizes by kind."""

    name: str
    subject: Subject
    operators: Mapping[str, Sizes]


@dataclass(frozen=True)
class _Judged:
    name: str
    judgement: Judgement
    standing: Standing | None
    features: NetworkFeatures | None


def against(scorer: Scorer, first: Side, other: Side) -> tuple[Judgement, Against]:
    """What the scorer says of the first network, and what sets it apart from the other."""
    own, theirs = _judged(scorer, first), _judged(scorer, other)
    members, groups = _shares(scorer, own, theirs)
    found = Against(
        theirs.name,
        theirs.judgement,
        *_verdict(scorer, own, theirs),
        _gap(own, theirs),
        sum(each.raw for each in members) if members else None,
        members,
        groups,
        differences(first.operators, other.operators),
        _unknown(own, theirs, members),
    )
    return own.judgement, found


def _judged(scorer: Scorer, side: Side) -> _Judged:
    """With all features, the forward's too: rows that mix both networks are scored."""
    if not isinstance(scorer, Hybrid) or scorer.head is None:
        return _Judged(side.name, *judge(scorer, side.subject), None)
    features = scorer.features(side.subject)
    return _Judged(side.name, *judge(scorer, side.subject, features), features)


def _shares(
    scorer: Scorer, own: _Judged, theirs: _Judged
) -> tuple[tuple[Contribution, ...], tuple[Contribution, ...]]:
    """(by member, by group of features); neither where the two scores do not compare."""
    if own.standing is None or theirs.standing is None or not own.standing.compares_with(theirs.standing):
        return (), ()
    members = by_member(scorer, own.standing, theirs.standing)
    if own.features is None or theirs.features is None:
        return members, ()
    return members, by_group(scorer, own.features.values, theirs.features.values)


def _gap(own: _Judged, theirs: _Judged) -> float | None:
    if own.standing is None or theirs.standing is None:
        return None
    return own.standing.score - theirs.standing.score


def _verdict(scorer: Scorer, own: _Judged, theirs: _Judged) -> tuple[str, float | None]:
    """(which is better and how surely, probability that it is the explained one)."""
    for side in (own, theirs):
        if side.standing is None:
            return f"{side.name} has no score: {side.judgement.error}", None
    assert own.standing is not None
    assert theirs.standing is not None
    compares = own.standing.compares_with(theirs.standing)
    probability = confidence_of(scorer).probability(own.standing, theirs.standing)
    if own.standing.score >= theirs.standing.score:
        return in_words(own.name, theirs.name, probability, compares=compares), probability
    turned = None if probability is None else 1 - probability
    return in_words(theirs.name, own.name, turned, compares=compares), probability


def _unknown(own: _Judged, theirs: _Judged, members: tuple[Contribution, ...]) -> tuple[str, ...]:
    """What nobody should read into the figures."""
    if not members:
        return (
            "What makes the difference is not known: it is told of two scores of one hybrid scorer that compare.",
        )
    found = [
        "This is what the scorer goes by, not what training would show; features that change together (a deeper "
        "network is larger, too) share what only both explain."
    ]
    if far := [side.name for side in (own, theirs) if side.judgement.support == "outside"]:
        found.append(f"Outside what the scorer was trained on, where it is worth little: {', '.join(far)}.")
    return tuple(found)
