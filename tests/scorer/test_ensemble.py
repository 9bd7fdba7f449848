"""The ensemble of equation 4: its sum, its file, its place among the scorers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fxscore.errors import CheckpointError, ScorerError
from fxscore.scorer import FTScoreNet, Hybrid, Settings, Subject, load_scorer
from fxscore.scorer.checkpoint import load_checkpoint, save_checkpoint
from fxscore.scorer.ensemble import Ensemble, rounded

SMALL = Settings(batch=4, input_shape=(3, 6, 6), n_in=3, n_out=3)
NUMBERS = (torch.tensor([0.1, -0.2]), torch.tensor([0.5, 2.0]), torch.tensor([0.25, 0.75]))


def member(seed: int, **changes: Any) -> FTScoreNet:
    return FTScoreNet(replace(SMALL, **changes), seed=seed, name=f"member{seed}")


def ensemble(members: list[FTScoreNet] | None = None) -> Ensemble:
    return Ensemble(members or [member(0), member(1, v_norm=False, kernel_size=2)], *NUMBERS, name="two")


def subject(side: int = 6) -> Subject:
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)]
    return Subject(nn.Sequential(*layers), (3, side, side))


def test_it_is_the_weighted_sum_of_squashed_scores() -> None:
    found = ensemble()
    scores = [rounded(m).score(subject()) for m in (member(0), member(1, v_norm=False, kernel_size=2))]
    parts = [
        w / (1 + torch.exp(torch.tensor(-(s - mean) / deviation, dtype=torch.double)))
        for s, mean, deviation, w in zip(scores, *(values.tolist() for values in NUMBERS), strict=True)
    ]
    assert found.score(subject()) == pytest.approx(float(sum(parts)), abs=1e-9)
    assert 0 < found.score(subject()) < 1


def test_many_scores_are_combined_at_once() -> None:
    raw = torch.tensor([[0.1, -0.2], [5.0, 1.0], [-5.0, 0.0]], dtype=torch.double)
    found = ensemble().combine(raw)
    assert found.shape == (3,)
    assert float(found[0]) == pytest.approx(0.5)  # both members at their mean: half of the weights' sum
    assert found[1] > found[0] > found[2]


def test_a_file_gives_the_same_scores(tmp_path: Path) -> None:
    path, found = tmp_path / "two.safetensors", ensemble()
    record = {
        "members": [{"name": "member0", "record": {"plan": {"seed": 1}}}, {"name": "member1", "record": {}}]
    }
    save_checkpoint(path, found.to_checkpoint(record))
    loaded = load_scorer(path)
    assert isinstance(loaded, Ensemble)
    assert loaded.scorer_id == found.scorer_id
    assert loaded.score(subject()) == found.score(subject())
    assert (loaded.record, loaded.name) == (record, "two")
    assert [(m.name, m.record) for m in loaded.members] == [
        ("member0", {"plan": {"seed": 1}}),
        ("member1", {}),
    ]
    assert not any(parameter.requires_grad for m in loaded.scorenets for parameter in m.parameters())


def test_members_see_a_network_at_the_size_of_their_training() -> None:
    found = ensemble()
    assert found.shape_for((3, 224, 224)) == member(0).shape_for((3, 224, 224)) == (3, 64, 64)
    assert found.score(subject(32)) == found.score(subject(16)) != found.score(subject(6))


@pytest.mark.parametrize("part", ["weights", "deviations", "0.kernel.maps"])
def test_the_id_follows_every_number(part: str) -> None:
    checkpoint = ensemble().to_checkpoint()
    tensors = {name: tensor.clone() for name, tensor in checkpoint.tensors.items()}
    tensors[part] += 0.5
    assert Ensemble.from_checkpoint(replace(checkpoint, tensors=tensors)).scorer_id != ensemble().scorer_id


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"weights": torch.ones(3)}, "2 members need as many"),
        ({"deviations": torch.tensor([1.0, 0.0])}, "one score"),
        ({"1.mlp.0.bias": None}, "mlp.0.bias"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(changes: dict[str, Tensor | None], says: str) -> None:
    checkpoint = ensemble().to_checkpoint()
    tensors = {**checkpoint.tensors, **changes}
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    with pytest.raises(CheckpointError, match=says):
        Ensemble.from_checkpoint(replace(checkpoint, tensors=kept))


def test_a_hybrid_counts_by_its_raw_score(tmp_path: Path) -> None:
    networks = [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in range(2, 12)]
    hybrid = Hybrid(member(0)).fit(networks, range(10), input_shape=(3, 6, 6))
    found = Ensemble([hybrid, member(1)], *NUMBERS, name="both")
    raw = [
        float(hybrid.raw_scores(hybrid.features(subject()).values[None])[0]),
        rounded(member(1)).score(subject()),
    ]
    assert found.score(subject()) == pytest.approx(float(found.combine(torch.tensor(raw).double())))
    assert 0 < hybrid.score(subject()) != raw[0]
    save_checkpoint(tmp_path / "both.safetensors", found.to_checkpoint())
    loaded = load_scorer(tmp_path / "both.safetensors")
    assert isinstance(loaded, Ensemble)
    assert loaded.scorer_id == found.scorer_id
    assert loaded.score(subject()) == found.score(subject())
    assert [m.name for m in loaded.scorenets] == ["member1"]
    with pytest.raises(ScorerError, match="one protocol"):
        Ensemble([hybrid, member(1, small_inputs=False)], *NUMBERS)


def test_members_of_different_batches_are_refused() -> None:
    with pytest.raises(ScorerError, match="one batch"):
        ensemble([member(0), member(1, batch=5)])
    with pytest.raises(ScorerError, match="one protocol"):
        ensemble([member(0), member(1, small_inputs=False)])


def test_values_beyond_half_precision_are_refused() -> None:
    large = member(0)
    with torch.no_grad():
        large.readout.bias.fill_(1e6)
    with pytest.raises(ScorerError, match="member0"):
        ensemble([large, member(1)])


def test_rounding_leaves_the_member_itself_as_it_is() -> None:
    own = member(0)
    before = own.scorer_id
    assert rounded(own).scorer_id != before == own.scorer_id
    assert rounded(rounded(own)).scorer_id == rounded(own).scorer_id


def test_half_the_bytes(tmp_path: Path) -> None:
    single, pair = tmp_path / "single.safetensors", tmp_path / "pair.safetensors"
    save_checkpoint(single, member(0).to_checkpoint())
    save_checkpoint(pair, ensemble([member(0), member(1)]).to_checkpoint())
    sizes = [sum(t.nbytes for t in load_checkpoint(path).tensors.values()) for path in (single, pair)]
    assert sizes[1] == sizes[0] + 3 * 2 * 8
