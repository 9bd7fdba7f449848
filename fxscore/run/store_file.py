"""The store's sqlite file: making it, opening it, and saying plainly why it cannot be opened.

A file that is not a store, or is damaged, or comes from a newer version, is refused before anything is
written to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from fxscore.errors import StoreError
from fxscore.reading import is_file, is_stream

APPLICATION = 0x66785363  # "fxSc", in the file's header
VERSION = 3
BUSY_SECONDS = 30.0
CHECKED_BYTES = 64 << 20
_VECTORS = """
CREATE TABLE vectors (
    context INTEGER NOT NULL REFERENCES contexts, fingerprint TEXT NOT NULL, numbers BLOB NOT NULL,
    PRIMARY KEY (context, fingerprint)) WITHOUT ROWID;
"""
_UPGRADES = {1: "ALTER TABLE recipes ADD COLUMN note TEXT", 2: _VECTORS}  # from this format to the next
SCHEMA = """
CREATE TABLE contexts (
    id INTEGER PRIMARY KEY, scorer TEXT NOT NULL, settings TEXT NOT NULL, package TEXT NOT NULL,
    UNIQUE (scorer, settings, package));
CREATE TABLE verdicts (
    context INTEGER NOT NULL REFERENCES contexts, fingerprint TEXT NOT NULL, score REAL, error TEXT,
    lasting INTEGER NOT NULL, PRIMARY KEY (context, fingerprint)) WITHOUT ROWID;
CREATE TABLE recipes (
    context INTEGER NOT NULL REFERENCES contexts, recipe BLOB NOT NULL, name TEXT NOT NULL,
    fingerprint TEXT, error TEXT, lasting INTEGER NOT NULL, params INTEGER, macs INTEGER,
    seconds REAL NOT NULL, written REAL NOT NULL, note TEXT, PRIMARY KEY (context, recipe)) WITHOUT ROWID;
"""


def default_store_path() -> Path:
    """The store's place in the platform's cache folder."""
    return platformdirs.user_cache_path("fxscore", appauthor=False) / "store.sqlite"


def connect(path: Path | None, create: bool = True) -> sqlite3.Connection:
    """Open the store's file; None is a private file that vanishes on close.

    Raises:
        StoreError: there is none (where `create` is false), or it is damaged, foreign, locked or too new.
    """
    if path is not None and not create and not is_file(path):
        raise StoreError(f"there is no store at {path}")
    if path is not None and is_stream(path):  # sqlite would make its journal beside it all the same
        raise StoreError(f"the store {path} cannot be used: it is no regular file")
    with explained(path):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path or "", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _make_ready(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_in_memory() -> sqlite3.Connection:
    """A private store that needs no disk, which may be what is full."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _make_ready(connection, None)
    return connection


def _make_ready(connection: sqlite3.Connection, path: Path | None) -> None:
    connection.row_factory = sqlite3.Row
    if _is_new(connection):
        with transaction(connection, "EXCLUSIVE"):
            if _is_new(connection):  # and no other process was faster
                _create(connection)
    _refuse_others(connection, path)
    if path is not None and path.stat().st_size <= CHECKED_BYTES:  # 0.2 s at that size
        refuse_damage(connection, path)
    _upgrade(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _is_new(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    for statement in (SCHEMA + _VECTORS).split(";"):
        connection.execute(statement)


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring a file of an older format to this one; what it holds stays."""
    if _version(connection) < VERSION:
        with transaction(connection, "EXCLUSIVE"):
            for version in range(_version(connection), VERSION):  # read again: no other process writes now
                connection.execute(_UPGRADES[version])
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_others(connection: sqlite3.Connection, path: Path | None) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise StoreError(f"{path} is a database of another program; give the store another path")
    version = _version(connection)
    if version < 1:
        raise _damaged(path, f"there is no format {version}")
    if version > VERSION:
        raise StoreError(
            f"the store {path} was written by a newer fxscore (format {version}, this one reads {VERSION}); "
            "update fxscore, or give the store another path"
        )


def refuse_damage(connection: sqlite3.Connection, path: Path | None) -> None:
    """Look through the whole file; raises `StoreError` at the first fault."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(path, found)


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # the fault itself may have rolled back
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn what sqlite and the file system say into one clear line."""
    try:
        yield
    except (sqlite3.NotSupportedError, sqlite3.ProgrammingError):
        raise  # a fault of this code, not of the file
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreError(
                f"the store {path} was locked by another process for {BUSY_SECONDS:g} s"
            ) from None
        raise StoreError(f"the store {path} cannot be used: {error}") from None
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from None
    except OSError as error:
        raise StoreError(f"the store {path} cannot be used: {error.strerror or error}") from None


def _damaged(path: Path | None, found: str) -> StoreError:
    what = " ".join(found.split())
    return StoreError(
        f"the store {path} is damaged ({what}); it is left as it is: move it away, or give another path"
    )
