"""What the small-input protocol costs: the same networks scored at the small size and at their own.

``python -m benchmarks.quality.protocol --data ../shared/data`` draws timm networks of the accuracy table that need at
most `--gmacs` at their own size (larger ones take minutes there), scores each at both sizes with one scorer
(`--scorer`, the default one where it is not given), and writes the section "Small inputs" of RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from benchmarks.results import command_line, table, write_section
from fxscore.errors import FxScoreError
from fxscore.evaluate import Measures, agreement, read_population
from fxscore.report.evaluation_table import interval_text
from fxscore.scorer import Hybrid, Scorer, load_scorer
from fxscore.scorer.features import FORWARD
from fxscore.scorer.subject import subject_of
from fxscore.types import ModelRef, Shape


@dataclass(frozen=True)
class Pair:
    """One network at both sizes.

    Attributes:
        seen, own: input shapes.
        scores, seconds: at the small size and at its own.
    """

    name: str
    seen: Shape
    own: Shape
    scores: tuple[float, float]
    seconds: tuple[float, float]
    accuracy: float


def at_own_size(scorer: Any) -> Scorer:
    """The same scorer, but one that sees every network at the network's own size."""
    checkpoint = scorer.to_checkpoint()
    settings = dict(checkpoint.settings)
    inner = dict(settings["encoder"]) if "encoder" in settings else settings
    inner["small_inputs"] = False
    settings = settings | {"encoder": inner} if "encoder" in settings else inner
    changed: Scorer = type(scorer).from_checkpoint(replace(checkpoint, settings=settings))
    return changed


def pairs(options: argparse.Namespace) -> Iterator[Pair]:
    """Networks drawn from the table until there are enough that are small."""
    small = load_scorer(options.scorer)
    own = at_own_size(small)
    population = read_population("timm", options.data)
    label = population.label(options.label or population.test_labels[0])
    found = 0
    for row in np.random.default_rng(options.seed).permutation(len(population)):
        ref = population.refs[int(row)]
        try:
            if subject_of(ref).costs().macs > options.gmacs * 1e9:
                continue
            yield measure(ref, small, own, float(label[row]))
        except FxScoreError as error:
            print(f"{ref}: {error}", flush=True)
            continue
        found += 1
        if found == options.networks:
            return


def measure(ref: ModelRef, small: Scorer, own: Scorer, accuracy: float) -> Pair:
    """Both scores of one network."""
    scores, seconds, shapes = [], [], []
    for scorer in (small, own):
        subject, start = subject_of(ref), time.perf_counter()
        scores.append(scorer.score(subject))
        seconds.append(time.perf_counter() - start)
        shapes.append(subject.seen_shapes[0])
    pair = Pair(str(ref), shapes[0], shapes[1], (scores[0], scores[1]), (seconds[0], seconds[1]), accuracy)
    print(f"{pair.name} {pair.scores[0]:.3f} {pair.scores[1]:.3f}", flush=True)
    return pair


def report(found: list[Pair], name: str | None, gmacs: float) -> str:
    """The section's text."""
    small, own = (np.array([pair.scores[place] for pair in found]) for place in (0, 1))
    accuracy = np.array([pair.accuracy for pair in found])
    rows = [
        ("small against own size", *texts(small, own)),
        ("small size against accuracy", *texts(small, accuracy)),
        ("own size against accuracy", *texts(own, accuracy)),
    ]
    seconds = np.median([pair.seconds for pair in found], axis=0)
    kept = sum(pair.seen == pair.own for pair in found)
    figures = table(("", "ρ (95 % interval)", "τ (95 % interval)"), rows)
    identity = load_scorer(name).scorer_id
    return (
        f"{figures}\n\n{len(found)} timm networks of at most {gmacs:g} GMACs at their "
        f"own size, scorer `{identity}`, which was trained at the small size. {kept} of them take their own size "
        f"alone. Median seconds a score: {seconds[0]:.2f} small, {seconds[1]:.2f} own.{remarks(load_scorer(name))}"
    )


def remarks(scorer: Scorer) -> str:
    """What must be said of a scorer that was trained on such networks, or runs no forward of them."""
    said = ""
    if "timm" in getattr(scorer, "record", {}).get("seen", {}):
        said += " It was trained on these very networks, so the other two rows are no forecast for new ones."
    if isinstance(scorer, Hybrid) and scorer.head is not None and not scorer.head.uses(FORWARD, 224):
        said += " Of networks of this size it reads the graph alone and runs no forward: the graph's sizes differ."
    return said


def texts(scores: Any, labels: Any) -> tuple[str, str]:
    """ρ with its interval, and τ."""
    figures = agreement(scores, labels, Measures()).figures
    return interval_text(figures["spearman"]), interval_text(figures["kendall"])


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--scorer", help="a scorer's name or file")
    parser.add_argument("--label", help="accuracy to compare with")
    parser.add_argument("--networks", type=int, default=64)
    parser.add_argument("--gmacs", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = list(pairs(options))
    text = report(found, options.scorer, options.gmacs)
    print(f"\n{text}")
    write_section("protocol", "Small inputs", text, command_line())


if __name__ == "__main__":
    main()
