"""The child process of a supervisor where there is no `fork`: an interpreter with the scorer loaded, for one network.

A network that is not trusted has the whole process to itself, as a forked runner of `fxscore.run.child` is its own; the
next one waits for another interpreter, which costs seconds. Trusted networks share one. The messages are those of
`fxscore.run.child` without those about runners: the process itself is the runner. It ends with its parent, by a thread
that looks for it, and by the end of the conversation.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import threading
import time

import psutil

from fxscore.run.failure import describe_exception
from fxscore.run.messages import Channel
from fxscore.run.processes import thread_count
from fxscore.run.runner import open_job, serve

TOKEN = "FXSCORE_CHILD_TOKEN"
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from fxscore.run.spawned_child import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)


def main(port: int, parent: int) -> None:
    """Connect to the supervisor, open its job and serve.

    Args:
        port: on which the supervisor listens, on this machine.
        parent: the supervisor's process.
    """
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    channel = Channel(socket.create_connection(("127.0.0.1", port)))
    channel.send({"token": os.environ.pop(TOKEN)})
    faulthandler.enable()  # a segmentation fault names its line on stderr
    code = 0
    try:
        session = open_job(channel)
        channel.send({"opened": os.getpid(), "threads": thread_count()})
        serve(channel, session)
    except (EOFError, OSError):
        pass  # the supervisor is gone
    except BaseException as error:  # noqa: BLE001  the worker boundary: the parent reports whatever fails here
        channel.send({"broken": describe_exception(error)})
        code = 1
    os._exit(code)  # neither threads nor exit handlers of the network hold it up


def _end_with(parent: int) -> None:
    while psutil.pid_exists(parent):
        time.sleep(1)
    os._exit(1)
