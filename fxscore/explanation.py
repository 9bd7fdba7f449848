"""What became of a network: operators by representation, encoding, cost, and parameters accounted for."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from fxscore.constructed import ConstructedArchitecture
from fxscore.passes.represent_operators import Represented
from fxscore.scorer import Subject
from fxscore.tabular import Tabular
from fxscore.types import Shape


@dataclass(frozen=True)
class OperatorSummary:
    """Operators of one kind with one form of representation.

    Attributes:
        operator: the captured operator's name.
        form: what its weights became: `synthesised`, `one`, `zero`, `head` (replaced by the scorer), …
        count: number of weights so represented.
        params: learnable numbers that they hold.
        paths: where they are.
    """

    operator: str
    form: str
    count: int
    params: int
    paths: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Explanation(Tabular):
    """The report behind `fxscore explain`.

    Attributes:
        name: of the network.
        input_shape, batch: what it was constructed for.
        encoding: (B, C).
        params, macs: size, as in a record; `macs_by_operator` by captured operator.
        uncounted: operators that calculate and have no part in `macs` (`fxscore.costs.operators`).
        left_out: modules that were not captured (a detector behind its backbone).
        operators: summaries, most parameters first.
        exported: modules that were captured by `torch.export`, since recording failed; "" is the whole network.
        passed_checks: questions about values that cannot matter, with the answers that they were given.
        unused: parameters that the encoding does not depend on (another head, an auxiliary branch).
        fingerprint: of the architecture.
        seconds: time to build, capture and rewrite.
        code: the constructed architecture.
    """

    name: str
    input_shape: Shape
    batch: int
    encoding: tuple[int, int]
    params: int
    macs: int
    macs_by_operator: dict[str, int]
    uncounted: tuple[str, ...]
    left_out: tuple[str, ...]
    operators: tuple[OperatorSummary, ...]
    exported: tuple[str, ...]
    unused: tuple[str, ...]
    fingerprint: str
    seconds: float
    code: str
    passed_checks: tuple[str, ...] = ()

    AXES = ("count", "params")

    def summary(self) -> str:
        """The network and its size."""
        sizes = f"{self.params:,} parameters, {self.macs:,} MACs"
        return f"{self.name}, {sizes}, {len(self.operators)} kinds of operators with weights"

    def table(self) -> list[dict[str, Any]]:
        """A row for each kind of operator with weights."""
        return [{**asdict(each), "paths": ", ".join(each.paths)} for each in self.operators]


def explain_subject(name: str, subject: Subject, batch: int) -> Explanation:
    """Construct a network and sum up what happened."""
    start = time.perf_counter()
    constructed, size = subject.construct(batch), subject.costs()
    sizes: dict[str, int] = constructed.graph_module.meta["parameters"]
    covered = {parameter for line in constructed.coverage for parameter in line.parameters}
    return Explanation(
        name=name,
        input_shape=constructed.input_shape,
        batch=batch,
        encoding=(batch, constructed.channels),
        params=size.params,
        macs=size.macs,
        macs_by_operator=size.macs_by_operator,
        uncounted=size.uncounted,
        left_out=constructed.left_out,
        operators=_summaries(constructed, sizes),
        exported=tuple(constructed.graph_module.meta["exported"]),
        unused=tuple(parameter for parameter in sizes if parameter not in covered),
        fingerprint=constructed.fingerprint,
        seconds=time.perf_counter() - start,
        code=constructed.code,
        passed_checks=constructed.graph_module.meta["passed_checks"],
    )


def _summaries(constructed: ConstructedArchitecture, sizes: dict[str, int]) -> tuple[OperatorSummary, ...]:
    groups: dict[tuple[str, str], list[Represented]] = defaultdict(list)
    for line in constructed.coverage:
        groups[line.operator, line.form].append(line)
    summaries = []
    for (operator, form), lines in groups.items():
        parameters = {parameter for line in lines for parameter in line.parameters}
        params = sum(sizes.get(parameter, 0) for parameter in parameters)
        summaries.append(
            OperatorSummary(operator, form, len(lines), params, tuple(line.path for line in lines))
        )
    return tuple(sorted(summaries, key=lambda summary: -summary.params))
