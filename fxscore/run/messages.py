"""What parent and child say to each other: plain JSON, one message a line.

Nothing that comes from a child is unpickled, so code of a network cannot run in the parent. A message starts
and ends with a newline: a line cut short by a ``kill -9`` spoils itself alone. A network may find the channel and write
what it likes: what is no message is passed over, and a line without an end is an error.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections import deque
from contextlib import suppress
from typing import Any

Message = dict[str, Any]
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # `select` knows 1,024 files


class NonsenseError(Exception):
    """What came over a channel is nothing that the other side would say."""


class Channel:
    """JSON messages over one stream socket.

    Args:
        connection: to the other side.
        longest: bytes of one line that are waited for; None where the other side is trusted.
    """

    def __init__(self, connection: socket.socket, longest: int | None = None) -> None:
        self._connection = connection
        self._longest = longest
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()

    def send(self, message: Message) -> None:
        """Send one message; raises `OSError` where the other side is gone."""
        self._connection.sendall(b"\n" + json.dumps(message).encode() + b"\n")

    def receive(self, seconds: float | None = None) -> Message | None:
        """The next message, or None after `seconds` without one.

        Raises:
            EOFError: the other side is gone.
            NonsenseError: a line is longer than any message; what came of it is forgotten.
        """
        end = None if seconds is None else time.monotonic() + seconds
        came = False
        while True:
            while self._lines:
                if (message := _parse(self._lines.popleft())) is not None:
                    return message
            left = None if end is None else end - time.monotonic()
            late = left is not None and left <= 0
            if (came and late) or not self._readable(left):  # a flood of nonsense must not hold up the caller
                return None
            self._fill()
            came = True

    def _readable(self, seconds: float | None) -> bool:
        with _Selector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    def _fill(self) -> None:
        try:
            data = self._connection.recv(1 << 16)
        except OSError as error:
            raise EOFError(str(error)) from None
        if not data:
            raise EOFError("the other side is gone")
        *lines, rest = data.split(b"\n")
        if lines:
            self._lines += [bytes(self._rest) + lines[0], *lines[1:]]
            self._rest.clear()
        self._rest += rest
        if self._longest is not None and len(self._rest) > self._longest:
            self._rest.clear()
            raise NonsenseError(f"a line of more than {self._longest} bytes")

    def fileno(self) -> int:
        """The socket's file descriptor."""
        return self._connection.fileno()

    def shut(self) -> None:
        """End the conversation; wakes a `receive` that waits in another thread."""
        with suppress(OSError):  # the other side was faster
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the file descriptor."""
        self._connection.close()


def _parse(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
