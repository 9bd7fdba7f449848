"""Jobs without a scorer, for the tests of the engine."""

from __future__ import annotations

import hashlib
import os
import runpy
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxscore.errors import CaptureError, CheckpointError, ModelRefError
from fxscore.run.job import Prepared
from fxscore.types import ModelRef


@dataclass(frozen=True)
class ToyJob:
    """Scores ``toy:NAME`` by its options, and ``file:PATH:build`` by the number that `build` returns.

    Options of ``toy``: `value` (the score), `same` (the fingerprint), `late` (a sleep in `prepare`), `sleep`
    (one in `finish`), `error` (in `finish`), `broken` (in `prepare`), `leak` (megabytes that stay).

    Attributes:
        log: a file for a line before each `prepare` and after each `finish`.
        slow_open: seconds.
        fails: what opening the job does.
    """

    log: str = ""
    sleep: float = 0.0
    slow_open: float = 0.0
    fails: str = ""
    settings: str = "toy"
    scorer_id: str = "toy-scorer"

    def recipe_key(self, ref: ModelRef) -> str:
        if ref.source == "file":
            path = Path(ref.name.rpartition(":")[0])
            if not path.exists():
                raise ModelRefError(f"there is no file {path.name}")
            return f"{ref} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        return str(ref)

    def trusts(self, ref: ModelRef) -> bool:
        return ref.source != "file"

    def open(self) -> ToySession:
        session = ToySession(self)
        session.note("open", toy("none"))
        time.sleep(self.slow_open)
        if self.fails == "error":
            raise CheckpointError("no scorer file")
        if self.fails == "exit":
            os._exit(7)
        if self.fails == "thread":
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        return session


class ToySession:
    def __init__(self, job: ToyJob) -> None:
        self._job = job
        self._leaked: list[bytes] = []

    def prepare(self, ref: ModelRef) -> Prepared:
        self.note("prepare", ref)
        if ref.source == "file":
            path, _, builder = ref.name.rpartition(":")
            return Prepared(f"file {path}", payload=(ref, runpy.run_path(path)[builder]()))
        options = ref.kwargs
        time.sleep(options.get("late", 0.0))
        if "broken" in options:
            raise CaptureError(f"{ref.name} has a loop\nthat depends on data")
        self._leaked.append(b"x" * (options.get("leak", 0) << 20))
        fingerprint = options.get("same", f"print of {ref}")
        return Prepared(fingerprint, len(ref.name), 10 * len(ref.name), (ref, options.get("value", 0.0)))

    def finish(self, prepared: Prepared) -> float:
        ref, value = prepared.payload
        options = ref.kwargs
        time.sleep(options.get("sleep", self._job.sleep))
        if "error" in options:
            raise ValueError(options["error"])
        self.note("finish", ref)
        return float(value)

    def note(self, what: str, ref: ModelRef) -> None:
        if self._job.log:
            descriptor = os.open(self._job.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{what}\t{ref}\t{os.getpid()}\n".encode())
            os.close(descriptor)


def toy(name: str, **options: Any) -> ModelRef:
    return ModelRef.of("toy", name, options)


def noted(log: Path, what: str) -> Counter[str]:
    """How often each network was prepared, or finished."""
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(line.split("\t")[1] for line in lines if line.startswith(f"{what}\t"))
