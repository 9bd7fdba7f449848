"""What parent and child say to each other: plain JSON, one message a line.

Nothing that comes from a child is unpickled, so code of a network cannot run in the parent. A message starts
and ends with a newline: a line cut short by a ``kill -9`` spoils itself alone.
"""

from __future__ import annotations

import json
import select
import socket
from contextlib import suppress
from typing import Any

Message = dict[str, Any]


class Channel:
    """JSON messages over one stream socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def send(self, message: Message) -> None:
        """Send one message; raises `OSError` where the other side is gone."""
        self._connection.sendall(b"\n" + json.dumps(message).encode() + b"\n")

    def receive(self, seconds: float | None = None) -> Message | None:
        """The next message, or None after `seconds` without one.

        Raises:
            EOFError: the other side is gone.
        """
        while True:
            while b"\n" in self._buffer:
                line, self._buffer = self._buffer.split(b"\n", 1)
                if (message := _parse(line)) is not None:
                    return message
            if not self._readable(seconds):
                return None
            self._fill()

    def _readable(self, seconds: float | None) -> bool:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(None if seconds is None else max(0.0, seconds) * 1000))

    def _fill(self) -> None:
        try:
            data = self._connection.recv(1 << 16)
        except OSError as error:
            raise EOFError(str(error)) from None
        if not data:
            raise EOFError("the other side is gone")
        self._buffer += data

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
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
