"""The list of all benchmarks is complete, its figures are found, and every command that is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.__main__ import index, main, row_of
from benchmarks.catalogue import BENCHMARKS, QUESTIONS, ROOT, Benchmark, question_of
from benchmarks.results import Section, anchor, results_file, sections, write_index, write_section

PROJECT = ROOT.parent


def written() -> list[Path]:
    """Files of the project that may tell a user what to type."""
    folders = ("fxscore", "tests", "benchmarks", "docs", "zoo", ".ci")
    below = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.is_file()]
    kinds = {".py", ".md", ".sh", ".toml", ""}
    return [path for path in (*below, *PROJECT.glob("*.*")) if path.suffix in kinds and path.is_file()]


def test_every_command_is_listed_and_every_listed_command_is_there() -> None:
    commands = {
        path for path in ROOT.rglob("*.py") if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert {each.file for each in BENCHMARKS} == commands - {ROOT / "__main__.py"}
    assert all(each.question in QUESTIONS and each.line.endswith((".", ":")) for each in BENCHMARKS)


def test_commands_named_anywhere_exist() -> None:
    known = {each.module for each in BENCHMARKS} | {"benchmarks"}
    for path in written():
        named = re.findall(r"python -m (benchmarks(?:\.[a-z0-9_]+)*)", path.read_text(encoding="utf-8"))
        assert set(named) <= known, path


def test_the_index_is_that_of_the_sections(tmp_path: Path) -> None:
    for folder in QUESTIONS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "RESULTS.md").write_text(
            (ROOT / folder / "RESULTS.md").read_text(encoding="utf-8")
        )
    write_index(tmp_path)
    assert (tmp_path / "RESULTS.md").read_text() == (ROOT / "RESULTS.md").read_text()
    begun = sum(
        path.read_text(encoding="utf-8").count("<!-- begin ")
        for path in (PROJECT / "benchmarks").glob("*/RESULTS.md")
    )
    assert len(sections()) == begun
    assert all(question_of(each.command) == each.folder for each in sections())


def test_links_of_results_lead_somewhere() -> None:
    for path in (ROOT / "RESULTS.md", *ROOT.glob("*/RESULTS.md")):
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_a_section_goes_to_the_folder_of_its_command() -> None:
    assert results_file("nice python -m benchmarks.speed.scaling --quick") == ROOT / "speed" / "RESULTS.md"
    assert results_file("python -m benchmarks.coverage wild") == ROOT / "coverage" / "RESULTS.md"
    with pytest.raises(ValueError, match="no benchmark of"):
        results_file("-m benchmarks.nonsense")


def test_the_last_date_is_that_of_the_newest_section() -> None:
    found = [
        Section("speed", key, key, f"python -m benchmarks.{module} --x", date)
        for key, module, date in (
            ("a", "speed.work", "2031-01-01"),
            ("b", "speed.scaling", "2030-02-03"),
            ("c", "speed.scaling", "2030-02-01"),
        )
    ]
    assert row_of(Benchmark("speed.scaling", "minutes"), found)[1] == "2030-02-03"
    assert row_of(Benchmark("speed.score_time", "minutes"), found)[1] == "–"


def test_the_list_fits_a_screen_and_has_a_line_for_each_benchmark() -> None:
    lines = list(index(sections()))
    assert len(lines) == len(BENCHMARKS) + len(QUESTIONS) <= 60
    for benchmark in BENCHMARKS:
        (line,) = [line for line in lines if line.split()[0] == benchmark.name]
        assert all(part in line for part in (benchmark.line, benchmark.takes, benchmark.needs))


def test_a_question_is_shown_whole_and_a_wrong_one_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["speed"])
    shown = capsys.readouterr().out
    assert "speed.scaling" in shown
    assert "paper.parts" not in shown
    with pytest.raises(SystemExit):
        main(["sped"])
    assert "no question sped; there are paper" in capsys.readouterr().err


def test_a_written_section_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "speed"
    folder.mkdir()
    write_section(
        "a-key", "A title, of 2", "| x |", "python -m benchmarks.speed.scaling", folder / "RESULTS.md"
    )
    (section,) = sections(tmp_path)
    assert (section.folder, section.key, section.title) == ("speed", "a-key", "A title, of 2")
    assert anchor(section.title) == "a-title-of-2"
