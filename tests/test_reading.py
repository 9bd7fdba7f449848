"""Files that would keep a reader waiting, or fill the memory, are one line, whatever reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fxscore.errors import FxScoreError
from fxscore.reading import file_bytes
from fxscore.spaces import get_space
from fxscore.spaces.files.json_file import read_json
from fxscore.train.plan import TrainingPlan
from fxscore.train.results import read_results

READERS: dict[str, Callable[[Path], object]] = {
    "results": read_results,
    "plan": TrainingPlan.read,
    "table": lambda path: get_space("nasbench201").read(path),
    "json": read_json,
}


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


WRONG: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "sparse": sparse,
    "folder": Path.mkdir,
    "deep": lambda path: path.write_text("[" * 100_000),
    "bytes": lambda path: path.write_bytes(b"\xff\xfe\xfd{"),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_of_a_fitting_size_is_one_line(kind: str, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    WRONG[kind](path)
    with pytest.raises(FxScoreError, match=r"given\.csv") as caught:
        READERS[reader](path)
    assert "\n" not in str(caught.value)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0whole\n")
    assert file_bytes(tmp_path / "a", 7) == b"\0whole\n"
    with pytest.raises(OSError, match="larger than 0 MiB"):
        file_bytes(tmp_path / "a", 6)
