"""How far a score can be trusted: where a network stands to training, and which of two networks is the better one.

Three things, all kept in the scorer's file and absent from files without them:

- *distance* from training, on one scale for every scorer (`fxscore.scorer.neighbours`): up to 1 a network lies
  `inside` training, up to 2 `near` it, beyond that, and for inputs of a kind that training did not have, `outside`.
- *probability* that the network of the higher score is the better one, from the gap of the scores and the distance of
  the farther network: a table of pairs of left-out networks (`fxscore.scorer.pair_table`). Without a table there is no
  probability, and displays say so.
- *interval*: the scores from which this one cannot be told apart, by a probability of `LEVEL`.

To give a scorer its confidence, set `Hybrid(..., confidence=Confidence(neighbours, pairs))` before it is saved::

    measured = Measured.of({"my table": (range(len(accuracies)), accuracies)})
    neighbours = Neighbours.of(columns, rows, networks=Networks(names, measured))  # of the training networks
    pairs = PairTable.of([LeftOut(scores, accuracies, distances), ...])  # one for each left-out population

`Hybrid.standing(subject)` then finds where a network stands, once, beside its score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

from fxscore.scorer.neighbours import Neighbours
from fxscore.scorer.pair_table import PairTable
from fxscore.types import ScoreRecord

if TYPE_CHECKING:
    from fxscore.capture.inputs import Inputs

Support = Literal["inside", "near", "outside"]
KINDS = (
    "token ids",
    "vectors",
    "sequences",
    "images",
    "clips and volumes",
    "other inputs",
)  # by axes of the input
IMAGES = KINDS.index("images")
IMAGE = frozenset({IMAGES})  # the forms of training of a scorer that learned from images alone
NEAR, OUTSIDE = 1.0, 2.0  # distances at which `near` and `outside` begin
FOREIGN = 3.0  # the least distance of what training had nothing of the kind of
_UNKNOWN = -1.0  # a distance that is not known, among kept numbers
LEVEL = 2 / 3  # two networks are told apart from this probability on


@dataclass(frozen=True)
class Standing:
    """A score, and where its network stands: numbers alone, which stores keep beside the score.

    Attributes:
        score: the scorer's.
        kind: place in `KINDS`.
        distance: from training; None where the scorer does not know.
        nearest: (place, distance) of the nearest networks of training, nearest first.
        parts: what the scorer's head puts together (`fxscore.scorer.reasons`).
    """

    score: float
    kind: int = IMAGES
    distance: float | None = None
    nearest: tuple[tuple[int, float], ...] = ()
    parts: tuple[float, ...] = ()

    @property
    def values(self) -> tuple[float, ...]:
        """What is kept beside the score; `of` takes it back."""
        distance = _UNKNOWN if self.distance is None else self.distance
        nearest = (float(number) for pair in self.nearest for number in pair)
        return (
            float(self.kind),
            distance,
            float(len(self.nearest)),
            *nearest,
            *self.parts,
        )

    @classmethod
    def of(cls, score: float, values: Sequence[float]) -> Standing | None:
        """The standing of which `values` were kept; None where nothing was."""
        if not values:
            return None
        kind, distance, count, *rest = values
        pairs = rest[: 2 * int(count)]
        nearest = tuple((int(place), apart) for place, apart in zip(pairs[::2], pairs[1::2], strict=True))
        known = None if distance == _UNKNOWN else distance
        return cls(score, int(kind), known, nearest, tuple(rest[len(pairs) :]))

    @property
    def support(self) -> Support | None:
        """Whether the network lies inside, near or outside training; None where that is not known."""
        if self.distance is None:
            return None
        return "inside" if self.distance <= NEAR else "near" if self.distance <= OUTSIDE else "outside"

    def compares_with(self, other: Standing) -> bool:
        """Whether the two scores are of one kind of network."""
        return self.kind == other.kind


@dataclass(frozen=True, eq=False)
class Confidence:
    """What a scorer knows of its own reliability.

    Attributes:
        neighbours: the training networks; () where the file has none.
        pairs: how often pairs of left-out networks were ordered rightly; None where that was not measured.
        bounds: the least and the highest score that there is.
        forms: of training's inputs (`form_of`); a file that does not say learned from images.
    """

    neighbours: tuple[Neighbours, ...] = ()
    pairs: PairTable | None = None
    bounds: tuple[float, float] = (-inf, inf)
    forms: frozenset[int] = IMAGE

    def __post_init__(self) -> None:
        """Raise `ValueError` where a form is none."""
        if not self.forms or not self.forms <= {*range(2 * len(KINDS))}:
            raise ValueError("the forms of training's inputs are numbers of kinds of input")

    def distance(self, nearest: Sequence[tuple[int, float]], inputs: Inputs) -> float | None:
        """From training: to its `nearest` network, and at least `FOREIGN` where training had no inputs of the form."""
        if not nearest:
            return None
        known = form_of(inputs) in self.forms
        return nearest[0][1] if known else max(nearest[0][1], FOREIGN)

    def nearest(self, names: Sequence[str], values: NDArray[Any]) -> tuple[tuple[int, float], ...]:
        """(place, distance) of the training networks nearest to one with these features, (columns,).

        () where the file has none.
        """
        return tuple(self.neighbours[0].nearest(names, values)) if self.neighbours else ()

    def probability(self, first: Standing, second: Standing) -> float | None:
        """That the first network is the better one, in (0, 1).

        Returns:
            None where nothing was measured: no table, or no pair of left-out networks as far from training as these; or
            where the two do not compare (`Standing.compares_with`).
        """
        if self.pairs is None or not first.compares_with(second):
            return None
        if first.distance is None or second.distance is None:
            return None
        right = self.pairs.right(abs(first.score - second.score), max(first.distance, second.distance))
        return right if right is None or first.score >= second.score else 1 - right

    def interval(self, standing: Standing) -> tuple[float, float] | None:
        """The scores between which a network as far from training cannot be told from this one, by `LEVEL`."""
        if self.pairs is None or standing.distance is None:
            return None
        gap = self.pairs.gap(LEVEL, standing.distance)
        if gap is None:
            return None
        low, high = self.bounds
        return max(low, standing.score - gap), min(high, standing.score + gap)

    def excess(self, standing: Standing) -> float:
        """By how much the gap that tells a network so far out from others is wider than one's inside training.

        Where no pair of networks so far out was measured, the widest gap of the table stands in; 0 where nothing was.
        """
        if self.pairs is None or standing.distance is None:
            return 0.0
        inside, here = (self.pairs.gap(LEVEL, distance) for distance in (0.0, standing.distance))
        if inside is None:
            return 0.0
        return max(0.0, (float(self.pairs.gaps[-1]) if here is None else here) - inside)

    def better(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
        """`probability` of two records; None where one has no score or no standing."""
        standings = [standing_of(record) for record in (first, second)]
        known = [standing for standing in standings if standing is not None]
        return self.probability(*known) if len(known) == 2 else None

    def annotated(self, record: ScoreRecord) -> ScoreRecord:
        """The record with its group, support and interval."""
        standing = standing_of(record)
        if standing is None:
            return record
        low, high = self.interval(standing) or (None, None)
        return replace(record, group=KINDS[standing.kind], support=standing.support, low=low, high=high)

    def describe(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, JSON-ready."""
        own = {"neighbours": [each.describe() for each in self.neighbours], "pairs": self.pairs is not None}
        return own if self.forms == IMAGE else {**own, "forms": sorted(self.forms)}

    def arrays(self, prefix: str = "confidence.") -> dict[str, NDArray[Any]]:
        """All numbers by name."""
        found = {} if self.pairs is None else self.pairs.arrays(f"{prefix}pairs.")
        for place, each in enumerate(self.neighbours):
            found |= each.arrays(f"{prefix}neighbours{place}.")
        return found

    @classmethod
    def from_arrays(
        cls,
        about: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        prefix: str = "confidence.",
        bounds: tuple[float, float] = (-inf, inf),
    ) -> Confidence:
        """What `describe` and `arrays` were kept of; raises `KeyError`, `TypeError` or `ValueError`."""
        neighbours = tuple(
            Neighbours.from_arrays(each, arrays, f"{prefix}neighbours{place}.")
            for place, each in enumerate(about["neighbours"])
        )
        pairs = PairTable.from_arrays(arrays, f"{prefix}pairs.") if about["pairs"] else None
        return cls(neighbours, pairs, bounds, frozenset(about.get("forms", IMAGE)))


def in_words(better: object, other: object, probability: float | None, *, compares: bool = True) -> str:
    """Which of two networks is the better one, `better` being that of the higher score."""
    if not compares:
        return f"{better} and {other} do not compare: networks of other kinds, or on other scales."
    if probability is None:
        return f"{better} scores higher than {other}; how surely it is better is not known."
    chance = f"{round(100 * probability)} %"
    if probability < LEVEL:
        return f"{better} and {other} cannot be told apart: {chance} for the first."
    return f"{better} is better than {other} with a probability of {chance}."


def standing_of(record: ScoreRecord) -> Standing | None:
    """What was kept beside a record's score; None where nothing was."""
    return None if record.score is None else Standing.of(record.score, record.values)


def kind_of(inputs: Inputs) -> int:
    """The kind of network by what it takes: place in `KINDS`."""
    return min(len(inputs.shape), len(KINDS) - 1)


def form_of(inputs: Inputs) -> int:
    """`kind_of`, in a number of its own where the network takes anything but one floating-point input."""
    return kind_of(inputs) + (0 if inputs.is_one_image else len(KINDS))
