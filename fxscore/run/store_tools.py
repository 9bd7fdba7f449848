"""What a store holds, all of it as rows, and making it smaller."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TextIO

from fxscore.errors import StoreError
from fxscore.run.store_file import connect, explained, refuse_damage, transaction

COLUMNS = (
    *("name", "score", "error", "params", "macs", "seconds", "fingerprint"),
    *("scorer", "settings", "package", "written", "note"),
)
_ROWS = """
SELECT r.name, v.score, CASE WHEN v.score IS NULL THEN coalesce(v.error, r.error) END AS error,
       r.params, r.macs, r.seconds, r.fingerprint, c.scorer, c.settings, c.package, r.written, r.note
FROM recipes r JOIN contexts c ON c.id = r.context
LEFT JOIN verdicts v ON v.context = r.context AND v.fingerprint = r.fingerprint
ORDER BY c.id, v.score IS NULL, v.score DESC, r.name
"""
_COUNTS = """
SELECT c.scorer, c.settings, c.package, count(*) AS networks, count(v.score) AS scored,
       count(DISTINCT r.fingerprint) AS architectures, min(r.written) AS oldest, max(r.written) AS newest
FROM recipes r JOIN contexts c ON c.id = r.context
LEFT JOIN verdicts v ON v.context = r.context AND v.fingerprint = r.fingerprint
GROUP BY c.id ORDER BY c.id
"""


@dataclass(frozen=True)
class ContextInfo:
    """How much a store holds for one scorer, with one choice of settings, from one package version.

    Attributes:
        networks: recipes; `scored` of them have a score, the others an error.
        architectures: distinct fingerprints among them.
        oldest: when the first of them was written, in seconds of Unix time; `newest` the last.
    """

    scorer: str
    settings: str
    package: str
    networks: int
    scored: int
    architectures: int
    oldest: float
    newest: float


@dataclass(frozen=True)
class StoreInfo:
    """A store's place, size in bytes, and contents."""

    path: Path
    size: int
    contexts: tuple[ContextInfo, ...]


def store_info(path: Path) -> StoreInfo:
    """What a store holds, after a look through the whole file for damage; raises `StoreError`."""
    with closing(connect(path, create=False)) as db, explained(path):
        refuse_damage(db, path)
        contexts = tuple(ContextInfo(**dict(row)) for row in db.execute(_COUNTS))
    return StoreInfo(path, path.stat().st_size, contexts)


def export_rows(path: Path) -> Iterator[dict[str, Any]]:
    """One flat row (`COLUMNS`) for each network, the best of each context first; raises `StoreError`."""
    with closing(connect(path, create=False)) as db, explained(path):
        for row in db.execute(_ROWS):
            yield {**dict(row), "written": _iso(row["written"])}


def export_store(path: Path, stream: TextIO, form: str = "csv") -> int:
    """Write the rows of a store to an open text file, and count them.

    Args:
        path: the store.
        stream: opened with ``newline=""``.
        form: ``csv``, or ``jsonl`` for one JSON object a line.

    Raises:
        StoreError: there is no store, or it is damaged.
    """
    rows = 0
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    if form == "csv":
        writer.writeheader()
    for rows, row in enumerate(export_rows(path), 1):  # noqa: B007  the last number is the count
        if form == "csv":
            writer.writerow(row)
        else:
            stream.write(json.dumps(row) + "\n")
    return rows


def prune_store(
    path: Path,
    *,
    keep_package: str | None = None,
    older_than_days: float | None = None,
    scorer: str | None = None,
    errors: bool = False,
) -> int:
    """Remove the records that meet any of the conditions given, give the space back, and count them.

    Args:
        path: the store.
        keep_package: records of any other package version, which this version never reads
            (see `fxscore.run.version.package_version`).
        older_than_days: records written longer ago.
        scorer: records of this scorer.
        errors: records without a score.

    Raises:
        StoreError: there is no store, it is damaged, or no condition is given.
    """
    conditions = {
        "c.package <> ?": keep_package,
        "r.written < ?": None if older_than_days is None else time.time() - older_than_days * 86400,
        "c.scorer = ?": scorer,
        "v.score IS NULL AND ?": errors or None,
    }
    given = {text: value for text, value in conditions.items() if value is not None}
    if not given:
        raise StoreError(
            "say which records to prune: other package versions, old ones, a scorer's, or errors"
        )
    return _remove(path, " OR ".join(f"({text})" for text in given), tuple(given.values()))


def _remove(path: Path, condition: str, values: tuple[Any, ...]) -> int:
    doomed = f"""DELETE FROM recipes WHERE (context, recipe) IN (
        SELECT r.context, r.recipe FROM recipes r JOIN contexts c ON c.id = r.context
        LEFT JOIN verdicts v ON v.context = r.context AND v.fingerprint = r.fingerprint WHERE {condition})"""
    with closing(connect(path, create=False)) as db, explained(path):
        with transaction(db):
            removed = db.execute(doomed, values).rowcount
            db.execute(
                "DELETE FROM verdicts WHERE (context, fingerprint) NOT IN "
                "(SELECT context, fingerprint FROM recipes WHERE fingerprint IS NOT NULL)"
            )
            db.execute(
                "DELETE FROM vectors WHERE (context, fingerprint) NOT IN (SELECT context, fingerprint FROM verdicts)"
            )
            db.execute("DELETE FROM contexts WHERE id NOT IN (SELECT context FROM recipes)")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return removed


def _iso(written: float) -> str:
    return datetime.fromtimestamp(written, timezone.utc).isoformat(timespec="seconds")
