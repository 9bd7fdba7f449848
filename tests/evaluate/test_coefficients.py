from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr, weightedtau

from fxscore.evaluate.coefficients import (
    Floats,
    Ties,
    chosen,
    kendall,
    precision_at,
    regret_at,
    spearman,
    weighted_kendall,
)

few_levels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=7)


def arrays(pairs: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    return np.array([float(a) for a, _ in pairs]), np.array([float(b) for _, b in pairs])


def tie_breaks(values: Floats, k: int) -> list[frozenset[int]]:
    """Every set of k best, as often as random tie-breaking would give it."""
    sets = []
    for order in permutations(range(len(values))):
        place = {index: position for position, index in enumerate(order)}
        best = sorted(range(len(values)), key=lambda index: (-values[index], place[index]))
        sets.append(frozenset(best[:k]))
    return sets


def test_correlations_are_scipys() -> None:
    generator = np.random.default_rng(0)
    scores, labels = generator.normal(size=(2, 40)).round(1)
    assert spearman(scores, labels) == pytest.approx(spearmanr(scores, labels).statistic)
    assert kendall(scores, labels) == pytest.approx(kendalltau(scores, labels, variant="b").statistic)
    assert weighted_kendall(scores, labels) == pytest.approx(weightedtau(scores, labels).statistic)


@pytest.mark.parametrize("figure", [spearman, kendall, weighted_kendall])
def test_order_that_is_not_there_is_undefined(figure: object) -> None:
    assert callable(figure)
    assert np.isnan(figure(np.ones(4), np.arange(4.0)))
    assert np.isnan(figure(np.arange(4.0), np.ones(4)))


@pytest.mark.parametrize("figure", [spearman, kendall])
def test_what_stands_for_no_order_may_be_said(figure: Callable[..., float]) -> None:
    assert figure(np.ones(4), np.arange(4.0), undefined=0.0) == 0
    assert figure(np.arange(4.0), np.arange(4.0), undefined=0.0) == pytest.approx(1)


@given(few_levels, st.integers(1, 8))
def test_top_k_under_ties_is_the_mean_over_all_ways_to_break_them(
    pairs: list[tuple[int, int]], k: int
) -> None:
    scores, labels = arrays(pairs[:5])
    k = min(k, len(scores))
    by_score, by_label = tie_breaks(scores, k), tie_breaks(labels, k)
    inside = [np.mean([index in best for best in by_score]) for index in range(len(scores))]
    assert chosen(scores, k) == pytest.approx(np.array(inside))
    overlaps = [len(a & b) / k for a in set(by_score) for b in set(by_label)]
    weights = [by_score.count(a) * by_label.count(b) for a in set(by_score) for b in set(by_label)]
    assert precision_at(scores, labels, k) == pytest.approx(np.average(overlaps, weights=weights))
    lost = [labels.max() - max(labels[index] for index in best) for best in by_score]
    assert regret_at(scores, labels, k) == pytest.approx(np.mean(lost))


def test_a_perfect_score_has_precision_one_and_no_regret() -> None:
    labels = np.array([3.0, 9.0, 4.0, 7.0])
    assert precision_at(2 * labels, labels, 2) == 1
    assert regret_at(2 * labels, labels, 1) == 0
    assert regret_at(-labels, labels, 1) == 6
    assert precision_at(-labels, labels, 2) == 0


def test_k_beyond_the_networks_takes_all() -> None:
    scores, labels = np.array([1.0, 2.0]), np.array([5.0, 4.0])
    assert precision_at(scores, labels, 10) == 1
    assert regret_at(scores, labels, 10) == 0


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_ties_count_networks_that_share_their_value(values: list[int]) -> None:
    ties = Ties.of(np.array(values, dtype=np.float64))
    sharing = {i for i, j in combinations(range(len(values)), 2) if values[i] == values[j]}
    sharing |= {j for i, j in combinations(range(len(values)), 2) if values[i] == values[j]}
    assert ties.tied == len(sharing)
    assert ties.share == len(sharing) / len(values)
    assert ties.levels == len(set(values))
