"""README.md keeps its promises: its code runs, its commands exist, its table is what the command prints.

`python tests/test_readme.py` writes the table anew.
"""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- begin ranking: python tests/test_readme.py -->", "<!-- end ranking -->"


def blocks(language: str) -> list[tuple[int, str]]:
    """(line number, text) of the fenced blocks in a language."""
    text = README.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start()) + 2, match[1]) for match in found]


@pytest.mark.parametrize(
    ("line", "code"), [pytest.param(*block, id=f"line{block[0]}") for block in blocks("python")]
)
def test_python_runs(
    line: int, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    # The line numbers of a failure are those of the README.
    exec(compile("\n" * (line - 1) + code, str(README), "exec"), {"__name__": "readme"})
    if "print(" in code:
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    "command", [line[2:] for _, block in blocks("console") for line in block.splitlines()]
)
def test_commands_exist_with_their_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The words up to the first argument are a command, and each option is one of its own."""
    from fxscore.cli.app import run

    program, *words = shlex.split(command)
    assert program == "fxscore"
    name = words[:2] if words[0] == "store" else words[:1]
    assert run([*name, "--help"]) == 0
    usage = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert f"{option} " in usage


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
    width = lines[0].index("MACs") + len("MACs")
    rows = next(place for place, line in enumerate(lines) if line.startswith("•"))
    return "\n".join([line[:width].rstrip() for line in lines[:rows]] + lines[rows:])


def cells(table: str) -> list[list[str]]:
    """Rank, model, score, params and MACs of each row, with their marks."""
    return [re.split(r"  +", line.strip())[:5] for line in table.splitlines() if ".py" in line]


@pytest.mark.zoo
def test_the_table_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    expected = cells(ranked())
    assert len(expected) >= 12
    got = cells(shown)
    assert [row[1] for row in got] == [row[1] for row in expected]
    assert [row[3:] for row in got] == [row[3:] for row in expected]
    # Scores agree to METHOD's tolerance across machines and thread counts; two digits are shown, which may round apart.
    scores, told = ([float(row[2].split()[0]) for row in rows] for rows in (expected, got))
    assert told == pytest.approx(scores, rel=0.12)
    assert [row[2].split()[1:] for row in got] == [row[2].split()[1:] for row in expected]


def write() -> None:
    """Put the present ranking into the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n```\n{ranked()}\n```\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write()
