"""`fxscore.compare`: verdicts, what speaks for each network, and what is honestly not known."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

import fxscore
from fxscore.cli.app import run
from fxscore.comparison import Verdict
from fxscore.errors import UsageError
from fxscore.report.comparison import print_comparison
from fxscore.report.reasons import short
from fxscore.scorer import Hybrid, load_scorer
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.contributions import GROUPS, contributions, group_of
from fxscore.scorer.features import feature_names
from fxscore.scorer.pair_table import PairTable
from fxscore.types import ModelRef


def network(width: int) -> nn.Module:
    layers = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, 4))


def shown(comparison: fxscore.Comparison, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_comparison(console, comparison)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def sure() -> Hybrid:
    """The shipped scorer with a made-up table: a point apart is one in fifty more, whatever the distance."""
    scorer = load_scorer()
    assert isinstance(scorer, Hybrid)
    gaps = np.array([0.01, 20.0])
    pairs = PairTable(gaps, np.tile([0.7, 0.95], (3, 1)), np.full(3, 1000.0))
    confidence = replace(scorer.confidence, pairs=pairs)
    return Hybrid(scorer.encoder, scorer.head, scorer.scale, name="sure", confidence=confidence)


def test_every_column_has_a_group_and_shares_add_up_to_the_difference() -> None:
    assert {group_of(name) for name in feature_names()} == set(GROUPS)
    assert {group_of(name) for name in ("log_macs", "own_log_macs")} == {"size: parameters, MACs, elements"}
    generator = np.random.default_rng(0)
    names = ["log_params", "count_sum", "uses_relu", "width_max", "depth", "encoding_mean"]
    first, second = generator.normal(size=(2, 6))
    found = contributions(
        names, first, second, lambda rows: rows[:, 0] * rows[:, 1] + rows[:, 4] ** 2 - rows[:, 5]
    )
    total = (
        first[0] * first[1] + first[4] ** 2 - first[5] - (second[0] * second[1] + second[4] ** 2 - second[5])
    )
    assert sum(each.points for each in found) == pytest.approx(total)
    points = {each.group: each.points for each in found}
    assert points["widths"] == pytest.approx(0)
    assert points["wiring and depth"] == pytest.approx(first[4] ** 2 - second[4] ** 2)


def test_the_better_one_has_the_probability_of_the_file(sure: Hybrid) -> None:
    found = fxscore.compare({"a": network(4), "b": network(48)}, input_shape=(3, 32, 32), scorer=sure)
    best, other = found.contenders
    (verdict,) = found.verdicts
    assert verdict.better == best.record.ref
    assert verdict.probability == sure.confidence.better(best.record, other.record)
    assert verdict.probability is not None
    assert verdict.probability > 2 / 3
    assert f"{round(100 * verdict.probability)} %" in str(found)
    gap = (best.record.score or 0) - (other.record.score or 0)
    assert sum(each.points for each in verdict.contributions) == pytest.approx(gap, abs=1e-6)
    assert best.record.low is not None
    assert {contender.layers for contender in found.contenders} == {1}
    assert all((contender.memory or 0) > 4 * (contender.record.params or 0) for contender in found.contenders)


def test_without_a_table_it_says_that_it_does_not_know() -> None:
    found = fxscore.compare(network(4), network(48), input_shape=(3, 32, 32))
    text = shown(found)
    if found.verdicts[0].probability is None:  # as long as the shipped file has no table
        assert "how surely it is better is not known" in text
        assert "no probabilities" in text
    assert "To settle it" in text
    assert "training: inside, near or outside what the scorer learned from" in text
    for contender in found.contenders:
        assert contender.like[0].distance <= contender.like[-1].distance
        assert short(contender.like[0].name).split()[0][:16] in text  # a longer one is on several lines
    assert json.loads(json.dumps(found.as_dict()))["networks"][0]["layers"] == 1


def test_networks_of_other_kinds_do_not_compare(sure: Hybrid) -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.layer, self.head = nn.Embedding(30, 8), nn.Linear(8, 8), nn.Linear(8, 2)
            self.example_input_array = torch.tensor([[5, 29, 3, 7, 1]])

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(self.layer(self.table(ids)).relu().mean(1))
            return out

    class Image(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.example_input_array = network(6), torch.zeros(1, 3, 16, 16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.net(x)
            return out

    found = fxscore.compare(Words(), Image(), scorer=sure)
    assert not found.verdicts[0].compares
    assert "do not compare" in shown(found)
    assert {contender.record.group for contender in found.contenders} >= {"token ids"}


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.55, "cannot be told apart"), (0.8, "is better than"), (None, "is not known")],
)
def test_verdicts_in_words(probability: float | None, words: str) -> None:
    a, b = ModelRef("timm", "a"), ModelRef("timm", "b")
    assert words in Verdict(a, b, probability, compares=True).sentence


def test_a_failure_is_told_and_one_network_is_no_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    found = fxscore.compare(
        {"a": network(4), "odd": nn.Linear(3, 3)}, input_shape=(3, 16, 16), scorer="params"
    )
    assert len(found.contenders) + len(found.ranking.failures) == 2
    with pytest.raises(UsageError, match="two networks at least"):
        fxscore.compare(network(4))
    assert run(["compare", "zoo/vit.py"]) == 2
    assert "two networks at least" in capsys.readouterr().err
    assert Confidence().better(*found.ranking.records[:2]) is None
