from __future__ import annotations

import torch
from hypothesis import given, settings
from torch import fx, nn

from fxscore.capture import capture
from fxscore.constructed import construct
from fxscore.ops import Observer
from fxscore.passes import default_pipeline
from fxscore.passes.base import PassBase, PassResult, output_node
from fxscore.passes.structure import fingerprint, structural_hashes
from fxscore.represent import has_module_rule
from tests.strategies import Spec, Writing, specs, write, writings

SHAPE = (3, 8, 8)


def source(graph_module: fx.GraphModule) -> str:
    return graph_module.graph.python_code("self").src


def applied(rewrite: PassBase, graph_module: fx.GraphModule) -> PassResult:
    result = rewrite.call(graph_module)
    assert result is not None
    return result


@settings(max_examples=25)
@given(spec=specs(), writing=writings())
def test_every_pass_does_nothing_when_applied_again(spec: Spec, writing: Writing) -> None:
    graph_module = capture(write(spec, writing), SHAPE, 2, leaves=has_module_rule)
    for rewrite in default_pipeline():
        before = source(graph_module)
        modified = applied(rewrite, graph_module).modified
        graph_module.graph.lint()
        once = source(graph_module)
        assert modified or once == before, f"{type(rewrite).__name__} changes the graph and does not say so"
        again = applied(rewrite, graph_module)
        name = f"{type(rewrite).__name__} applied again"
        assert source(graph_module) == once, name
        assert not again.modified, name
        assert again.graph_module is graph_module


@settings(max_examples=15)
@given(spec=specs(), writing=writings())
def test_values_carry_the_shapes_that_running_gives(spec: Spec, writing: Writing) -> None:
    """Passes keep `meta["val"]`: what it says of every value is what a run finds."""
    graph_module = construct(write(spec, writing), SHAPE, batch=2).graph_module
    checked = ShapeChecker(graph_module)
    checked.run(torch.randn(2, *SHAPE), AnyWeights(), checked.observer)
    assert checked.count > 3


class AnyWeights:
    """A weight of every shape."""

    def __getitem__(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))


class ShapeChecker(fx.Interpreter):
    """Runs a graph and compares every value with what its node says."""

    def __init__(self, graph_module: fx.GraphModule) -> None:
        super().__init__(graph_module)
        self.observer = Observer()
        self.count = 0

    def run_node(self, n: fx.Node) -> object:
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            assert n.meta["val"].shape == value.shape, n.format_node()
            assert n.meta["val"].dtype == value.dtype, n.format_node()
            self.count += 1
        return value


def test_names_do_not_enter_the_fingerprint() -> None:
    graph_module = construct(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), SHAPE, batch=2).graph_module
    before = fingerprint(graph_module)
    for number, node in enumerate(graph_module.graph.nodes):
        node.name = f"n{number}"
    assert (
        fingerprint(graph_module)
        == before
        == structural_hashes(graph_module)[output_node(graph_module.graph)]
    )
