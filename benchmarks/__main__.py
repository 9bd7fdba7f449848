"""All benchmarks by question: what each does, what it needs, how long it takes, and when its figures were last taken.

``python -m benchmarks`` prints a line for each, cut where a terminal ends, and ``python -m benchmarks speed`` all of
one question; each is run as ``python -m benchmarks.NAME``, and its options are shown by ``--help``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.catalogue import BENCHMARKS, QUESTIONS, Benchmark
from benchmarks.results import Section, sections

COLUMNS = ("python -m benchmarks.…", "last", "takes", "what", "needs")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the list."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(QUESTIONS)}")
    questions = parser.parse_args(arguments).questions
    if unknown := sorted(set(questions) - set(QUESTIONS)):
        parser.error(f"no question {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    console, found = Console(), sections()
    if not questions:
        for line in index(found):
            cut = {"no_wrap": True, "overflow": "ellipsis"} if console.is_terminal else {"soft_wrap": True}
            console.print(line, markup=False, highlight=False, **cut)
    for question in questions:
        console.print(whole_table(question, found))


def index(found: Sequence[Section]) -> Iterator[str]:
    """A line for each question and each benchmark; what one needs stands in brackets behind what it does."""
    rows = {question: [row_of(each, found) for each in of_question(question)] for question in QUESTIONS}
    widths = [max(len(row[place]) for own in rows.values() for row in own) for place in range(3)]
    for question, title in QUESTIONS.items():
        yield f"{question}: {title}"
        for row in rows[question]:
            start = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False))
            yield f"  {start}  {row[3]}" + (f" [{row[4]}]" if row[4] else "")


def whole_table(question: str, found: Sequence[Section]) -> Table:
    """All that is known of the benchmarks of a question."""
    shown = Table(*COLUMNS, title=QUESTIONS[question], title_justify="left")
    shown.columns[0].no_wrap = True
    for benchmark in of_question(question):
        shown.add_row(*row_of(benchmark, found))
    return shown


def of_question(question: str) -> list[Benchmark]:
    """Its benchmarks."""
    return [benchmark for benchmark in BENCHMARKS if benchmark.question == question]


def row_of(benchmark: Benchmark, found: Sequence[Section]) -> tuple[str, ...]:
    """What stands below each of `COLUMNS`."""
    dates = [section.date for section in found if benchmark.module in section.command.split()]
    return benchmark.name, max(dates, default="–"), benchmark.takes, benchmark.line, benchmark.needs


if __name__ == "__main__":
    main()
