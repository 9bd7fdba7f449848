"""Jobs that need no scorer, for the tests of the engine: small Python files become numbers."""

from __future__ import annotations

import hashlib
import os
import runpy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxscore.errors import CaptureError, ModelRefError
from fxscore.run.job import Prepared
from fxscore.types import ModelRef


@dataclass(frozen=True)
class ToyJob:
    """Scores ``toy:NAME`` by its options and ``file:PATH:build`` by what `build` returns; writes a log of its
    work.

    Options of ``toy``: `value` (the score), `same` (the fingerprint), `sleep`, `error`.
    """

    log: str = ""
    sleep: float = 0.0
    settings: str = "toy"
    scorer_id: str = "toy-scorer"

    def recipe_key(self, ref: ModelRef) -> str:
        if ref.source == "file":
            path = Path(ref.name.rpartition(":")[0])
            if not path.exists():
                raise ModelRefError(f"there is no file {path}")
            return f"{ref} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        return str(ref)

    def trusts(self, ref: ModelRef) -> bool:
        return ref.source != "file"

    def open(self) -> ToySession:
        return ToySession(self)


class ToySession:
    def __init__(self, job: ToyJob) -> None:
        self._job = job

    def prepare(self, ref: ModelRef) -> Prepared:
        self._note("prepare", ref)
        if ref.source == "file":
            path, _, builder = ref.name.rpartition(":")
            value = runpy.run_path(path)[builder]()
            return Prepared(f"file-{value}", payload=(ref, value))
        options = ref.kwargs
        if "broken" in options:
            raise CaptureError(f"{ref.name} has a loop\nthat depends on data")
        fingerprint = options.get("same", f"f-{ref}")
        return Prepared(fingerprint, len(ref.name), 10 * len(ref.name), (ref, options.get("value", 0.0)))

    def finish(self, prepared: Prepared) -> float:
        ref, value = prepared.payload
        options = ref.kwargs
        time.sleep(options.get("sleep", self._job.sleep))
        if "error" in options:
            raise ValueError(options["error"])
        self._note("finish", ref)
        return float(value)

    def _note(self, what: str, ref: ModelRef) -> None:
        if self._job.log:
            line = f"{what} {ref} {os.getpid()}\n"
            descriptor = os.open(self._job.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, line.encode())
            os.close(descriptor)


def toy(name: str, **options: Any) -> ModelRef:
    return ModelRef.of("toy", name, options)
