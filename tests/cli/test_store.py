from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from fxscore.cli.app import run
from fxscore.run import Store, package_version
from fxscore.types import ModelRef, ScoreRecord

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.sqlite"
    with Store(path) as opened:
        now = opened.context("ft-general", "batch=16", package_version())
        old = opened.context("ft-general", "batch=16", "0.0.1")
        opened.write(now, "a", ScoreRecord(ModelRef("timm", "a[b]"), score=1.5, params=10, fingerprint="f1"))
        opened.write(now, "b", ScoreRecord(ModelRef("timm", "b"), error="no", fingerprint="f2"))
        opened.write(old, "c", ScoreRecord(ModelRef("timm", "c"), score=2.0, fingerprint="f3"))
    return path


def names(store: Path, capsys: Captured) -> list[str]:
    assert run(["store", "export", "--store", str(store)]) == 0
    return [row["name"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))]


def test_info_counts(store: Path, capsys: Captured) -> None:
    assert run(["store", "info", "--store", str(store)]) == 0
    out = capsys.readouterr().out
    assert f"{store}: 3 networks" in out
    line = next(line for line in out.splitlines() if package_version() in line)
    assert line.split()[3:6] == ["2", "1", "2"]


def test_export_to_stdout_and_files(store: Path, capsys: Captured, tmp_path: Path) -> None:
    assert names(store, capsys) == ["timm:a[b]", "timm:b", "timm:c"]
    file = tmp_path / "out.jsonl"
    assert run(["store", "export", str(file), "--store", str(store)]) == 0
    assert capsys.readouterr() == ("", f"3 records written to {file}\n")
    assert [json.loads(line)["score"] for line in file.read_text().splitlines()] == [1.5, None, 2.0]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("--errors", ["timm:a[b]", "timm:c"]),
        ("--other-versions", ["timm:a[b]", "timm:b"]),
        ("--scorer ft-general", []),
        ("--older-than 1", ["timm:a[b]", "timm:b", "timm:c"]),
    ],
)
def test_prune_removes_what_is_asked(store: Path, capsys: Captured, condition: str, left: list[str]) -> None:
    assert run(["store", "prune", *condition.split(), "--store", str(store)]) == 0
    assert capsys.readouterr().out == f"{3 - len(left)} records removed\n"
    assert names(store, capsys) == left


@pytest.mark.parametrize("command", ["info", "export", "prune --errors"])
def test_no_store_and_a_foreign_file_are_one_line_and_two(
    tmp_path: Path, capsys: Captured, command: str
) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"no database" * 1000)
    for path in (tmp_path / "none", foreign):
        assert run(["store", *command.split(), "--store", str(path)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("fxscore: ")
        assert len(err.splitlines()) == 1
    assert foreign.read_bytes() == b"no database" * 1000
    assert not (tmp_path / "none").exists()


def test_prune_without_a_condition_removes_nothing(store: Path, capsys: Captured) -> None:
    assert run(["store", "prune", "--store", str(store)]) == 2
    assert "say which records to prune" in capsys.readouterr().err
    assert len(names(store, capsys)) == 3
