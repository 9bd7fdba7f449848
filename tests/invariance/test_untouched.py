"""The user's model, and the process around it, are as they were after scoring."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.constructed import construct
from fxscore.errors import CaptureError
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.scorer.subject import Subject
from tests.invariance.conftest import SHAPE
from tests.strategies import Spec, Writing, specs, write

Equal = Callable[[nn.Module, nn.Module], None]


class Busy(nn.Module):
    """Its forward counts its calls, writes to a buffer, draws random numbers and keeps its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.seen: Tensor = nn.Buffer(torch.zeros(()))
        self.table = nn.Buffer(torch.arange(4.0))
        self.calls = 0
        self.last: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen += 1
        x = self.norm(self.conv(x)) + self.table.view(1, 4, 1, 1)
        x = F.dropout(x + torch.rand(1), 0.5, self.training)
        self.last.append(x)
        return x.mean((2, 3))


def snapshot(model: nn.Module) -> dict[str, Any]:
    """Everything of a model that scoring could change."""
    return {
        "values": {name: value.clone() for name, value in model.state_dict().items()},
        "identities": [id(tensor) for tensor in (*model.parameters(), *model.buffers())],
        "versions": [tensor._version for tensor in (*model.parameters(), *model.buffers())],
        "gradients": [(p.requires_grad, p.grad) for p in model.parameters()],
        "training": [module.training for module in model.modules()],
        "hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "forwards": ["forward" in vars(module) for module in model.modules()],
    }


def numpy_state() -> Any:
    state: Any = np.random.get_state()  # noqa: NPY002 (the global generator is what is watched)
    return state[1]


def assert_untouched(before: dict[str, Any], model: nn.Module) -> None:
    after = snapshot(model)
    torch.testing.assert_close(after.pop("values"), before.pop("values"), rtol=0, atol=0, equal_nan=True)
    assert after == before


def test_a_model_that_changes_itself_is_left_alone(scorer: FTScoreNet) -> None:
    model = Busy().train()
    model.conv.register_forward_hook(lambda module, inputs, output: output * 2)
    before, random, numpy_random = snapshot(model), torch.get_rng_state(), numpy_state()
    scorer.score(Subject(model, SHAPE))
    assert_untouched(before, model)
    assert (model.calls, model.last) == (0, [])
    assert torch.equal(torch.get_rng_state(), random)
    assert np.array_equal(numpy_state(), numpy_random)
    assert torch.is_grad_enabled()


@settings(max_examples=10)
@given(spec=specs())
def test_random_networks_are_left_alone(spec: Spec) -> None:
    model = write(spec, Writing(spelling="inplace", dropout=True)).train()
    before = snapshot(model)
    construct(model, SHAPE, batch=2)
    assert_untouched(before, model)


def test_weights_are_never_read(scorer: FTScoreNet, assert_equal: Equal) -> None:
    model = Busy()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(float("nan"))
        for statistic in (model.norm.running_mean, model.norm.running_var):
            assert statistic is not None
            statistic.fill_(float("inf"))
    assert_equal(Busy(), model)


def test_buffers_are_constants_of_the_architecture() -> None:
    changed = Busy()
    changed.table[0] = 7
    assert construct(changed, SHAPE, 2).fingerprint != construct(Busy(), SHAPE, 2).fingerprint


def test_a_training_module_is_scored_in_evaluation_mode(assert_equal: Equal) -> None:
    assert_equal(Busy().train(), Busy().eval())


def test_tied_parameters_count_once() -> None:
    tied = nn.Sequential(nn.Linear(8, 8, bias=False), nn.ReLU(), nn.Linear(8, 8, bias=False))
    tied[2].weight = tied[0].weight
    assert sum(capture(tied, (8,), 2).meta["parameters"].values()) == 64


def test_a_module_that_cannot_be_copied_is_refused() -> None:
    model = Busy()
    model.__dict__["lock"] = threading.Lock()
    with pytest.raises(CaptureError, match=r"Busy cannot be copied.*recipe"):
        capture(model, SHAPE)
    assert model.calls == 0
