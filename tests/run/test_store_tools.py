from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from fxscore.errors import StoreError
from fxscore.run import Store, export_rows, export_store, prune_store, store_info
from fxscore.run.store_tools import COLUMNS
from fxscore.types import ScoreRecord
from tests.run.jobs import toy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two package versions; in each, ten scores of nine architectures and two errors."""
    path = tmp_path / "store"
    with Store(path) as store:
        for package in ("1", "2"):
            context = store.context("s", "t", package)
            for number in range(10):
                fingerprint = f"f{min(number, 8)}"
                known = (float(min(number, 8)), None, 1, 2, 0.1, fingerprint)
                store.write(context, f"r{number}", ScoreRecord(toy(str(number)), *known))
            store.write(context, "x", ScoreRecord(toy("loop"), error="a loop"), lasting=True)
            store.write(context, "y", ScoreRecord(toy("slow"), error="time", fingerprint="g"))
    return path


def test_info_counts(path: Path) -> None:
    info = store_info(path)
    assert info.size == path.stat().st_size > 0
    assert [(c.package, c.networks, c.scored, c.architectures) for c in info.contexts] == [
        ("1", 12, 10, 10),
        ("2", 12, 10, 10),
    ]
    assert info.contexts[0].oldest <= info.contexts[0].newest


def test_rows_are_flat_and_best_first(path: Path) -> None:
    rows = list(export_rows(path))
    assert len(rows) == 24
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["name"], rows[0]["score"], rows[0]["error"]) == ("toy:8", 8.0, None)
    assert [row["error"] for row in rows[10:12]] == ["a loop", "time"]


def test_exports_read_back(path: Path) -> None:
    table, lines = io.StringIO(newline=""), io.StringIO()
    assert export_store(path, table) == export_store(path, lines, "jsonl") == 24
    read = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert [row["name"] for row in read] == [
        json.loads(line)["name"] for line in lines.getvalue().splitlines()
    ]
    assert read[0]["score"] == "8.0"


@pytest.mark.parametrize(
    ("condition", "removed"),
    [
        ({"keep_package": "2"}, 12),
        ({"errors": True}, 4),
        ({"scorer": "s"}, 24),
        ({"scorer": "other"}, 0),
        ({"older_than_days": 1}, 0),
        ({"older_than_days": -1}, 24),
        ({"keep_package": "2", "errors": True}, 14),
    ],
)
def test_prune_removes_what_meets_any_condition(
    path: Path, condition: dict[str, object], removed: int
) -> None:
    assert prune_store(path, **condition) == removed  # type: ignore[arg-type]
    assert sum(1 for _ in export_rows(path)) == 24 - removed
    with sqlite3.connect(path) as db:
        orphans = db.execute(
            "SELECT count(*) FROM verdicts v WHERE NOT EXISTS "
            "(SELECT 1 FROM recipes r WHERE r.fingerprint = v.fingerprint AND r.context = v.context)"
        ).fetchone()
    db.close()
    assert orphans == (0,)


def test_prune_without_a_condition_removes_nothing(path: Path) -> None:
    with pytest.raises(StoreError, match="say which"):
        prune_store(path)
    assert sum(1 for _ in export_rows(path)) == 24


def test_tools_make_no_store(tmp_path: Path) -> None:
    for tool in (
        store_info,
        lambda path: list(export_rows(path)),
        lambda path: prune_store(path, errors=True),
    ):
        with pytest.raises(StoreError, match="there is no store"):
            tool(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
