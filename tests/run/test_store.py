from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fxscore.errors import StoreError
from fxscore.run import LocalExecutor, Store, evaluate, prune_store
from fxscore.run.store import StoredVerdict
from fxscore.run.store_file import VERSION
from fxscore.types import ScoreRecord
from tests.run.jobs import ToyJob, toy

REF = toy("a")


def record(score: float | None = 1.0, error: str | None = None, fingerprint: str | None = "f") -> ScoreRecord:
    return ScoreRecord(REF, score, error, 5, 6, 0.5, fingerprint, "s", "MACs without cdist")


def filled(path: Path, count: int = 50) -> Path:
    with Store(path) as store:
        context = store.context("s", "t", "1")
        for number in range(count):
            store.write(context, f"r{number}", record(float(number), fingerprint=f"f{number}"))
    return path


@pytest.mark.parametrize("path", [None, "deep/folder/store"])
def test_what_is_written_is_found(path: str | None, tmp_path: Path) -> None:
    with Store(path and tmp_path / path) as store:
        context = store.context("s", "t", "1")
        assert store.context("s", "t", "1") == context
        assert store.find(context, "r", REF, "s") is None
        store.write(context, "r", record())
        assert store.find(context, "r", REF, "s") == (record(), True)
        assert store.find(store.context("s", "t", "2"), "r", REF, "s") is None


def test_an_error_before_a_fingerprint_is_found(tmp_path: Path) -> None:
    with Store() as store:
        failed = record(None, "no", None)
        store.write(1, "r", failed, lasting=True)
        assert store.find(1, "r", REF, "s") == (failed, True)


def test_a_score_is_not_replaced_by_an_error() -> None:
    with Store() as store:
        context = store.context("s", "t", "1")
        store.write(context, "r", record(None, "passed the time limit"))
        found = store.find(context, "r", REF, "s")
        assert found == (record(None, "passed the time limit"), False)
        store.write(context, "r", record(2.0))
        store.write(context, "r", record(None, "passed the time limit"))
        assert store.find(context, "r", REF, "s") == (record(2.0), True)


def test_the_latest_error_of_an_architecture_counts() -> None:
    with Store() as store:
        context = store.context("s", "t", "1")
        store.write(context, "r", record(None, "passed the time limit"))
        store.write(context, "another recipe", record(None, "no score is finite"), lasting=True)
        assert store.verdict(context, "f") == StoredVerdict(None, "no score is finite", lasting=True)


def test_a_committed_record_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "store"
    code = (
        "import os, signal, sys\nfrom fxscore.run import Store\nfrom tests.run.test_store import record\n"
        "store = Store(sys.argv[1])\nstore.write(store.context('s', 't', '1'), 'r', record())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with Store(path) as store:
        assert store.find(store.context("s", "t", "1"), "r", REF, "s") == (record(), True)


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "store"
    code = (
        "import sys\nfrom fxscore.run import Store\nfrom tests.run.test_store import record\n"
        "store = Store(sys.argv[1])\ncontext = store.context('s', 't', '1')\n"
        "for number in range(300): store.write(context, sys.argv[2] + str(number), record(float(number)))\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with Store(path) as store:
        context = store.context("s", "t", "1")
        assert all(store.find(context, name + "299", REF, "s") for name in "abc")


def refuse_unchanged(path: Path, says: str) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError, match=says) as caught:
        Store(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_text("my thesis\n" * 1000)
    refuse_unchanged(path, "damaged .*not a database")


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    refuse_unchanged(path, "another program")


def test_an_older_store_is_brought_up_to_date_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = filled(tmp_path / "store", 3)
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE recipes DROP COLUMN note")
        old.execute("DROP TABLE vectors")
        old.execute("PRAGMA user_version = 1")
    old.close()
    for _ in range(2):
        with Store(path) as store:
            context = store.context("s", "t", "1")
            assert store.find(context, "r2", REF, "s") == (
                replace(record(2.0, fingerprint="f2"), note=None),
                True,
            )
            store.write(context, "new", record(4.0, fingerprint="f4"))
            assert store.find(context, "new", REF, "s") == (record(4.0, fingerprint="f4"), True)


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "store")
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {VERSION + 1}")
        other.execute("PRAGMA journal_mode = DELETE")
    other.close()
    refuse_unchanged(path, "newer fxscore .*update fxscore")


@pytest.mark.parametrize("version", [0, -1])
def test_a_format_that_never_was_is_damage(version: int, tmp_path: Path) -> None:
    path = filled(tmp_path / "store")
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {version}")
        other.execute("PRAGMA journal_mode = DELETE")
    other.close()
    refuse_unchanged(path, f"damaged .there is no format {version}")


@pytest.mark.parametrize("where", ["header", "middle", "cut"])
def test_a_damaged_store_is_refused(where: str, tmp_path: Path) -> None:
    path = filled(tmp_path / "store", 300)
    data = bytearray(path.read_bytes())
    if where == "cut":
        data = data[: len(data) // 2]
    else:
        start = 0 if where == "header" else len(data) // 2
        data[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    refuse_unchanged(path, "damaged")


def test_a_store_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file" / "store")


def test_a_locked_store_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "store")
    monkeypatch.setattr("fxscore.run.store_file.BUSY_SECONDS", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store(path) as store, pytest.raises(StoreError, match="locked by another process"):
        store.write(1, "r", record())
    other.close()


def test_a_record_costs_less_than_a_millisecond(tmp_path: Path) -> None:
    best = 1.0
    with Store(tmp_path / "store") as store:
        context = store.context("s", "t", "1")
        for number in range(500):
            begin = time.perf_counter()
            store.find(context, f"r{number}", REF, "s")
            store.verdict(context, f"f{number}")
            store.write(context, f"r{number}", record(fingerprint=f"f{number}"))
            best = min(best, time.perf_counter() - begin)
    assert best < 1e-3


def blocked(kind: str, path: Path) -> Path:
    """A place at which no store can be opened."""
    if kind == "folder":
        path.mkdir()
    elif kind == "file for its folder":
        path.write_text("")
        return path / "store.sqlite"
    elif kind == "text":
        path.write_text("my thesis\n" * 1000)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "no such device":
        return Path("/proc/fxscore/store.sqlite")
    return path


@pytest.mark.parametrize("kind", ["folder", "file for its folder", "text", "no such device", "pipe"])
def test_a_forgiving_store_goes_on_in_memory(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = blocked(kind, tmp_path / "place")
    with Store(path, forgiving=True) as store:
        context = store.context("s", "t", "1")
        store.write(context, "r", record())
        assert store.find(context, "r", REF, "s") == (record(), True)
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert f"{path}" in caplog.text
    assert "goes on" in caplog.text
    assert len(list(tmp_path.iterdir())) == (kind != "no such device"), "a journal beside it"


def test_a_disk_that_fills_up_ends_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = filled(tmp_path / "store", 3)
    with Store(path, forgiving=True) as store:
        store.context("s", "t", "1")
        context = store.context("s", "t", "2")
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")  # what sqlite says of a full disk
        for number in range(300):
            store.write(context, f"r{number}", record(float(number), fingerprint=f"f{number}"))
        assert store.context("s", "t", "2") == context
        assert store.find(context, "r299", REF, "s") == (record(299.0, fingerprint="f299"), True)
    assert caplog.text.count("database or disk is full") == 1
    with Store(path) as store:
        assert store.find(store.context("s", "t", "1"), "r2", REF, "s") is not None


def test_a_lock_that_stays_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = filled(tmp_path / "store")
    monkeypatch.setattr("fxscore.run.store_file.BUSY_SECONDS", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store(path, forgiving=True) as store:
        context = store.context("s", "t", "1")
        store.write(context, "r", record())
        assert store.verdict(context, "f") is not None
    other.close()
    assert "locked by another process" in caplog.text


def test_a_run_whose_store_fails_has_all_its_records(tmp_path: Path, local: LocalExecutor) -> None:
    refs = [toy(letter, value=place) for place, letter in enumerate("abcdef")]
    path = tmp_path / "store"
    with Store(path, forgiving=True) as store:
        found = []
        for one in evaluate(refs, ToyJob(), local, store):
            found.append(one)
            if len(found) == 2:
                store._db.execute("PRAGMA query_only = ON")  # as a disk that turns read-only
    assert sorted(one.score for one in found if one.score is not None) == [0, 1, 2, 3, 4, 5]


def test_numbers_beside_a_score_are_kept_and_pruned(tmp_path: Path) -> None:
    path, values = tmp_path / "store", (1.5, -0.1, 1e300)
    with Store(path) as store:
        context = store.context("s", "t", "1")
        store.write(context, "r", replace(record(), values=values))
        store.write(context, "q", record(fingerprint="g"))
        found = store.find(context, "r", REF, "s")
        assert found is not None
        assert found[0].values == values
        assert store.verdict(context, "f") == StoredVerdict(1.0, None, True, values)
        assert store.verdict(context, "g") == StoredVerdict(1.0, None, True)
    prune_store(path, scorer="s")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM vectors").fetchone() == (0,)
    db.close()


def test_a_store_from_before_takes_numbers(tmp_path: Path) -> None:
    path = filled(tmp_path / "store", 3)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE vectors")
        db.execute("PRAGMA user_version = 2")
    db.close()
    with Store(path) as store:
        context = store.context("s", "t", "1")
        assert store.find(context, "r2", REF, "s") is not None
        store.write(context, "r", replace(record(), values=(2.0,)))
        assert store.verdict(context, "f") == StoredVerdict(1.0, None, True, (2.0,))
