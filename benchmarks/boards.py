"""The populations that benchmarks measure on, one per benchmark that has data, and how their figures are written.

Resolutions below a benchmark's own, and the smaller batch for networks of the libraries, keep a run on two cores
within hours; every section says which were used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.results import table
from fxscore.evaluate import Comparison, Population, read_population
from fxscore.proxies import get_proxy
from fxscore.report.evaluation_table import (
    failure_lines,
    figure_titles,
    headline,
    interval_text,
    ordered,
    tied_text,
)
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.proxy import ProxyScorer
from fxscore.types import Shape


@dataclass(frozen=True)
class Board:
    """One population.

    Attributes:
        name: in reports.
        space: its search space, `timm` or `torchvision`.
        labels: what is measured.
        label: the one that stands for the population in a matrix.
        input_shape: of all networks, where it is not their own.
        batch: of proxies that run networks, where it is not their own.
        imagenet: whether its networks are ImageNet classifiers (paper, Table IV), or CIFAR-sized (Table III).
        note: what must be said of it.
    """

    name: str
    space: str
    labels: tuple[str, ...]
    label: str
    input_shape: Shape | None = None
    batch: int | None = None
    imagenet: bool = False
    note: str = ""

    def population(self, data: Path) -> Population:
        """Its networks; `data` is the folder of tables."""
        return read_population(self.space, data)

    def setting(self) -> str:
        """Resolution and batch in words."""
        shape = "the networks' own" if self.input_shape is None else "×".join(map(str, self.input_shape))
        batch = "" if self.batch is None else f", batch {self.batch} for proxies that run networks"
        return f"input {shape}{batch}"


TRANSNAS_TASKS = (
    "class_scene",
    "class_object",
    "room_layout",
    "jigsaw",
    "segmentsemantic",
    "normal",
    "autoencoder",
)
BOARDS = (
    Board(
        "NAS-Bench-201",
        "nasbench201",
        ("cifar10.test", "cifar100.test", "imagenet16-120.test"),
        "cifar100.test",
    ),
    Board("NAS-Bench-Macro", "nasbench_macro", ("cifar10.test",), "cifar10.test"),
    Board(
        "NAS-Bench-101",
        "nasbench101",
        ("cifar10.valid",),
        "cifar10.valid",
        note="validation accuracy of one of three training runs; draws of one cell count once",
    ),
    Board(
        "TransNAS-Bench-101 micro",
        "transnas_micro",
        tuple(f"{task}.test" for task in TRANSNAS_TASKS),
        "class_object.test",
        input_shape=(3, 64, 64),
        note="the network of the task class_scene stands for all tasks: tasks differ in the head alone",
    ),
    Board(
        "Accel-NASBench",
        "accel_nasbench",
        ("imagenet.valid",),
        "imagenet.valid",
        input_shape=(3, 96, 96),
        imagenet=True,
        note="shortened training, one seed",
    ),
    Board(
        "NAS-Bench-301 (surrogate)",
        "darts",
        ("cifar10_surrogate.valid",),
        "cifar10_surrogate.valid",
    ),
    Board(
        "torchvision",
        "torchvision",
        ("imagenet.top1",),
        "imagenet.top1",
        batch=8,
        imagenet=True,
        note="V1 weights",
    ),
    Board("timm", "timm", ("imagenet.top1",), "imagenet.top1", batch=8, imagenet=True),
)


def boards(names: Sequence[str] | None) -> Iterator[Board]:
    """The boards of these spaces, all by default."""
    spaces = [board.space for board in BOARDS]
    if unknown := [name for name in names or () if name not in spaces]:
        raise SystemExit(f"no board of {unknown[0]}; there are {', '.join(spaces)}")
    return (board for board in BOARDS if not names or board.space in names)


def scorer_for(name: str, board: Board) -> Scorer:
    """A scorer by its name or path; a proxy that runs networks gets the board's batch."""
    scorer = load_scorer(name)
    if not isinstance(scorer, ProxyScorer) or board.batch is None:
        return scorer
    proxy = scorer.proxy
    if "batch" not in {field.name for field in fields(type(proxy))}:  # type: ignore[arg-type]
        return scorer
    return ProxyScorer(get_proxy(name, batch=board.batch))


def comparison_markdown(comparison: Comparison, extra: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Figures of a comparison, one table per label.

    Args:
        comparison: what was measured.
        extra: further columns, by heading and scorer.
    """
    titles = figure_titles(comparison)
    more = extra or {}
    columns = ["scorer", *titles.values(), "tied scores", *more]
    parts = [f"{headline(comparison)}."]
    for label in comparison.labels:
        rows = [
            [
                each.scorer,
                *(interval_text(each.agreement.figures[name]) for name in titles),
                tied_text(each),
                *(column.get(each.scorer, "–") for column in more.values()),
            ]
            for each in ordered(comparison, label)
        ]
        parts += [f"**{label}**", table(columns, rows)]
    lines = (*failure_lines(comparison), *comparison.notes)
    return "\n\n".join([*parts, *("- " + line for line in lines)])
