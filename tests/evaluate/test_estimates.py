from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxscore.evaluate.coefficients import kendall, precision_at, regret_at, spearman, weighted_kendall
from fxscore.evaluate.curves import learning_curve, mean_over_runs, validation_curve
from fxscore.evaluate.estimates import Estimate, Measures, agreement, difference
from fxscore.evaluate.matched import Bins, family_spearman, matched_spearman
from fxscore.evaluate.resampling import FIGURES, figures_of


@given(st.integers(0, 2**32 - 1), st.integers(0, 1), st.integers(2, 30))
def test_a_resample_given_as_counts_has_the_figures_of_the_drawn_networks(
    seed: int, decimals: int, size: int
) -> None:
    generator = np.random.default_rng(seed)
    scores, labels = generator.normal(size=(2, size)).round(decimals)
    counts = generator.multinomial(size, np.full(size, 1 / size), size=3).astype(np.float64)
    best, picks = max(1, size // 5), 3
    found = figures_of(scores, labels, counts, best, picks)
    for row in range(3):
        drawn = np.repeat(np.arange(size), counts[row].astype(int))
        s, t = scores[drawn], labels[drawn]
        expected = {
            "spearman": spearman(s, t),
            "kendall": kendall(s, t),
            "weighted": weighted_kendall(s, t),
            "precision": precision_at(s, t, best),
            "regret": regret_at(s, t, picks),
        }
        for name in FIGURES:
            assert found[name][row] == pytest.approx(expected[name], abs=1e-9, nan_ok=True), name


def test_intervals_hold_the_value_and_shrink_with_more_networks() -> None:
    generator = np.random.default_rng(1)
    widths = []
    for size in (50, 800):
        scores = generator.normal(size=size)
        labels = scores + generator.normal(size=size)
        rho = agreement(scores, labels, Measures(resamples=300)).figures["spearman"]
        assert rho.value is not None
        assert rho.low is not None
        assert rho.high is not None
        assert rho.low < rho.value < rho.high
        widths.append(rho.high - rho.low)
    assert widths[1] < widths[0] / 2


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # ρ of a normal pair with correlation r is 6/π·asin(r/2)
    truth = 6 / np.pi * np.arcsin(0.6 / 2)
    generator = np.random.default_rng(2)
    covered = 0
    for seed in range(100):
        x, noise = generator.normal(size=(2, 100))
        rho = agreement(x, 0.6 * x + 0.8 * noise, Measures(resamples=100, seed=seed)).figures["spearman"]
        assert rho.low is not None
        assert rho.high is not None
        covered += rho.low <= truth <= rho.high
    assert 88 <= covered <= 100


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    scores, labels = np.random.default_rng(3).normal(size=(2, 30))
    one, same, other = (agreement(scores, labels, Measures(resamples=50, seed=s)).figures for s in (4, 4, 5))
    assert one == same
    assert one["spearman"].low != other["spearman"].low


def test_families_are_resampled_as_wholes() -> None:
    # copies in one family carry no new knowledge: the interval is as wide as that of one copy each
    generator = np.random.default_rng(6)
    scores, labels = generator.normal(size=(2, 25))
    measures = Measures(resamples=400)
    repeated = agreement(
        np.repeat(scores, 8),
        np.repeat(labels, 8),
        measures,
        [f"family{index:02}" for index in range(25) for _ in range(8)],
    ).figures["spearman"]
    single = agreement(scores, labels, measures).figures["spearman"]
    for end in ("value", "low", "high"):
        assert getattr(repeated, end) == pytest.approx(getattr(single, end), abs=1e-9)


def test_an_undefined_figure_has_no_value_and_no_interval() -> None:
    figures = agreement(np.ones(5), np.arange(5.0), Measures(resamples=20)).figures
    assert figures["spearman"] == Estimate(None)
    assert figures["regret"].value is not None


def test_without_resamples_there_is_a_value_and_no_interval() -> None:
    rho = agreement(np.arange(5.0), np.arange(5.0), Measures(resamples=0)).figures["spearman"]
    assert rho.value == pytest.approx(1)
    assert rho.low is rho.high is None


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    generator = np.random.default_rng(7)
    labels = generator.normal(size=300)
    good = labels + generator.normal(size=300)
    better = good + 0.1 * (labels - good)
    one, other = (agreement(scores, labels, Measures(resamples=300)) for scores in (better, good))
    gain = difference(one, other, "spearman")
    low, high = one.figures["spearman"].low, other.figures["spearman"].high
    assert gain.low is not None
    assert low is not None
    assert high is not None
    assert gain.low > 0
    assert low < high  # the intervals themselves overlap


def test_at_equal_size_a_score_that_is_the_size_says_little() -> None:
    generator = np.random.default_rng(8)
    sizes = 10 ** generator.uniform(0, 2, size=600)
    quality = generator.normal(size=600)
    labels = np.log(sizes) + quality
    by_size = matched_spearman(sizes, labels, sizes, resamples=50)
    by_quality = matched_spearman(quality, labels, sizes, resamples=50)
    assert spearman(sizes, labels) > 0.6
    assert by_size.value is not None
    assert by_quality.value is not None
    assert by_size.value < 0.25
    assert by_quality.value > 0.95


def test_bins_hold_networks_within_the_tolerance_of_their_middle() -> None:
    sizes = np.geomspace(1, 1000, 400)
    bins = Bins(tolerance=0.15, least=10).of(sizes)
    assert bins
    for members in bins:
        assert sizes[members].max() / sizes[members].min() <= 1.15 / 0.85 + 1e-9
        assert len(members) >= 10


def test_a_bin_with_just_enough_networks_counts() -> None:
    sizes = np.array([1.0] * 3 + [10.0] * 2)
    assert [members.tolist() for members in Bins(least=3).of(sizes)] == [[0, 1, 2]]


def test_means_over_runs_have_students_interval() -> None:
    assert mean_over_runs([0.5]) == Estimate(0.5)
    three = mean_over_runs([0.4, 0.5, 0.6])
    assert three.value == pytest.approx(0.5)
    assert three.high == pytest.approx(0.5 + 4.3027 * 0.1 / 3**0.5, abs=1e-3)


def test_learning_curves_average_the_runs_that_have_a_point() -> None:
    curve = learning_curve("c", "step", [{10: 0.2, 20: 0.6}, {10: 0.4}])
    assert [(point.x, point.runs) for point in curve.points] == [(10, 2), (20, 1)]
    assert curve.points[0].estimate.value == pytest.approx(0.3)
    history = [{"step": 1.0, "loss": 0.1}, {"step": 2.0, "loss": 0.1, "validation": 0.7}]
    assert [(p.x, p.estimate.value) for p in validation_curve("v", history).points] == [(2.0, 0.7)]


def test_within_families_the_level_of_a_family_does_not_count() -> None:
    labels = np.array([1.0, 2, 3, 11, 12, 13, 14, 99])
    families = ["a"] * 3 + ["b"] * 4 + ["alone"]
    levels = np.array([5.0, 6, 7, 1, 2, 3, 4, 0])  # right within families, wrong across
    found = family_spearman(levels, labels, families, 3, resamples=20)
    assert found.value == pytest.approx(1)
    reversed_b = np.where(np.arange(8) < 3, levels, -levels)
    assert family_spearman(reversed_b, labels, families, 3, resamples=20).value == pytest.approx((3 - 4) / 7)
    assert family_spearman(levels, labels, families, 9, resamples=20).value is None
