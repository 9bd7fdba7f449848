from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import requests
from rich.console import Console

from fxscore.cli.app import run
from fxscore.cli.progress import DownloadBar
from fxscore.spaces.official import official_files

Captured = pytest.CaptureFixture[str]


def test_list_names_every_file_and_says_how_to_get_it(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "nasbench_only108.tfrecord").touch()
    assert run(["data", "--folder", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for entry in official_files():
        line = next(line for line in lines if line.split()[:1] == [entry.name])
        how = "here" if entry.name == "nasbench101" else "by hand" if entry.url is None else "download"
        assert f" {how} " in line
        assert entry.page in line


def test_json_holds_every_field_and_the_place(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "nasbench_only108.tfrecord").touch()
    assert run(["data", "--json", "--folder", str(tmp_path)]) == 0
    objects = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert objects["nasbench101"]["path"] == str(tmp_path / "nasbench_only108.tfrecord")
    assert objects["nasbench201"]["path"] is None
    assert len(objects["nasbench101"]["sha256"]) == 64


def test_what_is_there_is_not_fetched_again(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "nasbench_only108.tfrecord"
    file.touch()
    assert run(["data", "nasbench101", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{file}\n"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nasbench201", "open https://drive.google.com"),
        ("nosuch", "no benchmark file 'nosuch'; there are nasbench101"),
        ("nasbench101", "is there a network?"),
    ],
)
def test_what_cannot_be_had_is_one_line(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "get", offline)
    assert run(["data", name, "--folder", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1


def test_download_bar_counts_bytes() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with DownloadBar("file.zip", console) as progress:
        progress.total = 2_000_000
        progress.update(500_000)
        progress.reset()
        progress.update(1_000_000)
        progress.close()
    assert isinstance(console.file, io.StringIO)
    assert "file.zip" in console.file.getvalue()
    assert "1.0/2.0 MB" in console.file.getvalue()
