"""README.md keeps its promises: its code runs, its commands exist, its table is what the command prints.

`python tests/test_readme.py` writes the table and the answers to the three questions anew.
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
    return "\n".join(without_times(lines))


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


ANSWERS = {
    "compare": "compare zoo/resnet.py zoo/preact_resnet.py",
    "budget": "rank zoo/*.py --max-params 1M --max-macs 50M --top 5",
    "search": "search nets.py:SmallCNN --max-params 50k --budget 16 --population 8 --out runs/small",
}


def answer(name: str, folder: Path) -> str:
    """What one of the commands prints, run in a folder with `zoo` and the README's `nets.py`, without times."""
    from fxscore.cli.app import run

    space = next(code for _, code in blocks("python") if "class SmallCNN" in code)
    (folder / "nets.py").write_text(space.partition("\n\nresult = ")[0] + "\n", encoding="utf-8")
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
    text = README.read_text(encoding="utf-8")
    assert f"$ fxscore {ANSWERS[name]}\n" in text
    shown = text.partition(f"<!-- begin {name}: python tests/test_readme.py -->")[2].partition("<!-- end")[0]
    words, numbers = words_and_numbers(answer(name, tmp_path))
    told_words, told_numbers = words_and_numbers(shown.replace("```", ""))
    assert told_words == words
    assert told_numbers == pytest.approx(numbers, rel=0.12)


def put(name: str, text: str) -> None:
    """Put a text between its marks in the README."""
    begin, end = f"<!-- begin {name}: python tests/test_readme.py -->", f"<!-- end {name} -->"
    before, _, rest = README.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    README.write_text(f"{before}{begin}\n```\n{text}\n```\n{end}{after}", encoding="utf-8")


def write() -> None:
    """Put the present ranking and answers into the README."""
    os.environ["COLUMNS"] = "100"
    put("ranking", ranked())
    for name in ANSWERS:
        with TemporaryDirectory() as folder:
            put(name, answer(name, Path(folder)))


if __name__ == "__main__":
    write()
