"""``kill -9`` and Ctrl-C, for real."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fxscore.run import export_rows
from tests.run.jobs import noted
from tests.run.processes_of_test import left_over, marked
from tests.run.ranking_process import networks

NETWORKS, KILLS = 72, 24
# The first starts a process that would outlive it, twice over.
FILES = {
    "spawns.py": (
        "import os, subprocess, time\ndef build():\n"
        "    subprocess.Popen(['sleep', '600'])\n    os.system('setsid sleep 600 &')\n"
        "    time.sleep(0.3)\n    return 1000\n"
    ),
    "plain.py": "import time\ndef build():\n    time.sleep(0.3)\n    return 2000\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "zoo"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def start(store: Path, log: Path, folder: Path, count: int, *more: str) -> subprocess.Popen[str]:
    arguments = [str(each) for each in (store, log, folder, count, *more)]
    command = [sys.executable, "-m", "tests.run.ranking_process", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def ranked(process: subprocess.Popen[str]) -> list[Any]:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return list(json.loads(output))


def stored(store: Path) -> set[str]:
    return (
        {row["name"] for row in export_rows(store) if row["score"] is not None} if store.exists() else set()
    )


@pytest.mark.slow
def test_a_ranking_that_is_killed_again_and_again(tmp_path: Path, folder: Path) -> None:
    expected = ranked(start(tmp_path / "whole", tmp_path / "whole.txt", folder, NETWORKS))
    store, log, moments = tmp_path / "store", tmp_path / "log.txt", random.Random(1)
    with marked() as mark:
        for _ in range(KILLS):
            finished, before = stored(store), noted(log, "prepare")
            process = start(store, log, folder, NETWORKS)
            time.sleep(moments.uniform(0.0, 0.25))  # in the interpreter's start, or in the child's …
            goal = len(finished) + moments.randint(0, 3)  # … or when some more are done
            while process.poll() is None and len(stored(store)) < goal:
                time.sleep(0.005)
            process.kill()
            assert process.wait() == -signal.SIGKILL, "it was killed in the middle"
            assert left_over(mark) == []
            assert noted(log, "prepare").keys() & finished == before.keys() & finished
            assert all(noted(log, "prepare")[name] == before[name] for name in finished)
        assert 0 < len(stored(store)) < NETWORKS
        assert ranked(start(store, log, folder, NETWORKS)) == expected
        assert left_over(mark) == []
    with sqlite3.connect(store) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_two_rankings_at_once_share_a_store(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    both = [start(store, tmp_path / f"{number}.txt", folder, 30) for number in range(2)]
    first, second = (ranked(process) for process in both)
    assert first == second
    assert len(first) == 32
    assert ranked(start(store, tmp_path / "third.txt", folder, 30)) == first
    assert not noted(tmp_path / "third.txt", "finish")


@pytest.mark.parametrize("slow_open", [0, 60])
def test_ctrl_c_ends_within_two_seconds_with_what_is_done(
    tmp_path: Path, folder: Path, slow_open: int
) -> None:
    store, log = tmp_path / "store", tmp_path / "log.txt"
    (folder / "spawns.py").write_text(FILES["spawns.py"].replace("0.3", "60"))
    with marked() as mark:
        process = start(store, log, folder, 20, str(slow_open))
        while not noted(log, "open") or (slow_open == 0 and len(stored(store)) < 5):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        ranking = ranked(process)
        assert time.monotonic() - begin < 2
        assert left_over(mark, 0.5) == []
    scores = [score for _, score, _ in ranking if score is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) >= (0 if slow_open else 5)
    assert {name for name, score, _ in ranking if score is not None} <= stored(store)


def test_there_are_enough_networks_and_kills(folder: Path) -> None:
    assert len(networks(folder, NETWORKS)) >= 60
    assert KILLS >= 20
