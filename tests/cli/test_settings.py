"""A file of settings: found, checked, shown by every help, and beaten by options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fxscore.cli.app import run
from fxscore.cli.settings import KEYS, find_settings
from fxscore.errors import UsageError

Captured = pytest.CaptureFixture[str]
NETS = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def build(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
"""
ALL = """
scorer = "params"
store = "kept/scores.sqlite"
workers = 1
time-limit = 600
memory-limit = "4G"
max-params = "200"
max-macs = 5e9
max-memory = "1G"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder below the one of the settings."""
    below = tmp_path / "below"
    below.mkdir()
    (below / "nets.py").write_text(NETS)
    monkeypatch.chdir(below)
    return tmp_path


def test_the_nearest_file_counts(folder: Path) -> None:
    assert find_settings(Path.cwd()).path is None
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.other]\nfxscore = 1\n")
    assert find_settings(Path.cwd()).path is None
    (folder / "pyproject.toml").write_text("[tool.fxscore]\nworkers = 3\n")
    assert find_settings(Path.cwd()).values == {"workers": 3}
    (folder / "fxscore.toml").write_text("workers = 2\n")
    assert find_settings(Path.cwd()).values == {"workers": 2}
    (folder / "below" / "pyproject.toml").write_text("[tool.fxscore]\nworkers = 1\n")
    assert find_settings(Path.cwd()).values == {"workers": 1}


def test_files_are_looked_for_beside_the_settings(folder: Path) -> None:
    (folder / "mine.safetensors").write_text("")
    (folder / "fxscore.toml").write_text('scorer = "mine.safetensors"\nstore = "a.sqlite"\n')
    values = find_settings(Path.cwd()).values
    assert values == {"scorer": str(folder / "mine.safetensors"), "store": str(folder / "a.sqlite")}


def test_a_command_takes_them_and_options_win(folder: Path, capsys: Captured) -> None:
    (folder / "fxscore.toml").write_text(ALL.replace("kept/", ""))
    words = ["rank", "nets.py", 'nets.py{"width": 20}', "--json"]
    assert run(words) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["scorer"].startswith("params")
    assert found["params"] == found["score"] == 162
    assert (folder / "scores.sqlite").is_file()
    assert run([*words[:-1], "--max-params", "1M", "--scorer", "macs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [record["params"] for record in found] == [770, 162]
    assert all(record["scorer"].startswith("macs") for record in found)
    assert run(["store", "info"]) == 0
    assert str(folder / "scores.sqlite") in capsys.readouterr().out


COMMANDS = [
    *("rank", "compare", "score", "explain", "draw", "models", "scorers", "search", "train", "train-network"),
    *(
        "fit",
        "data",
        "evaluate",
        "plot transition",
        "store info",
        "store export",
        "store prune",
        "doctor",
        "store",
        "",
    ),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_says_what_is_in_force(command: str, folder: Path, capsys: Captured) -> None:
    words = [*command.split(), "--help"]
    assert run(words) == 0
    assert "No file of settings is in force" in _joined(capsys)
    (folder / "fxscore.toml").write_text(ALL)
    assert run(words) == 0
    told = _joined(capsys)
    assert f"In force, from {folder / 'fxscore.toml'}:" in told.replace("- ", "-") or str(folder) in told
    takes = {
        "rank": set(KEYS),
        "score": {"scorer", "store", "time-limit"},
        "explain": {"scorer"},
        "models": set(),
        "plot transition": set(),  # its scorer is of one kind
        "evaluate": set(KEYS) - {"scorer", "max-params", "max-macs", "max-memory"},  # its scorers are several
        "store prune": {"store"},
    }
    line = told.partition("In force, from")[2].replace("- ", "-")  # lines end at hyphens
    for key in KEYS if command in takes else ():
        assert (f"{key} = " in line) == (key in takes[command])
    (folder / "fxscore.toml").write_text("colour = 3\n")
    assert run(words) == 0
    assert "there is no setting 'colour'" in _joined(capsys)


def _joined(capsys: Captured) -> str:
    """What was printed, its lines as one."""
    return " ".join(capsys.readouterr().out.split())


WRONG = {
    "scorers = 'general'": "there is no setting 'scorers'; did you mean scorer?",
    "max_params = 3": "there is no setting 'max_params'; did you mean max-params?",
    "colour = 'red'": "there is no setting 'colour'; there are scorer, store, workers",
    "scorer = 'generl'": "scorer = 'generl' is wrong (no scorer is called so, and there is no file",
    "scorer = 3": "scorer = 3 is wrong; write a name of `fxscore scorers`",
    "store = true": "store = True is wrong; write a file beside the settings",
    "store = '.'": "store = '.' is wrong (a folder)",
    "workers = 0": "workers = 0 is wrong; write a whole number from 1 on, as in workers = 4",
    "workers = true": "workers = True is wrong",
    "workers = 2.5": "workers = 2.5 is wrong",
    "time-limit = 0": "time-limit = 0 is wrong; write seconds from 0.1 on",
    "time-limit = inf": "time-limit = inf is wrong",
    "memory-limit = 'much'": "memory-limit = 'much' is wrong ('much' is no size; write 4G or 512M)",
    "max-params = [1]": 'max-params = [1] is wrong; write a number or text such as "25M"',
    "max-macs = -1": "max-macs = -1 is wrong",
    "workers = ": "is no TOML: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_one_line_with_file_key_and_cure(text: str, folder: Path, capsys: Captured) -> None:
    path = folder / "fxscore.toml"
    path.write_text(text)
    assert run(["rank", "nets.py", "--no-store"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fxscore: {path}")
    assert len(err.splitlines()) == 1
    assert WRONG[text] in err


def test_a_project_file_of_others_may_be_anything(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("this is no TOML")
    assert find_settings(Path.cwd()).path is None
    (folder / "pyproject.toml").write_text("[tool.fxscore\n")
    with pytest.raises(UsageError, match="is no TOML"):
        find_settings(Path.cwd())


def test_pythons_functions_read_none(folder: Path) -> None:
    import fxscore

    (folder / "fxscore.toml").write_text('scorer = "macs"\nmax-params = 1\n')
    (record,) = fxscore.rank("nets.py", scorer="params", workers=1, no_store=True)
    assert record.score == 162
