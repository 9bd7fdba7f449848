"""How well scores rank: correlations with intervals, comparisons, cross-space matrices and learning curves."""

from __future__ import annotations

from fxscore.evaluate.coefficients import (
    Ties,
    kendall,
    precision_at,
    regret_at,
    spearman,
    weighted_kendall,
)
from fxscore.evaluate.comparison import ScorerComparison, ScorerEvaluation, compare_scorers
from fxscore.evaluate.cross_space import CrossSpace, ScoreMatrix, score_matrix
from fxscore.evaluate.curves import LearningCurve, learning_curve, mean_over_runs, validation_curve
from fxscore.evaluate.estimates import Agreement, Estimate, Measures, agreement, difference
from fxscore.evaluate.matched import Bins, family_spearman, matched_spearman
from fxscore.evaluate.population import Population, refs_of
from fxscore.evaluate.scoring import score_refs, score_table, scores_of
from fxscore.evaluate.seen import Seen, seen_by, trained_spaces
from fxscore.evaluate.splits import Split, family_folds, split_indices
from fxscore.evaluate.tables import read_population, table_path

__all__ = [
    "Agreement",
    "Bins",
    "CrossSpace",
    "Estimate",
    "LearningCurve",
    "Measures",
    "Population",
    "ScoreMatrix",
    "ScorerComparison",
    "ScorerEvaluation",
    "Seen",
    "Split",
    "Ties",
    "agreement",
    "compare_scorers",
    "difference",
    "family_folds",
    "family_spearman",
    "kendall",
    "learning_curve",
    "matched_spearman",
    "mean_over_runs",
    "precision_at",
    "read_population",
    "refs_of",
    "regret_at",
    "score_matrix",
    "score_refs",
    "score_table",
    "scores_of",
    "seen_by",
    "spearman",
    "split_indices",
    "table_path",
    "trained_spaces",
    "validation_curve",
    "weighted_kendall",
]
