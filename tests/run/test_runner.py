from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from fxscore.run.job import Prepared
from fxscore.run.runner import serve
from fxscore.types import ModelRef


class Circle:
    """What a graph is: large, and only a collection ends it."""

    def __init__(self) -> None:
        self.content = b"x" * (300 << 20)
        self.itself = self


class Session:
    """Leaves a circle behind for each network, and counts those that are alive when the next one comes."""

    def __init__(self) -> None:
        self.circles: list[weakref.ref[Circle]] = []
        self.most = 0

    def prepare(self, ref: ModelRef) -> Any:
        self.most = max(self.most, sum(circle() is not None for circle in self.circles))
        self.circles.append(weakref.ref(Circle()))
        return Prepared("f", 1, 1, None)

    def finish(self, prepared: Any) -> float:
        return 1.0


class Requests:
    """A channel that asks for so many networks; each needs two messages."""

    def __init__(self, count: int) -> None:
        self._left = [
            *({"run": ("timm", str(number), []), "number": number, "alone": False} for number in range(count))
        ]
        self._asked = False

    def receive(self) -> Any:
        self._asked = not self._asked
        if not self._asked:
            return {"finish": True}
        return self._left.pop() if self._left else None

    def send(self, message: Any) -> None:
        assert "error" not in message, message


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_large_garbage_is_not_kept_from_network_to_network() -> None:
    session = Session()
    serve(Requests(5), session)  # type: ignore[arg-type]
    assert len(session.circles) == 5
    assert session.most == 0
