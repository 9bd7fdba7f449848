"""The documentation keeps its promises: its code runs, its commands exist, its pages and links are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fxscore.cli.app import run

ROOT = Path(__file__).parents[1]
PAGES = sorted(page for folder in ("tutorials", "how-to") for page in (ROOT / "docs" / folder).glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem
)
def test_python_runs(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), {"__name__": "docs"})


COMMANDS = sorted(
    {line[2:] for page in PAGES for text in blocks(page, "console") for line in text.splitlines()}
)


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("fxscore ")])
def test_commands_exist_with_their_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, *words = shlex.split(command)
    name = words[:2] if words[0] == "plot" else words[:1]
    assert run([*name, "--help"]) == 0
    usage = capsys.readouterr().out
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(^|\W){re.escape(option)}\W", usage)


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").as_posix() in contents


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the site needs fxscore[docs]: pip install 'fxscore[docs]'")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the site needs fxscore[docs]")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True))
    assert "fxscore.score" in (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
