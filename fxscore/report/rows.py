"""The lines of a ranking: which rank each record holds, and in which order they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

from fxscore.types import Ranking, ScoreRecord

SortKey = Literal["score", "params", "macs", "seconds", "name"]
SORT_KEYS: tuple[str, ...] = get_args(SortKey)

_VALUE: dict[str, Callable[[ScoreRecord], Any]] = {
    "params": lambda record: record.params,
    "macs": lambda record: record.macs,
    "seconds": lambda record: record.seconds,
    "name": lambda record: str(record.ref),
}


class Row(NamedTuple):
    """One line; `rank` is the record's place by score whatever the order shown, None for a failure."""

    rank: int | None
    record: ScoreRecord

    def as_dict(self) -> dict[str, Any]:
        """The record's flat form, with its rank first."""
        return {"rank": self.rank, **self.record.as_dict()}


def rows(ranking: Ranking, sort: str = "score") -> list[Row]:
    """Number the records of a ranking and put them in order.

    Equal scores share a rank, and the next one is skipped (1, 2, 2, 4): equal architectures score equally.

    Args:
        ranking: Best score first, failures last.
        sort: ``score`` (best first), or ``params``, ``macs``, ``seconds``, ``name`` (smallest first);
            failures stay last.

    Raises:
        ValueError: If `sort` is none of these.
    """
    if sort not in SORT_KEYS:
        raise ValueError(f"cannot sort by {sort!r}; choose one of {', '.join(SORT_KEYS)}")
    numbered = _number(ranking)
    if sort == "score":
        return numbered
    value = _VALUE[sort]
    return sorted(numbered, key=lambda row: _place(row, value(row.record)))


def _number(ranking: Ranking) -> list[Row]:
    result: list[Row] = []
    for position, record in enumerate(ranking, start=1):
        tied = bool(result) and result[-1].record.score == record.score
        rank = result[-1].rank if tied else position
        result.append(Row(None if record.score is None else rank, record))
    return result


def _place(row: Row, value: Any) -> tuple[bool, bool, Any]:
    # A value that is not known comes after those that are; False stands in, as None does not compare.
    return row.record.score is None, value is None, False if value is None else value
