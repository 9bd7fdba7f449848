"""Proxies that read the network's structure: size, cost, activation count, layer count and depth.

Larger networks tend to be better; each of these counts is a baseline to beat (Ning et al., NeurIPS 2021, find
params and FLOPs ahead of most zero-cost proxies; Dollár et al., CVPR 2021, study activations). They need no
weights, and no random number. Counts are whole numbers, so networks of equal count tie exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from fxscore.costs import Costs, network_costs
from fxscore.proxies.base import BaseProxy, resized
from fxscore.proxies.structure import Structure, count_params, measure_structure
from fxscore.types import Shape

_TIES = "networks of equal count tie exactly and share their average rank (NAS-Bench-201 has 28 sizes)"


@dataclass(frozen=True)
class Params(BaseProxy):
    """The number of learnable numbers, tied ones once."""

    name: ClassVar[str] = "params"
    source: ClassVar[str] = "folklore; as a proxy in Ning et al., NeurIPS 2021"
    tie_rule: ClassVar[str] = _TIES
    needs_weights: ClassVar[bool] = False

    def measure(self, module: nn.Module, input_shape: Shape) -> float:
        return float(count_params(module))


@dataclass(frozen=True)
class StructuralProxy(BaseProxy):
    """A count that depends on the resolution too."""

    resolution: int | None = None

    needs_weights: ClassVar[bool] = False
    tie_rule: ClassVar[str] = _TIES

    def measure(self, module: nn.Module, input_shape: Shape) -> float:
        return float(self.read(measure_structure(module, resized(input_shape, self.resolution))))

    def read(self, structure: Structure) -> int:
        """The count in question."""
        return int(getattr(structure, self.name))


@dataclass(frozen=True)
class CostProxy(StructuralProxy):
    """A count that one capture gives, and with it the size that every record holds."""

    def measure(self, module: nn.Module, input_shape: Shape) -> float:
        return self.of(network_costs(module, resized(input_shape, self.resolution)))

    def of(self, costs: Costs) -> float:
        """The count in question."""
        return float(getattr(costs, self.name))


@dataclass(frozen=True)
class Macs(CostProxy):
    """Multiply-accumulates of convolutions, linear layers and attention, for one image."""

    name: ClassVar[str] = "macs"
    source: ClassVar[str] = "folklore; as a proxy in Ning et al., NeurIPS 2021"


@dataclass(frozen=True)
class Flops(StructuralProxy):
    """MACs and the elementwise work of normalisations, activations and pools, for one image."""

    name: ClassVar[str] = "flops"
    source: ClassVar[str] = "Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022"


@dataclass(frozen=True)
class Activations(CostProxy):
    """Output elements of convolutions and linear layers, for one image."""

    name: ClassVar[str] = "activations"
    source: ClassVar[str] = "Radosavovic et al., Designing Network Design Spaces, CVPR 2020, section 3"


@dataclass(frozen=True)
class Layers(StructuralProxy):
    """The number of convolution and linear layers that one forward pass calls."""

    name: ClassVar[str] = "layers"
    source: ClassVar[str] = "folklore"


@dataclass(frozen=True)
class Depth(StructuralProxy):
    """Convolution and linear layers on the longest path from the input to the main output."""

    name: ClassVar[str] = "layer_depth"
    source: ClassVar[str] = "folklore; paths cut at zeros as in Kadlecová et al., GRAF, ICML 2024"
