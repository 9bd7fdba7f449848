"""The general scorer: judged on spaces, families and libraries left out of its training, then trained on everything.

``python -m benchmarks.general --data ../shared/data --write`` judges it (section "General scorer" of RESULTS.md):

- every benchmark with a scorer trained on all the others;
- timm's networks by five folds of whole families, with trees on plain sizes in the same folds;
- torchvision's V1 weights, with neither them nor their twins in timm in training.

``--ship`` trains on all of them and writes the scorer's file with these figures. Features are those of
``python -m benchmarks.features`` and ``python -m benchmarks.coverage``; proxies are measured as by
``python -m benchmarks.quality.handcrafted``, whose work folder keeps them.

The scorer has two heads. That of small images learns from the benchmarks of cells, each with its own accuracies
standardised; that of all other networks learns from timm, and from every benchmark placed on timm's scale.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from benchmarks.boards import boards
from benchmarks.features import FOLDER
from benchmarks.general_parts import JUDGE, SOURCES, Floats, Part, other_networks, read_part, seen_rows
from benchmarks.general_training import LEARNING, SMALL_IMAGES, fit_large, train
from benchmarks.matrix import rho
from benchmarks.opponents import WORK, proxy_scores
from benchmarks.results import command_line, table, write_readme, write_section
from benchmarks.timm_recipes import NAMES, Lessons, read_lessons
from fxscore.evaluate import (
    Estimate,
    Measures,
    agreement,
    family_folds,
    family_spearman,
    matched_spearman,
    mean_over_runs,
    read_population,
    spearman,
    table_path,
)
from fxscore.report.evaluation_table import interval_text
from fxscore.scorer import Hybrid
from fxscore.scorer.features import default_encoder, feature_names
from fxscore.scorer.hybrid_learners import Learning, fit_head
from fxscore.scorer.registry import SUFFIX, WEIGHTS

FOLDS = 5
FAMILY = 5  # networks that a family needs to have an order of its own
RESAMPLES = 1000
LEAST_FRESH = 100  # networks by which nothing was chosen, to be worth a table
FRESH_FOLDS = 10  # seed of folds by which nothing was chosen
NAME = "general"
OPPONENTS = (
    "params",
    "MACs",
    "activations",
    "activations·√params",
    "activations·layers",
    "naswot",
    "zen",
    "synflow",
    "snip",
)  # README
SIZES = {
    "params": "log_params",
    "MACs": "own_log_macs",
    "activations": "own_log_weighted_activations",
    "layers": "count_weighted",
    "depth": "depth",
}
SCALARS = ("log_params", "own_log_weighted_activations", "own_log_macs", "depth", "own_log_side")


@dataclass(frozen=True)
class Judged:
    """Scores of networks that training left out.

    Attributes:
        part: the networks.
        scores: by scorer; the first is ours.
        how: what was left out.
        again: whether it repeats another one, with networks or folds by which nothing was chosen.
    """

    part: Part
    scores: Mapping[str, Floats]
    how: str
    again: bool = False


def size_scores(part: Part) -> dict[str, Floats]:
    """What plain sizes say, at the networks' own input."""
    found = {name: part.column(column) for name, column in SIZES.items()}
    found["activations·√params"] = found["activations"] + found["params"] / 2
    found["activations·layers"] = found["activations"] + np.log(np.maximum(found["layers"], 1))
    return found


def judge_spaces(
    parts: Sequence[Part], lessons: Lessons, data: Path, folder: Path, work: Path
) -> Iterable[Judged]:
    """Every part by a scorer that was trained on the others; handcrafted proxies on the same cells."""
    for part in parts:
        space = part.source.space
        others = [other for other in parts if other is not part]
        head = train(others, None if space == "timm" else lessons)
        scores = {NAME: head.predict(feature_names(), part.values)}
        how = "trained on all other benchmarks"
        if part.families is None:
            how += f"; {next(boards([space])).setting()}"
        yield Judged(part, scores | handcrafted_scores(part, data, work), how)
        fresh = part.subset([]) if part.families else other_networks(part, data, folder)
        if len(fresh) >= LEAST_FRESH:
            scores = {NAME: head.predict(feature_names(), fresh.values), **size_scores(fresh)}
            how = f"the same scorer on {len(fresh)} other networks, by which nothing was chosen"
            yield Judged(fresh, scores, how, again=True)


def handcrafted_scores(part: Part, data: Path, work: Path) -> dict[str, Floats]:
    """Sizes, and of a search space's networks the proxies that `work` keeps or gets."""
    if part.families is not None:
        return size_scores(part)
    refs = read_population(part.source.space, data).refs
    return size_scores(part) | proxy_scores(part.source.space, [refs[row] for row in part.rows], work)


def spread(parts: Sequence[Part], lessons: Lessons, seeds: int) -> str:
    """ρ of every left-out search space by forests of several seeds; the kernel machines draw nothing."""
    rows = []
    for part in (each for each in parts if each.families is None):
        others = [other for other in parts if other is not part]
        found = []
        for seed in range(seeds):
            head = train(others, lessons, seed)
            found.append(spearman(head.predict(feature_names(), part.values), part.labels))
        rows.append([part.source.title, seeds, interval_text(mean_over_runs(found))])
    body = table(["left out", "seeds of the forests", "ρ, mean and Student's 95 % interval"], rows)
    return f"**Other seeds**\n\n{body}"


def judge_families(parts: Sequence[Part], lessons: Lessons, seed: int = 0, folds: int = FOLDS) -> Judged:
    """Networks of timm by folds of whole families, beside all other parts; trees on sizes in the same folds."""
    timm = next(part for part in parts if part.source.space == "timm")
    spaces = [part for part in parts if part is not timm]
    assert timm.families is not None
    scores = {name: np.zeros(len(timm)) for name in (NAME, "timm alone", "trees on sizes")}
    for fold in family_folds(timm.families, folds, seed=seed):
        seen = timm.subset(sorted(set(range(len(timm))) - set(fold)))
        known = lessons.without(timm.families[row] for row in fold)
        values = timm.values[fold]
        scores[NAME][fold] = fit_large(spaces, known).predict(feature_names(), values)
        scores["timm alone"][fold] = fit_large([], known).predict(feature_names(), values)
        scores["trees on sizes"][fold] = _trees_on_sizes(seen, values)
    how = f"{folds} folds of whole families" + (
        f", drawn with seed {seed}, by which nothing was chosen" if seed else ""
    )
    return Judged(timm, {**scores, **size_scores(timm)}, how, again=seed > 0)


def _trees_on_sizes(seen: Part, values: Floats) -> Floats:
    forest = Learning(members=(("forest", 1.0),), trees=300, leaf=1, share=1.0)
    head = fit_head(feature_names(), seen.values, seen.targets, forest, columns=SCALARS)
    return head.predict(feature_names(), values)


def judge_torchvision(parts: Sequence[Part], lessons: Lessons, judge: Part) -> Judged:
    """Networks of torchvision by a scorer that saw neither it nor its twins in timm."""
    known = without_twins(lessons, judge)
    scores = {NAME: train(parts, known).predict(feature_names(), judge.values)}
    dropped = len(lessons) - len(known)
    how = f"trained without it and the {dropped} weights of its twins in timm"
    return Judged(judge, {**scores, **size_scores(judge)}, how)


def without_twins(lessons: Lessons, judge: Part) -> Lessons:
    """The weights whose parameters or MACs differ by 2 % or more from those of every judged network."""
    near = np.ones((len(lessons), len(judge)), dtype=bool)
    for name in ("log_params", "own_log_macs"):
        near &= np.abs(lessons.values[:, [NAMES.index(name)]] - judge.column(name)) < 0.02
    return lessons.subset(np.flatnonzero(~near.any(1)))


def measured(judged: Judged, scores: Floats) -> dict[str, Estimate]:
    """ρ and τ with intervals; for networks of libraries also ρ at equal MACs."""
    part = judged.part
    figures = agreement(scores, part.labels, Measures(resamples=RESAMPLES), part.families).figures
    found = {"ρ": figures["spearman"], "τ-b": figures["kendall"]}
    if part.families is not None:
        macs = np.exp(part.column("own_log_macs"))
        found["ρ at equal MACs"] = matched_spearman(scores, part.labels, macs, resamples=RESAMPLES)
        found["ρ within families"] = family_spearman(
            scores, part.labels, part.families, FAMILY, resamples=RESAMPLES
        )
    return found


def section(judged: Judged) -> str:
    """A table of one judged part: ours, then the others from the best; of networks that a scorer has scored."""
    rows = {}
    for name, scores in judged.scores.items():
        usable = np.flatnonzero(np.isfinite(scores))
        title = name if len(usable) == len(scores) else f"{name} (on {len(usable)})"
        rows[title] = measured(replace(judged, part=judged.part.subset(usable)), scores[usable])
    order = sorted(rows, key=lambda name: (name != NAME, -(rows[name]["ρ"].value or 0.0)))
    figures = list(rows[NAME])
    body = table(
        ["scorer", *figures],
        [[name, *(interval_text(rows[name][figure]) for figure in figures)] for name in order],
    )
    label = judged.part.source.labels[-1]
    return f"**{judged.part.source.title}**, n = {len(judged.part)}, {label}; {judged.how}.\n\n{body}"


def overview(judged: Iterable[Judged]) -> str:
    """One line for each judged part, for the README: ours, plain sizes, and proxies where they were measured."""
    rows = []
    for each in (each for each in judged if not each.again):
        known = {name: scores for name, scores in each.scores.items() if name in OPPONENTS}
        figures = {name: _rho(each, scores) for name, scores in {NAME: each.scores[NAME], **known}.items()}
        best = max(value for name, value in figures.items() if name != NAME)
        shown = {
            name: f"**{value:.2f}**" if value > best else f"{value:.2f}" for name, value in figures.items()
        }
        kept_back = "whole families" if "folds" in each.how else "all"
        row = [each.part.source.title, kept_back, len(each.part), shown[NAME]]
        rows.append([*row, *(shown.get(name, "–") for name in OPPONENTS)])
    return table(["networks", "not in training", "n", NAME, *OPPONENTS], rows)


def _rho(judged: Judged, scores: Floats) -> float:
    value = rho(scores, judged.part.labels, Measures(resamples=0)).value
    assert value is not None
    return value


def lines(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    """The figures as a scorer's record holds them."""
    found = []
    for each in judged:
        ours = measured(each, each.scores[NAME])
        others = {
            name: agreement(each.scores[column], each.part.labels, Measures(resamples=0)).figures["spearman"]
            for name, column in (("params", "params"), ("macs", "MACs"))
        }
        line: dict[str, Any] = {
            "on": f"{each.part.source.title}, {each.how}",
            "n": len(each.part),
            "spearman": _round(ours["ρ"].value),
            "interval": [_round(ours["ρ"].low), _round(ours["ρ"].high)],
            "kendall": _round(ours["τ-b"].value),
        }
        found.append(line | {f"{name}_spearman": _round(figure.value) for name, figure in others.items()})
    return found


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def ship(
    parts: Sequence[Part],
    lessons: Lessons,
    judged: Sequence[Judged],
    data: Path,
    folder: Path,
    path: Path,
) -> None:
    """Train on everything and write the scorer's file."""
    timm = next(part for part in parts if part.source.space == "timm")
    scorer = Hybrid(default_encoder(), train(parts, lessons), name=NAME)
    drawn = "; ".join(f"{len(part)} of {part.source.title}" for part in parts)
    files = {part.source.space: table_path(part.source.space, data) for part in parts}
    record = {
        "trained_on": f"{drawn} ({len(lessons)} weights, with their recipes as further columns)",
        "scale": f"images of at most 96 pixels a side: percentile among the networks of {len(SMALL_IMAGES)} benchmarks "
        f"of cells; larger ones: percentile among {len(timm)} networks of timm trained on ImageNet-1k alone",
        "seen": {part.source.space: seen_rows(part, data, folder) for part in parts},
        "measured": lines(judged),
        "caution": (
            "Scores compare networks for one task: those for images of at most 96 pixels and those for larger ones "
            "stand on two scales. Recipes differ from network to network in timm, and newer designs had better ones. "
            "Networks of other kinds than images are outside its training. Within a narrow space of one's own, fit a "
            "scorer to some trained networks (fxscore fit). Labels of NAS-Bench-301 are a surrogate's."
        ),
        "command": command_line(),
        "seed": LEARNING.seed,
        "tables": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files.values()},
        "versions": {name: version(name) for name in ("fxscore", "torch", "timm", "numpy", "scikit-learn")},
        "date": date.today().isoformat(),
    }
    scorer.save(path, record)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def report(judged: Sequence[Judged]) -> str:
    """The section of RESULTS.md."""
    note = (
        f"95 % bootstrap percentile intervals from {RESAMPLES} resamples (seed 0), of networks, or of whole families "
        "where there are any. Sizes are those of the canonical graph at the networks' own input. Equal MACs: bins of "
        "±15 % with ten networks or more; within families: those of five or more; both means weighted by number, the "
        "interval from networks within bins or families. Networks that are equal to fxscore count once. The learners "
        "and the weights of NASWOT and size in the head of small images were chosen by these figures (EXPERIMENTS.md)."
    )
    return "\n\n".join([note, *map(section, judged)])


def main() -> None:
    """Judge, print, write, ship."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of features")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of proxies' scores")
    parser.add_argument("--seeds", type=int, default=5, help="of the forests of left-out spaces")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    parser.add_argument("--ship", action="store_true", help="train on everything and write the scorer's file")
    options = parser.parse_args()
    parts = [read_part(source, options.data, options.folder) for source in SOURCES]
    judge = read_part(JUDGE, options.data, options.folder)
    lessons = read_lessons(options.data, options.folder)
    steps: list[Callable[[], Iterable[Judged]]] = [
        lambda: (judge_families(parts, lessons, seed) for seed in (0, FRESH_FOLDS)),
        lambda: [judge_torchvision(parts, lessons, judge)],
        lambda: judge_spaces(parts, lessons, options.data, options.folder, options.work),
    ]
    judged: list[Judged] = []
    for step in steps:
        for each in step():
            print(f"{section(each)}\n", flush=True)
            judged.append(each)
    seeds = spread(parts, lessons, options.seeds)
    print(seeds)
    if options.write:
        write_section("general", "General scorer", f"{report(judged)}\n\n{seeds}", command_line())
        write_readme("quality", overview(judged))
    if options.ship:
        ship(parts, lessons, judged, options.data, options.folder, WEIGHTS / f"{NAME}{SUFFIX}")


if __name__ == "__main__":
    main()
