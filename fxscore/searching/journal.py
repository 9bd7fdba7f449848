"""The history of a search on disk, one line of JSON a generation, from which it resumes.

A resumed search starts again at generation 0 with the same seed; what the journal holds is answered from it, so
that the algorithm comes to the state in which it was, and the generation that was cut short finds its finished
networks in the result store. A journal holds nothing that depends on time, so that a resumed search writes the
same bytes as an uninterrupted one. A line cut short by a kill is dropped. One process at a time writes a journal.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fxscore.errors import SearchError
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.handle import reference

HISTORY = "history.jsonl"  # its name in the folder of a search
_logger = logging.getLogger(__name__)
_MAY_CHANGE = {"package"}  # another version computes new scores itself; those in the journal stay as they are


class Journal:
    """The journal of one search.

    Args:
        path: the file; its folder is made.
        settings: what decides the course of the search, JSON-ready.
        place: of the space, for the names of its networks.
        resume: go on with the file; without it, there must be none.

    Raises:
        SearchError: there is a file and `resume` is not set, it is of a search with other settings, or another
            process is writing it.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], place: str, *, resume: bool) -> None:
        self.path = path
        self._place = place
        self._known: list[list[Evaluation]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not resume:
            raise SearchError(
                f"{path} holds a search already; resume it (--resume), or choose another folder (--out)"
            )
        self._lock = _lock(path)
        try:
            self._begin(settings)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let other processes write the file."""
        self._lock.release()

    def _begin(self, settings: Mapping[str, Any]) -> None:
        lines = _mended_lines(self.path) if self.path.exists() else []
        if lines:
            self._check(json.loads(lines[0]), json.loads(json.dumps(settings)))
            self._known = [list(map(evaluation_of, json.loads(line))) for line in lines[1:]]
        else:
            self._append(settings)

    def _check(self, known: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        for name in sorted(known.keys() | given.keys()):
            if known.get(name) != given.get(name):
                if name not in _MAY_CHANGE:
                    raise SearchError(
                        f"{self.path} is of a search with {name} {known.get(name)!r}, not {given.get(name)!r}; "
                        "choose another folder"
                    )
                _logger.warning("%s was begun by %s %s", self.path, name, known.get(name))

    def known(self, generation: int, texts: Sequence[str]) -> list[Evaluation] | None:
        """The evaluations of a generation, if the journal has it; of a budget cut short, the first ones.

        Raises:
            SearchError: the generation was of other networks, so that this is not the same search.
        """
        if generation >= len(self._known):
            return None
        evaluations = self._known[generation]
        if [evaluation.text for evaluation in evaluations] != list(texts[: len(evaluations)]):
            raise SearchError(
                f"{self.path}: generation {generation} was of other networks than this version proposes; "
                "search again in another folder"
            )
        return evaluations

    def write(self, generation: int, evaluations: Sequence[Evaluation]) -> None:
        """Keep a finished generation; it survives a kill when this returns."""
        if generation >= len(self._known):
            self._append([self._entry(evaluation) for evaluation in evaluations])
            self._known.append(list(evaluations))

    def _entry(self, evaluation: Evaluation) -> dict[str, Any]:
        """An evaluation, under the name that every command takes."""
        return {"name": str(reference(self._place, evaluation.text)), **evaluation.as_dict()}

    def forget_from(self, generation: int) -> None:
        """Drop a last generation that a smaller budget cut short, and those after it."""
        lines = whole_lines(self.path)[: generation + 1]
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        unfinished.write_text("".join(lines), encoding="utf-8")
        unfinished.replace(self.path)
        self._known = self._known[:generation]

    def _append(self, value: Any) -> None:
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(value) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def evaluation_of(entry: Mapping[str, Any]) -> Evaluation:
    """The evaluation of an entry, which also holds its network's name."""
    return Evaluation.from_dict({key: value for key, value in entry.items() if key != "name"})


def begun_settings(path: Path) -> dict[str, Any]:
    """The settings of the search whose history this is; empty where there is none."""
    lines = whole_lines(path) if path.exists() else []
    return dict(json.loads(lines[0])) if lines else {}


def _lock(path: Path) -> FileLock:
    """A file that only this process holds locked, until it is released or the process ends."""
    lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise SearchError(
            f"{path} is being written by another search; wait for it, or choose another folder"
        ) from None
    return lock


def whole_lines(path: Path) -> list[str]:
    """The lines of the file that have an end: a kill, or a writer at work, may leave half of one."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return lines if not lines or lines[-1].endswith("\n") else lines[:-1]


def _mended_lines(path: Path) -> list[str]:
    """The lines of the file, which loses a last line without an end."""
    lines = whole_lines(path)
    with path.open("r+b") as stream:
        stream.truncate(sum(len(line.encode()) for line in lines))
    return lines
