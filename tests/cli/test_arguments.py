from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from fxscore.cli.arguments import complete, shape, size


@pytest.mark.parametrize(
    ("words", "result"),
    [
        ("rank a.py --json", "rank a.py --json=-"),
        ("rank --json a.py", "rank --json=- a.py"),
        ("rank --json timm:resnet* a.py", "rank --json=- timm:resnet* a.py"),
        ("rank --json out.json a.py", "rank --json out.json a.py"),
        ("rank --json - a.py", "rank --json - a.py"),
        ("rank --json --csv x.csv a.py", "rank --json=- --csv x.csv a.py"),
        ("rank --json=a.py b.py --csv", "rank --json=a.py b.py --csv=-"),
        ("rank -- --json", "rank -- --json"),
    ],
)
def test_json_and_csv_stand_alone_or_take_a_file(words: str, result: str) -> None:
    assert complete(words.split()) == result.split()


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=4), st.sampled_from([",", "x", " x ", ", "]))
def test_shape_reads_what_people_write(sizes: list[int], separator: str) -> None:
    assert shape(separator.join(map(str, sizes))) == tuple(sizes)


@pytest.mark.parametrize("text", ["", "3,", "3,0,4", "-1,3,3", "3.5,4", "a"])
def test_bad_shape_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write C,H,W"):
        shape(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4G", 4 << 30),
        ("512M", 512 << 20),
        ("1.5GiB", 3 << 29),
        ("100", 100),
        ("2 kb", 2048),
        ("1t", 1 << 40),
    ],
)
def test_size(text: str, value: int) -> None:
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "G", "4X", "-1G", "0G", "1e"])
def test_bad_size_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no size"):
        size(text)
