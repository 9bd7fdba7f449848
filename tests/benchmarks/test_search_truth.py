"""Searches against truth: what is drawn, scaled and kept, and how wide a network's steps are."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from benchmarks.quality.wild_training import LABEL, Training
from benchmarks.search import truth
from benchmarks.search.truth import (
    USUAL,
    Choice,
    Scored,
    accuracies,
    drawn,
    fits,
    report,
    scaled,
    size,
)
from benchmarks.search.width_steps import widest_step
from benchmarks.shared.rows import kept_rows


@pytest.mark.parametrize("name", USUAL)
def test_usual_networks_are_as_wide_as_the_limits_let_them(name: str) -> None:
    chosen = scaled(USUAL[name])
    assert fits(chosen)
    wider = [
        text for width in truth.CHOSEN_WIDTHS if fits(text := truth._in_order(USUAL[name].format(width)))
    ]
    assert size(chosen) == max(map(size, wider))
    assert size(chosen)[0] > 50_000


def test_random_networks_fit_are_different_and_were_not_trained_before() -> None:
    first = drawn(3, 0, set())
    assert len(set(first)) == 3
    assert all(map(fits, first))
    assert first[0] not in drawn(2, 0, {first[0]})


def test_trainings_are_kept_and_the_first_seed_of_all_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, int]] = []

    def trained(task: Training, data: Path | None) -> dict[str, object]:
        done.append((task.genotype, task.seed))
        return {"genotype": task.genotype, "seed": task.seed, LABEL: 80.0 + task.seed}

    monkeypatch.setattr(truth, "trained", trained)
    options = argparse.Namespace(rows=tmp_path / "truth.csv", seeds=2, data=None)
    chosen = [Choice("search", "a"), Choice("random", "b"), Choice("largest", "a")]
    assert accuracies(chosen, options) == {"a": {0: 80.0, 1: 81.0}, "b": {0: 80.0, 1: 81.0}}
    assert done == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    accuracies(chosen, options)
    assert len(done) == len(kept_rows(options.rows)) == 4


def test_the_report_says_how_many_random_networks_are_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "random_accuracies", lambda: [70.0, 79.0, 81.0, 90.0])
    chosen = [Choice("search", scaled(USUAL["ResNet"]))]
    text = report(chosen, {chosen[0].genotype: {0: 79.0, 1: 81.0}}, Scored({}, {chosen[0].genotype: 0.5}))
    (row,) = (line for line in text.splitlines() if line.startswith("| search"))
    assert row.endswith("| – | 0.50 | 80.00 (67.29 to 92.71) | 50 |")
    assert "| random, of the table | 4 |" in text


def test_the_kept_trainings_are_of_networks_within_the_limits() -> None:
    for row in kept_rows(truth.ROWS):
        assert fits(row["genotype"])
        assert 5 < float(row[LABEL]) <= 100


def test_the_widest_step_leaves_out_the_stem_and_grouped_convolutions() -> None:
    stem, depthwise = nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3, groups=64)
    network = nn.Sequential(stem, nn.Conv2d(64, 8, 1), depthwise, nn.Conv2d(8, 96, 1), nn.Conv2d(96, 48, 1))
    assert widest_step(network) == (8, 96)
    assert np.prod(widest_step(nn.Sequential(stem, nn.Conv2d(64, 8, 1)))) == 512
