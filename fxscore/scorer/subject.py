"""What a scorer is given: a built network and, on demand, its constructed architecture; made from what users give."""

from __future__ import annotations

from collections.abc import Sequence

from torch import fx, nn

from fxscore.capture import with_shapes
from fxscore.capture.inputs import Examples, Inputs, own_examples
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.costs import Costs, costs_of_one, network_costs
from fxscore.errors import CaptureError, FxScoreError, ModelRefError
from fxscore.scorer.given import Model, network_of
from fxscore.scorer.seen_size import Rebuild, attempts
from fxscore.sources import build
from fxscore.sources.base import DEFAULT_INPUT_SHAPE
from fxscore.types import Shape, shape_of


class Subject:
    """One network under scoring.

    Args:
        module: the network; built weight-free unless the scorer needs weights.
        input_shape: (C, H, W).
        owned: the module was built for this alone, and may be captured without a copy.
        example_inputs: what the network takes, where that is not one image (`fxscore.capture.inputs`).
        counted: the size will be asked for, and is taken on the way where a construction tells it.
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
        counted: bool = False,
    ) -> None:
        self.module = module
        self.inputs = Inputs.image(input_shape) if example_inputs is None else Inputs.of(example_inputs)
        self.input_shape = self.inputs.shape
        self.owned = owned
        self.rebuild = rebuild
        self.counted = counted
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
                constructed at the next that `fxscore.scorer.seen_size` names, at last at its own.
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

    def _count(self, captured: fx.GraphModule) -> None:
        """Take the size from this capture, where it tells that of one example at the network's own input."""
        if self._costs is None:
            self._costs = costs_of_one(captured, self.inputs)

    def _construct(self, batch: int, shape: Shape) -> ConstructedArchitecture:
        """At `shape` or the nearest to it that the network takes (`fxscore.scorer.seen_size`)."""
        for make, size in attempts(self.shaped, self.input_shape, shape, self.rebuild):
            try:
                inputs = self.inputs.resized(size)
                module = make()
                count = self._count if self.counted and module is self.shaped else None
                return construct(
                    module,
                    batch=batch,
                    owned=self.owned,
                    example_inputs=inputs,
                    captured=count,
                    counted=False,  # `costs` counts at the network's own input
                )
            except (CaptureError, ModelRefError):
                if size == self.input_shape:
                    raise
        raise AssertionError("the last attempt is at the network's own shape")


def subject_of(
    model: Model,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    *,
    weights: bool = False,
    counted: bool = False,
) -> Subject:
    """A module or reference as scorers take it.

    Args:
        model: a module, or a reference such as `timm:resnet50`.
        input_shape: (C, H, W); by default the reference's own, or 3×224×224.
        example_inputs: what the network takes, where that is not one image; by default what the module says of itself.
        weights: whether the scorer reads them.
        counted: whether its size will be asked for.

    Raises:
        FxScoreError: it cannot be built, or is no network.
    """
    input_shape = None if input_shape is None else shape_of(input_shape)
    network = network_of(model)
    if isinstance(network, nn.Module):
        module, shape, owned, rebuild = network, input_shape or DEFAULT_INPUT_SHAPE, False, None
    else:
        built = build(network, weights=weights)
        module, shape, owned = built.module, input_shape or built.input_shape, not weights
        rebuild = built.resized
    if example_inputs is None and input_shape is None:
        example_inputs = own_examples(module)
    return Subject(
        module, shape, owned=owned, example_inputs=example_inputs, rebuild=rebuild, counted=counted
    )


def subjects_of(models: Sequence[Model], input_shape: Shape | None = None) -> list[Subject]:
    """All of them; an error names the network by its place."""
    return [_named(model, place, input_shape) for place, model in enumerate(models)]


def _named(model: Model, place: int, input_shape: Shape | None) -> Subject:
    try:
        return subject_of(model, input_shape)
    except FxScoreError as error:
        raise type(error)(f"network {place}: {error}") from None
