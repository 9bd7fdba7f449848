"""Searches hold candidates back that are far from the scorer's training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch import nn

import fxscore
from fxscore.errors import SearchError
from fxscore.report.search.table import summary
from fxscore.scorer import Hybrid, Subject
from fxscore.scorer.card import card_of
from fxscore.scorer.confidence import IMAGES, Confidence, Standing
from fxscore.scorer.neighbours import Neighbours
from fxscore.scorer.pair_table import PairTable
from fxscore.searching import SearchResult
from fxscore.searching.caution import caution_of
from tests.searching.spaces import Taste, Tiny

NEAR_GAP, FAR_GAP = 1.0, 5.0  # of scores that are told apart, inside training and far outside


def pairs(far: float = 200.0) -> PairTable:
    """Two scores are told apart (2/3) from a gap of 1 on inside and near training, from 5 on outside."""
    shares = np.array([[2 / 3, 0.8, 0.9], [2 / 3, 0.8, 0.9], [0.55, 2 / 3, 0.9]])
    return PairTable(np.array([NEAR_GAP, FAR_GAP, 9.0]), shares, np.array([200.0, 200.0, far]))


def confidence(table: PairTable | None) -> Confidence:
    columns = np.random.default_rng(0).normal(size=(12, 2))
    return Confidence((Neighbours.of(("a", "b"), columns),), table)


class Adventurous(Hybrid):
    """Likes width above all, and was trained on networks of at most 16 channels."""

    def standing(self, subject: Subject) -> Standing:
        """Width in sixteenths; wider than 16 is far from training."""
        convs = [part for part in subject.module.modules() if isinstance(part, nn.Conv2d)]
        width = convs[0].out_channels
        return Standing(width / 16, IMAGES, 0.5 if width <= 16 else 2.5)


def scorer(table: PairTable | None = None) -> Adventurous:
    return Adventurous(name="adventurous", confidence=confidence(table or pairs()))


def local_space() -> Tiny:
    class Local(Tiny):
        name = "local"

    return Local()


def run(**chosen: Any) -> SearchResult:
    options: dict[str, Any] = {"scorer": scorer(), "budget": 40, "population": 10, "no_store": True}
    return fxscore.search(local_space(), **(options | {"algorithm": "random"} | chosen))


@pytest.mark.parametrize(
    ("distance", "excess"), [(0.2, 0.0), (1.0, 0.0), (1.5, 0.0), (2.5, FAR_GAP - NEAR_GAP)]
)
def test_held_back_is_by_how_much_more_a_gap_must_be_so_far_out(distance: float, excess: float) -> None:
    assert confidence(pairs()).excess(Standing(3.0, IMAGES, distance)) == pytest.approx(excess)


def test_where_nothing_so_far_out_was_measured_the_widest_gap_counts() -> None:
    assert confidence(pairs(far=0.0)).excess(Standing(3.0, IMAGES, 9.0)) == pytest.approx(9 - NEAR_GAP)


@pytest.mark.parametrize("standing", [Standing(3.0, IMAGES, None), Standing(3.0)])
def test_what_is_not_known_holds_nothing_back(standing: Standing) -> None:
    assert confidence(pairs()).excess(standing) == 0
    assert confidence(None).excess(Standing(3.0, IMAGES, 9.0)) == 0


def test_a_cautious_search_takes_the_best_network_inside_training() -> None:
    bold, cautious = run(cautious=False), run()
    assert bold.best().values["score"] > 1
    assert cautious.best().values["score"] == 1
    assert cautious.settings["cautious"]
    assert "cautious" not in bold.settings


def test_values_say_what_was_held_back_and_the_summary_how_often() -> None:
    found = run()
    far = [each for each in found.evaluations if each.values["held_back"]]
    plain = {each.text: each.values["score"] for each in run(cautious=False).evaluations}
    assert far
    assert all(each.values["held_back"] == FAR_GAP - NEAR_GAP for each in far)
    assert all(
        each.values["score"] + each.values["held_back"] == plain[each.text] for each in found.evaluations
    )
    assert f"{len(far)} scores held back" in summary(found)
    assert "held back" not in summary(run(cautious=False))


def test_scorers_that_know_no_distance_are_bold_and_cannot_be_told_otherwise() -> None:
    assert "held_back" not in run(scorer=Taste()).best().values
    assert caution_of(card_of(Hybrid(confidence=confidence(None))), None) is None
    with pytest.raises(SearchError, match="taste does not know how surely"):
        run(scorer=Taste(), cautious=True)


def test_the_shipped_scorer_is_cautious() -> None:
    assert caution_of(card_of("general"), None) is not None
    assert caution_of(card_of("general"), False) is None
