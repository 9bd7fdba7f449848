"""What both kinds of child have in common at the parent's end: how it is started, its job, its word that it is open."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from fxscore.errors import WorkerError
from fxscore.run.messages import Channel, Message
from fxscore.run.runner import CHILD_ENVIRONMENT

TICK = 0.05  # seconds between two looks at the time, the memory and stderr
LONGEST = 1 << 20  # bytes of a message from a child
STDERR_KEPT = 1 << 14


class KeeperGoneError(Exception):
    """The child's keeper itself ended, or its supervisor was stopped."""


def start_child(
    boot: str, place: int, environment: Mapping[str, str], **more: Any
) -> subprocess.Popen[bytes]:
    """A Python that runs `boot` with our path, the place where it finds its channel, and our process id."""
    path = [os.path.abspath(entry) for entry in sys.path]
    return subprocess.Popen(
        [sys.executable, "-c", boot, json.dumps(path), str(place), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in a terminal is for the parent alone
        env={**os.environ, **CHILD_ENVIRONMENT, **environment},
        **more,
    )


def send_job(channel: Channel, payload: bytes) -> None:
    """The first message to a child; one that is dead already is noticed at the first receive."""
    with contextlib.suppress(OSError):
        channel.send({"job": base64.b64encode(payload).decode()})


def check_open(message: Message | None, seconds: float) -> Message:
    """The child's word that its job is open.

    Raises:
        KeeperGoneError: there was none in time.
        WorkerError: the job says why it cannot open.
    """
    if message is None:
        raise KeeperGoneError(f"the scorer did not load within {seconds:g} s")
    if "broken" in message:
        raise WorkerError(message["broken"])
    return message
