"""Whether the networks that the spaces build are the benchmarks' own, by the numbers that the benchmarks publish.

``python -m benchmarks.coverage.faithfulness --data ../shared/data`` builds the network of every row that states a
number of parameters and compares. Multiply-accumulates are compared on every tenth row (``--flops-every 1`` for all),
each table by the rule that its carrier counted with; ``--write`` keeps the figures in RESULTS.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from benchmarks.results import table, write_section
from fxscore.spaces import BenchmarkTable, SearchSpace, get_space


@dataclass(frozen=True)
class Rule:
    """How a table's carrier counted: what one operation costs, beside the products of conv and linear."""

    name: str
    norm: int = 0  # per output element of a BatchNorm with affine
    plain_norm: int = 0  # … of one without
    relu: int = 0  # per output element
    after_pool: int = 0  # per output element of a pool, beside k²
    pools: bool = False  # k² per output element of a pool
    average: str = ""  # global average: "" nothing, "both" input and output, "window" (k + 1)² per output


@dataclass(frozen=True)
class Case:
    """A table, the space that reads it, and how its numbers were counted."""

    file: str
    space: str
    rule: Rule
    note: str
    digits: int = 12  # significant digits of the published numbers
    every: int = 1  # build every n-th row
    carrier: Callable[[nn.Module], None] = lambda module: None  # what the carrier built otherwise


MACS = Rule("products of convolutions and linear layers")
THOP = Rule("and 4 a BatchNorm element, input and output of global averages", norm=4, average="both")
NASLIB = Rule(
    "and 2 a BatchNorm element (1 without affine), 1 a ReLU element, k² an element of a pool, "
    "(k + 1)² an element of a global average pool",
    *(2, 1, 1, 0, True, "window"),
)
NASLIB_101 = Rule(
    "as below, its global average being a mean, which it does not count", *(2, 1, 1, 0, True, "")
)
NASLIB_301 = Rule("and one more element of BatchNorm behind every pool", *(2, 1, 1, 1, True, "window"))


def drop_edge_affine(module: nn.Module) -> None:
    """NASLib builds the operations of DARTS cells as during search: BatchNorm without affine parameters."""
    for name, layer in module.named_modules():
        if ".edges." in name and isinstance(layer, nn.BatchNorm2d):
            layer.weight = layer.bias = None  # type: ignore[assignment]


CASES = (
    Case("nas_bench_macro", "nasbench_macro", MACS, "every number as it stands"),
    Case("nas_bench_101_valid", "nasbench101", NASLIB_101, "every number as it stands"),
    Case("nas_bench_101_ecnas_108ep", "nasbench101", MACS, "states no multiply-accumulates"),
    Case("accel_nasbench_imagenet", "accel_nasbench", THOP, "every number as it stands"),
    Case(
        "nas_bench_201_zero_cost_scores_cifar10",
        "nasbench201",
        NASLIB,
        "every fourth row; published with six significant digits, and equal to them",
        digits=6,
        every=4,
    ),
    Case(
        "nas_bench_301_surrogate_labels",
        "darts",
        NASLIB_301,
        "counted on a network whose cell operations have BatchNorm without affine parameters (as during a "
        "DARTS search); NAS-Bench-301 trained, and fxscore builds, networks with them, so fxscore's own "
        "numbers are larger by two per channel of those BatchNorms: equal once these are taken off",
        carrier=drop_edge_affine,
    ),
)


class Counter(TorchFunctionMode):
    """Adds up the cost of a forward pass; a BatchNorm gives back its input, as only shapes matter."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule, self.total = rule, 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "batch_norm":
            affine = kwargs.get("weight", args[3] if len(args) > 3 else None) is not None
            self.total += args[0].numel() * (self.rule.norm if affine else self.rule.plain_norm)
            return args[0]
        out = func(*args, **kwargs)
        if isinstance(out, Tensor):
            self.total += self._cost(name, out, args)
        return out

    def _cost(self, name: str, out: Tensor, args: tuple[Any, ...]) -> int:
        if name == "conv2d":
            return int(out.numel() * math.prod(args[1].shape[1:]))
        if name == "linear":
            return int(out.numel() * args[1].shape[1])
        if name == "relu":
            return out.numel() * self.rule.relu
        if name in ("max_pool2d", "avg_pool2d", "boolean_dispatch") and self.rule.pools:
            kernel = args[1] if isinstance(args[1], int) else args[1][0]
            return int(out.numel() * (kernel**2 + self.rule.after_pool))
        return self._average(out, args[0]) if name == "adaptive_avg_pool2d" else 0

    def _average(self, out: Tensor, x: Tensor) -> int:
        if self.rule.average == "both":
            return x.numel() + out.numel()
        return out.numel() * (x.shape[-1] + 1) ** 2 if self.rule.average == "window" else 0


@dataclass(frozen=True)
class Outcome:
    """Rows compared and rows that differ, for parameters and for multiply-accumulates."""

    case: Case
    rows: int
    params_differ: int
    flops_rows: int
    flops_differ: int

    def cells(self) -> list[object]:
        """The outcome as a row of the report."""
        flops = [self.flops_rows, self.flops_rows - self.flops_differ, self.flops_differ]
        shown = flops if self.flops_rows else ["–"] * 3
        params = [self.rows, self.rows - self.params_differ, self.params_differ]
        return [self.case.file, self.case.space, *params, *shown]


def check(case: Case, data: Path, flops_every: int) -> Outcome:
    """Build and compare every row of one table."""
    space = get_space(case.space)
    whole: BenchmarkTable[Any] = space.read(data / f"{case.file}.csv.gz")
    published = whole.subset(range(0, len(whole), case.every))
    assert published.params is not None
    params_differ = flops_rows = flops_differ = 0
    for row, genotype in enumerate(published.genotypes):
        module = _build(space, genotype, case)
        params = sum(parameter.numel() for parameter in module.parameters())
        params_differ += not same(params, published.params[row], case.digits)
        if published.flops is not None and row % flops_every == 0:
            flops_rows += 1
            flops_differ += not same(count(module, space, case.rule), published.flops[row], case.digits)
    return Outcome(case, len(published), params_differ, flops_rows, flops_differ)


def _build(space: SearchSpace[Any], genotype: Any, case: Case) -> nn.Module:
    module = space.build(genotype).to("meta").eval()
    case.carrier(module)
    return module


def count(module: nn.Module, space: SearchSpace[Any], rule: Rule) -> int:
    """Multiply-accumulates of one image by a carrier's rule."""
    with torch.no_grad(), Counter(rule) as counter:
        module(torch.empty(1, *space.input_shape, device="meta"))
    return int(counter.total)


def same(ours: float, published: float, digits: int) -> bool:
    """Equal, or equal after rounding to the digits that were published."""
    if digits >= 12:
        return round(ours) == round(published)
    unit = 10.0 ** (math.floor(math.log10(published)) - digits + 1)
    return bool(np.isclose(ours, published, rtol=0, atol=0.51 * unit))


def without_initialisation() -> ExitStack:
    """Leave weights as they were allocated: only their number matters."""
    stack = ExitStack()
    for kind in (nn.Conv2d, nn.Linear, nn.BatchNorm2d):
        stack.enter_context(patch.object(kind, "reset_parameters", lambda module: None))
    return stack


def report(outcomes: list[Outcome]) -> str:
    """The table of outcomes, and what was counted in each."""
    columns = ["table", "space", "rows", "params equal", "differ", "rows with MACs", "MACs equal", "differ"]
    notes = "\n".join(
        f"- **{o.case.file}**: {o.case.note}." + (f" MACs: {o.case.rule.name}." if o.flops_rows else "")
        for o in outcomes
    )
    return f"{table(columns, [o.cells() for o in outcomes])}\n\n{notes}"


def outcomes_of(cases: Sequence[Case], data: Path, flops_every: int) -> Iterator[Outcome]:
    """Check the tables one by one, saying which on the way."""
    torch.set_num_threads(1)
    with without_initialisation():
        for case in cases:
            outcome = check(case, data, flops_every)
            print(*outcome.cells(), file=sys.stderr, flush=True)
            yield outcome


def main() -> None:
    """Print the report; exit with 1 where a number differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--flops-every", type=int, default=10, help="compare MACs on every n-th row")
    parser.add_argument("--only", default="", help="only the tables whose name holds this")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.file]
    outcomes = list(outcomes_of(cases, options.data, options.flops_every))
    text = report(outcomes)
    print(text)
    if options.write:
        command = "python -m benchmarks.coverage.faithfulness --data DATA --write"
        write_section("faithfulness", "Built networks against published numbers", text, command)
    if any(outcome.params_differ or outcome.flops_differ for outcome in outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
