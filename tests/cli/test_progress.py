from __future__ import annotations

import io

import pytest
from rich.console import Console

from fxscore.cli import progress
from fxscore.cli.progress import RankingProgress
from fxscore.types import ModelRef, ScoreRecord

REFS = [ModelRef("timm", f"net{number}") for number in range(4)]


def show(terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    with RankingProgress(4, console) as watcher:
        watcher.working(REFS[:2])
        watcher.arrived(ScoreRecord(REFS[0], score=1.0), cached=True)
        watcher.arrived(ScoreRecord(REFS[1], error="no"), cached=False)
        watcher.working(REFS[2:3])
    assert [record.ref for record in watcher.records] == REFS[:2]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_bar_on_a_terminal() -> None:
    shown = show(terminal=True)
    assert "2/4" in shown
    assert "1 failed, 1 cached" in shown
    assert "now: timm:net2" in shown


def test_plain_lines_elsewhere_but_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert show(terminal=False) == ""
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    lines = show(terminal=False).splitlines()
    assert lines[0] == "0/4 now: timm:net0, timm:net1"
    assert lines[-1].startswith("2/4 1 failed, 1 cached, ")
    assert lines[-1].endswith(" left, now: timm:net2")
    assert "\x1b" not in "".join(lines)
