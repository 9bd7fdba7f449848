"""What a scorer is given: a built network and, on demand, its constructed architecture; made from what users give."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence

from torch import fx, nn

from fxscore.capture import with_shapes
from fxscore.capture.inputs import Examples, Inputs, own_examples
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.costs import Costs, costs_of_one, network_costs
from fxscore.errors import CaptureError, FxScoreError, ModelRefError, UsageError
from fxscore.scorer.seen_size import Rebuild, attempts
from fxscore.sources import build, expand_or_keep
from fxscore.sources.base import DEFAULT_INPUT_SHAPE
from fxscore.texts import one_line
from fxscore.types import ModelRef, Shape, shape_of

Model = nn.Module | ModelRef | str | os.PathLike[str]


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
                return construct(module, batch=batch, owned=self.owned, example_inputs=inputs, captured=count)
            except (CaptureError, ModelRefError):
                if size == self.input_shape:
                    raise
        raise AssertionError("the last attempt is at the network's own shape")


def network_of(model: object) -> nn.Module | ModelRef:
    """What a user gives as a network: a module, or a reference to one as text, path or object.

    Raises:
        UsageError: it is neither; says what to give instead.
        ModelRefError: a text that is no reference.
    """
    if isinstance(model, (nn.Module, ModelRef)):
        return model
    if isinstance(model, (str, os.PathLike)):
        return ModelRef.parse(os.fsdecode(model))
    name = getattr(model, "__name__", "")
    if inspect.isclass(model):
        raise UsageError(f"{name} is a class, not a network; give an instance, as in {name}(...)")
    if callable(model) and name:
        raise UsageError(f"{name} is a function, not a network; give what it returns, as in {name}(...)")
    raise UsageError(
        f"{one_line(repr(model), 80)} is no network; give an nn.Module, or a reference such as 'timm:resnet50'"
    )


def sorted_out(
    models: Model | Iterable[Model] | Mapping[str, nn.Module],
) -> tuple[list[tuple[ModelRef, nn.Module]], list[ModelRef]]:
    """(modules with a name for their records, references), of what is to be ranked.

    Raises:
        UsageError: something among them is no network, or they are one module alone.
        ModelRefError: a pattern matches nothing, or a text is no reference.
    """
    if isinstance(models, nn.Module):
        raise UsageError(
            "this ranks several networks, and was given one module, whose parts are no networks; "
            "fxscore.score(module) scores it, fxscore.rank([module, ...]) ranks it among others"
        )
    if isinstance(models, Mapping):
        return [(ModelRef("module", str(name)), _module(name, model)) for name, model in models.items()], []
    if isinstance(models, (str, ModelRef, os.PathLike)) or not isinstance(models, Iterable):
        models = [models]
    modules: list[tuple[ModelRef, nn.Module]] = []
    refs: list[ModelRef] = []
    for index, model in enumerate(models):
        network = network_of(model)
        if isinstance(network, nn.Module):
            modules.append((ModelRef("module", f"{type(network).__name__}#{index}"), network))
        elif isinstance(model, (str, os.PathLike)):
            refs += expand_or_keep(os.fsdecode(model))
        else:
            refs.append(network)
    return modules, refs


def _module(name: object, model: object) -> nn.Module:
    network = network_of(model)
    if isinstance(network, nn.Module):
        return network
    raise UsageError(
        f"{name!r} names the reference {network}, which has a name of its own; give references as a list"
    )


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
