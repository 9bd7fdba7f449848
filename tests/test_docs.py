"""The documentation keeps its promises: its code runs, its commands exist, its pages and links are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path

import pytest

import fxscore
from fxscore.cli.app import run
from fxscore.report.files import FIELDS
from tests.pages import blocks, follow

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
PAGES = sorted(DOCS.rglob("*.md"))
GROUPS = ("plot", "store")  # whose commands have commands


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own, with the zoo in it, whose modules can be imported."""
    (tmp_path / "zoo").symlink_to(ROOT / "zoo")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path
    sys.modules.pop("nets", None)


def succeed(command: str) -> None:
    """Run a command of a page, as a shell would."""
    program, *words = shlex.split(command)
    assert program == "fxscore"
    found = [sorted(glob(word)) or [word] if has_magic(word) else [word] for word in words]
    assert run([word for each in found for word in each]) == 0, command


@pytest.mark.slow
@pytest.mark.zoo
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_works_from_its_first_line_to_its_last(page: Path, folder: Path) -> None:
    for extra in ("pymoo", "grandalf", "sklearn"):
        pytest.importorskip(extra, reason="the tutorials need fxscore[fit,search,draw]")
    assert blocks(page, "python")
    assert blocks(page, "console")
    follow(page, folder, succeed)


def test_every_column_of_a_ranking_is_explained() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    explained = {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert explained == set(FIELDS)


def test_there_are_the_five_tutorials() -> None:
    assert {page.stem for page in TUTORIALS} == {
        "rank-a-folder",
        "choose-under-a-budget",
        "is-b-better-than-a",
        "search-your-own-space",
        "fit-to-your-networks",
    }


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page not in TUTORIALS and blocks(page, "python")],
    ids=lambda page: page.stem,
)
def test_python_runs(page: Path, folder: Path) -> None:
    if page.stem == "with-optuna":
        pytest.importorskip("optuna", reason="the page needs fxscore[optuna]")
    follow(page, folder)


@pytest.mark.slow
def test_the_hook_of_pre_commit_fails_where_a_network_is_worse(folder: Path) -> None:
    pytest.importorskip("pre_commit", reason="needs fxscore[test]")
    test, hook = (
        next(block.text for block in blocks(DOCS / "how-to" / "ci-gate.md", language))
        for language in ("python", "yaml")
    )
    for name, text in {
        "tests/test_network.py": test,
        ".pre-commit-config.yaml": hook,
        "networks/net.py": "",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    def hooked() -> int:
        commands = ("git init -q", "git add networks .pre-commit-config.yaml tests")
        for command in commands:
            subprocess.run(shlex.split(command), check=True)
        path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        run_hooks = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
        return subprocess.run(run_hooks, env={**os.environ, **path}, check=False).returncode

    assert hooked() == 0
    swapped = re.sub(r'("zoo/\w+.py"), ("zoo/\w+.py")', r"\2, \1", test)
    (folder / "tests" / "test_network.py").write_text(swapped, encoding="utf-8")
    assert hooked() == 1


COMMANDS = sorted({line for page in PAGES for block in blocks(page, "console") for line in block.commands})


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("fxscore ")])
def test_commands_exist_with_their_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, *words = shlex.split(command)
    name = words[: 2 if words[0] in GROUPS else 1]
    assert run([*name, "--help"]) == 0
    usage = capsys.readouterr().out
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(^|\W){re.escape(option)}\W", usage)


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"\S+\.md", contents[contents.index("nav:") :])
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


def test_every_public_name_is_in_the_reference() -> None:
    named = set(
        re.findall(r"^::: fxscore\.(\w+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {name for name in fxscore.__all__ if not name.startswith("_")} - {"FxScoreError"} <= named
    assert "errors" in named


def anchors(page: Path) -> set[str]:
    """The names of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            there = page.parent / name if name else page
            assert there.is_file(), target
            assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize(
    "path",
    sorted(
        {
            path
            for page in [ROOT / "README.md", *PAGES]
            for path in re.findall(r"`((?:benchmarks|fxscore)/[\w./]+)`", page.read_text(encoding="utf-8"))
        }
    ),
)
def test_files_that_are_named_are_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the site needs fxscore[docs]: pip install 'fxscore[docs]'")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the site needs fxscore[docs]")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True))
    assert "fxscore.score" in (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
