"""What docstrings cite of docs/METHOD.md is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
METHOD = (ROOT / "docs" / "METHOD.md").read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^## (\d+)\.", METHOD, re.MULTILINE))
FOLDERS = ("fxscore", "tests", "benchmarks", "zoo")
CITATION = re.compile(r"METHOD\.md,?\s+sections?\s+(\d+(?:(?:,\s+|\s+and\s+|\s+to\s+|,\s+and\s+)\d+)*)")


def cited() -> list[tuple[Path, str]]:
    """(file, text between "METHOD.md" and what follows its section numbers) of every mention."""
    found = []
    for path in (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found += [
            (path, text[match.start() : match.end() + 40]) for match in re.finditer(r"METHOD\.md", text)
        ]
    return [(path, text) for path, text in found if path != Path(__file__)]


def test_the_method_is_cited() -> None:
    assert len(cited()) > 40
    assert sorted(SECTIONS) == list("1234567")


@pytest.mark.parametrize(
    ("path", "text"), cited(), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_a_citation_names_sections_that_there_are(path: Path, text: str) -> None:
    match = CITATION.match(text)
    assert match, f"{path.relative_to(ROOT)} cites no section: {text!r}"
    first, *others = map(int, re.findall(r"\d+", match[1]))
    numbers = range(first, others[0] + 1) if " to " in match[1] else (first, *others)
    assert {str(number) for number in numbers} <= SECTIONS


def test_the_map_of_the_house_names_what_there_is() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {
        word.rstrip("/")
        for line in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
        for word in re.findall(r"`([\w/]+)`", line)
    }
    package = ROOT / "fxscore"
    there = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert rooms == there - {"__init__", "__main__"}
    for path in re.findall(
        r"`((?:fxscore|tests|benchmarks|docs|zoo|represent|passes|spaces|evaluate|scorer|costs|graph_features|proxies)/[\w./]*)`",
        text,
    ):
        assert (ROOT / path).exists() or (package / path).exists(), path
