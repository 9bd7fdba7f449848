"""Scripted, traced, compiled, exported and parallel modules are the network that they wrap."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.errors import CaptureError
from tests.capture.test_meaning import assert_same_meaning

SHAPE = (3, 10, 10)


def network() -> nn.Sequential:
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(), nn.ELU()]
    return nn.Sequential(
        *layers, nn.Upsample(scale_factor=2, mode="bilinear"), nn.Flatten(), nn.LazyLinear(5)
    )


def built() -> nn.Module:
    model = network()
    model(torch.zeros(2, *SHAPE))
    return model.eval()


def exported(model: nn.Module) -> nn.Module:
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(model, (torch.zeros(3, *SHAPE),), dynamic_shapes=({0: batch},))
    return program.module()


def compiled_in_place(model: nn.Module) -> nn.Module:
    model.compile()
    return model


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "scripted": torch.jit.script,
    "traced": lambda model: torch.jit.trace(model, torch.zeros(2, *SHAPE)),  # type: ignore[no-untyped-call]
    "compiled": torch.compile,  # type: ignore[dict-item]
    "compiled in place": compiled_in_place,
    "parallel": nn.DataParallel,
    "compiled and parallel": lambda model: nn.DataParallel(torch.compile(model)),  # type: ignore[type-var]
    "exported": exported,
}


def constructed(model: nn.Module) -> ConstructedArchitecture:
    return construct(model, SHAPE, 4)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_network_is_the_network(wrapper: str) -> None:
    plain, wrapped = constructed(built()), constructed(WRAPPERS[wrapper](built()))
    assert wrapped.fingerprint == plain.fingerprint
    assert wrapped.costs is not None
    assert plain.costs is not None
    assert (wrapped.costs.params, wrapped.costs.macs) == (plain.costs.params, plain.costs.macs)


def test_the_weights_of_a_frozen_network_are_weights() -> None:
    def plain() -> nn.Module:
        layers = [nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)]
        return nn.Sequential(*layers).eval()

    expected = constructed(plain())
    found = constructed(torch.jit.freeze(torch.jit.script(plain())))
    assert found.fingerprint == expected.fingerprint
    assert found.costs == expected.costs


@pytest.mark.parametrize("wrapper", ["scripted", "traced", "compiled"])
def test_part_of_a_network_may_be_wrapped(wrapper: str) -> None:
    head = [nn.ReLU(), nn.Linear(5, 4)]
    part = WRAPPERS[wrapper](built())
    whole = nn.Sequential(part, *head)
    assert constructed(whole).fingerprint == constructed(nn.Sequential(built(), *head)).fingerprint
    assert whole[0] is part, "the user's own network is left as it is"


class Loops(nn.Module):
    """Control flow, lists, sizes and text, as TorchScript has them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(4, 4, 3, padding=1) for _ in range(3))
        self.steps = 2

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 3:
            raise ValueError(f"three axes, not {x.dim()}")
        kept: list[Tensor] = []
        for layer in self.layers:
            x = layer(x).relu()
            kept.append(x[:, :, ::2])
        count = 0
        while count < self.steps:
            kept.append(kept[count] * float(count + 1) / 3)
            count += 1
        rows = torch.cat(kept, 1)
        return rows.view(rows.size(0), rows.size(1) // 2, 2, -1).sum(2) + torch.ones(rows.size(2))


def test_control_flow_of_a_scripted_module_is_run() -> None:
    assert_same_meaning(torch.jit.script(Loops()), (4, 8))
    plain, scripted = (construct(model, (4, 8), 4) for model in (Loops(), torch.jit.script(Loops())))
    assert scripted.fingerprint == plain.fingerprint


class ShiftedNumbers(nn.Module):
    """Sums of a tensor and a number, each with a factor by place in TorchScript."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        return self.last(y * (y + 3).clamp(0, 6) / 6 + (y - 2).sub(1, alpha=2).tanh())  # type: ignore[no-any-return]


def test_sums_with_numbers_in_a_scripted_module() -> None:
    plain, scripted = (
        construct(net, (8,), 4) for net in (ShiftedNumbers(), torch.jit.script(ShiftedNumbers()))
    )
    assert scripted.fingerprint == plain.fingerprint


def test_an_error_of_a_scripted_module_is_told() -> None:
    with pytest.raises(CaptureError, match="three axes, not 4"):
        construct(torch.jit.script(Loops()), (4, 8, 8), 4)


class Asks(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if bool(x.sum() > 0) else -x


def test_a_scripted_module_that_asks_for_values_is_refused() -> None:
    with pytest.raises(CaptureError, match="data-dependent control flow"):
        construct(torch.jit.script(Asks()), SHAPE, 4)


@torch.jit.script
def gated(x: Tensor, share: float = 0.5) -> Tensor:
    return x * torch.sigmoid(x) * share


class Calls(nn.Module):
    """A function between two layers."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.function(self.first(x)))
        return y


@pytest.mark.parametrize("function", [gated, torch.compile(lambda x: x * torch.sigmoid(x) * 0.5)])
def test_scripted_and_compiled_functions_are_followed(function: Callable[[Tensor], Tensor]) -> None:
    plain = constructed(Calls(lambda x: x * torch.sigmoid(x) * 0.5))
    assert constructed(Calls(function)).fingerprint == plain.fingerprint
    assert gated(torch.ones(1)).item() == pytest.approx(0.3655, abs=1e-4), "outside, it runs as it did"


def test_an_export_of_one_batch_says_how_to_free_it() -> None:
    program = torch.export.export(built(), (torch.zeros(3, *SHAPE),)).module()
    with pytest.raises(CaptureError, match=r"exported for other sizes .* export it with dynamic_shapes"):
        constructed(program)
    assert construct(program, SHAPE, 3).fingerprint == construct(built(), SHAPE, 3).fingerprint


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_a_weight_that_a_hook_computes_is_no_obstacle() -> None:
    normed = nn.Sequential(nn.utils.weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU())
    costs = constructed(normed).costs
    assert costs is not None
    assert costs.macs == 27 * 4 * 64


def test_a_branch_that_a_constant_chooses_is_an_if() -> None:
    flag = torch.tensor(True)
    chosen = Calls(lambda x: torch.cond(flag, lambda y: y.relu(), lambda y: y.tanh(), (x,)))
    assert constructed(chosen).fingerprint == constructed(Calls(torch.relu)).fingerprint


def test_a_branch_that_values_choose_is_refused() -> None:
    chosen = Calls(lambda x: torch.cond(x.sum() > 0, lambda y: y.relu(), lambda y: y.tanh(), (x,)))
    with pytest.raises(CaptureError, match="data-dependent control flow"):
        constructed(chosen)


class Recurrent(nn.Module):
    """Layers that `quantize_dynamic` knows."""

    def __init__(self) -> None:
        super().__init__()
        self.series = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)
        self.cell, self.head = nn.GRUCell(8, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.cell(self.series(x.flatten(2).transpose(1, 2))[0][:, -1]))
        return y


@pytest.mark.filterwarnings("ignore:.*torch.ao.quantization:DeprecationWarning")
@pytest.mark.skipif("fbgemm" not in torch.backends.quantized.supported_engines, reason="no quantised kernels")
def test_a_dynamically_quantised_network_is_the_network() -> None:
    kinds = {nn.LSTM, nn.GRUCell, nn.Linear}
    quantised = torch.ao.quantization.quantize_dynamic(Recurrent(), kinds, torch.qint8)  # type: ignore[no-untyped-call]
    first, second = constructed(Recurrent()), constructed(quantised)
    assert first.fingerprint == second.fingerprint
    assert first.costs is not None
    assert second.costs is not None
    assert (first.costs.params, first.costs.macs) == (second.costs.params, second.costs.macs)


def test_another_quantised_layer_is_refused() -> None:
    layer = torch.ao.nn.quantized.Conv2d(3, 4, 3)  # type: ignore[no-untyped-call]
    with pytest.raises(CaptureError, match="give the network as it was before quantisation"):
        constructed(nn.Sequential(nn.Conv2d(3, 3, 1), layer))
