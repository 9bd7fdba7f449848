"""The lines of a ranking: which rank each record holds, and in which order they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Literal, NamedTuple, get_args

from fxscore.report import numbers
from fxscore.types import Judge, Ranking, ScoreRecord, is_percentile

SortKey = Literal["score", "params", "macs", "seconds", "published", "name"]
SORT_KEYS: tuple[str, ...] = get_args(SortKey)
FRONTS = ("params", "macs")
SURE = 2 / 3  # the probability from which one network is told to be better than another

ScoreForm = Callable[[float | None], str]
_VALUE: dict[str, Callable[[ScoreRecord], Any]] = {
    "params": lambda record: record.params,
    "macs": lambda record: record.macs,
    "seconds": lambda record: record.seconds,
    "published": lambda record: None if record.published is None else -record.published,
    "name": lambda record: str(record.ref),
}


def score_form(judge: Judge | None) -> ScoreForm:
    """How scores are written, by what their scorer knows of itself: percentiles to two digits, or any numbers."""
    return numbers.percentile if is_percentile(judge) else numbers.score


class Row(NamedTuple):
    """One line; `rank` is the record's place by score whatever the order shown, None for a failure.

    `front` names the sizes, of params and macs, at which no network of the ranking scores as high with less. `band` has
    the first and the last rank of networks that cannot be told apart; None where the scorer has no probabilities.
    """

    rank: int | None
    record: ScoreRecord
    front: tuple[str, ...] = ()
    band: tuple[int, int] | None = None

    @property
    def place(self) -> str | None:
        """The rank, or the ranks of the band, as text: ``3`` or ``2–5``."""
        if self.rank is None or self.band is None:
            return None if self.rank is None else str(self.rank)
        first, last = self.band
        return str(first) if first == last else f"{first}–{last}"

    def as_dict(self) -> dict[str, Any]:
        """The record's flat form, with its rank first."""
        return {"rank": self.rank, **self.record.as_dict(), **self._relations()}

    def _relations(self) -> dict[str, Any]:
        band = None if self.band is None else "{}-{}".format(*self.band)
        return {"band": band, "front": " ".join(self.front) or None}


def rows(ranking: Ranking, sort: str = "score", top: int | None = None) -> list[Row]:
    """Number the records of a ranking and put them in order, group after group, the failures last.

    Ranks count within a group of networks that compare (`ScoreRecord.group`). Equal scores share a rank, and the next
    one is skipped (1, 2, 2, 4): equal architectures score equally.

    Args:
        ranking: Best score first, failures last.
        sort: ``score`` or ``published`` (best first), or ``params``, ``macs``, ``seconds``, ``name`` (smallest first);
            failures stay last.
        top: so many rows of each group, and the failures; all by default.

    Raises:
        ValueError: If `sort` is none of these.
    """
    if sort not in SORT_KEYS:
        raise ValueError(f"cannot sort by {sort!r}; choose one of {', '.join(SORT_KEYS)}")
    shown: list[Row] = []
    for records in groups(ranking):
        shown += _ordered(_numbered(ranking, records), sort)[:top]
    return shown + _ordered([Row(None, record) for record in ranking.failures], sort)


def groups(ranking: Ranking) -> list[list[ScoreRecord]]:
    """The scored records of each group, the largest group first, best score first."""
    found: dict[str | None, list[ScoreRecord]] = {}
    for record in ranking:
        if record.score is not None:
            found.setdefault(record.group, []).append(record)
    return sorted(found.values(), key=len, reverse=True)


def why(record: ScoreRecord) -> str:
    """The record's error without the name of its network, which stands beside it and which many errors begin with."""
    return (record.error or "").removeprefix(f"{record.ref}: ")


def _ordered(unordered: list[Row], sort: str) -> list[Row]:
    if sort == "score":
        return unordered
    value = _VALUE[sort]
    return sorted(unordered, key=lambda row: _place(value(row.record)))


def _numbered(ranking: Ranking, records: Sequence[ScoreRecord]) -> list[Row]:
    fronts = {size: _front(records, size) for size in FRONTS}
    result: list[Row] = []
    for place, record in enumerate(records):
        tied = bool(result) and result[-1].record.score == record.score
        rank = result[-1].rank if tied else place + 1
        result.append(Row(rank, record, tuple(size for size in FRONTS if place in fronts[size])))
    bands = _bands(ranking, records)
    return [row._replace(band=band) for row, band in zip(result, bands, strict=True)]


def _bands(ranking: Ranking, records: Sequence[ScoreRecord]) -> list[tuple[int, int] | None]:
    """(first, last) rank of each record's band: those that its best one is better than with a chance under `SURE`."""
    starts, known = [0], False
    for place in range(1, len(records)):
        chance = ranking.probability(records[starts[-1]], records[place])
        known = known or chance is not None
        starts.append(starts[-1] if chance is not None and chance < SURE else place)
    if not known:
        return [None] * len(records)
    return [(start + 1, start + starts.count(start)) for start in starts]


def _front(records: Sequence[ScoreRecord], size: str) -> set[int]:
    """Places of the records to which no other has a score as high with less, or a higher one with no more."""
    known = [
        (-record.score, getattr(record, size), place)
        for place, record in enumerate(records)
        if record.score is not None and getattr(record, size) is not None
    ]
    found, least, score = set[int](), inf, inf
    for lost, value, place in sorted(known):
        if value < least or (value, lost) == (least, score):
            found.add(place)
            least, score = value, lost
    return found


def _place(value: Any) -> tuple[bool, Any]:
    # A value that is not known comes after those that are; False stands in, as None does not compare.
    return value is None, False if value is None else value
