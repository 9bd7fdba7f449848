"""Evaluations and matrices as rich tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fxscore.evaluate import CrossSpace, Estimate, ScoreMatrix, ScorerComparison, ScorerEvaluation
from fxscore.report.narrowing import NarrowingTable
from fxscore.report.numbers import MISSING

_STYLES = {"": "", "bold": "bold", "underline": "underline"}


def print_comparison(console: Console, comparison: ScorerComparison) -> None:
    """Print what was compared, one table per label with the best ρ first, failures and notes."""
    console.print(Text(headline(comparison)))
    for label in comparison.labels:
        console.print(comparison_table(comparison, label))
    for note in (*failure_lines(comparison), *comparison.notes):
        console.print(Text(note), soft_wrap=True)


def comparison_table(comparison: ScorerComparison, label: str) -> Table:
    """One row per scorer: figures with their intervals, and how many scores are tied."""
    table = NarrowingTable("scorer", title=label)
    table.add_column("scorer", overflow="fold")
    for name in (*figure_titles(comparison).values(), "tied"):
        table.add_column(name, justify="right", no_wrap=True)
    for evaluation in ordered(comparison, label):
        figures = [interval_text(evaluation.agreement.figures[name]) for name in figure_titles(comparison)]
        table.add_row(*map(Text, (evaluation.scorer, *figures, tied_text(evaluation))))
    return table


def headline(comparison: ScorerComparison) -> str:
    """What the figures are of: networks, resamples, seed."""
    measures = comparison.measures
    drawn = "" if comparison.n == comparison.drawn else f" of {comparison.drawn} drawn, those that all scored"
    text = f"{comparison.population}: n = {comparison.n}{drawn}"
    if not measures.resamples:
        return text
    what = f"{comparison.families} families" if comparison.families else "networks"
    return (
        f"{text}; {100 * measures.confidence:g} % percentile intervals from {measures.resamples} bootstrap "
        f"resamples of {what} (seed {measures.seed})"
    )


def figure_titles(comparison: ScorerComparison) -> dict[str, str]:
    """Figures by name, with the heading of their column."""
    measures = comparison.measures
    return {
        "spearman": "ρ",
        "kendall": "τ-b",
        "weighted": "weighted τ",
        "precision": f"precision, top {100 * measures.top:g} %",
        "regret": f"regret at {measures.picks}",
    }


def ordered(comparison: ScorerComparison, label: str) -> list[ScorerEvaluation]:
    """The evaluations on one label, the best ρ first, undefined ones last."""
    found = [each for each in comparison.evaluations if each.label == label]
    values = [each.agreement.figures["spearman"].value for each in found]
    places = sorted(range(len(found)), key=lambda i: (values[i] is None, -(values[i] or 0.0)))
    return [found[i] for i in places]


def interval_text(estimate: Estimate) -> str:
    """``0.812 [0.790, 0.832]``; a dash where the figure is undefined."""
    if estimate.value is None:
        return MISSING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def tied_text(evaluation: ScorerEvaluation) -> str:
    """How many networks share their score with another: ``120 (12 %)``."""
    ties = evaluation.tied_scores
    return f"{ties.tied} ({100 * ties.share:.0f} %)" if ties.tied else "0"


def failure_lines(comparison: ScorerComparison) -> list[str]:
    """One line for each scorer that failed on some networks, with the first error."""
    return [
        f"{scorer} failed on {len(failed)} of {comparison.drawn} networks, first {failed[0].ref}: {failed[0].error}"
        for scorer, failed in comparison.failures.items()
        if failed
    ]


def print_across(console: Console, matrix: CrossSpace, scores: ScoreMatrix) -> None:
    """Print the matrix across spaces and the matrix of scorer against scorer."""
    console.print(
        Text(
            "Spearman's ρ; bold: a learned scorer outperforms all handcrafted ones, underlined: two or more, "
            f"†: trained on that space; negative elsewhere: {len(matrix.negative)}"
        ),
        soft_wrap=True,
    )
    console.print(cross_space_table(matrix))
    over = f"Spearman's ρ of scorer with scorer, mean over {', '.join(scores.populations)}"
    console.print(Text(over), soft_wrap=True)
    console.print(score_matrix_table(scores))


def cross_space_table(matrix: CrossSpace) -> Table:
    """Rows where scorers are tested, columns of learned scorers, then the handcrafted ones."""
    table = NarrowingTable("tested on")
    table.add_column("tested on", overflow="fold")
    for name in (*matrix.learned, *matrix.handcrafted):
        table.add_column(name, justify="right", overflow="fold")
    for row in matrix.rows:
        cells = [_marked(matrix, row, name) for name in (*matrix.learned, *matrix.handcrafted)]
        table.add_row(Text(row), *cells)
    return table


def score_matrix_table(matrix: ScoreMatrix) -> Table:
    """Scorer against scorer, mean ρ."""
    table = NarrowingTable("scorer")
    table.add_column("scorer", overflow="fold")
    for name in matrix.columns:
        table.add_column(name, justify="right")
    for name, values in zip(matrix.rows, matrix.values, strict=True):
        table.add_row(Text(name), *(Text(value_text(float(value))) for value in values))
    return table


def value_text(value: float | None) -> str:
    """Three decimals; a dash where there is no value."""
    return MISSING if value is None or value != value else f"{value:.3f}"


def _marked(matrix: CrossSpace, row: str, scorer: str) -> Text:
    trained = "†" if row in matrix.trained.get(scorer, ()) else ""
    return Text(value_text(matrix.value(row, scorer)) + trained, style=_STYLES[matrix.mark(row, scorer)])
