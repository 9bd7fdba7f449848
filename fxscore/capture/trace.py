"""Captures any `nn.Module` as an `fx.GraphModule` of functions, with the shape and dtype of every value.

Nodes are functions only (`F.conv2d`, `torch.add`, …): a module, its functional spelling and its in-place form
give the same node. `node.meta["val"]` is the value's form on the meta device.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, fx, nn

from fxscore.capture.chance import fixed_chance, unwritten_is_no_number
from fxscore.capture.dependence import check_dependence
from fxscore.capture.failure import explain, failing_path, may_be_sound
from fxscore.capture.fallback import exported_forward
from fxscore.capture.inputs import Inputs, is_continuous
from fxscore.capture.lazy import has_lazy_parts, has_shape, prepare_dry_run
from fxscore.capture.outputs import output_tensors
from fxscore.capture.plain import nothing_compiled, replace_parts, replacements
from fxscore.capture.precision import input_precision
from fxscore.capture.recorder import Recorder
from fxscore.capture.scopes import Scopes
from fxscore.capture.scripted_functions import scripted_functions_followed
from fxscore.capture.standin import unchanged, weightless_copy
from fxscore.capture.torch_private import LazyGraphModule, buffers_of, children_of, parameters_of
from fxscore.collection import collection_paused
from fxscore.errors import CaptureError
from fxscore.types import Shape

# Parts of detectors in two stages, and in one (RetinaNet, FCOS, SSD).
_DETECTORS = ({"backbone", "rpn", "roi_heads"}, {"backbone", "anchor_generator", "head"})


@collection_paused()
def capture(
    model: nn.Module,
    input_shape: Shape = (3, 224, 224),
    batch: int = 16,
    *,
    owned: bool = False,
    leaves: Callable[[nn.Module], bool] = lambda module: False,
    inputs: Inputs | None = None,
    scopes: bool = False,
) -> fx.GraphModule:
    """Capture `model` at one input shape.

    Args:
        model: any module; neither it nor its buffers are changed, its weights are not read.
        input_shape: (C, H, W), or any shape without the batch axis.
        batch: size of the leading axis of the input.
        owned: the module was built for this call alone (weight-free, in evaluation mode): capture it without a copy.
        leaves: modules for which this is true become one `call_module` node each.
        inputs: what the forward is called with, instead of one image of `input_shape`.
        scopes: note at each node the calls of modules that it was made in (`fxscore.capture.scopes`).

    Returns:
        A graph module; its `meta` holds `parameters` (name → number of elements, tied ones once), `inputs` as read,
        `rows` (the scorer's batch), `batch` (the same; 1 where no input has a batch axis), `exported`, the paths of the
        modules that were exported since they could not be recorded ("" is the whole), `passed_checks`, questions about
        values that cannot matter (`fxscore.capture.checks`), `left_out`, the paths of modules not captured, and
        `sizes_asked`, whether the forward asked for the size of a value, so that another input may give another graph.

    Raises:
        CaptureError: the forward fails, or its control flow depends on values; says where, and what to try.
    """
    model = replace_parts(model, replacements(model)) if owned else weightless_copy(model)
    failure: CaptureError | None = None
    for reading in (inputs or Inputs.image(input_shape)).readings():
        try:
            return _capture(model, reading, batch, leaves, scopes)
        except CaptureError as error:
            failure = failure or error
    assert failure is not None  # there is at least one reading
    raise failure


def _capture(
    model: nn.Module, inputs: Inputs, batch: int, leaves: Callable[[nn.Module], bool], scopes: bool
) -> fx.GraphModule:
    """Capture under one reading of the inputs: by recording, with exported parts where that fails."""
    if has_lazy_parts(model):
        _run_dry(model, inputs, batch)
    exported: tuple[str, ...] = ()
    first: _RecordingError | None = None
    while True:
        try:
            with unchanged(model):
                return _record(model, inputs, batch, leaves, exported, scopes)
        except _RecordingError as error:
            first = first or error
            further = [path for path in (error.path, "") if path not in exported]
            if first.hopeless or not further:
                raise CaptureError(first.explanation) from first.__cause__
            exported = (*exported, further[0]) if further[0] else ("",)


def with_shapes(model: nn.Module, inputs: Inputs, batch: int = 2) -> nn.Module:
    """`model`; where it has lazy modules, a weight-free copy in which they took their shapes from these inputs.

    Raises:
        CaptureError: the forward fails.
    """
    if not has_lazy_parts(model):
        return model
    shaped = weightless_copy(model)
    _run_dry(shaped, inputs, batch)
    return shaped


def _run_dry(model: nn.Module, inputs: Inputs, batch: int) -> None:
    """Give lazy modules their shapes; what is recorded on the way is of no use."""
    prepare_dry_run(model)
    try:
        _run(model, main_part(model), Recorder(dict(model.named_parameters()), {}), inputs, batch)
    except _RecordingError as error:
        raise CaptureError(error.explanation) from error.__cause__


class _RecordingError(Exception):
    """One attempt failed.

    Attributes:
        path: the module in which it did.
        hopeless: whether no other way of capture can do better (the forward itself fails, or asks for values).
        explanation: what is said if no other way is left.
    """

    def __init__(self, path: str, hopeless: bool, explanation: str) -> None:
        super().__init__(explanation)
        self.path = path
        self.hopeless = hopeless
        self.explanation = explanation


def _record(
    model: nn.Module,
    inputs: Inputs,
    batch: int,
    leaves: Callable[[nn.Module], bool],
    exported: tuple[str, ...],
    scopes: bool,
) -> fx.GraphModule:
    """One attempt: record, with the modules at the paths `exported` replaced by their exported graphs."""
    recorder = Recorder(dict(model.named_parameters()), dict(model.named_buffers()))
    part = main_part(model)
    replaced = [model.get_submodule(path) if path else part for path in exported]
    try:
        for module in replaced:
            module.forward = exported_forward(module)
        _record_leaves(model, recorder, leaves)
        with Scopes(model, recorder.graph) if scopes else nullcontext():
            _run(model, part, recorder, inputs, batch)
    finally:
        for module in replaced:
            module.__dict__.pop("forward", None)
    graph_module = _graph_module(model, recorder)
    graph_module.meta.update(
        exported=exported,
        passed_checks=tuple(recorder.passed_checks),
        inputs=inputs,
        rows=batch,
        batch=1 if inputs.batch is None else batch,
        left_out=_left_out(model, part),
        sizes_asked=recorder.sizes_asked,
    )
    return graph_module


def _left_out(model: nn.Module, part: nn.Module) -> tuple[str, ...]:
    """Names of the children with weights beside the part that is captured."""
    if part is model:
        return ()
    return tuple(
        name
        for name, child in model.named_children()
        if child is not part and any(True for _ in child.parameters())
    )


def main_part(model: nn.Module) -> nn.Module:
    """The part of a network that is captured: a detector's backbone, of anything else the whole.

    A detector is known by its parts, which are torchvision's and those of what is built like them. What it does after
    its backbone (proposals, suppression of overlapping boxes) depends on values, and has few weights; its backbone is
    what tells one from another.
    """
    parts = dict(model.named_children())
    return parts["backbone"] if any(kind <= parts.keys() for kind in _DETECTORS) else model


def _record_leaves(model: nn.Module, recorder: Recorder, leaves: Callable[[nn.Module], bool]) -> None:
    for name, module in model.named_modules():
        if name and leaves(module):
            forward = module.forward
            module.forward = _leaf_call(recorder, name, forward)


def _leaf_call(recorder: Recorder, name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: recorder.call_leaf(name, forward, args, kwargs)


def _run(model: nn.Module, part: nn.Module, recorder: Recorder, inputs: Inputs, batch: int) -> None:
    dtype = input_precision(part)
    args, kwargs = inputs.at_batch(batch, lambda tensor, batched: _declare(recorder, tensor, batched, dtype))
    try:
        with torch.no_grad(), fixed_chance(), nothing_compiled(), scripted_functions_followed():
            with unwritten_is_no_number(), recorder:
                outputs = output_tensors(part(*args, **kwargs))
            recorder.finish(outputs)
            check_dependence(recorder.graph)
    except Exception as error:  # the forward is the user's code and may raise anything
        explanation = explain(model, error, inputs.shape)
        raise _RecordingError(failing_path(model, error), not may_be_sound(error), explanation) from error


def _declare(recorder: Recorder, tensor: Tensor, batched: bool, dtype: torch.dtype) -> Tensor:
    """Tell the recorder of a tensor that depends on the input."""
    if is_continuous(tensor):
        own = dtype.to_complex() if tensor.is_complex() else dtype
        return recorder.placeholder("input", tensor.to(own), batched)
    return recorder.give(tensor)


def _graph_module(model: nn.Module, recorder: Recorder) -> fx.GraphModule:
    # Lazy: passes rewrite the graph before anybody runs or reads it.
    graph_module = LazyGraphModule(nn.Module(), fx.Graph(), type(model).__name__)
    for node in recorder.graph.nodes:
        if node.op == "call_module":
            home, own = _home_of(graph_module, node.target)
            children_of(home)[own] = model.get_submodule(node.target)
    for path, tensor in recorder.attributes.items():
        home, own = _home_of(graph_module, path)
        (parameters_of if isinstance(tensor, nn.Parameter) else buffers_of)(home)[own] = tensor
    graph_module.graph = recorder.graph
    graph_module.meta["parameters"] = {
        name: parameter.numel() for name, parameter in model.named_parameters() if has_shape(parameter)
    }
    return graph_module


def _home_of(graph_module: nn.Module, path: str) -> tuple[nn.Module, str]:
    """(the module that holds what stands at this path, its name there); made where there is none.

    By the modules' own tables: `fx.GraphModule` does the same through `setattr`, in twice the time.
    """
    home, (*parents, own) = graph_module, path.split(".")
    for name in parents:
        children = children_of(home)
        if name not in children:
            children[name] = nn.Module()
        home = children[name]  # type: ignore[assignment]
    return home, own
