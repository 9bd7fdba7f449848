"""A ranking in a process of its own, to be killed or interrupted: ``python -m tests.run.ranking_process …``.

Arguments: the store, the log of the jobs, the folder of files, and the number of toy networks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import patch

from fxscore.run import LocalExecutor, Store, evaluate, in_order
from fxscore.types import ModelRef, Ranking, ScoreRecord
from tests.run.jobs import ToyJob, toy


def networks(folder: Path, count: int) -> list[ModelRef]:
    """Toys of which some are equal and some fail, and the files of a folder."""
    refs = [toy(str(number), value=number, sleep=0.05) for number in range(count)]
    refs[5::10] = [toy(f"twin{ref.name}", same="twin", value=0.5, sleep=0.05) for ref in refs[5::10]]
    refs[7::20] = [toy(f"loop{ref.name}", broken=1) for ref in refs[7::20]]
    return refs + [ModelRef.of("file", f"{path}:build") for path in sorted(folder.glob("*.py"))]


def main(store_path: str, log: str, folder: str, count: str, slow_open: str = "0") -> None:
    refs = networks(Path(folder), int(count))
    done: list[ScoreRecord] = []
    job = ToyJob(log, slow_open=float(slow_open))
    with LocalExecutor(2) as executor, Store(store_path) as store:
        try:
            for record in evaluate(refs, job, executor, store):
                done.append(record)
        except KeyboardInterrupt:
            pass  # the ranking of what is done follows
    ranking = Ranking.of(in_order(refs, done))
    sys.stdout.write(json.dumps([[str(record.ref), record.score, record.error] for record in ranking]))


if __name__ == "__main__":
    # the sources may be edited while a test starts this again and again
    with patch("fxscore.run.engine.package_version", lambda: "test"):
        main(*sys.argv[1:])
