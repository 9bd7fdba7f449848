"""What is measured of one network in `benchmarks.coverage`: capture, parameters accounted for, features, times.

Whether a weight is represented is not taken from the rewriter's report. The module tree says which parameters exist;
the captured graph, which of them its functions read; the constructed graph, which synthesised shapes it fetches. A
weighted layer counts as represented where functions that reach the output read its parameters (a module hidden in an
opaque call reads none) and, unless it is the head, its weight's shape is among those that are fetched.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from operator import getitem
from typing import Any

from torch import fx, nn

from fxscore.capture import capture
from fxscore.capture.inputs import own_examples
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.passes import run_passes
from fxscore.passes.base import ancestors, output_node
from fxscore.passes.cut_head import CutHeadPass
from fxscore.passes.prepare_inputs import PrepareInputsPass
from fxscore.represent.context import kernel_key
from fxscore.scorer import Subject
from fxscore.scorer.features import network_features
from fxscore.sources import build
from fxscore.types import ModelRef, Shape

OWN_BATCH = 2  # at the own size nothing is run, but index tables that depend on the batch are made
_LAYERS = (nn.modules.conv._ConvNd, nn.Linear, nn.Embedding)


@dataclass(frozen=True)
class Probe:
    """What one network gave.

    Attributes:
        step: how it was built (`fxscore.capture.empty_weights`).
        exported: paths of what was exported instead of recorded; "" stands for the whole.
        own, seen: input shapes: its own, and that at which the scorer saw it.
        params, represented, head: learnable numbers of the module tree; those that the graph represents; those of the
            head, which the scorer replaces.
        unused: names of parameters that the encoding does not depend on (auxiliary heads).
        missing: names of parameters that it depends on and that no operator of the constructed graph accounts for.
        macs: at its own shape.
        fingerprint: of the constructed graph and the own shape.
        features: as in `fxscore.scorer.features`.
        build_seconds, capture_seconds, score_seconds: weight-free building; capture alone, at its own shape; and all
            that a score takes once it is built: capture, passes and forward at the seen shape.
        memory: peak resident bytes of its process, with about 1 GiB of imports.
    """

    step: str
    exported: tuple[str, ...]
    own: Shape
    seen: Shape
    params: int
    represented: int
    head: int
    unused: tuple[str, ...]
    missing: tuple[str, ...]
    macs: int
    fingerprint: str
    features: tuple[float, ...]
    build_seconds: float
    capture_seconds: float
    score_seconds: float
    memory: int


def probe(name: str) -> Probe:
    """Build, capture, represent and measure one network."""
    clock = _Clock()
    built = build(ModelRef.parse(name))
    build_seconds = clock.lap()
    examples = own_examples(built.module)
    subject = Subject(
        built.module, built.input_shape, owned=True, example_inputs=examples, rebuild=built.resized
    )
    captured = capture(built.module, subject.input_shape, OWN_BATCH, owned=True, inputs=subject.inputs)
    capture_seconds = clock.lap()
    own = construct(built.module, subject.input_shape, OWN_BATCH, owned=True, example_inputs=subject.inputs)
    account = _account(built.module, captured, own)
    clock.lap()
    features = network_features(subject)
    score_seconds = clock.lap()
    (seen,) = subject.seen_shapes
    return Probe(
        step=built.step,
        exported=captured.meta["exported"],
        own=subject.input_shape,
        seen=seen,
        macs=subject.costs().macs,
        fingerprint=features.fingerprint,
        features=tuple(features.values.tolist()),
        build_seconds=build_seconds,
        capture_seconds=capture_seconds,
        score_seconds=score_seconds,
        memory=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        **account,
    )


class _Clock:
    """Seconds since the last lap."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        seconds, self._start = now - self._start, now
        return seconds


def _account(
    module: nn.Module, captured: fx.GraphModule, constructed: ConstructedArchitecture
) -> dict[str, Any]:
    """Which parameters are represented, are the head's, are not needed, or are missing."""
    sizes = {name: parameter.numel() for name, parameter in module.named_parameters()}
    run_passes(captured, [PrepareInputsPass(), CutHeadPass()])
    head = set(captured.meta["head"])
    needed = {
        str(node.target) for node in ancestors(output_node(captured.graph)) if node.meta.get("is_parameter")
    }
    reported = {name for line in constructed.coverage for name in line.parameters}
    missing = (needed - reported) | _not_fetched(module, needed, constructed.graph_module)
    return {
        "params": sum(sizes.values()),
        "represented": sum(
            sizes.get(name, 0) for name in needed - missing
        ),  # a list holds some that no module has
        "head": sum(sizes[name] for name in head - needed),
        "unused": tuple(sorted(set(sizes) - needed - head)),
        "missing": tuple(sorted(missing)),
    }


def _not_fetched(module: nn.Module, needed: set[str], constructed: fx.GraphModule) -> set[str]:
    """Weights of layers whose shape the constructed graph does not fetch."""
    fetched = {
        node.args[1]
        for node in constructed.graph.nodes
        if node.target is getitem and getattr(node.args[0], "target", None) == "weights"
    }
    shapes = {
        f"{path}.weight".lstrip("."): tuple(layer.weight.shape)
        for path, layer in module.named_modules()
        if isinstance(layer, _LAYERS)
    }
    return {name for name in shapes.keys() & needed if kernel_key(shapes[name]) not in fetched}
