"""The populations that benchmarks measure on, one per benchmark that has data, and how their figures are written.

Resolutions below a benchmark's own, smaller batches, and fewer networks for what costs most, keep a run on one core
within two hours; every section says which were used, and `benchmarks.quality.small_inputs` what they cost in agreement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.results import table
from fxscore.evaluate import Population, ScorerComparison, read_population
from fxscore.proxies import get_proxy
from fxscore.proxies.base import BaseProxy
from fxscore.proxies.probe import SeededProxy
from fxscore.report.evaluation_table import (
    failure_lines,
    figure_titles,
    headline,
    interval_text,
    ordered,
    tied_text,
)
from fxscore.spaces.transnas_heads import TASKS


@dataclass(frozen=True)
class Board:
    """One population.

    Attributes:
        name: in reports.
        space: its search space, `timm` or `torchvision`.
        labels: what is measured.
        label: the one that stands for the population in a matrix.
        resolution: height and width at which proxies run networks, where it is not the networks' own.
        batch: of proxies that run networks, where it is not their own; NASWOT, which sharpens with it, has twice.
        fewer: how many of the networks some proxies measure, by their names.
        imagenet: whether its networks are ImageNet classifiers (paper, Table IV), or CIFAR-sized (Table III).
        note: what must be said of it.
    """

    name: str
    space: str
    labels: tuple[str, ...]
    label: str
    resolution: int | None = None
    batch: int | None = None
    fewer: Mapping[str, int] = field(default_factory=dict)
    imagenet: bool = False
    note: str = ""

    def population(self, data: Path) -> Population:
        """Its networks; `data` is the folder of tables."""
        return read_population(self.space, data)

    def setting(self) -> str:
        """Resolution and batch of the proxies in words."""
        shape = (
            ""
            if self.resolution is None
            else f" at {self.resolution}×{self.resolution} or the nearest it takes"
        )
        batch = "" if self.batch is None else f", batch {self.batch} (NASWOT {2 * self.batch})"
        return f"proxies count a network at its own input, and run it{shape or ' there'}{batch}"

    def proxy(self, name: str) -> BaseProxy:
        """A proxy with this board's batch."""
        proxy = get_proxy(name)
        if self.batch is not None and isinstance(proxy, SeededProxy):
            proxy = replace(proxy, batch=2 * self.batch if name == "naswot" else self.batch)
        assert isinstance(proxy, BaseProxy)
        return proxy

    def draws(self, names: Sequence[str], count: int, n: int) -> dict[int, list[str]]:
        """By number of networks, the largest first, which scorers all of so many networks have.

        Args:
            names: of the scorers.
            count: networks in the population.
            n: to draw, 0 for all.
        """
        most = n if 0 < n < count else count
        share = {name: min(most, self.fewer.get(name, most)) for name in names}
        sizes = sorted({most, *share.values()}, reverse=True)
        return {size: [name for name in names if share[name] >= size] for size in sizes}


NETWORKS = 1000  # of each benchmark, where there are so many
_RUN = (
    "naswot",
    "zen",
    "synflow",
    "snip",
    "fisher",
    "grad_norm",
    "jacov",
    "grasp",
    "swap",
    "wrcor",
    "vkdnw",
    "az_expressivity",
    "az_progressivity",
    "az_trainability",
)  # proxies that run networks
BOARDS = (
    Board(
        "NAS-Bench-201",
        "nasbench201",
        ("cifar10.test", "cifar100.test", "imagenet16-120.test"),
        "cifar100.test",
        resolution=16,
    ),
    Board(
        "NAS-Bench-Macro",
        "nasbench_macro",
        ("cifar10.test",),
        "cifar10.test",
        resolution=16,
        batch=8,
    ),
    Board(
        "NAS-Bench-101",
        "nasbench101",
        ("cifar10.valid",),
        "cifar10.valid",
        resolution=16,
        batch=8,
        note="validation accuracy of one of three training runs; draws of one cell count once",
    ),
    Board(
        "TransNAS-Bench-101 micro",
        "transnas_micro",
        tuple(f"{task}.test" for task in TASKS),
        "class_object.test",
        resolution=32,
        batch=8,
        note="the network of the task class_scene stands for all tasks: tasks differ in the head alone",
    ),
    Board(
        "Accel-NASBench",
        "accel_nasbench",
        ("imagenet.valid",),
        "imagenet.valid",
        resolution=64,
        batch=8,
        imagenet=True,
        note="shortened training, one seed",
    ),
    Board(
        "NAS-Bench-301 (surrogate)",
        "darts",
        ("cifar10_surrogate.valid",),
        "cifar10_surrogate.valid",
        resolution=16,
        batch=8,
    ),
    Board(
        "torchvision",
        "torchvision",
        ("imagenet.top1",),
        "imagenet.top1",
        resolution=64,
        batch=8,
        imagenet=True,
        note="V1 weights",
    ),
    Board(
        "timm",
        "timm",
        ("imagenet.top1",),
        "imagenet.top1",
        resolution=64,
        batch=8,
        fewer=dict.fromkeys(_RUN, 240),
        imagenet=True,
    ),
)


def boards(names: Sequence[str] | None) -> Iterator[Board]:
    """The boards of these spaces, all by default."""
    spaces = [board.space for board in BOARDS]
    if unknown := [name for name in names or () if name not in spaces]:
        raise SystemExit(f"no board of {unknown[0]}; there are {', '.join(spaces)}")
    return (board for board in BOARDS if not names or board.space in names)


def drawn_parts(count: int, sizes: Sequence[int], seed: int) -> dict[int, list[int]]:
    """Indices of draws of these sizes from `count` networks, each a part of every larger one.

    The first `NETWORKS` are those of `Population.drawn`.
    """
    generator = np.random.default_rng(seed)
    first = np.sort(generator.choice(count, min(count, NETWORKS), replace=False))
    order = np.concatenate([generator.permutation(first), np.setdiff1d(np.arange(count), first)])
    return {size: sorted(order[:size].tolist()) for size in sizes}


def comparison_markdown(
    comparison: ScorerComparison, extra: Mapping[str, Mapping[str, str]] | None = None
) -> str:
    """Figures of a comparison, one table per label.

    Args:
        comparison: what was measured.
        extra: further columns, by heading and scorer.
    """
    titles = figure_titles(comparison)
    more = extra or {}
    columns = ["scorer", *titles.values(), "tied scores", "failed", *more]
    parts = [f"{headline(comparison)}."]
    for label in comparison.labels:
        rows = [
            [
                each.scorer,
                *(interval_text(each.agreement.figures[name]) for name in titles),
                tied_text(each),
                len(comparison.failures.get(each.scorer, ())),
                *(column.get(each.scorer, "–") for column in more.values()),
            ]
            for each in ordered(comparison, label)
        ]
        parts += [f"**{label}**", table(columns, rows)]
    lines = (*failure_lines(comparison), *comparison.notes)
    return "\n\n".join([*parts, *("- " + line for line in lines)])
