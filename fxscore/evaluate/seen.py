"""Which networks of a table a scorer was trained on, by the training record in its file.

The record names the hash of the table, and either the networks (`seen`: places in the population, by space) or the plan
(cells, validation share, seed), whose split is drawn again. Networks that chose weights (the validation part) count as
seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxscore.errors import CheckpointError
from fxscore.evaluate.splits import split_indices
from fxscore.evaluate.tables import table_path
from fxscore.provenance import file_sha256
from fxscore.scorer import Scorer

_ALIASES = {"macro": "nasbench_macro"}


@dataclass(frozen=True)
class Seen:
    """Indices into the space's population, and what cannot be known of them (empty where all is known)."""

    indices: frozenset[int] = frozenset()
    doubt: str = ""


def trained_spaces(scorer: Scorer) -> tuple[str, ...]:
    """The spaces that a scorer's record says it was trained on; none for a handcrafted one.

    An ensemble was trained on what its members were trained on, and what their weights were found on.
    """
    try:
        return tuple(dict.fromkeys(space for part in _parts(scorer) for space in _spaces(part)))
    except TypeError as error:
        raise _unreadable(scorer, error) from None


def seen_by(
    scorer: Scorer, space: str, data: Path | None, count: int, families: Sequence[str] | None = None
) -> Seen:
    """The networks that a scorer was trained on or chosen by.

    Args:
        scorer: learned ones have a training record.
        space: the benchmark's space.
        data: its file or folder, as for `read_population`.
        count: networks in the population.
        families: of its networks; those that training set aside were not seen.

    Raises:
        CheckpointError: the record does not read.
    """
    try:
        return _seen_by(scorer, space, data, count, families or ())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(scorer, error) from None


def _unreadable(scorer: Scorer, error: BaseException) -> CheckpointError:
    return CheckpointError(
        f"the training record of {scorer.scorer_id} does not read ({error}); train it again"
    )


def _seen_by(scorer: Scorer, space: str, data: Path | None, count: int, families: Sequence[str]) -> Seen:
    parts = [part for part in _parts(scorer) if space in _spaces(part)]
    if not parts or data is None:
        return Seen()
    digest = file_sha256(table_path(space, data))
    if any(digest not in _record(part).get("tables", {}).values() for part in parts):
        return Seen(
            doubt=f"it was trained on another table of {space}: which of these networks it saw is not known"
        )
    return Seen(frozenset().union(*(_drawn(part, space, count, families) for part in parts)))


def _drawn(scorer: Scorer, space: str, count: int, families: Sequence[str]) -> frozenset[int]:
    """The networks that a record lists, or that its plan drew."""
    listed = _record(scorer).get("seen", {})
    if space in listed:
        return frozenset(listed[space])
    plan = _plan(scorer)
    aside = {i for i, name in enumerate(families) if name in plan.get("without_families", ())}
    return split_indices(count, plan["cells"], plan["validation"], plan["seed"]).drawn - aside


def _parts(scorer: Scorer) -> tuple[Scorer, ...]:
    """A scorer and its members, if it has some."""
    return (scorer, *getattr(scorer, "members", ()))


def _spaces(scorer: Scorer) -> tuple[str, ...]:
    named = (*_record(scorer).get("seen", {}), *_plan(scorer).get("spaces", ()))
    return tuple(_ALIASES.get(name, name) for name in named)


def _record(scorer: Scorer) -> Mapping[str, Any]:
    record: Mapping[str, Any] = getattr(scorer, "record", None) or {}
    return record


def _plan(scorer: Scorer) -> Mapping[str, Any]:
    plan: Mapping[str, Any] = _record(scorer).get("plan") or {}
    return plan
