"""What stands behind a score, for the panel of a network: its neighbours in training, and what sets it apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fxscore.comparison import Verdict
from fxscore.report.html.page import Listing
from fxscore.report.reasons import in_points, results_in_words, short
from fxscore.scorer import Scorer
from fxscore.scorer.confidence import Standing, standing_of
from fxscore.scorer.contributions import Contribution
from fxscore.scorer.reasons import by_member, neighbours, unknown_of
from fxscore.types import ModelRef, Ranking, ScoreRecord


@dataclass(frozen=True)
class Reasons:
    """What is known: lists, and what is not, in a sentence."""

    lists: Sequence[Listing] = ()
    unknown: str = ""


Why = Callable[[ScoreRecord], Reasons]


def reasons_in(
    ranking: Ranking,
    scorer: Scorer,
    verdicts: Sequence[Verdict] = (),
    names: Mapping[ModelRef, str] = MappingProxyType({}),
) -> Why:
    """Tells of each network of a ranking which networks of training it is like, and what sets it apart from the best.

    The best one is told apart from the next. All of it comes from what stands beside the scores.

    Args:
        ranking: of the networks.
        scorer: that scored them.
        verdicts: of a comparison, which know the groups of features.
        names: of networks that people call otherwise than by their references.
    """
    rivals: dict[str | None, list[ScoreRecord]] = {}
    for record in ranking:
        if record.score is not None:
            rivals.setdefault(record.group, []).append(record)

    def why(record: ScoreRecord) -> Reasons:
        standing = standing_of(record)
        if standing is None:
            return Reasons()
        near = neighbours(scorer, standing)
        rows = [[short(each.name), f"{each.distance:.2f}", results_in_words(each.results)] for each in near]
        columns = ("network of training", "distance (1 is the edge, 2 outside)", "measured")
        unknown = unknown_of(near)
        lists = [] if unknown else [Listing("Looks most like", columns, rows)]
        rival = next((each for each in rivals[record.group][:2] if each.ref != record.ref), None)
        if rival is not None:
            name = short(names.get(rival.ref, str(rival.ref)))
            lists += _apart(scorer, record, standing, rival, name, verdicts)
        return Reasons(lists, unknown)

    return why


def _apart(
    scorer: Scorer,
    record: ScoreRecord,
    standing: Standing,
    rival: ScoreRecord,
    name: str,
    verdicts: Sequence[Verdict],
) -> list[Listing]:
    """Score over that of the rival by member of the scorer, and where a verdict knows them by group of features."""
    other = standing_of(rival)
    members = () if other is None else by_member(scorer, standing, other)
    found = [_listing("member of the scorer", name, members)]
    found.append(_listing("group of features", name, _by_group(record.ref, rival.ref, verdicts)))
    return [each for each in found if each.rows]


def _by_group(ref: ModelRef, rival: ModelRef, verdicts: Sequence[Verdict]) -> Sequence[Contribution]:
    for verdict in verdicts:
        if (verdict.better, verdict.other) == (ref, rival):
            return verdict.contributions
        if (verdict.other, verdict.better) == (ref, rival):
            return [Contribution(each.group, -each.points, -each.raw) for each in verdict.contributions]
    return ()


def _listing(by: str, rival: str, parts: Sequence[Contribution]) -> Listing:
    rows = [[each.group, *in_points(each.points, each.raw)] for each in parts]
    if rows:
        rows.append(
            ["together", *in_points(sum(each.points for each in parts), sum(each.raw for each in parts))]
        )
    return Listing(f"Score over that of {rival}, by {by}", (by, "points", "raw score"), rows)
