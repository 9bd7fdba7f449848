"""The part `wild` of `benchmarks.coverage`: networks of packages from PyPI (`benchmarks.coverage.wild_networks`).

Of each network it is measured what `benchmarks.coverage.probe` measures, and two things more, since a number alone does
not show that the network was seen:

- A real backward pass from the sum of all outputs says which parameters they depend on; each must be represented or be
  the head's. What is left is `unseen`.
- Its variant, which has another width, kernel or depth, must have another score.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatch
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from benchmarks.coverage import wild_networks
from benchmarks.coverage.probe import probe
from benchmarks.coverage.rows import CoverageRow, add_scores, examine, forget_failures, write_csv
from benchmarks.results import DOCS, command_line, table, write_block, write_section
from fxscore import Shared
from fxscore.run import Where
from fxscore.scorer.features import network_features
from fxscore.scorer.subject import subject_of

CSV = Path(__file__).parent / "wild.csv"
PREFIX = "wild:"
ALIKE = 1e-6  # relative difference of two scores below which they count as one
# The first pattern that an error has names its kind.
KINDS = (
    ("NotRunningError", "does not run by itself"),
    ("depends on (the )?values", "control flow on values"),
    ("UnrepresentedOperatorError", "operator without a rule"),
    ("ModelRefError", "not built"),
    ("^more than", "time"),
    ("PassError", "pass"),
    ("MemoryError|died|exit code", "memory"),
    ("ScorerError", "no finite score"),
    ("CaptureError", "not captured"),
)


def run(options: argparse.Namespace) -> None:
    """Examine the networks; write what was found."""
    work = options.work or Path("runs/coverage_wild.jsonl")
    chosen = [
        name for name in names() if not options.only or any(fnmatch(name, each) for each in options.only)
    ]
    if options.again:
        forget_failures(work, chosen)
    where = Where(1, options.seconds, options.memory << 30)
    rows = examine(f"{__name__}:measure", chosen, work, where)
    add_scores(rows)
    add_scores(rows, "variant_features", "variant")
    print(f"\n{summary(rows)}")
    if not options.only:
        for name, row in rows.items():
            row |= {"package": package(name), "kind": kind_of(row["error"]) if row["error"] else ""}
        write_csv(rows, CSV, ("package", "kind", "variant", "unseen"))
        write_block("wild", counts(rows, kind), DOCS / "coverage.md")
        write_section("wild-coverage", "Wild coverage", summary(rows), command_line())


def names() -> list[str]:
    """Every network, such as `wild:segmentation/unet`, the kinds by turns; imports all packages."""
    kinds = [wild_networks.recipes(kind) for kind in wild_networks.KINDS]
    return [f"{PREFIX}{name}" for turn in zip_longest(*kinds) for name in turn if name]


def reference(name: str, changed: bool = False) -> str:
    """What fxscore calls a network, or the variant of it."""
    options = json.dumps({"name": name.removeprefix(PREFIX), **({"changed": True} if changed else {})})
    return f"benchmarks.coverage.wild_networks:network{options}"


class NotRunningError(Exception):
    """A network that does not run by itself, which says nothing about fxscore."""


def measure(name: str) -> CoverageRow:
    """The row of one network: as of any, with what is unseen of it and the features of its variant."""
    reached = _reached(name)
    plain = probe(reference(name))
    variant = network_features(subject_of(reference(name, changed=True)))
    unseen = sorted(reached & set(plain.unused))
    return {**asdict(plain), "unseen": unseen, "variant_features": variant.values.tolist()}


def _reached(name: str) -> set[str]:
    try:
        return reached_parameters(wild_networks.network(name.removeprefix(PREFIX)).eval())
    except Exception as error:
        raise NotRunningError(f"{type(error).__name__}: {error}") from error


def reached_parameters(network: nn.Module) -> set[str]:
    """Names of the parameters that any output depends on, by a real backward pass from all of them."""
    given = network.example_input_array
    given = tree_map(lambda leaf: leaf.tensor if isinstance(leaf, Shared) else leaf, given)
    outputs = network(**given) if isinstance(given, dict) else network(*_positional(given))
    total = sum(_real(each).sum() for each in tensors(outputs) if each.requires_grad)
    if isinstance(total, Tensor):
        torch.autograd.backward(total)
    return {name for name, parameter in network.named_parameters() if parameter.grad is not None}


def _positional(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def tensors(value: Any) -> Iterator[Tensor]:
    """All tensors of an output, however nested."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors(each)
    elif hasattr(value, "__dict__"):
        yield from tensors(vars(value))


def kind_of(error: str) -> str:
    """The kind of a failure; what is not fxscore's own error comes from running the constructed architecture."""
    return next((kind for pattern, kind in KINDS if re.search(pattern, error)), "constructed forward")


def is_silent(row: CoverageRow) -> bool:
    """Whether a score hides something: parameters unseen, or a variant of the same score."""
    return bool(row["unseen"]) or is_alike(row)


def is_alike(row: CoverageRow) -> bool:
    """Whether the variant has the network's score."""
    return bool(abs(row["score"] - row["variant"]) <= ALIKE * max(abs(row["score"]), 1e-3))


def package(name: str) -> str:
    """Where a network is from."""
    return wild_networks.recipe(name.removeprefix(PREFIX)).package


def by_value(name: str) -> str:
    """Why a network's control flow depends on values; empty where it does not."""
    return wild_networks.recipe(name.removeprefix(PREFIX)).by_value


def counts(rows: Mapping[str, CoverageRow], group: Callable[[str], str]) -> str:
    """How many networks of each group are scored, and are seen."""
    groups: dict[str, list[str]] = {}
    for name in rows:
        groups.setdefault(group(name), []).append(name)
    lines = [(each, *_counts(rows, members)) for each, members in sorted(groups.items())]
    columns = ("", "networks", "no control flow on values", "of these scored", "unseen", "alike")
    return table(columns, [*lines, ("all", *_counts(rows, list(rows)))])


def kind(name: str) -> str:
    """What a network is for."""
    return name.removeprefix(PREFIX).partition("/")[0].replace("_", " ")


def summary(rows: Mapping[str, CoverageRow]) -> str:
    """The section of RESULTS.md."""
    packages = {package(name) for name in rows}
    return f"{len(rows)} networks of {len(packages)} packages.\n\n{counts(rows, package)}\n\n{failures(rows)}"


def _counts(rows: Mapping[str, CoverageRow], members: list[str]) -> list[int]:
    good = [rows[name] for name in members if not rows[name]["error"]]
    static = [name for name in members if not by_value(name)]
    scored = [name for name in static if not rows[name]["error"]]
    unseen = [row for row in good if row["unseen"]]
    return [len(members), len(static), len(scored), len(unseen), sum(map(is_alike, good))]


def failures(rows: Mapping[str, CoverageRow]) -> str:
    """Every failure under its kind, and every score that hides something."""
    failed = {name: row["error"] for name, row in rows.items() if row["error"]}
    kinds = Counter(map(kind_of, failed.values()))
    lines = [f"{kind}: {count}" for kind, count in kinds.most_common()]
    lines += [
        f"- {name}: {kind_of(error)}{_excuse(name)}: {error}"
        for name, error in sorted(failed.items(), key=lambda item: kind_of(item[1]))
    ]
    good = {name: row for name, row in rows.items() if not row["error"]}
    lines += [
        f"- {name}: unseen: {', '.join(row['unseen'][:3])}" for name, row in good.items() if row["unseen"]
    ]
    lines += [f"- {name}: its variant has its score" for name, row in good.items() if is_alike(row)]
    return "\n".join(["Failures by kind:", "", *(lines or ["- none"])])


def _excuse(name: str) -> str:
    reason = by_value(name)
    return f" (as it must: {reason})" if reason else ""
