"""What a child says of a network, read with the distrust that is due to code of others.

A network may find the channel of its worker and write to it: what it says must have the form of an answer, and is
cleaned here, where it enters the parent.
"""

from __future__ import annotations

import math
from typing import Any

from fxscore.run.messages import Message, NonsenseError
from fxscore.run.outcome import Facts, Outcome
from fxscore.texts import one_line

_MOST_VALUES = 10_000
_LARGEST = 10**100  # a count beyond it is none, and no float could be printed of it at last


def read_facts(message: Message) -> Facts:
    """What is known of a captured network; raises `NonsenseError`."""
    found = message["prepared"]
    if not isinstance(found, dict) or found.keys() != {"fingerprint", "params", "macs", "note"}:
        raise NonsenseError("no facts")
    note = found["note"]
    typed = isinstance(found["fingerprint"], str) and isinstance(note, (str, type(None)))
    if not (typed and _is_count(found["params"]) and _is_count(found["macs"])):
        raise NonsenseError("facts of another type")
    note = None if note is None else one_line(note)
    return Facts(one_line(found["fingerprint"]), found["params"], found["macs"], note)


def read_outcome(message: Message, facts: Facts | None) -> Outcome:
    """A score or an error; raises `NonsenseError`."""
    score, error = message.get("score"), message.get("error")
    if isinstance(error, str):
        return Outcome(None, one_line(error), facts, bool(message.get("lasting")))
    values = message.get("values", [])
    if not isinstance(values, list) or len(values) > _MOST_VALUES:
        raise NonsenseError("no numbers beside a score")
    if all(isinstance(number, float) and math.isfinite(number) for number in (score, *values)):
        return Outcome(score, None, facts, values=tuple(values))
    raise NonsenseError("neither a score nor an error")


def read_exit_code(message: Message) -> int:
    """How a runner ended; raises `NonsenseError`."""
    code = message["ended"]
    if isinstance(code, int):
        return code
    raise NonsenseError("no exit code")


def _is_count(value: Any) -> bool:
    return value is None or (isinstance(value, int) and 0 <= value < _LARGEST)
