"""What is known already, in one sqlite file: verdicts by fingerprint, and the fingerprints of recipes.

Key of a score: architecture fingerprint × context, where a context is scorer × settings × package version. A
second table maps a recipe (with its file's hash and the library versions, `Job.recipe_key`) to its
fingerprint in a context, so that a second run captures nothing, and equal architectures under other names are
computed once. A third one has the numbers that are found beside a score, such as the features of a fit.

Write-ahead log, ``synchronous=NORMAL``: a record that is written survives ``kill -9`` of the process (a power
cut may lose the last records, never the file). Several rankings may write to one store at once. It must lie
on a local disk.

A *forgiving* store costs no run: where its file cannot be opened or used any more (a read-only home, a full disk, a
lock that stays), it warns once and goes on in memory.

What answers a later run: scores, and errors by which fxscore itself says that a network cannot be scored
(*lasting* errors). Other errors (death, a passed limit, a file that does not build, an exception from
elsewhere) are written down too, for an export, but the next run tries again.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fxscore.errors import StoreError
from fxscore.run.store_file import connect, connect_in_memory, default_store_path, explained, transaction
from fxscore.types import ModelRef, ScoreRecord

T = TypeVar("T")
_logger = logging.getLogger(__name__)

_FIND = """
SELECT r.fingerprint, r.params, r.macs, r.seconds, r.note, v.score, coalesce(v.error, r.error) AS error,
       coalesce(v.lasting, r.lasting) AS lasting, n.numbers
FROM recipes r LEFT JOIN verdicts v ON v.context = r.context AND v.fingerprint = r.fingerprint
LEFT JOIN vectors n ON n.context = r.context AND n.fingerprint = r.fingerprint
WHERE r.context = ? AND r.recipe = ?
"""
_VERDICT = """
SELECT score, error, lasting, numbers FROM verdicts LEFT JOIN vectors USING (context, fingerprint)
WHERE context = ? AND fingerprint = ?
"""
# A score is never replaced by an error: another ranking may have had more time or memory.
_WRITE_VERDICT = """
INSERT INTO verdicts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET score = excluded.score, error = excluded.error, lasting = excluded.lasting
WHERE excluded.score IS NOT NULL OR verdicts.score IS NULL
"""
_WRITE_RECIPE = "INSERT OR REPLACE INTO recipes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class StoredVerdict:
    """The score, or the error, of one fingerprint; `lasting` where trying again must end the same."""

    score: float | None
    error: str | None
    lasting: bool
    values: tuple[float, ...] = ()


class Store:
    """An open store; its methods may be called from several threads.

    Args:
        path: the file, made with its folder where there is none (see `default_store_path`); None is a store
            that ends with this object and, past a few megabytes, lies on disk.
        forgiving: warn where the file cannot be used, and go on in memory.

    Raises:
        StoreError: the file is damaged, foreign, locked or from a newer version; it is left as it is.
    """

    def __init__(self, path: Path | str | None = None, *, forgiving: bool = False) -> None:
        self.path = None if path is None else Path(path)
        self._forgiving = forgiving
        self._lock = threading.RLock()
        self._contexts: dict[tuple[str, str, str], int] = {}
        try:
            self._db = connect(self.path)
        except StoreError as error:
            if not forgiving:
                raise
            self._go_on_in_memory(error)

    def context(self, scorer: str, settings: str, package: str) -> int:
        """The number of a context, new or known."""
        key = (scorer, settings, package)

        def number(db: sqlite3.Connection) -> int:
            db.execute("INSERT OR IGNORE INTO contexts (scorer, settings, package) VALUES (?, ?, ?)", key)
            query = "SELECT id FROM contexts WHERE (scorer, settings, package) = (?, ?, ?)"
            return int(db.execute(query, key).fetchone()[0])

        self._contexts[key] = self._use(number)
        return self._contexts[key]

    def find(
        self, context: int, recipe: str, ref: ModelRef, scorer_id: str
    ) -> tuple[ScoreRecord, bool] | None:
        """The record of a recipe, if there is one, and whether it is lasting (a score always is)."""
        row = self._row(_FIND, (context, _digest(recipe)))
        if row is None or (row["score"] is None and row["error"] is None):
            return None
        error = row["error"] if row["score"] is None else None
        known = (row["params"], row["macs"], row["seconds"], row["fingerprint"])
        beside = (row["note"], _unpacked(row["numbers"]))
        return ScoreRecord(ref, row["score"], error, *known, scorer_id, *beside), bool(row["lasting"])

    def verdict(self, context: int, fingerprint: str) -> StoredVerdict | None:
        """What is known of a fingerprint."""
        row = self._row(_VERDICT, (context, fingerprint))
        if row is None:
            return None
        return StoredVerdict(row["score"], row["error"], bool(row["lasting"]), _unpacked(row["numbers"]))

    def write(self, context: int, recipe: str, record: ScoreRecord, lasting: bool = False) -> None:
        """Write one record; it is safe from a ``kill -9`` when this returns."""
        lasting = lasting or record.score is not None

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                if record.fingerprint is not None:
                    verdict = (context, record.fingerprint, record.score, record.error, lasting)
                    db.execute(_WRITE_VERDICT, verdict)
                if record.fingerprint is not None and record.values:
                    vector = (context, record.fingerprint, _packed(record.values))
                    db.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", vector)
                db.execute(_WRITE_RECIPE, _recipe_row(context, recipe, record, lasting))

        self._use(write)

    def _row(self, query: str, values: tuple[object, ...]) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._use(lambda db: db.execute(query, values).fetchone())
        return row

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` finds or does in the file; in memory, where a forgiving store's file fails."""
        with self._lock:
            try:
                with explained(self.path):
                    return work(self._db)
            except StoreError as error:
                if not self._forgiving:
                    raise
                self._db.close()
                self._go_on_in_memory(error)
                return work(self._db)

    def _go_on_in_memory(self, error: StoreError) -> None:
        _logger.warning("%s; the run goes on, but its results are not kept", error)
        self.path, self._forgiving = None, False
        self._db = connect_in_memory()
        for key, number in self._contexts.items():  # they are at work under these numbers
            self._db.execute("INSERT INTO contexts VALUES (?, ?, ?, ?)", (number, *key))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_store(path: Path | str | None = None) -> Store:
    """The forgiving store of a command: that file, or the one in the user's cache folder."""
    return Store(path or default_store_path(), forgiving=True)


def _packed(values: tuple[float, ...]) -> bytes:
    """As doubles, least significant byte first."""
    return struct.pack(f"<{len(values)}d", *values)


def _unpacked(data: bytes | None) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 8}d", data) if data else ()


def _digest(recipe: str) -> bytes:
    return hashlib.sha256(recipe.encode()).digest()[:16]


def _recipe_row(context: int, recipe: str, record: ScoreRecord, lasting: bool) -> tuple[object, ...]:
    error = record.error if record.fingerprint is None else None  # with a fingerprint, the verdict has it
    key = (context, _digest(recipe), str(record.ref), record.fingerprint, error, lasting)
    return (*key, _fitting(record.params), _fitting(record.macs), record.seconds, time.time(), record.note)


def _fitting(count: int | None) -> int | None:
    """A count that sqlite's integers hold; a larger one is not kept."""
    return count if count is None or count < 1 << 63 else None
