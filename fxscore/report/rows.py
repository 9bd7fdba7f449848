"""The lines of a ranking: which rank each record holds, and in which order they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Literal, NamedTuple, get_args

from fxscore.types import Ranking, ScoreRecord

SortKey = Literal["score", "params", "macs", "seconds", "name"]
SORT_KEYS: tuple[str, ...] = get_args(SortKey)
FRONTS = ("params", "macs")

_VALUE: dict[str, Callable[[ScoreRecord], Any]] = {
    "params": lambda record: record.params,
    "macs": lambda record: record.macs,
    "seconds": lambda record: record.seconds,
    "name": lambda record: str(record.ref),
}


class Row(NamedTuple):
    """One line; `rank` is the record's place by score whatever the order shown, None for a failure.

    `front` names the sizes, of params and macs, at which no network of the ranking scores as high with less.
    """

    rank: int | None
    record: ScoreRecord
    front: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The record's flat form, with its rank first."""
        return {"rank": self.rank, **self.record.as_dict(), "front": " ".join(self.front) or None}


def rows(ranking: Ranking, sort: str = "score", top: int | None = None) -> list[Row]:
    """Number the records of a ranking and put them in order.

    Equal scores share a rank, and the next one is skipped (1, 2, 2, 4): equal architectures score equally.

    Args:
        ranking: Best score first, failures last.
        sort: ``score`` (best first), or ``params``, ``macs``, ``seconds``, ``name`` (smallest first);
            failures stay last.
        top: so many rows, and the failures; all by default.

    Raises:
        ValueError: If `sort` is none of these.
    """
    if sort not in SORT_KEYS:
        raise ValueError(f"cannot sort by {sort!r}; choose one of {', '.join(SORT_KEYS)}")
    ordered = _number(ranking)
    if sort != "score":
        value = _VALUE[sort]
        ordered.sort(key=lambda row: _place(row, value(row.record)))
    ranked = [row for row in ordered if row.rank is not None]
    return ranked[:top] + ordered[len(ranked) :]


def _number(ranking: Ranking) -> list[Row]:
    result: list[Row] = []
    fronts = {size: _front(ranking.records, size) for size in FRONTS}
    for position, record in enumerate(ranking, start=1):
        tied = bool(result) and result[-1].record.score == record.score
        rank = result[-1].rank if tied else position
        front = tuple(size for size in FRONTS if position - 1 in fronts[size])
        result.append(Row(None if record.score is None else rank, record, front))
    return result


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


def _place(row: Row, value: Any) -> tuple[bool, bool, Any]:
    # A value that is not known comes after those that are; False stands in, as None does not compare.
    return row.record.score is None, value is None, False if value is None else value
