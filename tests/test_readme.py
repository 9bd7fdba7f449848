"""README.md keeps its promises: its code runs, its commands exist, its tables are what commands print.

`python -m tests.test_readme` writes anew: the answers to the three questions and the rows of the board of quality in
README, and the ranking of the zoo in its tutorial.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from benchmarks.results import write_block
from tests.pages import blocks, follow

ROOT = Path(__file__).parents[1]
README, DOCS = ROOT / "README.md", ROOT / "docs"
RANKED, SPACE = DOCS / "tutorials" / "rank-a-folder.md", DOCS / "tutorials" / "search-your-own-space.md"
MARK = "python -m tests.test_readme"


def shown(key: str, page: Path = README, command: str = MARK) -> str:
    """What stands between the marks of a block."""
    _, begin, rest = page.read_text(encoding="utf-8").partition(f"<!-- begin {key}: {command}")
    assert begin
    return rest.partition("-->\n")[2].partition(f"<!-- end {key} -->")[0]


def test_readme_is_little_more_than_a_screen() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("\n") <= 150
    assert text.count("](docs/") >= 12


def test_python_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    assert blocks(README, "python")
    follow(README, tmp_path)
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("command", [line for block in blocks(README, "console") for line in block.commands])
def test_commands_exist_with_their_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The first word is a command, and each option is one of its own."""
    from fxscore.cli.app import run

    program, name, *words = shlex.split(command)
    assert program == "fxscore"
    assert run([name, "--help"]) == 0
    usage = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert f"{option} " in usage


def losses() -> str:
    """Of the board of quality the mean, and the origins on which the scorer is not the best."""
    head, rule, *rows = shown(
        "quality", DOCS / "quality.md", "python -m benchmarks.quality.board"
    ).splitlines()
    *origins, mean = rows
    return "\n".join([head, rule, mean, *(row for row in origins if "**" not in row.split("|")[3])])


def test_the_origins_where_the_scorer_loses_are_told() -> None:
    assert shown("losses").strip() == losses()
    assert "general" in losses().split("|")[3]
    assert losses().count("\n") > 3


def ranked() -> str:
    """What the README's first command prints, without the times, which are another on every machine."""
    from rich.console import Console

    import fxscore
    from fxscore.report.table import print_ranking

    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "zoo").glob("*.py"))
    console = Console(file=io.StringIO(), width=100)
    print_ranking(console, fxscore.rank(files, no_store=True))
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]
    return "\n".join(without_times(lines))


def cells(table: str) -> list[list[str]]:
    """Rank, model, score, params and MACs of each row, with their marks."""
    return [re.split(r"  +", line.strip())[:5] for line in table.splitlines() if ".py" in line]


@pytest.mark.zoo
def test_the_table_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    expected = cells(ranked())
    assert len(expected) >= 12
    got = cells(shown("ranking", RANKED))
    assert [row[1] for row in got] == [row[1] for row in expected]
    assert [row[3:] for row in got] == [row[3:] for row in expected]
    # Scores agree to METHOD's tolerance across machines and thread counts; two digits are shown, which may round apart.
    scores, told = ([float(row[2].split()[0]) for row in rows] for rows in (expected, got))
    assert told == pytest.approx(scores, rel=0.12)
    assert [row[2].split()[1:] for row in got] == [row[2].split()[1:] for row in expected]


ANSWERS = {
    "compare": "compare zoo/resnet.py zoo/preact_resnet.py",
    "budget": "rank zoo/*.py --max-params 1M --max-macs 50M --top 5",
    "search": "search nets.py:SmallCNN --max-params 50k --budget 14 --population 8 --out runs/small",
}


def answer(name: str, folder: Path) -> str:
    """What one of the commands prints, run in a folder with `zoo` and the tutorial's `nets.py`, without times."""
    from fxscore.cli.app import run

    space = next(block for block in blocks(SPACE) if block.file == "nets.py")
    (folder / "nets.py").write_text(space.text, encoding="utf-8")
    if not (folder / "zoo").exists():
        (folder / "zoo").symlink_to(ROOT / "zoo")
    files = " ".join(f"zoo/{path.name}" for path in sorted((ROOT / "zoo").glob("*.py")))
    words = ANSWERS[name].replace("zoo/*.py", files).split()
    printed, before = io.StringIO(), os.getcwd()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            os.chdir(folder)
            run([*words, "--store", "store.db"])
        finally:
            os.chdir(before)
    lines = [line.rstrip() for line in printed.getvalue().replace(f"{folder.resolve()}/", "").splitlines()]
    return "\n".join(without_times([line for line in lines if line]))


def without_times(lines: list[str]) -> list[str]:
    """The lines of a table up to its MACs, and all that come after it."""
    head = next((line for line in lines if line.endswith("   time")), None)
    if head is None:
        return lines
    width = head.index("MACs") + len("MACs")
    rows = next(place for place, line in enumerate(lines) if line.startswith("•"))
    return [line[:width].rstrip() for line in lines[:rows]] + lines[rows:]


def words_and_numbers(text: str) -> tuple[list[str], list[float]]:
    """What must be equal, and what may round apart on another machine."""
    number = r"(?<![\w./=])\d+(?:\.\d+)?(?![\w/])"
    words = re.sub(number, "#", re.sub("─+", "", text)).split()
    return words, [float(found) for found in re.findall(number, text)]


@pytest.mark.zoo
@pytest.mark.parametrize("name", ANSWERS)
def test_the_answers_are_what_the_commands_print(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymoo")
    monkeypatch.setenv("COLUMNS", "100")
    assert f"$ fxscore {ANSWERS[name]}\n" in README.read_text(encoding="utf-8")
    words, numbers = words_and_numbers(answer(name, tmp_path))
    told_words, told_numbers = words_and_numbers(shown(name).replace("```", ""))
    assert told_words == words
    assert told_numbers == pytest.approx(numbers, rel=0.12)


def write() -> None:
    """Put what the commands print now into the pages."""
    os.environ["COLUMNS"] = "100"
    write_block("losses", losses(), README)
    write_block("ranking", fenced(ranked()), RANKED)
    for name in ANSWERS:
        with TemporaryDirectory() as folder:
            write_block(name, fenced(answer(name, Path(folder))), README)


def fenced(text: str) -> str:
    return f"```\n{text}\n```"


if __name__ == "__main__":
    write()
