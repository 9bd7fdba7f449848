"""The parent's end of a child that was not forked: see `fxscore.run.spawned_child` for the other.

It offers a supervisor what `fxscore.run.child_process.ChildProcess` does. The child connects to a port on this machine,
for not every system hands open sockets to a new process, and shows a token that its parent alone gave it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import threading
import time

from fxscore.run.failure import describe_death
from fxscore.run.messages import Channel, Message, NonsenseError
from fxscore.run.outcome import Limits, Task
from fxscore.run.parent_end import (
    LONGEST,
    STDERR_KEPT,
    TICK,
    KeeperGoneError,
    check_open,
    send_job,
    start_child,
)
from fxscore.run.processes import kill_tree, tree_memory
from fxscore.run.spawned_child import BOOT, TOKEN

_CONNECT_SECONDS = 60.0


class SpawnedProcess:
    """A started child, replaced by another where a network needs or has used it up.

    Args:
        payload: the pickled job.
        folder: that the child works in; by default this process's.

    Attributes:
        runner: the process that takes work; None where it is used up.
    """

    def __init__(self, payload: bytes, folder: str | None = None) -> None:
        self._payload = payload
        self._folder = folder
        self._abandoned = False
        self._start()

    def _start(self) -> None:
        self._tail, self._lock = b"", threading.Lock()
        self._used = False
        token = secrets.token_hex()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._process = self._spawn(server.getsockname()[1], token)
            self._channel = self._accepted(server, token)
        self.runner: int | None = self._process.pid
        send_job(self._channel, self._payload)

    def _spawn(self, port: int, token: str) -> subprocess.Popen[bytes]:
        group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        process = start_child(BOOT, port, {TOKEN: token}, creationflags=group, cwd=self._folder)
        threading.Thread(target=self._drain, args=(process,), daemon=True).start()
        return process

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None  # it is a pipe
        with process.stderr:
            while data := os.read(process.stderr.fileno(), 1 << 16):
                with self._lock:
                    self._tail = (self._tail + data)[-STDERR_KEPT:]

    def _accepted(self, server: socket.socket, token: str) -> Channel:
        """The connection of this very child; raises `KeeperGoneError` where it ends before it has one."""
        server.settimeout(TICK)
        end = time.monotonic() + _CONNECT_SECONDS
        while time.monotonic() < end and self._process.poll() is None and not self._abandoned:
            with contextlib.suppress(TimeoutError):
                connection, _ = server.accept()
                connection.settimeout(None)
                channel = Channel(connection, LONGEST)
                with contextlib.suppress(NonsenseError, EOFError):
                    if (channel.receive(_CONNECT_SECONDS) or {}).get("token") == token:
                        return channel
                channel.close()
        code = self._end_process()
        raise KeeperGoneError(describe_death(code, self.stderr()))

    def send(self, message: Message) -> None:
        self._channel.send(message)

    def receive(self, seconds: float) -> Message | None:
        """The next message; that the process ended is one too."""
        try:
            return self._channel.receive(seconds)
        except EOFError:
            if self._abandoned:
                raise KeeperGoneError from None
            return {"ended": self._end_process()}

    def wait_until_open(self, seconds: float) -> None:
        """Raise `WorkerError` where the job says why it cannot open, `KeeperGoneError` without a word."""
        end = time.monotonic() + seconds
        while (message := self.receive(TICK)) is None and time.monotonic() < end:
            pass
        message = check_open(message, seconds)
        if "ended" in message:
            raise KeeperGoneError(describe_death(message["ended"], self.stderr()))

    @property
    def pid(self) -> int:
        return self._process.pid

    def make_room(self, task: Task, limits: Limits) -> None:
        """Have a fit process: a fresh one where the task runs alone, or where the last one grew too large."""
        if self._used and (task.alone or self.memory() > limits.memory / 2):
            self.kill_runner()
        if self.runner is None or self._process.poll() is not None:
            self._end_process()
            self._channel.close()
            self._start()
            self.wait_until_open(limits.start_seconds)
        self._used = True

    def kill_runner(self) -> None:
        """End the process and what it started; `make_room` starts another."""
        self._end_process()
        self.runner = None

    def _end_process(self) -> int:
        """The exit code; a process that has ended by itself is only waited for."""
        try:
            return self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            kill_tree(self._process.pid)
            return self._process.wait()

    def memory(self) -> int:
        return tree_memory(self._process.pid)

    def forget_stderr(self) -> None:
        with self._lock:
            self._tail = b""

    def stderr(self) -> str:
        """The last words since `forget_stderr`."""
        with self._lock:
            return self._tail.decode(errors="replace")

    def drain_stderr(self) -> None:
        """A thread does it."""

    def abandon(self) -> None:
        """Hang up, from any thread, so that whoever waits for the child is told."""
        self._abandoned = True
        kill_tree(self._process.pid)
        self._channel.shut()

    def end(self) -> None:
        """Have the child end, and wait until it is gone."""
        self.abandon()
        self._end_process()
        self._channel.close()
