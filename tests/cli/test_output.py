"""Results reach a file or stdout; what cannot be written is refused before the work, and never costs the table."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from fxscore.cli import output
from fxscore.cli.app import run
from fxscore.errors import OutputError
from fxscore.run.store_file import connect
from tests.cli.conftest import FakeBackEnd

Captured = pytest.CaptureFixture[str]
NETWORK = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
"""


@pytest.mark.parametrize("place", ["", "no/such.csv", "table.csv/x.csv", "a" * 300])
def test_what_cannot_be_written_is_refused_before_the_work(
    place: str, back_end: FakeBackEnd, capsys: Captured, tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text("")
    assert run(["rank", "zoo/vit.py", f"--csv={tmp_path / place}"]) == 2
    out, err = capsys.readouterr()
    assert (out, back_end.asked) == ("", {})
    assert err.startswith(f"fxscore: {tmp_path / place} cannot be written: ")
    assert len(err.splitlines()) == 1


def test_one_file_for_two_results_is_refused(back_end: FakeBackEnd, capsys: Captured, tmp_path: Path) -> None:
    same = [f"--csv={tmp_path / 'a'}", f"--json={tmp_path / 'b' / '..' / 'a'}"]
    assert run(["rank", "zoo/vit.py", *same]) == 2
    assert "is given for two results" in capsys.readouterr().err


def test_the_check_leaves_everything_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("mine")
    output.check_targets(str(old), tmp_path / "new.csv", tmp_path / "deep" / "er" / "new.csv", "-", None)
    assert os.listdir(tmp_path) == ["old.csv"]
    assert old.read_text() == "mine"
    with pytest.raises(OutputError, match=r"old\.csv is what is read"):
        output.check_targets(tmp_path / "x" / ".." / "old.csv", inputs=[old])


def test_a_pipe_is_not_opened_by_the_check(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    output.check_targets(str(tmp_path / "pipe"))  # opening it would wait for a reader


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full device")
def test_a_full_disk_costs_neither_table_nor_the_other_file(
    back_end: FakeBackEnd, capsys: Captured, tmp_path: Path
) -> None:
    assert run(["rank", "zoo/vit.py", "--json=/dev/full", f"--csv={tmp_path / 'a.csv'}"]) == 1
    out, err = capsys.readouterr()
    assert "zoo/vit.py" in out
    assert "zoo/vit.py" in (tmp_path / "a.csv").read_text()
    assert err.startswith("fxscore: a result was not written: ")
    assert "No space left" in err


def test_a_table_of_results_is_not_overwritten_by_its_scorer(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "results.csv"
    path.write_text("model,accuracy\n")
    assert run(["fit", str(path), "--out", str(path)]) == 2
    assert "is what is read" in capsys.readouterr().err
    assert path.read_text() == "model,accuracy\n"


@pytest.mark.parametrize("command", ["rank", "score"])
def test_no_place_for_a_store_is_a_warning(command: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    (tmp_path / "home").write_text("a file in the place of the cache folder")
    where = ["--store", str(tmp_path / "home" / "store.sqlite")]
    assert run([command, str(tmp_path / "net.py"), "--scorer", "params", *where]) == 0
    out, err = capsys.readouterr()
    assert "112" in out
    assert "its results are not kept" in err
    assert run([command, str(tmp_path / "net.py"), "--scorer", "params", "--no-store", *where]) == 0
    assert "store" not in capsys.readouterr().err


def test_a_score_is_kept_where_it_is_told_to(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    store = tmp_path / "own.sqlite"
    assert run(["score", str(tmp_path / "net.py"), "--scorer", "params", "--store", str(store)]) == 0
    capsys.readouterr()
    assert run(["store", "export", "--store", str(store)]) == 0
    assert "112" in capsys.readouterr().out


def there(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, with its content."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        "rank net.py --scorer params --json=net.py",
        "rank net.py --csv=other.py 'o*.py'",
        "rank net.py:build{} --scorer s.safetensors --csv=./s.safetensors",
        "rank net.py --store kept.sqlite --json=kept.sqlite",
        "rank net.py --log-file linked.py",
        "rank net.py --log-file rows.json --json=rows.json",
        "score net.py:build --log-file net.py",
        "explain net.py --json=net.py",
        "draw net.py --out net.py",
        "draw net.py --log-file net.py",
        "models 'n*.py' --json=net.py",
        "models net.py --json=no/such.json",
        "scorers --json=no/such.json",
        "data --json=no/such.json",
        "data nasbench_macro --folder net.py",
        "evaluate nasbench_macro --data table.json --csv=table.json",
        "fit results.csv --log-file results.csv",
        "search net.py:Space --out net.py",
        "search net.py:Space --log-file net.py",
        "search network.py:Space --out .",
        "train --plan table.json --out table.json",
        "train-network net.py --dataset digits --out net.py",
        "store export --store kept.sqlite kept.sqlite",
        "store export --store kept.sqlite linked.sqlite",
        "store export --store kept.sqlite no/such.csv",
    ],
)
def test_what_is_read_is_never_written_over(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("net.py", "other.py", "network.py"):
        Path(name).write_text(NETWORK)
    for name in ("s.safetensors", "table.json", "results.csv"):
        Path(name).write_text("something")
    connect(Path("kept.sqlite"), create=True).close()
    os.link("net.py", "linked.py")
    os.link("kept.sqlite", "linked.sqlite")
    before = there(tmp_path)
    assert run(shlex.split(words)) == 2
    _, err = capsys.readouterr()
    assert "what is read" in err or "cannot be written" in err or "two results" in err
    assert len(err.splitlines()) == 1
    assert there(tmp_path) == before


def test_a_link_in_a_circle_is_no_reason_to_end(tmp_path: Path) -> None:
    (tmp_path / "circle.py").symlink_to("circle.py")
    output.check_targets(tmp_path / "a.csv", inputs=[tmp_path / "circle.py"])
    with pytest.raises(OutputError, match="cannot be written"):
        output.check_targets(tmp_path / "circle.py")


@pytest.mark.parametrize("closed", [("stdin",), ("stdout",), ("stderr",), ("stdin", "stdout", "stderr")])
def test_a_closed_stream_is_no_reason_to_end(
    closed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python has None for a stream that was closed by `>&-`."""
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert run(["rank", "no_such.py", "--no-store", f"--csv={tmp_path / 'rows.csv'}"]) == 1
    assert run(["models", "no_such.py"]) == 0
    assert "no such file" in (tmp_path / "rows.csv").read_text()
    assert not any(getattr(sys, name) is None for name in closed)
