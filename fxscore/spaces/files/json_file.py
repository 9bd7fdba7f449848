"""Reading json benchmark files strictly: an error names the file and the key, and nothing is half read."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

from fxscore.errors import SpaceError
from fxscore.reading import file_bytes
from fxscore.spaces.files.entries import Entry


def read_json(path: str | Path) -> Entry:
    """The whole of a `.json` or `.json.gz` file.

    Raises:
        SpaceError: the file is missing, damaged, cut short or no json.
    """
    path = Path(path)
    try:
        data = file_bytes(path)
        return Entry(path.name, json.loads(gzip.decompress(data) if path.suffix == ".gz" else data))
    except OSError as error:
        raise SpaceError(f"{path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise SpaceError(f"{path.name} is cut short or damaged: {error}") from None
    except (ValueError, RecursionError) as error:
        raise SpaceError(f"{path.name} is no json, or cut short: {error}") from None
