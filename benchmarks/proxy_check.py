"""Whether our handcrafted proxies rank as the published ones do: NAS-Bench-201 cells, value against value.

``python -m benchmarks.proxy_check --data ../shared/data --n 300 --seed 0`` draws cells from those with published
proxies and an accuracy, scores them, and prints per proxy the Spearman correlation with its published value,
and of either with the CIFAR-100 test accuracy; ``--write`` keeps the table in RESULTS.md. The published
values come from CIFAR-10 photographs with their labels and weights of their own; ours from seeded noise and
random labels, at the batch and resolution given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.results import command_line, table, write_section
from fxscore.errors import ScorerError
from fxscore.evaluate.agreement import Floats
from fxscore.evaluate.estimates import Estimate, Measures, agreement
from fxscore.proxies import get_proxy
from fxscore.spaces import BenchmarkTable, get_space

SPACE = "nasbench201"
LABEL = "cifar100.test"
STRUCTURAL = ("params", "flops")
SEEDED = ("naswot", "synflow", "snip", "grad_norm", "grasp", "fisher", "zen", "jacov")
PUBLISHED = {"naswot": "nwot"}
# The table's value where a proxy failed.
FAILED = -1e8
# The published FLOPs count the global average pool as 9² per channel; ours hold it free.
FLOPS_OFFSET = 64 * 81


def main(arguments: Sequence[str] | None = None) -> None:
    """Score, compare, print."""
    options = _options(arguments)
    torch.set_num_threads(1)
    proxies, accuracy = sample_cells(options.data, options.n, options.seed)
    scores, seconds = score_cells(proxies, _settings(options))
    measures = Measures(resamples=1000, seed=options.seed)
    rows = [_row(name, scores[name], proxies, accuracy, seconds[name], measures) for name in scores]
    body = f"{_headline(options, scores, proxies)}\n\n{table(HEAD, rows)}"
    print(body)
    if options.write:
        write_section(
            "proxy-check", "Handcrafted proxies against their published values", body, command_line()
        )


HEAD = (
    "proxy", "cells", "ρ with the published value", "ρ with accuracy: ours", "published", "CPU ms per cell"
)  # fmt: skip


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--n", type=int, default=300, help="cells")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the cells, of the proxies and of the bootstrap"
    )
    parser.add_argument("--batch", type=int, default=32, help="images")
    parser.add_argument("--resolution", type=int, default=16, help="height and width of the seeded images")
    parser.add_argument("--write", action="store_true", help="keep the table in RESULTS.md")
    return parser.parse_args(arguments)


def sample_cells(data: Path, n: int, seed: int) -> tuple[BenchmarkTable[Any], Floats]:
    """`n` cells that have published proxies and an accuracy: their proxy rows, and the accuracies."""
    space = get_space(SPACE)
    proxies = space.read(data / "nas_bench_201_zero_cost_scores_cifar10.csv.gz")
    labels = space.read(data / "nas_bench_201.csv.gz")
    known = dict(zip(labels.genotypes, labels.labels(LABEL), strict=True))
    common = [i for i, genotype in enumerate(proxies.genotypes) if genotype in known]
    chosen = proxies.subset(np.random.default_rng(seed).permutation(common)[:n])
    return chosen, np.array([known[genotype] for genotype in chosen.genotypes])


def _settings(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    seeded = {"seed": options.seed, "resolution": options.resolution}
    settings = {name: {**seeded, "batch": options.batch} for name in SEEDED}
    return {**{name: {} for name in STRUCTURAL}, **settings, "synflow": seeded}


def score_cells(
    cells: BenchmarkTable[Any], settings: dict[str, dict[str, Any]]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Per proxy the scores, NaN where there is none, and the mean processor seconds."""
    space = get_space(SPACE)
    scores = {name: np.full(len(cells), np.nan) for name in settings}
    seconds = dict.fromkeys(settings, 0.0)
    for i, genotype in enumerate(cells.genotypes):
        network = space.build(genotype)
        for name, fields in settings.items():
            begin = time.process_time()
            with suppress(ScorerError):  # the table says how many cells have a score
                scores[name][i] = get_proxy(name, **fields)(network, space.input_shape)
            seconds[name] += (time.process_time() - begin) / len(cells)
    return scores, seconds


def _row(
    name: str,
    ours: Floats,
    proxies: BenchmarkTable[Any],
    accuracy: Floats,
    seconds: float,
    measures: Measures,
) -> list[object]:
    published = proxies.proxies[PUBLISHED.get(name, name)]
    used = np.isfinite(ours) & (published > FAILED)
    estimates = [
        agreement(first[used], second[used], measures).figures["spearman"]
        for first, second in ((ours, published), (ours, accuracy), (published, accuracy))
    ]
    return [name, int(used.sum()), *map(_text, estimates), f"{1000 * seconds:.0f}"]


def _text(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _headline(options: argparse.Namespace, scores: dict[str, Floats], proxies: BenchmarkTable[Any]) -> str:
    params = np.abs(scores["params"] - 1e6 * proxies.proxies["params"]).max()
    flops = np.abs(scores["flops"] + FLOPS_OFFSET - 1e6 * proxies.proxies["flops"]).max()
    return (
        f"{options.n} cells of NAS-Bench-201 (seed {options.seed}), {options.batch} images of "
        f"{options.resolution}×{options.resolution}; accuracy is {LABEL}, intervals are 95 % bootstrap "
        f"percentiles. Params differ from the published by at most {params:.0f}; FLOPs, with {FLOPS_OFFSET:,} "
        f"for the global average pool, by at most {flops:.0f} (they are published with six digits)."
    )


if __name__ == "__main__":
    main()
