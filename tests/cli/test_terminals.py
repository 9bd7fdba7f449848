"""Every command on every terminal: encodings without Greek, forty columns, colours forced and forbidden, a pipe."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from fxscore.cli.app import app, run
from fxscore.report.narrowing import NarrowingTable
from fxscore.run.store import Store
from fxscore.types import ModelRef, ScoreRecord

LONG = "nets/ré-seau_λ_" + "x" * 25 + ".py"
COMMANDS = {
    "rank": ["rank", "zoo/vit.py", LONG, "zoo/bad.py"],
    "scorers": ["scorers"],
    "one scorer": ["scorers", "general"],
    "data": ["data"],
    "models": ["models", LONG],
    "store": ["store", "info"],
    "evaluate": ["evaluate", "--help"],
    "train": ["train", "--help"],
    "train-network": ["train-network", "--help"],
    "search": ["search", "--help"],
    "fit": ["fit", "--help"],
    "wrong": ["rank", LONG, "--sort", "λ"],
}

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Runs a command with streams of an encoding: exit code, and what came out."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Store(tmp_path / "fxscore" / "store.sqlite") as store:
        context = store.context("λ-scorer", "input_shape=own", "1")
        store.write(context, "x", ScoreRecord(ModelRef("a", "b"), score=1.0, fingerprint="f"))

    def command(words: list[str], encoding: str) -> tuple[int, str, str]:
        if words[0] in ("rank", "models"):
            request.getfixturevalue("back_end")
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2)]
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        code = run(words)
        out, err = (stream.buffer.getvalue() for stream in streams)
        seen = "utf-8" if encoding == "ascii" else encoding  # click says UTF-8 where Python says ASCII
        return code, out.decode(seen), err.decode(seen)

    return command


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("width", ["40", "60", "80", None])
def test_every_command_works(
    name: str, encoding: str, width: str | None, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    if width is not None:
        monkeypatch.setenv("COLUMNS", width)
    code, out, err = say(COMMANDS[name], encoding)
    assert code == {"rank": 1, "wrong": 2}.get(name, 0), err
    assert out or name == "wrong"
    if name == "wrong":
        assert "'params'" in err


@pytest.mark.parametrize("variable", ["NO_COLOR", "FORCE_COLOR"])
def test_colours_may_be_forced_and_forbidden(
    variable: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    code, out, _ = say(COMMANDS["rank"], "cp1252")
    assert code == 1
    assert ("\x1b[" in out) == (variable == "FORCE_COLOR")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_json_in_every_encoding(encoding: str, say: Say) -> None:
    for words in (["scorers", "--json"], ["rank", LONG, "--json", "-"], ["models", LONG, "--json"]):
        code, out, err = say(words, encoding)
        assert code == 0, err
        rows = json.loads(out)
        assert words[0] == "scorers" or LONG in (rows[0] if words[0] == "models" else rows[0]["name"])


def test_greek_is_said_in_other_words_where_there_is_none(say: Say) -> None:
    assert "rho of " in say(["scorers"], "cp1252")[1]
    assert "ρ of " in say(["scorers"], "utf-8")[1]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_a_narrow_table_drops_the_last_columns_and_never_the_names(
    width: int, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = say(["rank", "zoo/vit.py", "zoo/vgg_with_bn.py"], "utf-8")
    assert "zoo/vgg_with_bn.py" in out
    assert max(map(cell_len, out.splitlines())) <= width
    table_headers = out.splitlines()[1].split()
    assert table_headers == ["rank", "model", "score", "params", "MACs", "time"][: len(table_headers)]
    assert len(table_headers) >= {30: 2, 40: 3, 60: 5}.get(width, 6)


def test_an_error_without_room_in_the_table_stands_below(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    _, out, _ = say(["rank", "zoo/vit.py", "zoo/bad.py"], "utf-8")
    assert "left out, for want of width: " in out
    assert "zoo/bad.py: it is bad" in out


def test_columns_go_from_the_last_whatever_comes_last() -> None:
    table = NarrowingTable("genotype")
    for name in ("score", "params", "genotype"):
        table.add_column(name, no_wrap=name != "genotype", overflow="fold")
    table.add_row("0.1234", "25.6 M", "width=8" * 20)
    assert table.left_out(80) == []
    assert table.left_out(36) == ["params"]
    assert table.left_out(25) == ["score", "params"]
    assert table.left_out(3) == ["score", "params"]


def test_there_is_a_command_for_each_that_is_tried() -> None:
    names = {command.name for command in app.registered_commands}
    assert {words[0] for words in COMMANDS.values()} >= names - {
        "score",
        "explain",
        "compare",
        "draw",
        "doctor",
    }
