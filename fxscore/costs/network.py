"""Size of a whole network: parameters, multiply-accumulates and activations of one example.

One example means a batch of one: work that does not grow with the batch (tables computed from parameters) is counted
once, as one forward does it. So the network is captured at batch 1; where that fails (a squeeze takes the batch too,
an exported program has its batch fixed), at another batch, of which what depends on the input is shared out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from fxscore.capture import capture
from fxscore.capture.dependence import weight_nodes
from fxscore.capture.inputs import Inputs
from fxscore.capture.torch_private import OpOverload, OpOverloadPacket
from fxscore.costs.memory import memory_of
from fxscore.costs.operators import is_counted, macs_of, outputs_of
from fxscore.errors import CaptureError
from fxscore.types import Shape

_BATCHES = (1, 2, 16)  # 16 is the batch of shipped scorers, for which a program may have been exported
_KNOWN = ("torch", "aten", "_operator", "builtins", "fxscore")
_UNCOUNTED_NAMES = ("cdist", "pdist", "pairwise_distance", "stft", "istft")
_UNCOUNTED_FAMILIES = ("fft_", "linalg_")


@dataclass(frozen=True)
class Costs:
    """Size of a network, for one example.

    Attributes:
        params: learnable numbers, tied ones once.
        macs: multiply-accumulates (`fxscore.costs.operators` says of what).
        macs_by_operator: the same, by operator name.
        activations: output elements of operators that multiply by a weight (Radosavovic et al., CVPR 2020, section 3).
        memory: bytes that one forward of one example needs (`fxscore.costs.memory`).
        uncounted: names of operators that calculate and are not counted: Fourier transforms, distances, linear
            algebra, and whatever is not PyTorch's.
    """

    params: int
    macs: int
    macs_by_operator: dict[str, int]
    activations: int
    memory: int
    uncounted: tuple[str, ...]


def network_costs(
    module: nn.Module, input_shape: Shape, *, inputs: Inputs | None = None, owned: bool = False
) -> Costs:
    """The size of `module` at its own input shape, or with these inputs; arguments as for `capture`.

    Raises:
        CaptureError: the network cannot be captured at any batch.
    """
    captured = capture_for_costs(module, input_shape, inputs=inputs, owned=owned)
    return costs(captured, captured.meta["batch"])


def capture_for_costs(
    module: nn.Module,
    input_shape: Shape,
    *,
    inputs: Inputs | None = None,
    owned: bool = False,
    scopes: bool = False,
) -> fx.GraphModule:
    """The graph that is counted: of one example, or of the fewest that the network takes; arguments as for `capture`.

    Raises:
        CaptureError: the network cannot be captured at any batch.
    """
    first: CaptureError | None = None
    for batch in _BATCHES:
        try:
            return capture(module, input_shape, batch, owned=owned, inputs=inputs, scopes=scopes)
        except CaptureError as error:
            first = first or error
    assert first is not None  # there is a batch to try
    raise first


def costs(graph_module: fx.GraphModule, batch: int) -> Costs:
    """Count a graph that was captured at this batch; what depends on the input is shared out to its examples."""
    weights, from_input = weight_nodes(graph_module.graph.nodes)
    macs: Counter[str] = Counter()
    activations = 0
    for node in graph_module.graph.nodes:
        if not is_counted(node):
            continue
        times = 1 if node in from_input else batch
        macs[operator_name(node)] += macs_of(node) * times
        if any(source in weights for source in node.all_input_nodes):
            activations += outputs_of(node) * times
    per_example = {name: total // batch for name, total in macs.items()}
    params = sum(graph_module.meta["parameters"].values())
    found = uncounted(from_input)
    memory = memory_of(graph_module, batch)
    return Costs(params, sum(per_example.values()), per_example, activations // batch, memory, found)


def uncounted(nodes: set[fx.Node]) -> tuple[str, ...]:
    """Names of the operators among `nodes` that calculate and are not counted, sorted."""
    calls = (node for node in nodes if node.op.startswith("call") and not is_counted(node))
    return tuple(sorted({operator_name(node) for node in calls if _calculates(node)}))


def operator_name(node: fx.Node) -> str:
    """What people call a node's operator."""
    return getattr(node.target, "__name__", str(node.target))


def _calculates(node: fx.Node) -> bool:
    """Whether an operator is known to do more than a little per element, or not known at all."""
    name = operator_name(node)
    if node.op == "call_module" or name in _UNCOUNTED_NAMES or name.startswith(_UNCOUNTED_FAMILIES):
        return True
    return node.op == "call_function" and _library(node.target) not in _KNOWN


def _library(target: Any) -> str:
    if isinstance(target, (OpOverload, OpOverloadPacket)):
        return str(target).split(".")[0]
    home: str = getattr(target, "__module__", None) or type(target).__module__
    return home.split(".")[0]
