"""The board of the general scorer on made populations: its tables, and probabilities against what came true."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.quality import board
from benchmarks.quality.opponents import COLUMNS
from tests.train.general.made import lesson, shared


@pytest.fixture
def sections(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> dict[str, str]:
    """What the board writes, by key, and prints; pictures lie in `tmp_path`."""
    lessons = [lesson(name, shared) for name in ("a", "b", "c", "d")]
    written: dict[str, str] = {}

    def draw(name: str, title: str, picture: Callable[[Path], object]) -> str:
        picture(tmp_path / name)
        return f"![{title}]({name})"

    monkeypatch.setattr(board, "read_lessons", lambda *_, **__: lessons)

    def keep(key: str, title: str, body: str, command: str, headline: str = "") -> None:
        written[key] = body

    rows = [dict.fromkeys(COLUMNS, "1") | {"table": "a", "network": str(ref)} for ref in lessons[0].refs[:12]]
    monkeypatch.setattr(board, "kept_rows", lambda file: rows)
    monkeypatch.setattr(board, "write_section", keep)
    monkeypatch.setattr(board, "write_block", lambda key, body, file: written.update({key: body}))
    monkeypatch.setattr(board, "picture", draw)
    monkeypatch.setattr(sys, "argv", ["board", "--data", str(tmp_path), "--candidates", "1", "--write"])
    board.main()
    return {**written, "printed": capsys.readouterr().out}


def test_one_run_writes_the_board_and_the_calibration_with_its_plot(
    sections: dict[str, str], tmp_path: Path
) -> None:
    assert list(sections) == ["board", "opponents", "calibration", "quality", "printed"]
    assert (tmp_path / "calibration.png").stat().st_size > 10_000
    text = sections["calibration"]
    assert text.startswith("![Probabilities against what came true](calibration.png)")
    assert "over 7080 pairs of 4 origins" in text  # 60 networks each
    bins, origins = (block for block in text.split("\n\n") if block.startswith("|"))
    assert [line.split(" | ")[0] for line in origins.splitlines()[2:]] == ["| a", "| b", "| c", "| d"]
    shares = [float(line.split(" | ")[-1].strip(" |")) for line in bins.splitlines()[2:]]
    assert sum(shares) == pytest.approx(1, abs=0.01)
    assert text.partition("\n\n")[2] in sections["printed"]


def test_opponents_stand_beside_the_scorer_on_the_networks_that_they_were_measured_on(
    sections: dict[str, str],
) -> None:
    text = sections["opponents"]
    heads, _, only, mean = (line for line in text.split("\n\n")[1].splitlines())
    assert heads.startswith("| task | n | general | params |")
    assert "ridge on sizes | naswot |" in heads
    assert only.startswith("| a/accuracy | 12 | ")
    assert mean.startswith("| **mean** | 1 | ")
    assert text.partition("\n\n")[0] in sections["printed"]
