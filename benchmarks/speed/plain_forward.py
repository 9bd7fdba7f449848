"""What a score costs, as ratios to one plain forward of the same network on the same input.

    python -m benchmarks.speed.plain_forward                 # writes the section "speed" of benchmarks/RESULTS.md
    python -m benchmarks.speed.plain_forward --rounds 3 --networks nasbench201 resnet18 --print-only

Each round times, one after the other, a plain forward in training and in evaluation mode (no gradients), the
constructed forward with a warm and a cold kernel cache, capture, passes, and all of them together; medians over
the rounds, one thread. Cells of NAS-Bench-201 are also run as the method is written down once more, without capture,
graph or cache, for the tests (tests/plain_method.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from benchmarks.results import command_line, table, write_section
from fxscore.capture import capture
from fxscore.constructed import construct
from fxscore.kernel import WeightCache
from fxscore.passes import default_pipeline, run_passes
from fxscore.scorer import FTScoreNet, Settings, Subject
from fxscore.sources import build
from fxscore.spaces.nasbench201 import NASBench201
from fxscore.types import ModelRef, Shape
from tests import plain_method

CELL = "nasbench201:|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
STAGES = ("train", "eval", "warm", "cold", "capture", "passes", "all_in")
RESTATED = "restated"  # of cells alone


@dataclass(frozen=True)
class Case:
    """One network at one batch and input."""

    name: str
    ref: str
    batch: int
    input_shape: Shape


CASES = (
    Case("nasbench201", CELL, 16, (3, 16, 16)),
    Case("nasbench201-paper", CELL, 64, (3, 32, 32)),
    Case("resnet18", "torchvision:resnet18", 16, (3, 224, 224)),
    Case("resnet50", "torchvision:resnet50", 16, (3, 224, 224)),
    Case("mobilenet_v2", "torchvision:mobilenet_v2", 16, (3, 224, 224)),
    Case("vit_small", "timm:vit_small_patch16_224", 16, (3, 224, 224)),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and report."""
    options = _options(arguments)
    torch.set_num_threads(1)
    cases = [case for case in CASES if not options.networks or case.name in options.networks]
    rows = [_row(case, measure(case, options.rounds)) for case in cases]
    body = _report(rows, options.rounds)
    print(body)
    if not options.print_only:
        part = ", ".join(options.networks)
        key = "-".join(["speed", *options.networks]).replace("_", "-")
        title = "Speed: a score against one plain forward" + (f" ({part})" if part else "")
        write_section(key, title, body, command_line())


@torch.no_grad()
def measure(case: Case, rounds: int) -> dict[str, float]:
    """Median seconds per stage."""
    ref = ModelRef.parse(case.ref)
    plain = build(ref, weights=True).module
    empty = build(ref).module.eval()
    size = 7 if case.input_shape[1] > 32 else 3
    scorer = FTScoreNet(
        Settings(batch=case.batch, input_shape=case.input_shape, kernel_size=size, small_inputs=False)
    )
    image = torch.randn(case.batch, *case.input_shape)
    stages = _stages(case, plain, empty, scorer, image) | _restated(case, scorer)
    times: dict[str, list[float]] = {stage: [] for stage in stages}
    for number in range(rounds + 1):
        for stage, run in stages.items():
            seconds = _seconds(run)
            if number:  # the first round warms up
                times[stage].append(seconds)
    return {stage: median(values) for stage, values in times.items()}


def _stages(
    case: Case, plain: nn.Module, empty: nn.Module, scorer: FTScoreNet, image: torch.Tensor
) -> dict[str, Callable[[], object]]:
    constructed = construct(empty, case.input_shape, case.batch, owned=True)

    def score(cache: WeightCache) -> object:
        return scorer(constructed, cache, scorer.observer())

    def rewrite() -> object:
        return run_passes(captured.pop(), default_pipeline())

    captured = []

    def record() -> None:
        captured.append(capture(empty, case.input_shape, case.batch, owned=True))

    return {
        "train": lambda: plain.train()(image),
        "eval": lambda: plain.eval()(image),
        "warm": lambda: score(scorer.weights),
        "cold": lambda: score(WeightCache(scorer.kernel)),
        "capture": record,
        "passes": rewrite,
        "all_in": lambda: scorer.score(Subject(empty, case.input_shape, owned=True)),
    }


def _restated(case: Case, scorer: FTScoreNet) -> dict[str, Callable[[], object]]:
    if not case.ref.startswith("nasbench201:"):
        return {}
    plain = plain_method.from_state(scorer.state_dict(), scorer.settings.v_norm)
    operations = NASBench201().parse(case.ref.partition(":")[2]).operations
    return {RESTATED: lambda: plain_method.score(plain, operations)}


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _row(case: Case, seconds: dict[str, float]) -> list[str]:
    milliseconds = [f"{1e3 * seconds[stage]:.0f}" for stage in STAGES]
    ratios = [
        seconds["warm"] / seconds["train"],
        seconds["warm"] / seconds["eval"],
        seconds["cold"] / seconds["eval"],
        seconds["all_in"] / seconds["train"],
        seconds["all_in"] / seconds["eval"],
    ]
    whole = seconds.get(RESTATED)
    restated = ["–", "–"] if whole is None else [f"{1e3 * whole:.0f}", f"{whole / seconds['all_in']:.2f}"]
    where = f"{case.name}, {case.batch}×{'×'.join(map(str, case.input_shape))}"
    return [where, *milliseconds, *(f"{ratio:.2f}" for ratio in ratios), *restated]


def _report(rows: list[list[str]], rounds: int) -> str:
    header = ["network", *(f"{stage.replace('_', ' ')} (ms)" for stage in STAGES)]
    header += [
        "warm/train",
        "warm/eval",
        "cold/eval",
        "all in/train",
        "all in/eval",
        "restated (ms)",
        "restated/all in",
    ]
    note = (
        f"Medians of {rounds} interleaved rounds, one thread, no gradients. `train` and `eval` are one plain forward "
        "in that mode; `warm` and `cold` the constructed forward with the scorer's head, with synthesised weights kept "
        "or made anew; `all in` is capture, passes and a forward with warm weights; `restated` the method as the tests "
        "write it down once more, each kernel synthesised where it is used."
    )
    return f"{note}\n\n{table(header, rows)}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what a score costs.")
    parser.add_argument("--rounds", type=int, default=20, help="interleaved rounds (20)")
    parser.add_argument("--networks", nargs="*", default=[], help="names of cases; all by default")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
