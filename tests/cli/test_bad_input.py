"""Twelve kinds of bad input through the whole program: each is one line, and the good network is still ranked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fxscore.cli.app import run

Captured = pytest.CaptureFixture[str]

GOOD = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
"""
DATA_DEPENDENT = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        return self.conv(x) if x.sum() > 0 else x
def build():
    return Net()
"""
FILES = {
    "good": GOOD,
    "syntax_error": "def build(:\n    pass\n",
    "no_build": "from torch import nn\nnet = nn.Linear(3, 2)\n",
    "build_raises": "def build():\n    return [][3]\n",
    "not_a_module": "def build():\n    return 'a network'\n",
    "wrong_shape": GOOD.replace("(3, 8, 8)", "(5, 8, 8)"),
    "data_dependent": DATA_DEPENDENT,
    "exits": "import sys\ndef build():\n    print('not JSON')\n    sys.exit(0)\n",
    "endless": "def build():\n    while True:\n        pass\n",
}
# What each error must tell: what is wrong, and where there is one, the line.
ERRORS = {
    "missing": ["missing.py", "no such file"],
    "syntax_error": ["SyntaxError", "syntax_error.py:1"],
    "no_build": ["no_build.py", "build"],
    "build_raises": ["IndexError", "build_raises.py:2"],
    "not_a_module": ["not_a_module.py", "str"],
    "wrong_shape": ["5"],
    "data_dependent": ["control flow", "data_dependent.py"],
    "exits": ["exit"],
    "endless": ["limit"],
    "timm:resnet5O": ["resnet5O", "resnet50"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bad")
    for name, text in FILES.items():
        (path / f"{name}.py").write_text(text)
    return path


@pytest.fixture(scope="module")
def ranking(folder: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, dict[str, Any]]]:
    """One ranking of everything, as a user would type it."""
    words = ["rank", *(f"{name}.py" for name in ("missing", *FILES)), "timm:resnet5O"]
    command = [sys.executable, "-m", "fxscore", *words, "--no-store", "--time-limit", "15", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return done, {row["name"].removesuffix(".py"): row for row in json.loads(done.stdout)}


def test_the_good_network_is_ranked_beside_the_bad(
    ranking: tuple[subprocess.CompletedProcess[str], dict[str, dict[str, Any]]],
) -> None:
    done, rows = ranking
    assert done.returncode == 1
    assert rows.keys() == {"good", *ERRORS}
    assert rows["good"]["rank"] == 1
    assert rows["good"]["error"] is None
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_is_one_line_that_tells(
    ranking: tuple[subprocess.CompletedProcess[str], dict[str, dict[str, Any]]], kind: str
) -> None:
    row = ranking[1][kind]
    assert row["score"] is None
    assert row["rank"] is None
    assert "\n" not in row["error"]
    for part in ERRORS[kind]:
        assert part in row["error"]


@pytest.mark.parametrize("kind", ["missing", "syntax_error", "timm:resnet5O"])
def test_score_and_explain_say_the_same_on_stderr(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    name = kind if ":" in kind else f"{kind}.py"
    for command, code in (("score", 1), ("explain", 2)):
        assert run([command, name]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        for part in ERRORS[kind]:
            assert part in err


@pytest.mark.parametrize("pattern", ["nothing_*.py", "timm:nothing_*", "torchvision:nothing_*"])
def test_an_empty_pattern_is_wrong_usage(folder: Path, capsys: Captured, pattern: str) -> None:
    assert run(["rank", str(folder / "good.py"), pattern, "--no-store"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert pattern in err


def corrupt(path: Path, kind: str) -> Path:
    from fxscore.scorer import FTScoreNet, Settings
    from fxscore.scorer.checkpoint import save_checkpoint

    file = path / f"{kind}.safetensors"
    save_checkpoint(file, FTScoreNet(Settings(batch=2, n_in=4, n_out=4)).to_checkpoint({}))
    content = bytearray(file.read_bytes())
    if kind == "truncated":
        content = content[: len(content) // 2]
    elif kind == "altered":
        content[-5] ^= 1
    elif kind == "foreign":
        content = bytearray(b"PK\x03\x04 a pickle in a zip archive")
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("kind", ["missing", "truncated", "altered", "foreign"])
def test_a_corrupt_checkpoint_ends_the_ranking_before_it_begins(
    folder: Path, capsys: Captured, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "missing.safetensors" if kind == "missing" else corrupt(tmp_path, kind)
    for command in ("rank", "score", "explain"):
        assert run([command, str(folder / "good.py"), "--scorer", str(file)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("fxscore: ")
        assert len(err.splitlines()) == 1
        assert file.name in err


def test_an_unknown_scorer_is_wrong_usage(folder: Path, capsys: Captured) -> None:
    assert run(["rank", str(folder / "good.py"), "--scorer", "nasbench2O1"]) == 2
    assert "did you mean nasbench201?" in capsys.readouterr().err
