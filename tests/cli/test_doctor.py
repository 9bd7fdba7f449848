"""`fxscore doctor`: what an installation is, and what is wrong with it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from fxscore import checkup
from fxscore.cli.app import run
from fxscore.errors import ScorerError
from fxscore.extras import PACKAGES
from tests.cli.test_extras import hide

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Without workers: they are tried once, below."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkup, "_self_test", lambda scorer: checkup.Finding("self-test", f"by {scorer}"))
    return tmp_path


def told(capsys: Captured) -> dict[str, Any]:
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)}


def test_two_networks_are_scored_here_and_in_a_worker() -> None:
    finding = checkup._self_test("params")
    assert finding.sound
    assert "two networks by params" in finding.text


def test_all_that_a_bug_report_needs_is_printed(quick: Path, capsys: Captured) -> None:
    assert run(["doctor", "--store", str(quick / "none.sqlite")]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.partition(":")[0] for line in lines]
    assert names == [
        *("settings", "Python", *checkup.PACKAGES),
        *(f"extra {extra}" for extra in PACKAGES),
        *("cores", "memory", "accelerator", "store", "self-test"),
    ]
    assert f"torch: {version('torch')}" in lines
    assert f"extra search: pymoo {version('pymoo')}" in lines
    assert lines[-2].endswith("none.sqlite: none yet")
    assert lines[-1] == "self-test: by None"


def test_an_extra_that_is_missing_is_no_fault(
    quick: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    hide(monkeypatch, "pymoo")
    assert run(["doctor", "--json", "--store", str(quick / "none.sqlite")]) == 0
    found = told(capsys)
    assert "pip install 'fxscore[search]'" in found["extra search"]["text"]
    assert found["extra search"]["sound"]


def test_what_is_wrong_is_told_and_the_exit_code(quick: Path, capsys: Captured) -> None:
    (quick / "bad.sqlite").write_text("this is no store" * 100)
    assert run(["doctor", "--store", str(quick / "bad.sqlite"), "--json"]) == 1
    found = told(capsys)
    assert not found["store"]["sound"]
    assert "bad.sqlite" in found["store"]["text"]
    (quick / "fxscore.toml").write_text("workers = 'four'\n")
    assert run(["doctor", "--store", str(quick / "none.sqlite")]) == 1
    assert "settings: WRONG, No setting is in force: " in capsys.readouterr().out


def test_settings_are_shown_and_used(quick: Path, capsys: Captured) -> None:
    (quick / "fxscore.toml").write_text('scorer = "macs"\nstore = "own.sqlite"\n')
    assert run(["doctor", "--json"]) == 0
    found = told(capsys)
    assert "scorer = macs" in found["settings"]["text"]
    assert found["self-test"]["text"] == "by macs"
    assert str(quick / "own.sqlite") in found["store"]["text"]


@pytest.mark.parametrize(
    ("scores", "here", "words"),
    [
        ((2.0, 1.0), (2.0, 1.0), None),
        ((2.0, 1.0), (2.0, 1.5), "; here 2.0, 1.5"),
        ((1.0, 1.0), (1.0, 1.0), "no difference"),
    ],
)
def test_scores_that_differ_by_process_or_not_at_all_are_faults(
    scores: tuple[float, float], here: tuple[float, float], words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fxscore.types import ModelRef, Ranking, ScoreRecord

    known = dict(zip(checkup.CELLS, scores, strict=True))
    records = [ScoreRecord(ModelRef.parse(cell), score=value) for cell, value in known.items()]
    monkeypatch.setattr(checkup, "rank", lambda *_, **__: Ranking.of(records))
    local = dict(zip(checkup.CELLS, here, strict=True))
    monkeypatch.setattr(checkup, "score", lambda cell, **_: local[cell])
    finding = checkup._self_test("params")
    assert finding.sound == (words is None)
    assert (words or "the same in a worker and in this process") in finding.text


def test_errors_of_the_self_test_are_its_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxscore.types import ModelRef, Ranking, ScoreRecord

    failed = Ranking.of([ScoreRecord(ModelRef.parse(cell), error="killed") for cell in checkup.CELLS])
    monkeypatch.setattr(checkup, "rank", lambda *_, **__: failed)
    monkeypatch.setattr(checkup, "score", lambda *_, **__: 1.0)
    assert checkup._self_test("params") == checkup.Finding(
        "self-test", "a worker could not score: killed", sound=False
    )

    def refused(*_: object, **__: object) -> Ranking:
        raise ScorerError("no such scorer")

    monkeypatch.setattr(checkup, "rank", refused)
    assert checkup._self_test("params") == checkup.Finding("self-test", "no such scorer", sound=False)
