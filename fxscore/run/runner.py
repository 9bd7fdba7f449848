"""What a runner does: it opens the job once, then answers for one network after the other.

Whether the runner was forked (`fxscore.run.child`) or is an interpreter of its own (`fxscore.run.spawned_child`).
"""

from __future__ import annotations

import base64
import gc
import os
import pickle

from fxscore.collection import collection_paused
from fxscore.run.failure import describe_exception, is_lasting
from fxscore.run.guard import seed_everything, unchanged_globals
from fxscore.run.job import Found, Job, JobSession
from fxscore.run.messages import Channel, Message
from fxscore.run.processes import resident_memory
from fxscore.types import ModelRef

_GROWTH = 256 << 20  # bytes by which a runner may grow before it looks for garbage
# One thread: the parallelism is over networks, and a process may only fork while it has a single thread.
CHILD_ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def open_job(channel: Channel) -> JobSession:
    """The session of the job that the supervisor sends first."""
    message = channel.receive()
    assert message is not None  # waits without a limit
    job: Job = pickle.loads(base64.b64decode(message["job"]))  # noqa: S301  the parent's own
    session = job.open()
    seed_everything(0)  # a network that draws its weights or its shape draws the same in whatever process
    gc.collect()
    gc.freeze()  # a collection in a runner need not touch, and so copy, the pages of what is loaded
    return session


def serve(channel: Channel, session: JobSession) -> None:
    """Answer until told to end, or until the one network that must be alone is done."""
    kept = resident_memory(os.getpid())
    while (request := channel.receive()) is not None and "run" in request:
        _answer(channel, session, request)
        if request["alone"]:
            break
        # A graph is a few thousand objects in circles, too few for Python to collect, but its constants may be large.
        if resident_memory(os.getpid()) - kept > _GROWTH:
            gc.collect()
            kept = resident_memory(os.getpid())


def _answer(channel: Channel, session: JobSession, request: Message) -> None:
    guard = collection_paused() if request["alone"] else unchanged_globals()
    source, name, options = request["run"]
    ref = ModelRef(source, name, tuple((key, value) for key, value in options))
    try:
        with guard:
            reply = _work(channel, session, ref, request["number"])
    except BaseException as error:  # noqa: BLE001  the worker boundary, for sys.exit() in a network's file, too
        reply = {"error": describe_exception(error), "lasting": is_lasting(error)}
    if reply is not None:
        channel.send({"number": request["number"], **reply})


def _work(channel: Channel, session: JobSession, ref: ModelRef, number: int) -> Message | None:
    prepared = session.prepare(ref)
    facts = {name: getattr(prepared, name) for name in ("fingerprint", "params", "macs", "note")}
    channel.send({"number": number, "prepared": facts})
    wanted = channel.receive()
    if wanted is None or not wanted["finish"]:
        return None
    found = Found.of(session.finish(prepared))
    return {"score": found.score, "values": found.values}
