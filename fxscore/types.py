"""The values that cross rooms: model references, score records and rankings.

They are frozen and picklable; only these (never a module) cross process boundaries.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any, Protocol, TypedDict

from fxscore.errors import ModelRefError, UsageError
from fxscore.tabular import Tabular
from fxscore.texts import one_line, visible

Shape = tuple[int, ...]


class Place(TypedDict, total=False):
    """The keywords of `fxscore.Where`, as functions and commands hand them on; what is not given is its default."""

    workers: int | None
    time_limit: float | None
    memory_limit: int | None
    store: Path | str | None
    no_store: bool
    cluster: str | None
    worker_wait: float | None


_FOR_STORES = ("fingerprint", "scorer")

_FILE = re.compile(r"^(?P<path>.*\.py)(?::(?P<builder>[A-Za-z_]\w*))?$", re.DOTALL)
_EXPORTED = ".pt2"
_MOST_NUMBERS = 1 << 40
_OWN_SPACE = re.compile(r"^(?P<place>.*?\.py:[A-Za-z_]\w*):(?P<genotype>.+)$", re.DOTALL)
_NAMED = re.compile(r"^(?P<source>[A-Za-z_][\w.]*):(?P<name>.+)$", re.DOTALL)


def shape_of(given: object) -> Shape:
    """A shape as users give it: a sequence of positive whole numbers, NumPy's too, without the batch axis.

    Raises:
        UsageError: it is none; says how to write one.
    """
    try:
        if isinstance(given, (str, bytes, Mapping, Set)) or not isinstance(given, Iterable):
            raise TypeError
        shape = tuple(map(operator.index, given))
    except TypeError:
        shape = ()
    if shape and min(shape) > 0 and prod(shape) > _MOST_NUMBERS:
        raise UsageError(f"an input_shape of more than {_MOST_NUMBERS} numbers; give a smaller one")
    if not shape or min(shape) < 1:
        raise UsageError(
            f"input_shape={one_line(repr(given), 80)} is no shape; give positive whole numbers without the batch axis, "
            "as in input_shape=(3, 32, 32)"
        )
    return shape


@dataclass(frozen=True, order=True)
class ModelRef:
    """A picklable recipe for one network.

    Text form: ``SOURCE:NAME{JSON options}``, ``path/to/file.py[:builder]{…}`` for a Python file, or the path of a
    program that `torch.export.save` wrote, ``path/to/net.pt2``::

        timm:resnet50          torchvision:resnet18      zoo/vgg.py       zoo/vgg.py:build_small
        nasbench201:|nor_conv_3x3~0|+|…|                 mypackage.nets:Net{"width": 32}
        nets.py:Plain:width=8,norm=none                  (a genotype of a space of one's own)

    ``options`` holds the keyword arguments of the builder as sorted ``(name, JSON text)`` pairs,
    so that equal recipes are equal and hashable.
    """

    source: str
    name: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, source: str, name: str, options: Mapping[str, Any] | None = None) -> ModelRef:
        """Build a reference from plain keyword options."""
        pairs = ((key, json.dumps(value, sort_keys=True)) for key, value in (options or {}).items())
        return cls(source, name, tuple(sorted(pairs)))

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """Read the text form; raises `ModelRefError` with the grammar where it does not fit."""
        if space := _OWN_SPACE.match(text.strip()):
            return cls(space["place"], space["genotype"])
        body, options = _body_and_options(text.strip())
        if file := _FILE.match(body):
            return cls.of("file", f"{file['path']}:{file['builder'] or 'build'}", options)
        if body.endswith(_EXPORTED):
            return cls.of("exported", body, options)
        if named := _NAMED.match(body):
            return cls.of(named["source"], named["name"], options)
        raise ModelRefError(
            f"{text!r} is no model reference; write SOURCE:NAME (timm:resnet50, torchvision:resnet18, "
            "package.module:callable) or a path to a .py or .pt2 file"
        )

    @property
    def kwargs(self) -> dict[str, Any]:
        """The options as keyword arguments."""
        return {key: json.loads(value) for key, value in self.options}

    def __str__(self) -> str:
        """The text form, fit to print; `parse` takes it back, and sources find the file of a name with escapes."""
        body = f"{self.source}:{self.name}"
        if self.source in ("file", "exported"):
            body = self.name.removesuffix(":build")
            if body.startswith(("-", " ")):  # it would be an option, or lose its space
                body = f"./{body}"
        return visible(body) + (json.dumps(self.kwargs) if self.options else "")


def _body_and_options(text: str) -> tuple[str, dict[str, Any]]:
    """Cut where a JSON object begins that goes to the end: braces before it belong to the name of a file."""
    if "{" not in text or not text.endswith("}"):
        return text, {}
    reasons = []
    for brace in re.finditer(r"\{", text):
        try:
            options: dict[str, Any] = json.loads(text[brace.start() :], object_pairs_hook=_each_once)
            return text[: brace.start()].rstrip(), options
        except (ValueError, RecursionError) as error:
            reasons.append(str(error))
    raise ModelRefError(f"{text!r}: the options in braces are not JSON ({reasons[0]})")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ModelRefError("an option is given twice in braces; keep one")
    return found


@dataclass(frozen=True)
class ScoreRecord:
    """What is known about one network after one attempt to score it.

    Exactly one of `score` and `error` is set. `params` counts learnable numbers (tied once), `macs` are
    multiply-accumulates of one image, `seconds` is wall time of the whole attempt. `note` says what of the network the
    score or the counts leave out (a detector behind its backbone, operators that are not counted); None where nothing.
    `values` are numbers that were found beside the score, such as a hybrid scorer's features.

    Of a ranking's records, `group` names the networks that the score compares with; `support` says whether the network
    is `inside` what the scorer was trained on, `near` or `outside`; scores from `low` to `high` cannot be told from
    this one; `published` is the accuracy of published weights (`fxscore.published.accuracies`). Each is None where it
    is not known.
    """

    ref: ModelRef
    score: float | None = None
    error: str | None = None
    params: int | None = None
    macs: int | None = None
    seconds: float = 0.0
    fingerprint: str | None = None
    scorer_id: str = ""
    note: str | None = None
    values: tuple[float, ...] = ()
    group: str | None = None
    support: str | None = None
    low: float | None = None
    high: float | None = None
    published: float | None = None

    def __post_init__(self) -> None:
        if (self.score is None) == (self.error is None):
            raise ValueError(f"{self.ref}: a record has either a score or an error")

    def as_dict(self) -> dict[str, Any]:
        """A flat, JSON-ready form; `name` is the reference's text."""
        return {
            "name": str(self.ref),
            "score": self.score,
            "error": self.error,
            "params": self.params,
            "macs": self.macs,
            "seconds": round(self.seconds, 4),
            "fingerprint": self.fingerprint,
            "scorer": self.scorer_id,
            "note": self.note,
            "group": self.group,
            "support": self.support,
            "low": self.low,
            "high": self.high,
            "published": self.published,
        }


class Judge(Protocol):
    """What a scorer knows of its own reliability (`fxscore.scorer.confidence.Confidence`)."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the highest score that there is."""

    def better(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
        """The probability that the first network is the better one; None where that is not known."""


def is_percentile(judge: Judge | None) -> bool:
    """Whether the scores of a scorer that knows this of itself are percentiles."""
    return judge is not None and judge.bounds == (0, 100)


@dataclass(frozen=True, repr=False)
class Ranking(Tabular):
    """Records from the best score to the worst; failures last, in the order they were given.

    `over_budget` names the networks that were not scored, because they are larger than was allowed.
    """

    records: tuple[ScoreRecord, ...] = field(default=())
    over_budget: tuple[ModelRef, ...] = ()
    judge: Judge | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        records: Iterable[ScoreRecord],
        over_budget: Iterable[ModelRef] = (),
        judge: Judge | None = None,
    ) -> Ranking:
        """Sort records by score, best first; equal scores keep their order."""
        ordered = sorted(records, key=lambda r: (r.score is None, -(r.score or 0.0)))
        return cls(tuple(ordered), tuple(over_budget), judge)

    def top(self, count: int) -> Ranking:
        """The so many best, and what failed."""
        scored = [record for record in self.records if record.score is not None]
        return replace(self, records=(*scored[:count], *self.failures))

    def probability(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
        """That the first network is the better one; None where the scorer's file cannot tell."""
        return None if self.judge is None else self.judge.better(first, second)

    @property
    def failures(self) -> tuple[ScoreRecord, ...]:
        """The records that hold an error."""
        return tuple(record for record in self.records if record.error is not None)

    @property
    def has_percentiles(self) -> bool:
        """See `Tabular`."""
        return is_percentile(self.judge)

    def summary(self) -> str:
        """How many networks, which is best, and what failed."""
        ranked = len(self.records) - len(self.failures)
        best = f", best {self.records[0].ref}" if ranked else ""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        over = f", {len(self.over_budget)} over the budget" if self.over_budget else ""
        return f"{ranked} network{'' if ranked == 1 else 's'}{best}{failed}{over}"

    def table(self) -> list[dict[str, Any]]:
        """A row for each record, without what only stores need."""
        return [
            {name: value for name, value in record.as_dict().items() if name not in _FOR_STORES}
            for record in self.records
        ]

    def __iter__(self) -> Iterator[ScoreRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> ScoreRecord:
        return self.records[index]
