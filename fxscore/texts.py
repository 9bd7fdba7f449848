r"""Texts from elsewhere, cleaned where they enter: names of files, and what other people's code says of its errors.

A name may hold bytes that are no UTF-8 (Python keeps them as lone surrogates, PEP 383), a message terminal escapes or
line ends. Neither is fit for a terminal, a JSON file or a database. Everything unprintable becomes what a Python
literal would write for it, `\x1b` or `\udce9`.
"""

from __future__ import annotations

import re

WIDTH = 500  # of a message, so that a table can hold it
_READ = 20_000  # characters of a message that are looked at
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])")


def visible(text: str) -> str:
    """The text with everything unprintable written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable(text: str) -> str:
    """As `visible`, with line ends as they are."""
    return "\n".join(map(visible, text.split("\n")))


def original(text: str) -> str:
    """The text of which `visible` made this one, for names that are given back as they were shown."""
    return _ESCAPE.sub(lambda found: found[0].encode().decode("unicode_escape"), text)


def one_line(text: str, width: int = WIDTH) -> str:
    """The text on one line, visible, cut to a length that a table can hold."""
    words = visible(" ".join(text[:_READ].split()))
    return words if len(words) <= width else words[: width - 1] + "…"


def message_of(error: BaseException) -> str:
    """What an exception says, as a plain text, where saying it raises nothing itself."""
    try:
        return str.__getitem__(str(error), slice(None))  # `__str__` may give a text of a class of its own
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  `__str__` is foreign code, and may raise SystemExit
        return "(its message cannot be read)"


def first_line(error: BaseException) -> str:
    """The first line of what an exception says; the name of its class where it says nothing."""
    return (message_of(error).strip() or type(error).__name__).splitlines()[0]
