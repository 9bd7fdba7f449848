from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from fxscore.cli import progress
from fxscore.cli.progress import RankingProgress
from fxscore.report import numbers
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


def test_counting_for_a_budget_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    console = Console(file=io.StringIO(), width=100)
    watcher = RankingProgress(4, console)
    watcher.working(REFS[:2])
    for _ in REFS:
        watcher.sized()
    watcher.left_out([ScoreRecord(REFS[0], error="no")], REFS[1:2])
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[1] == "1/4 counted for the budget, now: timm:net0, timm:net1"
    assert lines[4].startswith("4/4 counted for the budget")
    assert lines[5].startswith("1/3 1 failed")


def test_plain_lines_elsewhere_but_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert show(terminal=False) == ""
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    lines = show(terminal=False).splitlines()
    assert lines[0] == "0/4 now: timm:net0, timm:net1"
    assert lines[-1].startswith("2/4 1 failed, 1 cached, ")
    assert lines[-1].endswith(" failed, 1 cached, now: timm:net2"), "one result tells no rate"
    assert "\x1b" not in "".join(lines)


def test_the_time_left_is_told_by_results_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first waits for imports and for the counting of budgets, which no later one does."""
    clock = iter((0.0, 100.0, 101.0, 102.0, 103.0))
    now = [next(clock)]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watcher = RankingProgress(13, Console(file=io.StringIO()))
    told = []
    for _ in range(3):
        now[0] = next(clock)
        watcher.arrived(ScoreRecord(REFS[0], score=1.0), cached=False)
        told.append(watcher.text())
    assert told == ["", "", f"1/s, {numbers.seconds(10.0)} left"]
