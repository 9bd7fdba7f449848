"""What became of a network: operators by representation, encoding, cost, and parameters accounted for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fxscore.explanation.against import Against, Side, against
from fxscore.explanation.judgement import Judgement, judge
from fxscore.explanation.operators import OperatorSummary, sizes_by_operator, summaries_of
from fxscore.scorer import Scorer, Subject
from fxscore.scorer.contributions import Contribution
from fxscore.scorer.features import ENCODER
from fxscore.tabular import Tabular
from fxscore.types import Shape


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
        judgement: what the scorer says of it; None where it was not asked.
        against: what sets it apart from another network; None where there is none.
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
    judgement: Judgement | None = None
    against: Against | None = None

    AXES = ("count", "params")

    def summary(self) -> str:
        """The network, its size and its score; against another, which is better."""
        if self.against is not None:
            return self.against.sentence
        score = self.judgement.score if self.judgement else None
        said = "" if score is None else f", score {score:.4g}"
        sizes = f"{self.params:,} parameters, {self.macs:,} MACs"
        return f"{self.name}, {sizes}, {len(self.operators)} kinds of operators with weights{said}"

    def __str__(self) -> str:
        return "\n".join([self.summary(), *self._lines()])

    def _lines(self) -> list[str]:
        """What the scorer goes by, in words; a line each."""
        lines = [
            f"looks most like {row['network']} ({row['measured'] or 'no accuracy'})" for row in self._like()
        ]
        for row in self._contributions():
            lines.append(f"{row['by']}: {row['part']} {row['points']:+.2g} ({row['raw']:+.2g} raw)")
        return [*lines, *(self.against.unknown if self.against else ())]

    def table(self) -> list[dict[str, Any]]:
        """A row for each kind of operator with weights."""
        return [{**asdict(each), "paths": ", ".join(each.paths)} for each in self.operators]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Operators; the nearest networks of training, where their names are known; against another, the difference.

        Contributions are of the network's score over the other's: by member of the scorer, and by group of features.
        """
        found = {
            "operators": self.table(),
            "neighbours": self._like(),
            "contributions": self._contributions(),
        }
        if self.against is not None:
            found["differences"] = [asdict(each) for each in self.against.operators]
        return {name: rows for name, rows in found.items() if rows or name == "operators"}

    def _like(self) -> list[dict[str, Any]]:
        known = self.judgement.neighbours if self.judgement else ()
        return [
            {"network": each.name, "distance": each.distance, "measured": each.words()}
            for each in known
            if each.name
        ]

    def _contributions(self) -> list[dict[str, Any]]:
        if self.against is None:
            return []
        return [*_rows("member", self.against.members), *_rows("features", self.against.groups)]


def _rows(by: str, parts: Sequence[Contribution]) -> list[dict[str, Any]]:
    return [{"by": by, "part": each.group, "points": each.points, "raw": each.raw} for each in parts]


def explain_judged(name: str, subject: Subject, scorer: Scorer) -> Explanation:
    """What became of a network, and what a scorer says of it."""
    explained = explain_subject(name, subject, batch_of(scorer))
    return replace(explained, judgement=judge(scorer, subject)[0])


def explain_against(
    name: str, subject: Subject, other_name: str, other: Subject, scorer: Scorer
) -> Explanation:
    """As `explain_judged`, with what sets the network apart from another."""
    named = ((name, subject), (other_name, other))
    both = [explain_subject(*each, batch_of(scorer)) for each in named]
    first, second = (
        Side(*each, sizes_by_operator(explained.operators, explained.macs_by_operator))
        for each, explained in zip(named, both, strict=True)
    )
    judgement, found = against(scorer, first, second)
    return replace(both[0], judgement=judgement, against=found)


def batch_of(scorer: Scorer) -> int:
    """Of the construction: the scorer's, or that of the default one."""
    return scorer.batch or ENCODER.batch


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
        operators=summaries_of(constructed, sizes),
        exported=tuple(constructed.graph_module.meta["exported"]),
        unused=tuple(parameter for parameter in sizes if parameter not in covered),
        fingerprint=constructed.fingerprint,
        seconds=time.perf_counter() - start,
        code=constructed.code,
        passed_checks=constructed.graph_module.meta["passed_checks"],
    )
