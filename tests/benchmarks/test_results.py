from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results import table, write_block, write_section


def test_a_section_replaces_itself_and_no_other(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    for key, body in (("one", "first"), ("two", r"a \1 back-reference"), ("one", "second")):
        write_section(key, f"Title {key}", body, f"python benchmarks/{key}.py", results)
    text = results.read_text()
    assert "first" not in text
    assert text.index("second") < text.index("Title two") < text.index(r"a \1 back-reference")
    assert text.count("## ") == 2
    assert text.count("torch 2") == 2


def test_a_long_section_leaves_its_headline(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    write_section("long", "Title", "every figure", "python long.py", results, headline="the first figure")
    assert "the first figure" in results.read_text()
    assert "every figure" not in results.read_text()
    assert "(results/long.md)" in results.read_text()
    assert "every figure" in (tmp_path / "results" / "long.md").read_text()


def test_a_bad_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a section key"):
        write_section("A b", "t", "b", "c", tmp_path / "RESULTS.md")


def test_table_aligns_numbers_and_escapes_bars() -> None:
    text = table(["cell", "ρ", "n"], [["|a~0|", 0.91234, 10], ["b", 0.9, 5]])
    assert text.splitlines() == [
        "| cell | ρ | n |",
        "| --- | ---: | ---: |",
        r"| \|a~0\| | 0.912 | 10 |",
        "| b | 0.900 | 5 |",
    ]


def test_a_block_of_a_page_is_replaced_and_the_rest_is_left(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin a: python x -->\nold\n<!-- end a -->\nafter\n", encoding="utf-8")
    write_block("a", "| 1 |\n| 2 |", page)
    write_block("a", "| 3 |", page)
    expected = "before\n<!-- begin a: python x -->\n| 3 |\n<!-- end a -->\nafter\n"
    assert page.read_text(encoding="utf-8") == expected
    with pytest.raises(ValueError, match="0 blocks named b"):
        write_block("b", "", page)
