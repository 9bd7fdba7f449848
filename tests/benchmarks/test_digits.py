"""Digits: accuracies are kept in a table, and what it holds is not trained again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from benchmarks.quality import digits
from benchmarks.quality.digits import Study, Trainings, ceiling, drawn, ranks, sizes
from fxscore.evaluate import Bins


class Counting(Trainings):
    """Trains nothing: the accuracy is the seed's and the length of the text."""

    trained: ClassVar[list[str]] = []

    def _train(self, network: str, seed: int) -> float:
        self.trained.append(network)
        accuracy = len(network) + seed / 10 + 1 / 3
        self._keep(network, seed, accuracy)
        return accuracy


@pytest.fixture
def table(tmp_path: Path) -> Path:
    Counting.trained = []
    return tmp_path / "digits.csv"


def test_what_the_table_holds_is_not_trained_again(table: Path) -> None:
    networks = drawn(3, 0)
    first = Counting(table, 40).accuracies(networks, [0, 1])
    assert len(Counting.trained) == 6
    again = Counting(table, 40).accuracies(networks, [0, 1])
    assert len(Counting.trained) == 6
    assert np.allclose(first, again, atol=1e-4)
    assert table.read_text().splitlines()[0] == "network,seed,epochs,accuracy"


def test_trainings_of_another_length_are_others(table: Path) -> None:
    networks = drawn(2, 0)
    Counting(table, 40).accuracies(networks, [0])
    Counting(table, 15).accuracies(networks, [0])
    assert len(Counting.trained) == 4
    assert len(table.read_text().splitlines()) == 5


def test_any_scorers_can_be_ranked_without_searches(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = drawn(12, 0)
    monkeypatch.setattr(digits, "scored", lambda names, scorer, folder: np.arange(float(len(names))))
    options = argparse.Namespace(seeds=[0, 1], scorers=["params", "some/file.safetensors"], folder=tmp_path)
    monkeypatch.setattr(digits, "BINS", Bins(tolerance=0.9, least=3))
    text = ranks(Study(options, Counting(table, 40), networks))
    assert "| params |" in text
    assert "| file |" in text
    assert digits.FITTED not in text
    assert "One seed agrees with another by ρ = 1.000 (mean of 1 pairs)" in text


def test_one_training_has_no_ceiling() -> None:
    assert ceiling(np.ones((4, 1)), np.ones(4)) == "Each network was trained once."


def test_the_kept_table_is_of_networks_of_the_space_and_sound() -> None:
    for epochs in (15, 40):
        for (network, seed), accuracy in Trainings(digits.TABLE, epochs).known().items():
            assert network in sizes()
            assert seed in (0, 1, 2) or seed >= digits.PICK_SEED
            assert 5 < accuracy <= 100
