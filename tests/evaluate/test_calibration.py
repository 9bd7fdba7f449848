"""Probabilities of pairs against what came true, each origin by the table of the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np
import pytest

from fxscore.evaluate.calibration import Calibration, calibration
from fxscore.scorer import Hybrid, load_scorer
from fxscore.scorer.pair_table import LeftOut, PairTable, Tally, gaps_of


def population(seed: int, noise: float, size: int = 80) -> LeftOut:
    draw = np.random.default_rng(seed)
    accuracies = draw.uniform(0, 100, size)
    return LeftOut(accuracies + draw.normal(0, noise, size), accuracies, np.full(size, 0.5))


def found(noises: Sequence[float]) -> Calibration:
    origins = {f"o{seed}": [population(seed, noise)] for seed, noise in enumerate(noises)}
    gaps = gaps_of([each for own in origins.values() for each in own])
    return calibration(gaps, {name: Tally.of(gaps, own) for name, own in origins.items()})


def test_origins_that_are_alike_are_promised_what_comes_true() -> None:
    alike = found([25.0] * 12)
    assert alike.error < 0.03
    assert alike.pairs == 12 * 80 * 79 / 2
    assert sum(each.pairs for each in alike.bins) == alike.pairs
    assert sum(each.weight for each in alike.bins) == pytest.approx(1)
    assert [each.promised for each in alike.bins] == sorted(each.promised for each in alike.bins)
    assert all(each.low <= each.true <= each.high for each in alike.bins)
    assert max(abs(each.promised - each.true) for each in alike.bins if each.weight > 0.05) < 0.06


def test_an_origin_that_is_ranked_worse_than_all_others_breaks_its_promises() -> None:
    broken = found([5.0, 5.0, 400.0])
    assert broken.error > 0.15
    assert [each.promised - each.true > 0.2 for each in broken.origins] == [False, False, True]


def test_an_origin_has_no_part_in_its_own_promises() -> None:
    """Of two origins each is promised what the other kept: with the own pairs among them the error would be half."""
    sure, coin = found([1.0, 1.0]).error, found([1.0, 4000.0]).error
    assert sure < 0.05
    assert coin > 0.3


def test_the_probabilities_of_the_shipped_scorer_come_true_on_origins_left_out() -> None:
    scorer = load_scorer()
    assert isinstance(scorer, Hybrid)
    gaps = np.array(scorer.record["pairs"]["gaps"])
    origins = {name: Tally.from_rows(rows) for name, rows in scorer.record["pairs"]["origins"].items()}
    table, own = PairTable.of_tally(gaps, reduce(add, origins.values())), scorer.confidence.pairs
    assert own is not None
    assert table.shares == pytest.approx(own.shares, abs=1e-4)  # the pairs are those of the file's own table
    assert table.counts.tolist() == own.counts.tolist()
    held = calibration(gaps, origins)
    assert len(held.origins) > 10
    assert held.pairs > 100_000
    assert held.error < 0.06
    assert held.error == pytest.approx(scorer.record["calibration"]["error"], abs=1e-4)
    heavy = [each for each in held.bins if each.weight > 0.05]
    assert [each.true for each in heavy] == pytest.approx([each.promised for each in heavy], abs=0.15)
