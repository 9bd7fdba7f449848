"""Hostile files of `benchmarks.robustness`: what a builder may do and where, beside good ones that keep their score."""

from __future__ import annotations

import os
import random
import tempfile
from itertools import product
from pathlib import Path

import fxscore
from benchmarks.robustness.deeds import DEEDS, PLACES, WHOLE
from benchmarks.robustness.inputs import Tried
from fxscore.types import ScoreRecord

GOOD = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def build():
    return nn.Sequential(nn.Conv2d(3, {width}, 3), nn.ReLU(), nn.Flatten(), nn.Linear({width} * 36, 2))
"""
FILE = """
import os, sys
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def deed():
    {deed}
class Net(nn.Conv2d):
    def forward(self, x):
        {forward}
        return super().forward(x)
def build():
    {build}
    return Net(3, 4, 3)
{top}
"""


def hostile_files(count: int, seed: int = 0, seconds: float = 20.0) -> Tried:
    """Files in a random order among good ones: each a row, and the good ones' scores those of a run without them."""
    tried = Tried("hostile files")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        good = [_written(folder / f"good{width}.py", GOOD.format(width=width)) for width in range(2, 7)]
        bad = _files(folder)
        draw = random.Random(seed)
        draw.shuffle(bad)
        bad = bad[:count]
        words = good + bad
        draw.shuffle(words)
        limits = {"time_limit": seconds, "memory_limit": 2 << 30, "no_store": True, "scorer": "nasbench201"}
        alone = {str(record.ref): record.score for record in fxscore.rank(good, **limits)}  # type: ignore[arg-type]
        rows = {str(record.ref): record for record in fxscore.rank(words, **limits)}  # type: ignore[arg-type]
        for name in good:
            tried.check(f"good file {name}", lambda name=name: _equal(rows.get(name), alone[name]))  # type: ignore[misc]
        for name in bad:
            tried.check(name, lambda name=name: _row(rows, name))  # type: ignore[misc]
    tried.inputs = tried.accepted = len(bad)
    return tried


def _equal(record: ScoreRecord | None, score: float | None) -> str | None:
    return None if record and score is not None and record.score == score else f"{record} for {score}"


def _row(rows: dict[str, ScoreRecord], name: str) -> str | None:
    found = next((rows[text] for text in rows if text == name or os.fsdecode(name.encode()) == text), None)
    if found is None:
        return "no row"
    return (
        None if (found.error or "").isprintable() else f"an error that is not fit to print: {found.error!a}"
    )


def _written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return str(path)


def _files(folder: Path) -> list[str]:
    """All that there are, odd kinds of files too."""
    found = []
    for (kind, deed), place in product(DEEDS.items(), PLACES):
        calls = {where: "deed()" if where == place else "pass" for where in PLACES}
        found.append(_written(folder / f"{kind} at {place}.py", FILE.format(deed=deed, **calls)))
    found += [
        _written(folder / f"{name} in whole.py", GOOD.format(width=3) + text) for name, text in WHOLE.items()
    ]
    return found + _odd_kinds(folder)


def _odd_kinds(folder: Path) -> list[str]:
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    (folder / "dangling.py").symlink_to("nowhere")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "zero.py").symlink_to("/dev/zero")
    with (folder / "sparse.py").open("wb") as stream:
        stream.truncate(1 << 36)
    unread = Path(_written(folder / "unreadable.py", GOOD.format(width=3)))
    unread.chmod(0)
    names = [
        "folder.py",
        "pipe.py",
        "dangling.py",
        "loop.py",
        "zero.py",
        "sparse.py",
        "unreadable.py",
        "absent.py",
    ]
    return [str(folder / name) for name in [*names, "x" * 300 + ".py"]]
