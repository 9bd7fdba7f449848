"""A failing pass is named, with the passes before it; what is said of the network passes through."""

from __future__ import annotations

import pytest
from torch import fx, nn

from fxscore.errors import CaptureError, PassError
from fxscore.passes import run_passes
from fxscore.passes.base import PassBase, PassResult
from fxscore.passes.pipeline import FollowedPass


class NothingPass(PassBase):
    def call(self, graph_module: fx.GraphModule) -> PassResult:
        return PassResult(graph_module, False)


class BreaksPass(PassBase):
    def call(self, graph_module: fx.GraphModule) -> PassResult:
        raise KeyError("no such node")


class LosesContractPass(NothingPass):
    def ensures(self, graph_module: fx.GraphModule) -> None:
        raise AssertionError("two results")


class RefusesPass(PassBase):
    def call(self, graph_module: fx.GraphModule) -> PassResult:
        raise CaptureError("the network returns None")


def traced() -> fx.GraphModule:
    return fx.symbolic_trace(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ([BreaksPass()], "BreaksPass failed .KeyError: 'no such node'. after no other pass"),
        ([NothingPass(), BreaksPass(), NothingPass()], "BreaksPass failed .* after NothingPass;"),
        (
            [FollowedPass(NothingPass(), NothingPass()), FollowedPass(BreaksPass(), NothingPass())],
            "BreaksPass with NothingPass failed .* after NothingPass with NothingPass;",
        ),
        ([NothingPass(), LosesContractPass()], "LosesContractPass failed .*two results.* after NothingPass;"),
    ],
)
def test_a_failing_pass_is_named_with_those_before_it(passes: list[PassBase], said: str) -> None:
    with pytest.raises(PassError, match=said) as caught:
        run_passes(traced(), passes)
    assert caught.value.__cause__ is not None


def test_an_error_about_the_network_stays_as_it_is() -> None:
    with pytest.raises(CaptureError, match=r"^the network returns None$"):
        run_passes(traced(), [NothingPass(), RefusesPass()])
