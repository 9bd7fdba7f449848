"""`construct`: from any `nn.Module` to its constructed architecture (METHOD.md sections 1 and 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from fxscore.capture import capture
from fxscore.capture.inputs import Examples, Inputs
from fxscore.collection import collection_paused
from fxscore.costs import Costs, costs
from fxscore.ops import Observer
from fxscore.passes import default_pipeline, run_passes
from fxscore.passes.base import output_node
from fxscore.passes.represent_operators import Represented
from fxscore.passes.structure import fingerprint
from fxscore.program import Program
from fxscore.represent import has_module_rule
from fxscore.types import Shape


@dataclass(frozen=True)
class Encoding:
    """What one constructed forward gives.

    Attributes:
        features: (B, C) average of the encoded value over every axis but batch and channel.
        log_factors: (n,) logarithms of the unitisation factors, in execution order.
        taps: further tensors by name; `patterns` (B, B) where the observer kept activation patterns.
    """

    features: Tensor
    log_factors: Tensor
    taps: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class ConstructedArchitecture:
    """A network rewritten for scoring. It owns no weights: they are inputs of its graph.

    Attributes:
        graph_module: `(input_like, weights, observer) -> (B, C)`; prints as readable code.
        program: the same, in the form in which it is run.
        coverage: what each weighted operator became.
        fingerprint: hash of the canonical graph; equal architectures have equal ones.
        costs: size of the network as it was captured, shared out to the examples of the batch; None where it was not
            counted.
        input_shape, batch: what the graph was captured for: () where the network takes token ids alone, a batch of 1
            where it takes no batch axis.
        channels: C of the encoding.
        left_out: paths of modules with weights that were not captured (a detector behind its backbone).
    """

    graph_module: fx.GraphModule
    program: Program
    coverage: tuple[Represented, ...]
    fingerprint: str
    costs: Costs | None
    input_shape: Shape
    batch: int
    channels: int
    left_out: tuple[str, ...] = ()

    def __call__(
        self, input_like: Tensor, weights_by_shape: Mapping[Shape, Tensor], observer: Observer | None = None
    ) -> Encoding:
        """Run the constructed architecture.

        Args:
            input_like: (B, C, H, W) as constructed for.
            weights_by_shape: gives a weight for every shape that the graph asks for.
            observer: settings of variance unitisation and of what is noted; v-norm by default.
        """
        observer = Observer() if observer is None else observer
        observer.batch = self.batch
        if input_like.dim() == 4:  # convolutions, pools and norms of a CPU are fastest on this layout
            input_like = input_like.contiguous(memory_format=torch.channels_last)
        features = self.program(input_like, weights_by_shape, observer)
        factors = torch.stack(observer.factors).log() if observer.factors else features.new_zeros(0)
        taps = {} if observer.patterns is None else {"patterns": observer.patterns}
        return Encoding(features, factors, taps)

    @property
    def code(self) -> str:
        """The constructed architecture as Python code."""
        return str(self.graph_module.code)


@collection_paused()
def construct(
    model: nn.Module,
    input_shape: Shape = (3, 224, 224),
    batch: int = 16,
    *,
    owned: bool = False,
    example_inputs: Examples | Inputs | None = None,
    captured: Callable[[fx.GraphModule], object] | None = None,
    counted: bool = True,
) -> ConstructedArchitecture:
    """Rewrite any network into its constructed architecture; the model is left as it is.

    Args:
        model: any module; its weights are not read.
        input_shape: (C, H, W).
        batch: the scorer's batch.
        owned: the module was built weight-free for this call alone; saves a copy.
        example_inputs: what the forward takes, where that is not one image: a tensor, a sequence of positional or a
            mapping of named inputs (`fxscore.capture.inputs`); then `input_shape` is not used.
        captured: is shown the graph as it was captured, before any pass.
        counted: whether somebody will ask for `costs`.

    Raises:
        CaptureError, UnrepresentedOperatorError, PassError: say what, where and how to mend it.
    """
    taken = Inputs.image(input_shape) if example_inputs is None else Inputs.of(example_inputs)
    graph_module = capture(model, batch=batch, owned=owned, leaves=has_module_rule, inputs=taken)
    if captured is not None:
        captured(graph_module)
    captured_costs = costs(graph_module, graph_module.meta["batch"]) if counted else None
    run_passes(graph_module, default_pipeline())
    return ConstructedArchitecture(
        graph_module=graph_module,
        program=Program(graph_module),
        coverage=_coverage(graph_module),
        fingerprint=fingerprint(graph_module),
        costs=captured_costs,
        input_shape=graph_module.meta["inputs"].shape,
        batch=graph_module.meta["batch"],
        channels=output_node(graph_module.graph).meta["val"].shape[1],
        left_out=graph_module.meta["left_out"],
    )


def _coverage(graph_module: fx.GraphModule) -> tuple[Represented, ...]:
    heads: dict[str, list[str]] = defaultdict(list)
    for name in graph_module.meta["head"]:
        heads[name.rpartition(".")[0]].append(name)
    lines = [Represented(path, "head", "head", tuple(names)) for path, names in heads.items()]
    return (*graph_module.meta["coverage"], *lines)
