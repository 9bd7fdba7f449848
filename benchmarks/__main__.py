"""All benchmarks by question: what each does, what it needs, how long it takes, and when its figures were last taken.

``python -m benchmarks`` prints the list; each is run as ``python -m benchmarks.NAME``, and its options are shown by
``--help``.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks.catalogue import BENCHMARKS, QUESTIONS, Benchmark
from benchmarks.results import Section, sections


def main() -> None:
    """Print the list."""
    console, found = Console(), sections()
    for question, title in QUESTIONS.items():
        shown = Table(
            "python -m benchmarks.…", "what", "needs", "takes", "last", title=title, title_justify="left"
        )
        shown.columns[0].no_wrap = True
        for benchmark in BENCHMARKS:
            if benchmark.question == question:
                shown.add_row(*row_of(benchmark, found))
        console.print(shown, end="\n\n")


def row_of(benchmark: Benchmark, found: list[Section]) -> tuple[str, ...]:
    """One line of the list."""
    dates = [section.date for section in found if benchmark.module in section.command.split()]
    return benchmark.name, benchmark.line, benchmark.needs or "–", benchmark.takes, max(dates, default="–")


if __name__ == "__main__":
    main()
