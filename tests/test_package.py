"""What a wheel holds, and that one version stands everywhere."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_file_of_the_package_is_in_the_wheel() -> None:
    stated = re.search(r"^fxscore = \[(.*)\]$", PROJECT, re.MULTILINE)
    assert stated is not None
    patterns = re.findall(r'"([^"]+)"', stated[1])
    package = ROOT / "fxscore"
    files = [path.relative_to(package) for path in package.rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix not in (".py", ".pyc")]
    left_out = [path for path in others if not any(_matches(path, pattern) for pattern in patterns)]
    assert left_out == []
    assert all(any(_matches(path, pattern) for path in others) for pattern in patterns)


def _matches(path: Path, pattern: str) -> bool:
    """As setuptools does: a star stays within its folder."""
    parts, wanted = path.parts, pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def test_one_version_stands_everywhere() -> None:
    version = re.search(r'^version = "(.+)"$', PROJECT, re.MULTILINE)
    assert version is not None
    assert f"\nversion: {version[1]}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## [{version[1]}] - 20" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_all_is_all_extras_that_users_need() -> None:
    extras = re.findall(
        r"^([a-z]+) = \[$", PROJECT[PROJECT.index("[project.optional-dependencies]") :], re.MULTILINE
    )
    named = re.search(r'^all = \["fxscore\[(.*)\]"\]$', PROJECT, re.MULTILINE)
    assert named is not None
    wanted = set(extras[: extras.index("bench")]) - {"test", "docs"}
    assert set(named[1].split(",")) == wanted
