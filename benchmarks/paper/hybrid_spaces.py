"""Hybrid heads of one space on every other: the form of Tables I and II of the paper for the hybrid scorer.

``python -m benchmarks.paper.hybrid_spaces --data ../shared/data --write`` fits the head of small images of the general
scorer (`benchmarks.general_training`) to the networks of one space and ranks those of all others; and, in the last
learned column, to all spaces but the row's. Features are those of ``python -m benchmarks.features``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.features import FOLDER
from benchmarks.general import RESAMPLES, handcrafted_scores
from benchmarks.general_parts import SOURCES, Part, read_part
from benchmarks.general_training import fit_small
from benchmarks.matrix import matrix_markdown, means_markdown, rho
from benchmarks.opponents import WORK
from benchmarks.results import command_line, write_section
from fxscore.evaluate import CrossSpace, Estimate, Measures
from fxscore.evaluate.coefficients import Floats
from fxscore.scorer.features import feature_names

OTHERS = "all but the row's"


def columns_of(parts: Sequence[Part], row: Part) -> Mapping[str, Floats]:
    """Scores of the row's networks by learned column."""
    heads = {part.source.title: fit_small([part]) for part in parts if part is not row}
    heads[OTHERS] = fit_small([part for part in parts if part is not row])
    return {name: head.predict(feature_names(), row.values) for name, head in heads.items()}


def matrix_of(parts: Sequence[Part], handcrafted: Mapping[str, Mapping[str, Floats]]) -> CrossSpace:
    """ρ with intervals of every head on every space that it was not fitted to; `handcrafted` scores by row."""
    cells: dict[tuple[str, str], Estimate] = {}
    for row in parts:
        title = row.source.title
        for name, scores in {**columns_of(parts, row), **handcrafted[title]}.items():
            cells[title, name] = rho(scores, row.labels, Measures(resamples=RESAMPLES))
    titles = tuple(part.source.title for part in parts)
    return CrossSpace(titles, (*titles, OTHERS), tuple(next(iter(handcrafted.values()))), cells)


def report(parts: Sequence[Part], matrix: CrossSpace) -> str:
    """The section."""
    counts = ", ".join(f"{part.source.title} {len(part)} ({part.source.labels[-1]})" for part in parts)
    negative = ", ".join(f"{name} on {row}" for row, name in matrix.negative) or "none"
    note = (
        f"Spearman's ρ with 95 % bootstrap intervals ({RESAMPLES} resamples, seed 0). Networks, each architecture "
        f"once, for training and for testing: {counts}. Bold: above everything handcrafted; underlined: above two or "
        'more; handcrafted scores as in the section "General scorer". The learners are those of the general '
        "scorer's head of small images, which were chosen with these spaces left out one by one."
    )
    tables = matrix_markdown(matrix), means_markdown(matrix)
    return "\n\n".join([note, *tables, f"Negative cells: {negative}."])


def main() -> None:
    """Fit, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of features")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of proxies' scores")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    sources = [source for source in SOURCES if source.space != "timm"]
    parts = [read_part(source, options.data, options.folder) for source in sources]
    handcrafted = {part.source.title: handcrafted_scores(part, options.data, options.work) for part in parts}
    text = report(parts, matrix_of(parts, handcrafted))
    print(text)
    if options.write:
        write_section("hybrid-spaces", "Hybrids of one space on every other", text, command_line())


if __name__ == "__main__":
    main()
