"""Multiply-accumulates of every network of timm and torchvision, beside those of `torch.utils.flop_counter`.

``nice python -m benchmarks.coverage.mac_count`` counts each at batch 1 in a process of its own, two at a time, and
writes the section "Multiply-accumulates" of RESULTS.md: how many agree exactly, and the reason of each that does not. A
stopped run goes on where it was (`--work`). ``--only 'timm:resnet*'`` counts a few and only prints. The flop counter
watches the eager forward, on tensors without contents and with attention in its own products; of a detector, both see
the backbone that `capture` takes.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import timm  # noqa: F401 - imported here so that the processes need not
import torch
import torchvision  # noqa: F401
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.flop_counter import FlopCounterMode, flop_registry
from torch.utils.weak import WeakIdKeyDictionary

from benchmarks.results import command_line, table, write_section
from benchmarks.shared.apart import each
from fxscore.capture.inputs import Inputs, own_examples
from fxscore.capture.trace import main_part
from fxscore.costs import Costs
from fxscore.proxies.probe import copy_with
from fxscore.proxies.structure import Hollow
from fxscore.proxies.taps import Unfused
from fxscore.run import Where
from fxscore.scorer import Subject
from fxscore.sources import build, expand
from fxscore.types import ModelRef

# Operators whose products are no operator that the flop counter knows, by their names in `Costs.macs_by_operator`.
UNKNOWN = {
    "bilinear": "bilinear forms",
    "deform_conv2d": "deformable convolutions",
    "mv": "products of a matrix and a vector",
    "dot": "dot products",
    "_grouped_mm": "products of groups",
}


WORK = Path("runs/mac_count.jsonl")


@dataclass(frozen=True)
class Pair:
    """Two counts of one network.

    Attributes:
        ours, theirs: multiply-accumulates.
        unknown: operators of the network that the flop counter does not know.
        constant: of theirs, the products of constants alone, which capture computes once and keeps.
    """

    ours: int
    theirs: int
    unknown: tuple[str, ...]
    constant: int = 0

    @property
    def reason(self) -> str:
        """Why they differ; empty where they do not."""
        if self.ours == self.theirs:
            return ""
        if self.ours == self.theirs - self.constant:
            return "products of constants (positions, frequencies), which capture computes once"
        return "not known to the flop counter: " + ", ".join(self.unknown) if self.unknown else "unexplained"


CountedRow = tuple[str, Pair | None, str | None]  # a network, its counts, or what went wrong


def compare(name: str) -> Pair:
    """Count one network twice."""
    built = build(ModelRef.parse(name))
    subject = Subject(built.module, built.input_shape, owned=True, example_inputs=own_examples(built.module))
    found = subject.costs()
    vars(built.module).pop(
        "example_input_array", None
    )  # real tensors in a tuple, which cannot be copied as fake ones
    theirs, constant = flop_counter_macs(built.module, subject.inputs)
    return Pair(found.macs, theirs, _unknown(found), constant)


def counts_of(name: str) -> dict[str, Any]:
    """`compare`, as JSON holds it."""
    return asdict(compare(name))


def flop_counter_macs(module: nn.Module, inputs: Inputs) -> tuple[int, int]:
    """(all, of constants alone): half of the operations that PyTorch's counter sees in one eager forward at batch 1."""
    counter = FlopCounterMode(display=False)
    args, kwargs = inputs.at_batch(1, lambda tensor, batched: tensor)
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True), Unfused(), sdpa_kernel(SDPBackend.MATH):
        network = (
            copy_with(main_part(module), Hollow()).eval().requires_grad_(False)
        )  # the counter hooks gradients
        args, kwargs = tree_map_only(torch.Tensor, _without_values, (args, kwargs))
        constants = ConstantProducts([*tree_leaves((args, kwargs)), *network.parameters()])
        # oneDNN's recurrent layers are one operator, which the counter does not know.
        with torch.backends.mkldnn.flags(enabled=False), counter, constants:
            network(*args, **kwargs)
    return counter.get_total_flops() // 2, constants.flops // 2


class ConstantProducts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations on values that depend on none of the tensors that it is given."""

    def __init__(self, tensors: Iterable[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self._dependent = WeakIdKeyDictionary()
        self._mark(tensors)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        operands = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        if any(operand in self._dependent for operand in operands):
            written = [operands[0]] if func._schema.is_mutable else []
            self._mark([*tree_leaves(out), *written])
        elif func.overloadpacket in flop_registry:
            self.flops += flop_registry[func.overloadpacket](*args, **kwargs, out_val=out)
        return out

    def _mark(self, values: Iterable[Any]) -> None:
        for value in values:
            if isinstance(value, torch.Tensor):
                self._dependent[value] = True


def _without_values(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(tensor, device="cpu")


def _unknown(found: Costs) -> tuple[str, ...]:
    return tuple(UNKNOWN[name] for name, macs in found.macs_by_operator.items() if macs and name in UNKNOWN)


def counted(names: Sequence[str], work: Path, processes: int) -> dict[str, CountedRow]:
    """A row per network, from the file of rows or counted and added to it."""
    work.parent.mkdir(parents=True, exist_ok=True)
    lines = work.read_text().splitlines() if work.exists() else []
    rows = {name: (name, pair and Pair(**pair), error) for name, pair, error in map(json.loads, lines)}
    missing = [name for name in names if name not in rows]
    with work.open("a") as file:
        counting = each("benchmarks.coverage.mac_count:counts_of", missing, Where(processes))
        for done, (name, found, error) in enumerate(counting, start=1):
            rows[name] = (name, found and Pair(**found), error)
            print(json.dumps((name, found, error)), file=file, flush=True)
            print(f"{done}/{len(missing)} {name} {error or rows[name][1].reason}", flush=True)
    return rows


def report(rows: Sequence[CountedRow]) -> str:
    """The section's body."""
    lines = [
        _summary(source, [row for row in rows if row[0].startswith(source)])
        for source in ("timm", "torchvision")
    ]
    heads = ["", "networks", "counted by both", "exactly equal", "differ"]
    others = [
        (name, f"{pair.ours:,}", f"{pair.theirs:,}", pair.reason)
        for name, pair, _ in rows
        if pair and pair.reason
    ]
    failed = [(name, "–", "–", error or "") for name, pair, error in rows if pair is None]
    exceptions = table(["network", "fxscore", "flop_counter", "why"], [*others, *failed])
    return f"{table(heads, lines)}\n\n{exceptions if others or failed else 'No network differs.'}"


def _summary(source: str, rows: Iterable[CountedRow]) -> tuple[str, ...]:
    counts = Counter(
        "failed" if pair is None else "differ" if pair.reason else "equal" for _, pair, _ in rows
    )
    whole = counts.total()
    return source, *map(str, (whole, whole - counts["failed"], counts["equal"], counts["differ"]))


def main() -> None:
    """Count, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", help="references or patterns; only print")
    parser.add_argument(
        "--work", type=Path, default=WORK, help="what is counted so far; a stopped run goes on there"
    )
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    names = [str(ref) for pattern in options.only or ("timm:*", "torchvision:*") for ref in expand(pattern)]
    rows = counted(names, options.work, options.processes)
    body = report([rows[name] for name in names])
    print(body)
    if not options.only:
        write_section("mac-count", "Multiply-accumulates", body, command_line())


if __name__ == "__main__":
    main()
