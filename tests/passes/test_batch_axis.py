"""Where the batch lies, and that what is encoded has it in front: time first, folded frames, no batch at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.kernel import FourierKernel, WeightCache
from fxscore.passes import run_passes
from fxscore.passes.base import output_node
from fxscore.passes.batch_axis import BatchAxis, batch_axes
from fxscore.passes.cut_head import CutHeadPass
from fxscore.passes.prepare_inputs import PrepareInputsPass
from fxscore.passes.represent_operators import RepresentOperatorsPass
from tests.passes.test_heads import Calls

BATCH = 3
CLIP = (4, 2, 6)  # (frames, channels, positions)


def constructed(forward: Callable[..., object], **children: object) -> ConstructedArchitecture:
    return construct(Calls(forward, **children), CLIP, batch=BATCH)


def run(found: ConstructedArchitecture) -> Tensor:
    image = torch.randn(BATCH, *CLIP, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return found(image, WeightCache(FourierKernel(8, 8, 3, torch.Generator().manual_seed(0)))).features


# What a forward makes of (B, 4, 2, 6), and where the batch then lies.
PLACES: dict[str, tuple[Callable[[Tensor], Any], BatchAxis | None]] = {
    "as it comes": (lambda x: x.relu(), BatchAxis(0)),
    "frames folded": (lambda x: x.flatten(0, 1), BatchAxis(0, 4)),
    "frames folded and apart": (lambda x: x.flatten(0, 1).relu().view(-1, *CLIP), BatchAxis(0)),
    "stacks folded": (lambda x: torch.cat([x, x + 1], 0), BatchAxis(0)),
    "time first": (lambda x: x.transpose(0, 1), BatchAxis(1)),
    "time first, folded": (lambda x: x.transpose(0, 1).flatten(0, 1), BatchAxis(0)),
    "positions first": (lambda x: x.permute(3, 0, 1, 2).flatten(1, 2), BatchAxis(1, 4)),
    "stacked in front": (lambda x: torch.stack([x, x]), BatchAxis(1)),
    "stacked behind": (lambda x: torch.stack([x, x], 2), BatchAxis(0)),
    "summed behind": (lambda x: x.transpose(0, 2).sum((1, 3)), BatchAxis(1)),
    "summed before": (lambda x: x.transpose(0, 2).sum(0), BatchAxis(1)),
    "summed over": (lambda x: x.sum(0), None),
    "one picked": (lambda x: x[1], None),
    "a part before": (lambda x: x.transpose(0, 1)[2], BatchAxis(0)),
    "a part behind": (lambda x: x[..., None, 2], BatchAxis(0)),
    "an axis before": (lambda x: x[None, :, 0], BatchAxis(1)),
    "picked by numbers": (lambda x: x.transpose(0, 1)[torch.tensor([[0, 1], [2, 3]])], BatchAxis(2)),
    "unbound": (lambda x: x.transpose(0, 1).unbind(0)[1], BatchAxis(0)),
    "chunked": (lambda x: x.transpose(0, 1).chunk(2, 0)[1], BatchAxis(1)),
    "by einsum": (lambda x: torch.einsum("btcp,bscp->tbs", x, x), BatchAxis(1)),
    "by matmul": (lambda x: x.transpose(0, 1) @ x.transpose(0, 1).mT, BatchAxis(1)),
    "the greater of two": (lambda x: torch.max(x.transpose(0, 1), x.mT.mT.transpose(0, 1)), BatchAxis(1)),
    "normed": (lambda x: nn.functional.layer_norm(x.transpose(0, 1), (6,)), BatchAxis(1)),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_place_of_the_batch(name: str) -> None:
    forward, place = PLACES[name]
    graph_module = capture(Calls(lambda m, x: forward(x)), CLIP, batch=BATCH)
    run_passes(graph_module, [PrepareInputsPass(), CutHeadPass(), RepresentOperatorsPass()])
    (encoding,) = output_node(graph_module.graph).all_input_nodes
    assert batch_axes(graph_module).get(encoding.all_input_nodes[0]) == place


def classifier(wrap: Callable[[Any, Tensor], object]) -> ConstructedArchitecture:
    return constructed(wrap, body=nn.Linear(6, 5), head=nn.Linear(5, 7))


def test_frames_folded_into_the_batch_are_positions() -> None:
    folded = classifier(
        lambda m, x: m.head(m.body(x[:, :, 0].flatten(0, 1)).relu()).unflatten(0, (-1, 4)).mean(1)
    )
    plain = classifier(lambda m, x: m.head(m.body(x[:, :, 0]).relu()).mean(1))
    assert folded.channels == plain.channels == 5
    torch.testing.assert_close(run(folded), run(plain))


def test_stacks_folded_into_the_batch_are_positions() -> None:
    def forward(m: Any, x: Tensor) -> object:
        first, second = m.head(m.body(torch.cat([x[:, 0, 0], x[:, 1, 0]])).relu()).chunk(2)
        return (first - second).pow(2).sum(1)

    plain = classifier(lambda m, x: m.head(m.body(x[:, :2, 0]).relu()).mean(1))
    torch.testing.assert_close(run(classifier(forward)), run(plain))


@pytest.mark.parametrize("steps", [4, BATCH])
def test_time_first_is_encoded_as_batch_first(steps: int) -> None:
    """With as many steps as images, too: shapes alone cannot tell."""
    first = classifier(lambda m, x: m.head(m.body(x[:, :steps, 0].transpose(0, 1)).relu()))
    plain = classifier(lambda m, x: m.head(m.body(x[:, :steps, 0]).relu()))
    torch.testing.assert_close(run(first), run(plain))


def test_a_time_first_output_without_a_head_is_encoded_as_batch_first() -> None:
    def net(time_first: bool) -> ConstructedArchitecture:
        def forward(m: Any, x: Tensor) -> Tensor:
            y: Tensor = m.norm(m.body(x[:, :, 0]))
            return y.transpose(0, 1) if time_first else y

        return constructed(forward, body=nn.Linear(6, 5), norm=nn.LayerNorm(5))

    assert net(True).fingerprint == net(False).fingerprint


def test_a_value_without_a_batch_has_as_many_rows_as_the_scorer() -> None:
    found = constructed(
        lambda m, x: m.norm(m.body(x.mean(0)[:, 0])), body=nn.Linear(6, 5), norm=nn.LayerNorm(5)
    )
    assert run(found).shape == (BATCH, 5)


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_layer_is_the_same_time_first(layer: Any) -> None:
    def net(time_first: bool) -> ConstructedArchitecture:
        def forward(m: Any, x: Tensor) -> Tensor:
            y: Tensor = m.layer(x[:, :, 0].transpose(0, 1) if time_first else x[:, :, 0])[0]
            return y

        return constructed(forward, layer=layer(6, 5, 2, batch_first=not time_first, bidirectional=True))

    assert net(True).fingerprint == net(False).fingerprint
