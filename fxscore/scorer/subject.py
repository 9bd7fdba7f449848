"""What a scorer is given: a built network and, on demand, its constructed architecture."""

from __future__ import annotations

from typing import Protocol

from torch import nn

from fxscore.capture import with_shapes
from fxscore.capture.inputs import Examples, Inputs
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.costs import Costs, network_costs
from fxscore.errors import CaptureError, ModelRefError
from fxscore.scorer.protocol import Rebuild, attempts
from fxscore.types import Shape


class Subject:
    """One network under scoring.

    Args:
        module: the network; built weight-free unless the scorer needs weights.
        input_shape: (C, H, W).
        owned: the module was built for this alone, and may be captured without a copy.
        example_inputs: what the network takes, where that is not one image (`fxscore.capture.inputs`).
        rebuild: builds the network weight-free for images of another (height, width), where its recipe can.
    """

    def __init__(
        self,
        module: nn.Module,
        input_shape: Shape,
        *,
        owned: bool = False,
        example_inputs: Examples | None = None,
        rebuild: Rebuild | None = None,
    ) -> None:
        self.module = module
        self.inputs = Inputs.image(input_shape) if example_inputs is None else Inputs.of(example_inputs)
        self.input_shape = self.inputs.shape
        self.owned = owned
        self.rebuild = rebuild
        self._constructed: dict[tuple[int, Shape], ConstructedArchitecture] = {}
        self._costs: Costs | None = None
        self._shaped: nn.Module | None = None

    @property
    def shaped(self) -> nn.Module:
        """The module; where it has lazy layers, with the shapes that the network's own input gives them."""
        if self._shaped is None:
            self._shaped = with_shapes(self.module, self.inputs)
        return self._shaped

    def construct(self, batch: int, shape: Shape | None = None) -> ConstructedArchitecture:
        """The constructed architecture at a scorer's batch, made once.

        Args:
            batch: the scorer's.
            shape: the input shape at which the scorer would rather see the network; one that does not take it is
                constructed at the next that `fxscore.scorer.protocol` names, at last at its own.
        """
        key = (batch, self.input_shape if shape is None else shape)
        if key not in self._constructed:
            constructed = self._constructed[key] = self._construct(*key)
            self._adopt(constructed, batch)
        return self._constructed[key]

    def _adopt(self, constructed: ConstructedArchitecture, batch: int) -> None:
        """Read the examples from here on as the network took them: it may take them without a batch axis."""
        taken: Inputs = constructed.graph_module.meta["inputs"]
        if taken.batch is None and self.inputs.batch is not None:
            self.inputs, self.input_shape = taken, taken.shape
            self._constructed[(batch, taken.shape)] = constructed

    @property
    def seen_shapes(self) -> tuple[Shape, ...]:
        """The input shapes at which the network was constructed so far."""
        return tuple(constructed.input_shape for constructed in self._constructed.values())

    @property
    def left_out(self) -> tuple[str, ...]:
        """Paths of modules that the constructions so far leave out (a detector behind its backbone)."""
        found = (constructed.left_out for constructed in self._constructed.values())
        return next(found, ())

    def costs(self) -> Costs:
        """Parameters, and multiply-accumulates of one example at the network's own input shape, counted once."""
        if self._costs is None:
            self._costs = network_costs(self.shaped, self.input_shape, inputs=self.inputs, owned=self.owned)
        return self._costs

    def _construct(self, batch: int, shape: Shape) -> ConstructedArchitecture:
        """At `shape` or the nearest to it that the network takes (`fxscore.scorer.protocol`)."""
        for make, size in attempts(self.shaped, self.input_shape, shape, self.rebuild):
            try:
                inputs = self.inputs.resized(size)
                return construct(make(), batch=batch, owned=self.owned, example_inputs=inputs)
            except (CaptureError, ModelRefError):
                if size == self.input_shape:
                    raise
        raise AssertionError("the last attempt is at the network's own shape")


class Scorer(Protocol):
    """Anything that gives a network a number, higher is better: learned scorers and handcrafted proxies alike."""

    @property
    def needs_weights(self) -> bool:
        """Whether `subject.module` must be built with real, initialised weights."""
        ...

    @property
    def batch(self) -> int | None:
        """The batch at which the scorer constructs networks; None where it does not construct them."""
        ...

    def shape_for(self, input_shape: Shape) -> Shape:
        """The input shape at which the scorer constructs a network of this input shape, if the network takes it."""
        ...

    @property
    def scorer_id(self) -> str:
        """Identity in records and stores: equal ids give equal scores."""
        ...

    def score(self, subject: Subject) -> float:
        """The score; raises `FxScoreError` where there is none."""
        ...
