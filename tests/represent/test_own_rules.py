"""A user's own representations: five lines for a layer, and the stub of an error message."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

import fxscore
from fxscore.constructed import construct
from fxscore.errors import PassError, UnrepresentedOperatorError
from fxscore.represent import RewriteContext, registry
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.subject import Subject

SHAPE = (3, 6, 6)


@pytest.fixture(autouse=True)
def _own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that a test declares end with it."""
    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))


class MyLayer(nn.Module):
    """A low-rank product that no rule knows as a whole."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.down = nn.Parameter(torch.randn(channels, 2))
        self.up = nn.Parameter(torch.randn(2, channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.inner(torch.inner(x, self.down.mT.contiguous()), self.up.mT.contiguous())


class Quadratic(nn.Module):
    """A weight within an operator that has no rule."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.hypot(x.mean((2, 3))[:, None], self.table).square()


def score(module: nn.Module) -> float:
    return FTScoreNet(Settings(batch=4, input_shape=SHAPE, n_in=4, n_out=4)).score(Subject(module, SHAPE))


def test_a_layer_gets_its_rule_in_five_lines() -> None:
    @fxscore.represents(MyLayer)
    def my_layer(ctx: RewriteContext, module: MyLayer, x: fx.Node) -> fx.Node:
        weight = ctx.synthesise((module.channels, module.channels))
        return ctx.unitise(ctx.call(F.linear, x, weight, like=x))

    net = nn.Sequential(nn.Flatten(), MyLayer(108), nn.ReLU(), nn.LayerNorm(108))
    constructed = construct(net, SHAPE, batch=4)
    assert "w_108_108_1_1" in constructed.code
    (line,) = [line for line in constructed.coverage if line.form == "rule"]
    assert (line.path, line.parameters) == ("1", ("1.down", "1.up"))
    assert isinstance(score(net), float)


def test_a_rule_serves_subclasses_until_they_have_their_own() -> None:
    class Child(MyLayer):
        pass

    fxscore.represents(MyLayer)(lambda ctx, module, x: ctx.call(torch.neg, x, like=x))
    net = nn.Sequential(nn.Flatten(), Child(108))
    assert torch.neg in {node.target for node in construct(net, SHAPE, 2).graph_module.graph.nodes}
    fxscore.represents(Child)(lambda ctx, module, x: ctx.call(torch.abs, x, like=x))
    assert torch.abs in {node.target for node in construct(net, SHAPE, 2).graph_module.graph.nodes}


def test_an_unknown_operator_is_named_with_its_path_and_a_stub_that_works() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Sequential(nn.ReLU(), Quadratic()))
    with pytest.raises(UnrepresentedOperatorError) as caught:
        construct(net, SHAPE, batch=4)
    message = str(caught.value)
    assert message.startswith("operator hypot at '1.1' has weights and no representation; declare one")
    stub = message.partition("\n\n")[2]
    exec(stub, {})
    constructed = construct(net, SHAPE, batch=4)
    assert "w_5_3_1_1" in constructed.code
    assert ("1.1.table",) in [line.parameters for line in constructed.coverage if line.form == "synthesised"]
    assert isinstance(score(net), float)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, w: torch.index_add(x, 0, torch.arange(len(x)), w.expand(len(x), -1)),
        lambda x, w: torch.fmod(x, other=w),
        lambda x, w: torch.hstack([x, w.expand(len(x), -1)]),
        lambda x, w: x.logaddexp2(w),
        lambda x, w: torch.special.xlog1py(x, w),
        lambda x, w: torch.linalg.vecdot(x, w),
        lambda x, w: torch.ops.aten.fmax(x, w),
        lambda x, w: (x + 0).hypot_(w),
    ],
    ids=[
        "fourth argument",
        "by name",
        "in a list",
        "a method",
        "another place",
        "linalg",
        "aten",
        "in place",
    ],
)
def test_the_stub_runs_as_it_is(call: Callable[[Tensor, Tensor], Tensor]) -> None:
    net = nn.Sequential(nn.Flatten(), Uses(call, 108), nn.ReLU())
    with pytest.raises(UnrepresentedOperatorError) as caught:
        construct(net, SHAPE, batch=4)
    exec(str(caught.value).partition("\n\n")[2], {})
    found = construct(net, SHAPE, batch=4)
    assert [line.form for line in found.coverage] == ["synthesised"]
    assert isinstance(score(net), float)


class Uses(nn.Module):
    """A weight of as many numbers as there are features, in a call of one's own."""

    def __init__(self, call: Callable[[Tensor, Tensor], Tensor], features: int) -> None:
        super().__init__()
        self.call = call
        self.weight = nn.Parameter(torch.randn(1, features))

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x, self.weight)


def test_a_rule_that_keeps_the_module_is_refused() -> None:
    fxscore.represents(MyLayer)(lambda ctx, module, x: ctx.node)
    with pytest.raises(PassError, match="'1' is still called"):
        construct(nn.Sequential(nn.Flatten(), MyLayer(108), nn.ReLU(), nn.LayerNorm(108)), SHAPE, batch=2)


def test_a_layer_that_reads_values_can_be_represented() -> None:
    """What the error about data-dependent control flow advises must work."""

    class Choosy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(108, 4)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.linear(x)
            return y if bool(y.sum() > 0) else -y

    @fxscore.represents(Choosy)
    def choosy(ctx: RewriteContext, module: Choosy, x: fx.Node) -> fx.Node:
        return ctx.unitise(ctx.call(F.linear, x, ctx.synthesise((4, 108))))

    net = nn.Sequential(nn.Flatten(), Choosy(), nn.ReLU(), nn.LayerNorm(4))
    assert "w_4_108_1_1" in construct(net, SHAPE, batch=2).code


def test_own_functions_may_be_called_by_rules() -> None:
    """A target is known when it belongs to a known package or a rule is declared for it."""

    def own(x: Tensor) -> Tensor:
        return x.sin()

    own.__module__ = "somebodys.package"
    fxscore.represents(MyLayer)(lambda ctx, module, x: ctx.call(own, x, like=x))
    net = nn.Sequential(nn.Flatten(), MyLayer(108), nn.ReLU())
    with pytest.raises(PassError, match="neither PyTorch nor a declared operator"):
        construct(net, SHAPE, batch=2)
    fxscore.represents(own)(lambda ctx, x: ctx.call(own, x, like=x))
    assert re.search(r"\bown_1\b", construct(net, SHAPE, batch=2).code)
