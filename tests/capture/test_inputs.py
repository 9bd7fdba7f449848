"""Networks that take more than one image: token ids, masks, several inputs, named inputs, other ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import fxscore
from fxscore.capture.inputs import Inputs, is_mask
from fxscore.constructed import ConstructedArchitecture
from fxscore.errors import CaptureError
from fxscore.graph_features import graph_features
from fxscore.kernel import FourierKernel, WeightCache
from fxscore.scorer import FTScoreNet, Settings

BATCH = 4
IDS = torch.tensor([[1, 2, 9, 0, 5, 3]])
SCORER = FTScoreNet(Settings(batch=BATCH, input_shape=(3, 8, 8)))


class Words(nn.Module):
    """Token and position embeddings, a masked mean, a classifier."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.tokens = nn.Embedding(10, width)
        self.positions = nn.Embedding(6, width)
        self.mix = nn.Linear(width, width)
        self.head = nn.Linear(width, 2)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            mask = torch.ones_like(ids)
        places = torch.arange(ids.shape[1])
        x = self.tokens(ids) + self.positions(places)
        x = torch.relu(self.mix(x)) * mask[..., None].float()
        output: Tensor = self.head(x.sum(1) / mask.sum(1, keepdim=True))
        return output


class TwoImages(nn.Module):
    """Two images of different shapes, and a setting that is not a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(8, 2)

    def forward(self, pair: tuple[Tensor, Tensor], *, scale: float) -> dict[str, Tensor]:
        both = [layer(x).mean((2, 3)) for layer, x in zip((self.first, self.second), pair, strict=True)]
        return {"logits": self.head(torch.cat(both, 1) * scale)}


def run(constructed: ConstructedArchitecture, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    weights = WeightCache(FourierKernel(8, 8, 3, generator))
    image = torch.randn(BATCH, *(constructed.input_shape or (1,)), generator=generator)
    with torch.no_grad():
        return constructed(image, weights).features


def test_token_ids_differ_from_row_to_row_and_are_the_same_every_time() -> None:
    constructed = fxscore.construct(Words(), batch=BATCH, example_inputs=IDS)
    features = run(constructed)
    assert features.shape == (BATCH, 8)
    assert features.isfinite().all()
    assert (features.std(0) > 0).any()
    again = fxscore.construct(Words(), batch=BATCH, example_inputs=IDS)
    assert again.fingerprint == constructed.fingerprint
    assert torch.equal(run(again), features)


def test_every_weight_of_a_network_of_ids_is_accounted_for() -> None:
    model = Words()
    constructed = fxscore.construct(model, batch=BATCH, example_inputs={"ids": IDS})
    covered = {name for line in constructed.coverage for name in line.parameters}
    assert covered == {name for name, _ in model.named_parameters()}


def test_a_mask_is_kept_as_it_is() -> None:
    mask = torch.tensor([[1, 1, 1, 0, 0, 0]])
    masked = fxscore.construct(Words(), batch=BATCH, example_inputs=(IDS, mask))
    whole = fxscore.construct(Words(), batch=BATCH, example_inputs=(IDS, torch.ones_like(IDS)))
    assert masked.fingerprint != whole.fingerprint
    assert run(masked).isfinite().all()


def test_what_the_example_holds_beyond_its_form_and_largest_id_does_not_matter() -> None:
    other = torch.tensor([[9, 9, 8, 1, 1, 7], [0, 2, 3, 4, 5, 6]])
    first, second = (fxscore.construct(Words(), batch=BATCH, example_inputs=ids) for ids in (IDS, other))
    assert first.fingerprint == second.fingerprint


def test_several_inputs_by_name_and_nested_are_different_images() -> None:
    same = (torch.zeros(2, 3, 6, 6), torch.zeros(2, 1, 5, 5))
    constructed = fxscore.construct(TwoImages(), batch=BATCH, example_inputs={"pair": same, "scale": 2.0})
    assert constructed.input_shape == (3, 6, 6)
    assert "further_input" in constructed.code
    assert run(constructed).shape == (BATCH, 8)


def test_features_of_a_network_of_ids_count_its_layers() -> None:
    features = graph_features(fxscore.construct(Words(), batch=BATCH, example_inputs=IDS))
    assert all(value == value for value in features.values())
    assert features["macs"] > 0 if "macs" in features else any(features.values())


def test_a_module_says_itself_what_it_takes() -> None:
    model = Words()
    model.example_input_array = IDS
    assert fxscore.score(model, scorer=SCORER) == fxscore.score(Words(), example_inputs=IDS, scorer=SCORER)


def test_named_and_positional_inputs_score_the_same() -> None:
    named, positional = (
        fxscore.score(Words(), example_inputs=examples, scorer=SCORER) for examples in ({"ids": IDS}, (IDS,))
    )
    assert named == positional


@pytest.mark.parametrize("examples", [{}, (), (torch.tensor(1.0),), {"scale": 3}])
def test_inputs_without_a_batch_are_refused(examples: Any) -> None:
    with pytest.raises(CaptureError, match="first axis of each is the batch"):
        Inputs.of(examples)


def test_a_proxy_says_that_it_takes_images() -> None:
    with pytest.raises(fxscore.errors.ScorerError, match="one image"):
        fxscore.score(Words(), example_inputs=IDS, scorer="naswot")


def test_masks_are_zeros_and_ones() -> None:
    assert is_mask(torch.tensor([[True, False]]))
    assert is_mask(torch.tensor([[0, 1]]))
    assert not is_mask(IDS)
    assert not is_mask(torch.ones(1, 2))
