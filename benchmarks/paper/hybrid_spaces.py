"""Hybrid heads of one space on every other: the form of Tables I and II of the paper for the hybrid scorer.

``python -m benchmarks.paper.hybrid_spaces --data ../shared/data --write`` fits a hybrid head to the networks of one
space and ranks those of all others; and, in the last learned column, to all spaces but the row's. Features are those
of ``python -m benchmarks.quality.features``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.paper.parts import SOURCES, Part, read_part
from benchmarks.quality.features import FOLDER
from benchmarks.results import command_line, write_section
from benchmarks.shared.matrix import matrix_markdown, means_markdown, rho
from benchmarks.shared.opponents import WORK, proxy_scores
from benchmarks.shared.standardised import standardised
from fxscore.evaluate import CrossSpace, Estimate, Measures, read_population
from fxscore.evaluate.coefficients import Floats
from fxscore.scorer.features import feature_names
from fxscore.scorer.hybrid_head import Head
from fxscore.scorer.hybrid_learners import HeadLearning, fit_head

OTHERS = "all but the row's"
RESAMPLES = 1000
# Handcrafted scores, which are not learned, steady the head on networks unlike those that it learned from.
LEARNING = HeadLearning(
    members=(("radial", 1.0), ("forest", 1.0), ("naswot", 0.5), ("size", 0.5)),
    trees=80,
    leaf=3,
    penalty=3.0,
    width=0.3,
)
COLUMNS = tuple(name for name in feature_names() if not name.startswith("quarter"))
SIZES = {
    "params": "log_params",
    "MACs": "own_log_macs",
    "activations": "own_log_weighted_activations",
    "layers": "count_weighted",
    "depth": "depth",
}


def fit_spaces(parts: Sequence[Part]) -> Head:
    """A head fitted to benchmarks; each counts the same."""
    return fit_head(
        feature_names(),
        np.concatenate([part.values for part in parts]),
        np.concatenate([standardised(part.targets) for part in parts]),
        LEARNING,
        columns=COLUMNS,
        weights=np.concatenate([np.full(len(part), 1 / len(part)) for part in parts]),
    )


def handcrafted_scores(part: Part, data: Path, work: Path) -> dict[str, Floats]:
    """Sizes, and the proxies that `work` keeps or gets."""
    found = {name: part.column(column) for name, column in SIZES.items()}
    found["activations·√params"] = found["activations"] + found["params"] / 2
    found["activations·layers"] = found["activations"] + np.log(np.maximum(found["layers"], 1))
    refs = read_population(part.source.space, data).refs
    return found | proxy_scores(part.source.space, [refs[row] for row in part.rows], work)


def columns_of(parts: Sequence[Part], row: Part) -> Mapping[str, Floats]:
    """Scores of the row's networks by learned column."""
    heads = {part.source.title: fit_spaces([part]) for part in parts if part is not row}
    heads[OTHERS] = fit_spaces([part for part in parts if part is not row])
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
        "more. The learners were chosen with these spaces left out one by one."
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
    parts = [read_part(source, options.data, options.folder) for source in SOURCES]
    handcrafted = {part.source.title: handcrafted_scores(part, options.data, options.work) for part in parts}
    text = report(parts, matrix_of(parts, handcrafted))
    print(text)
    if options.write:
        write_section("hybrid-spaces", "Hybrids of one space on every other", text, command_line())


if __name__ == "__main__":
    main()
