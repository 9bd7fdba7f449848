"""A search in a process of its own, to be killed: ``python -m tests.searching.search_process FOLDER LOG``."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import fxscore
from tests.searching.spaces import Taste, Tiny


def main(folder: str, log: str) -> None:
    # the sources may be edited while a test starts this again
    with (
        patch("fxscore.run.engine.package_version", lambda: "test"),
        patch("fxscore.searching.api.package_version", lambda: "test"),
    ):
        fxscore.search(
            Tiny(),
            scorer=Taste(log, sleep=0.02),
            budget=50,
            population=20,
            folder=folder,
            resume=True,
            store=Path(folder) / "store.db",
            workers=1,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
