"""Measures each network in a worker of its own, by fxscore's own engine: what a network breaks, only it loses."""

from __future__ import annotations

import hashlib
import importlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxscore.run import Prepared, Where, evaluate
from fxscore.texts import first_line
from fxscore.types import ModelRef


@dataclass(frozen=True)
class MeasureJob:
    """Calls a function with the text of each reference; its answer, which JSON holds, lies in a file.

    Attributes:
        function: `package.module:name`, which a worker imports.
        folder: where answers lie.
    """

    function: str
    folder: str
    scorer_id: str = "measured"
    settings: str = ""

    def recipe_key(self, ref: ModelRef) -> str:
        """Nothing is kept, so the name will do."""
        return str(ref)

    def trusts(self, ref: ModelRef) -> bool:
        """Each has a process of its own, whose memory is then its own too."""
        return False

    def open(self) -> MeasureSession:
        """Import the function, and with it what every network needs."""
        module, _, name = self.function.partition(":")
        return MeasureSession(getattr(importlib.import_module(module), name), Path(self.folder))


class MeasureSession:
    """The function at work in one process."""

    def __init__(self, function: Callable[[str], Any], folder: Path) -> None:
        self.function = function
        self.folder = folder

    def prepare(self, ref: ModelRef) -> Prepared:
        """Everything is done in the second half."""
        return Prepared(str(ref), payload=str(ref))

    def finish(self, prepared: Prepared) -> float:
        """Measure, and leave the answer or the error in a file."""
        try:
            answer = [self.function(prepared.payload), None]
        except Exception as error:  # noqa: BLE001 - whatever the network raises is its result
            answer = [None, f"{type(error).__name__}: {first_line(error)}"]
        _place(self.folder, prepared.payload).write_text(json.dumps(answer), encoding="utf-8")
        return 0.0


def each(function: str, names: Sequence[str], where: Where) -> Iterator[tuple[str, Any, str | None]]:
    """(name, answer, None) or (name, None, what went wrong), as they finish.

    Args:
        function: `package.module:name`; takes a name, and gives what JSON holds.
        names: of networks, in the form of references.
        where: workers, and the limits of one network.
    """
    with tempfile.TemporaryDirectory() as folder, where.executor() as executor:
        by_ref = {ModelRef.parse(name): name for name in names}
        for record in evaluate(by_ref, MeasureJob(function, folder), executor):
            place = _place(Path(folder), str(record.ref))
            answer, error = (
                json.loads(place.read_text(encoding="utf-8")) if place.exists() else (None, record.error)
            )
            yield by_ref[record.ref], answer, error


def _place(folder: Path, name: str) -> Path:
    return folder / hashlib.sha256(name.encode()).hexdigest()
