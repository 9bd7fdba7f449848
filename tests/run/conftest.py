"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fxscore.run import LocalExecutor


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a `ToyJob` notes what it does."""
    return tmp_path / "log.txt"


@pytest.fixture(scope="module")
def local() -> Iterator[LocalExecutor]:
    """Two workers, shared by the tests of a module that ask for no limit."""
    with LocalExecutor(2) as executor:
        yield executor
