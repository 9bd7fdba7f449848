"""Getting the official benchmark files that have a direct address, and reading them once into fxscore's own tables.

They come by pooch, and are checked against the checksum where their authors state one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pooch
import requests

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace
from fxscore.spaces.official import OfficialFile, data_folder, destination, local_path
from fxscore.texts import first_line


class DownloadProgress(Protocol):
    """What a progress bar must offer: tqdm's form, which rich can wear too."""

    total: int

    def update(self, n: int, /) -> object:
        """So many bytes more have come."""

    def reset(self) -> object:
        """Begin again."""

    def close(self) -> object:
        """The download is over."""


def download(
    entry: OfficialFile, folder: Path | None = None, progress: DownloadProgress | None = None
) -> Path:
    """Get a file unless it is there already, check it, unpack an archive.

    Returns:
        The path that `read` takes (of an archive, the unpacked folder).

    Raises:
        SpaceError: the file has to be fetched by hand, the network does not answer, or the checksum is wrong.
    """
    folder = folder or data_folder()
    if (present := local_path(entry, folder)) is not None:
        return present
    if entry.url is None:
        raise SpaceError(f"{entry.file} has no direct address: {entry.by_hand}, then give fxscore its path")
    with _quiet():
        return _retrieve(entry, entry.url, folder, progress)


def convert(space: SearchSpace[Any], source: Path, target: Path) -> int:
    """Read a benchmark's own file and write it as fxscore's table, which is read in a moment.

    Reading makes containers, numbers and texts only: a pickle that asks for anything else is refused, so
    converting one runs no code of the file's. The source is left as it is.

    Returns:
        The number of networks.

    Raises:
        SpaceError: the source is wrong, cut short or foreign, or the target cannot be written.
    """
    table = space.read(source)
    space.write(table, target)
    return len(table)


def _retrieve(entry: OfficialFile, url: str, folder: Path, progress: DownloadProgress | None) -> Path:
    downloader = pooch.HTTPDownloader(progressbar=progress or False, timeout=30)
    known = f"sha256:{entry.sha256}" if entry.sha256 else None
    try:
        pooch.retrieve(
            url,
            known,
            fname=entry.file,
            path=folder,
            processor=_unpacker(entry, folder),
            downloader=downloader,
        )
    except requests.RequestException as error:
        reason = type(error).__name__
        raise SpaceError(
            f"{entry.file} cannot be downloaded from {url} ({reason}): is there a network? "
            f"It can also be fetched by hand, see {entry.page}, and put at {destination(entry, folder)}"
        ) from None
    except (OSError, ValueError) as error:
        first = first_line(error)
        raise SpaceError(
            f"{entry.file} came from {url}, but is not what its authors published: {first}"
        ) from None
    return destination(entry, folder)


def _unpacker(entry: OfficialFile, folder: Path) -> pooch.Unzip | pooch.Untar | None:
    if not entry.archive:
        return None
    kind = pooch.Unzip if entry.file.endswith(".zip") else pooch.Untar
    return kind(extract_dir=str(destination(entry, folder)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back pooch's own messages: progress is the caller's to show."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
