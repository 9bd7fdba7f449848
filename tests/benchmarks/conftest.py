from __future__ import annotations

from tests.evaluate.conftest import in_process

__all__ = ["in_process"]
