"""Spiking networks: snntorch, spikingjelly and ncps (liquid time constants)."""

from __future__ import annotations

from typing import Any

import snntorch as snn
import torch
from ncps import torch as ncps
from ncps.wirings import AutoNCP
from spikingjelly.activation_based import functional, neuron, surrogate
from spikingjelly.activation_based.model import (
    parametric_lif_net,
    sew_resnet,
    spikformer,
    spiking_resnet,
)
from torch import Tensor, nn

from benchmarks.coverage.wild_networks.recipe import image, table

STEPS = 4


class Leaky(nn.Module):
    """Convolution and leaky integrate-and-fire neurons over some steps; spikes are counted."""

    def __init__(self, kind: str, width: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.first = _neuron(kind, width)
        self.out = nn.Linear(width * 16 * 16, 10)
        self.second = _neuron("leaky", width)

    def forward(self, x: Tensor) -> Tensor:
        state, (last,), spikes = _state(self.first), _state(self.second), []
        for _ in range(STEPS):
            spike, *state = self.first(self.conv(x), *state)
            spike, last = self.second(self.out(spike.flatten(1)), last)
            spikes.append(spike)
        return torch.stack(spikes).sum(0)


def _neuron(kind: str, width: int) -> nn.Module:
    kinds: dict[str, Any] = {
        "leaky": lambda: snn.Leaky(beta=0.9),
        "learned_leaky": lambda: snn.Leaky(
            beta=torch.full((width, 1, 1), 0.9), learn_beta=True, learn_threshold=True
        ),
        "lapicque": lambda: snn.Lapicque(beta=0.9),
        "synaptic": lambda: snn.Synaptic(alpha=0.9, beta=0.8),
        "alpha": lambda: snn.Alpha(alpha=0.9, beta=0.8),
        "recurrent_leaky": lambda: snn.RLeaky(beta=0.9, all_to_all=False),
        "recurrent_conv": lambda: snn.RLeaky(beta=0.9, conv2d_channels=width, kernel_size=3),
        "spiking_conv_lstm": lambda: snn.SConv2dLSTM(width, width, 3),
    }
    return kinds[kind]()


def _state(layer: nn.Module) -> list[Any]:
    name = {"SConv2dLSTM": "init_sconv2dlstm"}.get(
        type(layer).__name__, f"init_{type(layer).__name__.lower()}"
    )
    state = getattr(layer, name)()
    return list(state) if isinstance(state, tuple) else [state]


class SpikingLstm(nn.Module):
    """A spiking LSTM over a sequence."""

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        self.cell = snn.SLSTM(8, hidden)
        self.out = nn.Linear(hidden, 4)

    def forward(self, x: Tensor) -> Tensor:
        synapse, membrane = _state(self.cell)
        for step in range(x.shape[1]):
            _, synapse, membrane = self.cell(x[:, step], synapse, membrane)
        return self.out(membrane)


_NEURON = {"spiking_neuron": neuron.LIFNode, "surrogate_function": surrogate.ATan(), "detach_reset": True}


class Repeated(nn.Module):
    """A spiking network that sees the same image in each of some steps."""

    def __init__(self, make: Any, **options: Any) -> None:
        super().__init__()
        self.inner = make(**{**_NEURON, **options})
        functional.set_step_mode(self.inner, "m")

    def forward(self, x: Tensor) -> Tensor:
        functional.reset_net(self.inner)
        return self.inner(x.unsqueeze(0).repeat(2, 1, 1, 1, 1)).mean(0)


def _resnet(make: Any = spiking_resnet.spiking_resnet18) -> nn.Module:
    return Repeated(make, num_classes=10)


def _sew(make: Any = sew_resnet.sew_resnet18) -> nn.Module:
    return Repeated(make, num_classes=10, cnf="ADD")


def _plif(channels: int = 8) -> nn.Module:
    return Repeated(parametric_lif_net.CIFAR10Net, channels=channels)


def _spikformer(depths: int = 1) -> nn.Module:
    return spikformer.Spikformer(
        T=2,
        img_size_h=32,
        img_size_w=32,
        patch_size=4,
        num_classes=10,
        embed_dims=32,
        num_heads=4,
        depths=depths,
    )


class Liquid(nn.Module):
    """A liquid network over a sequence; its last output."""

    def __init__(self, make: Any, units: Any = 8, **options: Any) -> None:
        super().__init__()
        self.inner = make(4, units, batch_first=True, return_sequences=False, **options)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)[0]


_KINDS = (
    "leaky learned_leaky lapicque synaptic alpha recurrent_leaky recurrent_conv spiking_conv_lstm".split()
)

NETWORKS = (
    table("snntorch", image(32), {kind: (Leaky, {"kind": kind}, {"width": 12}) for kind in _KINDS})
    | table("snntorch", torch.zeros(1, 5, 8), {"spiking_lstm": (SpikingLstm, {}, {"hidden": 24})})
    | table(
        "spikingjelly",
        image(32),
        {
            "spiking_resnet": (_resnet, {}, {"make": spiking_resnet.spiking_resnet34}),
            "sew_resnet": (_sew, {}, {"make": sew_resnet.sew_resnet34}),
            "parametric_lif": (_plif, {}, {"channels": 12}),
            "spikformer": (_spikformer, {}, {"depths": 2}),
        },
    )
    | table(
        "ncps",
        torch.zeros(1, 6, 4),
        {
            "closed_form": (Liquid, {"make": ncps.CfC}, {"units": 12}),
            "closed_form_wired": (
                Liquid,
                {"make": ncps.CfC, "units": AutoNCP(12, 3)},
                {"units": AutoNCP(16, 3)},
            ),
            "liquid": (Liquid, {"make": ncps.LTC}, {"units": 12}),
        },
    )
)
