"""Networks that take more than one image: token ids, masks, several inputs, named inputs, other ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import fxscore
from fxscore.capture.inputs import Inputs, _draw, is_mask
from fxscore.constructed import ConstructedArchitecture
from fxscore.errors import CaptureError
from fxscore.graph_features import graph_features
from fxscore.kernel import FourierKernel, WeightCache
from fxscore.scorer import FTScoreNet, Settings, Subject

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


def test_one_number_per_row_beside_an_image() -> None:
    def forward(m: Any, image: Tensor, time: Tensor) -> Tensor:
        output: Tensor = m.head(m.conv(image).mean((2, 3)) * time[:, None])
        return output

    model = Calls(forward, conv=nn.Conv2d(3, 4, 3), head=nn.Linear(4, 2))
    found = built(model, (torch.zeros(1, 3, 7, 6), torch.tensor([0.5])))
    assert run(found).shape == (BATCH, 4)


def test_an_image_leads_wherever_it_stands() -> None:
    def forward(m: Any, vector: Tensor, image: Tensor) -> Tensor:
        output: Tensor = m.head(torch.cat([m.conv(image).relu().mean((2, 3)), vector], 1))
        return output

    model = Calls(forward, conv=nn.Conv2d(3, 4, 3), head=nn.Linear(9, 2))
    found = built(model, (torch.zeros(1, 5), torch.zeros(1, 3, 7, 6)))
    assert found.input_shape == (3, 7, 6)
    assert run(found).shape == (BATCH, 9)
    subject = Subject(model, (), example_inputs=(torch.zeros(1, 5), torch.zeros(1, 3, 64, 64)))
    assert subject.construct(BATCH, (3, 32, 32)).input_shape == (3, 32, 32)


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
def test_inputs_without_an_axis_are_refused(examples: Any) -> None:
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


class Calls(nn.Module):
    """A forward given as a function of the module and its inputs."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self, *args, **kwargs)


def built(model: nn.Module, examples: Any) -> ConstructedArchitecture:
    return fxscore.construct(model, batch=BATCH, example_inputs=examples)


def attention() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


def causal(length: int) -> Tensor:
    return torch.ones(length, length).triu(1).bool()


@pytest.mark.parametrize("length", [BATCH, 6])
def test_a_mask_of_two_lengths_is_given_as_it_is(length: int) -> None:
    """Also where it has as many rows as the scorer's batch."""
    words = torch.zeros(1, length, 8)
    first_alone = causal(length)[:1].repeat(length, 1)
    given, shared, other = (
        built(attention(), {"src": words, "src_mask": mask})
        for mask in (causal(length), fxscore.Shared(causal(length)), first_alone)
    )
    assert given.fingerprint == shared.fingerprint != other.fingerprint
    assert run(given).isfinite().all()


def test_a_mask_with_as_many_rows_as_the_examples_is_recognised_by_its_failing() -> None:
    examples = {"src": torch.zeros(6, 6, 8), "src_mask": causal(6)}
    alone = {"src": torch.zeros(1, 6, 8), "src_mask": causal(6)}
    assert built(attention(), examples).fingerprint == built(attention(), alone).fingerprint


def test_the_rows_of_a_mask_are_kept_in_turn() -> None:
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    args, _ = Inputs.of((torch.zeros(2, 3), mask)).at_batch(4, lambda tensor, batched: tensor)
    assert torch.equal(args[1], mask.repeat(2, 1))


EDGES = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 8], [1, 2, 3, 4, 5, 6, 8, 7]])


def messages(hidden: int, split: bool) -> nn.Module:
    def forward(m: Any, x: Tensor, edges: Tensor) -> Tensor:
        source, target = edges if split else (edges[0], edges[1])
        passed = torch.zeros_like(m.a(x)).index_add(0, target, m.a(x)[source])
        output: Tensor = m.b(passed.relu())
        return output

    return Calls(forward, a=nn.Linear(3, hidden), b=nn.Linear(hidden, 2))


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("nodes", [9, 30])
def test_a_graph_is_taken_as_given(nodes: int, split: bool) -> None:
    narrow, wide = (built(messages(hidden, split), (torch.zeros(nodes, 3), EDGES)) for hidden in (4, 6))
    assert (narrow.input_shape, narrow.batch, narrow.channels) == ((nodes, 3), 1, 4)
    assert narrow.costs is not None
    assert narrow.costs.macs == 2 * nodes * 3 * 4 + nodes * 4 * 2
    assert run(narrow).shape == (BATCH, 4)
    assert narrow.fingerprint != wide.fingerprint
    other_edges = built(messages(4, split), (torch.zeros(nodes, 3), EDGES.flip(0)))
    assert other_edges.fingerprint != narrow.fingerprint


def test_graphs_are_scored() -> None:
    examples = (torch.zeros(9, 3), EDGES)
    scores = {
        fxscore.score(messages(hidden, True), example_inputs=examples, scorer=SCORER) for hidden in (4, 6)
    }
    assert len(scores) == 2


def test_nodes_and_their_adjacency_are_taken_as_given() -> None:
    model = Calls(lambda m, x, adjacent: m.b(adjacent @ m.a(x)).relu(), a=nn.Linear(3, 4), b=nn.Linear(4, 2))
    found = built(model, (torch.zeros(7, 3), torch.zeros(7, 7)))
    assert (found.input_shape, found.batch) == ((7, 3), 1)
    assert run(found).shape == (BATCH, 4)


def test_a_batch_of_nodes_keeps_its_batch_beside_edges() -> None:
    forward = Calls(lambda m, x, edges: m.a(x)[:, edges[0]].relu(), a=nn.Linear(3, 4))
    found = built(forward, (torch.zeros(1, 9, 3), EDGES))
    assert (found.input_shape, found.batch) == ((9, 3), BATCH)


def test_categories_of_several_sizes_stay_within_their_tables() -> None:
    def forward(m: Any, categories: Tensor, numbers: Tensor) -> Tensor:
        parts = [m.a(categories[:, 0]), m.b(categories[:, 1]), m.c(categories[:, 2]), numbers]
        output: Tensor = m.head(torch.cat(parts, 1))
        return output

    parts = {"a": nn.Embedding(4, 3), "b": nn.Embedding(90, 3), "c": nn.Embedding(7, 3)}
    model = Calls(forward, **parts, head=nn.Linear(11, 2))
    found = built(model, (torch.tensor([[3, 89, 6]]), torch.zeros(1, 2)))
    assert run(found).isfinite().all()


def test_an_id_beyond_its_table_is_an_error_that_names_both() -> None:
    with pytest.raises(CaptureError, match="9 of 5"):
        built(Calls(lambda m, ids: m.a(ids).sum(1), a=nn.Embedding(5, 3)), torch.tensor([[9, 9]]))


def test_lengths_are_those_of_the_example() -> None:
    ids, lengths = torch.tensor([[5, 8, 3, 9]]), torch.tensor([3])
    args, _ = Inputs.of((ids, lengths)).at_batch(BATCH, lambda tensor, batched: tensor)
    assert torch.equal(args[1], torch.full((BATCH,), 3))
    alone, _ = Inputs.of((torch.tensor([50]), torch.tensor([70]))).at_batch(
        BATCH, lambda tensor, batched: tensor
    )
    assert len(alone[0].unique()) > 1


def test_one_network_has_one_score() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    scorer = FTScoreNet(Settings(batch=BATCH, input_shape=(3, 8, 8), small_inputs=True))
    by_shape = fxscore.score(model, input_shape=(3, 96, 96), scorer=scorer)
    assert by_shape == fxscore.score(model, example_inputs=torch.zeros(1, 3, 96, 96), scorer=scorer)
    assert by_shape == fxscore.score(
        model, example_inputs={"input": torch.zeros(2, 3, 96, 96)}, scorer=scorer
    )
    assert by_shape != fxscore.score(model, input_shape=(3, 16, 16), scorer=scorer)
    model.example_input_array = torch.zeros(1, 3, 96, 96)
    assert by_shape == fxscore.score(model, scorer=scorer)


def test_images_shrink_and_ids_and_masks_do_not() -> None:
    ids, mask = torch.tensor([[3, 4, 5]]), torch.ones(1, 224, 224, dtype=torch.bool)
    pair = {
        "photo": torch.zeros(1, 3, 224, 224),
        "depth": torch.zeros(1, 1, 112, 112),
        "ids": ids,
        "mask": mask,
    }
    small = Inputs.of(pair).resized((3, 64, 64))
    shapes = {name: tuple(leaf.shape) for name, leaf in small.kwargs.items()}
    assert shapes == {"photo": (1, 3, 64, 64), "depth": (1, 1, 32, 32), "ids": (1, 3), "mask": (1, 224, 224)}


def test_a_proxy_takes_one_image_as_an_example() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    by_example = fxscore.score(model, example_inputs=torch.zeros(1, 3, 8, 8), scorer="params")
    assert by_example == fxscore.score(model, input_shape=(3, 8, 8), scorer="params")


@pytest.mark.parametrize("columns_apart", [False, True])
@pytest.mark.parametrize("largest", [1, 2, 5])
def test_ids_reach_the_largest_of_the_example_and_go_no_further(largest: int, columns_apart: bool) -> None:
    example = torch.full((1, 40), largest)
    drawn = _draw(example, 16, torch.Generator().manual_seed(0), columns_apart)
    assert drawn.dtype == example.dtype
    assert torch.unique(drawn).tolist() == list(range(largest + 1))


class Frequencies(nn.Module):
    """A filter of frequencies, which are its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, width, 4, 4, dtype=torch.cfloat))
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor, scale: Tensor) -> Tensor:
        filtered = torch.einsum("bihw,iohw->bohw", x, self.weight) * scale
        y: Tensor = self.head(torch.fft.ifft2(filtered).abs().mean((2, 3)))
        return y


def test_complex_inputs_are_inputs() -> None:
    def score(width: int, dtype: torch.dtype, rows: int = 2) -> float:
        examples = torch.randn(rows, 3, 4, 4, dtype=dtype), torch.randn(rows, 1, 4, 4, dtype=dtype)
        return fxscore.score(Frequencies(width), example_inputs=examples, scorer=SCORER)

    assert score(4, torch.complex64) == score(4, torch.complex128) == score(4, torch.complex64, 3)
    assert score(4, torch.complex64) != score(6, torch.complex64)


def test_a_complex_input_is_neither_whole_numbers_nor_a_mask() -> None:
    assert not is_mask(torch.zeros(2, 3, dtype=torch.complex64))
    inputs = Inputs.of(torch.zeros(2, 3, 4, 4, dtype=torch.complex64))
    assert inputs.shape == (3, 4, 4)
    assert not inputs.is_one_image
    (made,), _ = inputs.resized((3, 2, 2)).at_batch(5, lambda tensor, batched: tensor)
    assert (tuple(made.shape), made.dtype) == ((5, 3, 2, 2), torch.complex64)
