"""Encodings from block to block: cuts, maps, deciles and the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fxscore.cli.app import run
from fxscore.errors import ScorerError
from fxscore.evaluate.transition import (
    Until,
    block_paths,
    decile_places,
    landscape,
    learned_plane,
    path_of,
    principal_plane,
    score_vectors,
    vector_of,
)
from fxscore.report.transition import plot_transition
from fxscore.scorer import FTScoreNet
from fxscore.scorer.subject import Subject


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x))


def network(*widths: int) -> nn.Module:
    blocks = [Block(a, b) for a, b in zip((3, *widths), widths, strict=False)]
    return nn.Sequential(
        nn.Sequential(*blocks), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 5)
    )


@pytest.fixture(scope="module")
def scorer() -> FTScoreNet:
    return FTScoreNet()


def test_a_cut_network_gives_what_the_block_gives() -> None:
    whole = network(4, 6, 8)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(Until(whole, "0.1")(x), whole[0][:2](x))  # type: ignore[index]
    assert whole(x).shape == (2, 5)  # no hook is left behind


def test_blocks_are_the_outermost_kind_that_repeats() -> None:
    assert block_paths(network(4, 6, 8)) == ["0.0", "0.1", "0.2"]
    with pytest.raises(ScorerError, match="no two modules"):
        block_paths(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))


def test_the_last_vector_gives_the_score(scorer: FTScoreNet) -> None:
    whole = network(4, 6, 8)
    found = path_of(scorer, "n", whole, (3, 16, 16))
    assert found.vectors.shape == (4, scorer.batch)
    assert score_vectors(scorer, found.vectors)[-1] == pytest.approx(
        scorer.raw_score(Subject(whole, (3, 16, 16))), rel=1e-4, abs=1e-5
    )


def test_maps_keep_the_score_and_are_drawn(scorer: FTScoreNet, tmp_path: Path) -> None:
    shape = (3, 16, 16)
    vectors = np.stack([vector_of(scorer, network(w, 2 * w), shape) for w in range(2, 10)])
    principal, learned = principal_plane(scorer, vectors), learned_plane(scorer, vectors)
    again = learned_plane(scorer, vectors)
    assert np.array_equal(learned.points(vectors), again.points(vectors))
    wanted = score_vectors(scorer, vectors)
    assert np.abs(learned.scores(learned.points(vectors)) - wanted).mean() < 0.5 * wanted.std()
    assert landscape(principal, principal.points(vectors))[2].shape == (60, 60)
    paths = [path_of(scorer, f"net {w}", network(w, w, w), shape) for w in (3, 6)]
    plot_transition(paths, [learned, principal], vectors, "title", tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    assert all(said in text for said in ("net 3", "net 6", "auto-encoder", "principal components"))


def test_one_network_of_each_tenth_the_best_first() -> None:
    values = list(range(100))
    assert [value // 10 for value in decile_places(values, 3)] == list(range(9, -1, -1))


def test_another_scorer_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plot", "transition", "nasbench201", "--scorer", "params"]) == 2
    assert "no FT-ScoreNet" in capsys.readouterr().err
