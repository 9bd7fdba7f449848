"""Every benchmark: the question that it belongs to, what it needs and how long it takes on one idle core.

What it does is the first line of its module, and its last date stands in the sections that it wrote; see
`python -m benchmarks`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent
QUESTIONS = {
    "paper": "What the paper reports, measured here",
    "quality": "How well scores rank",
    "speed": "What a score costs",
    "coverage": "Which networks are taken, and whether they are the published ones",
    "search": "What searches find",
    "robustness": "What was tried to break it",
}


@dataclass(frozen=True)
class Benchmark:
    """One command, ``python -m benchmarks.NAME``.

    Attributes:
        name: module below `benchmarks`.
        takes: roughly how long, with the options that RESULTS.md shows.
        needs: tables (`--data`), extras of pyproject.toml, files that other commands leave.
    """

    name: str
    takes: str
    needs: str = ""

    @property
    def module(self) -> str:
        """As `python -m` takes it."""
        return f"benchmarks.{self.name}"

    @property
    def question(self) -> str:
        """The folder that it stands in, with its results."""
        return self.name.partition(".")[0]

    @property
    def file(self) -> Path:
        """Where its `main` stands."""
        path = ROOT / self.name.replace(".", "/")
        return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")

    @property
    def line(self) -> str:
        """What it does: the first line of its module's docstring, read without importing it."""
        text = ast.get_docstring(ast.parse(self.file.read_text(encoding="utf-8"))) or ""
        return " ".join(text.partition("\n\n")[0].split())


DATA, FEATURES, PROXIES = "--data", "--data, runs/features", "--data, runs/features, runs/handcrafted"

BENCHMARKS = (
    Benchmark("paper.nasbench201", "hours", FEATURES),
    Benchmark("paper.hybrid", "an hour", FEATURES),
    Benchmark("paper.spaces", "hours", "--data, scorers of recipes/spaces.sh, runs/handcrafted"),
    Benchmark("paper.hybrid_spaces", "minutes", PROXIES),
    Benchmark("paper.cross_space", "an hour", "--data, runs/handcrafted"),
    Benchmark("paper.ablations", "hours", FEATURES),
    Benchmark("paper.isomorphism", "an hour"),
    Benchmark("quality.board", "an hour", "--data, extra bench (pytorchcv, nn-dataset)"),
    Benchmark("quality.handcrafted", "a day", DATA),
    Benchmark("quality.opponents", "an hour", DATA),
    Benchmark("quality.tree_baselines", "an hour", FEATURES),
    Benchmark("quality.digits", "hours", "extra fit"),
    Benchmark("quality.wild", "an hour"),
    Benchmark("quality.proxy_check", "minutes", DATA),
    Benchmark("quality.resolution", "minutes", DATA),
    Benchmark("quality.small_inputs", "hours", DATA),
    Benchmark("quality.protocol", "an hour", DATA),
    Benchmark("quality.features", "hours", DATA),
    Benchmark("quality.wild_training", "a day", "Fashion-MNIST"),
    Benchmark("speed.plain_forward", "minutes"),
    Benchmark("speed.score_time", "minutes"),
    Benchmark("speed.stored", "minutes"),
    Benchmark("speed.whole_library", "minutes", "two idle cores"),
    Benchmark(
        "speed.against",
        "half an hour",
        "git; ptflops, thop, torchinfo and fvcore where they are to be counted",
    ),
    Benchmark("speed.scaling", "an hour", "two idle cores, extra cluster"),
    Benchmark("speed.training_memory", "minutes", "extra train"),
    Benchmark("coverage", "hours", "extra bench (transformers)"),
    Benchmark("coverage.mac_count", "hours"),
    Benchmark("coverage.faithfulness", "an hour", DATA),
    Benchmark("coverage.populations", "an hour", "--data, extra bench"),
    Benchmark("search.greedy", "hours", FEATURES),
    Benchmark("search.zen_nas", "hours", "extra search"),
    Benchmark("search.truth", "half an hour", "Fashion-MNIST"),
    Benchmark(
        "search.wide_layers", "an hour", "Fashion-MNIST, an accelerator; runs/search of search.zen_nas"
    ),
    Benchmark("search.tails", "minutes", "runs/search of search.zen_nas"),
    Benchmark("robustness", "minutes", "extra cluster; --full: hours"),
    Benchmark("robustness.mutations", "minutes", "extra test"),
)


def question_of(command: str) -> str:
    """The folder that a command's figures belong to.

    Raises:
        ValueError: the command names no benchmark of this list.
    """
    for benchmark in BENCHMARKS:
        if benchmark.module in command.split():
            return benchmark.question
    known = ", ".join(each.name for each in BENCHMARKS)
    raise ValueError(f"{command!r} is no benchmark of benchmarks/catalogue.py, which has {known}")
