"""A file of settings: what options that many commands share are where the command line does not give them.

`fxscore.toml`, or the table `[tool.fxscore]` of `pyproject.toml`, in the working folder or the nearest folder above it
that has one. Its keys are the options' names; files in it are looked for beside it. Python's functions read none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from typer.core import TyperOption
from typer.models import OptionInfo

from fxscore.cli import options
from fxscore.errors import UsageError
from fxscore.quantities import bytes_of, count_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OWN_FILE, PROJECT_FILE = "fxscore.toml", "pyproject.toml"
_TABLE = "tool.fxscore"
_WEIGHTS = Path(__file__).parents[1] / "scorer" / "weights"
Value = str | int | float


@dataclass(frozen=True)
class Key:
    """One setting.

    Attributes:
        form: what to write.
        read: from the value in the file, and the file's folder, to what the option takes; raises `ValueError`.
        options: the shared options that it sets.
    """

    form: str
    read: Callable[[Any, Path], Value]
    options: tuple[Any, ...]

    def sets(self, parameter: object) -> bool:
        """Whether a command's parameter is one of the shared options."""
        told = [
            each.help
            for shared in self.options
            for each in shared.__metadata__
            if isinstance(each, OptionInfo)
        ]
        return isinstance(parameter, TyperOption) and parameter.help in told


@dataclass(frozen=True)
class SettingsFile:
    """What is in force.

    Attributes:
        path: the file; None where there is none.
        values: what options take, by key.
        fault: why the file cannot be used; None where it can, or where there is none.
    """

    path: Path | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    fault: str | None = None

    def told(self, keys: list[str]) -> str:
        """What of it a command takes that has options of these keys."""
        if self.fault is not None:
            return f"No setting is in force: {self.fault}"
        if self.path is None:
            return f"No file of settings is in force ({OWN_FILE}, or [{_TABLE}] of {PROJECT_FILE})."
        shown = ", ".join(f"{key} = {self.values[key]}" for key in keys if key in self.values)
        return f"In force, from {self.path}: {shown or 'nothing that this command takes'}."

    def put_in(self, command: Any) -> None:
        """Make it the defaults of a command, and of those below it, and have their help tell so."""
        for below in getattr(command, "commands", {}).values():
            self.put_in(below)
        known = {key: each for each in command.params for key, about in KEYS.items() if about.sets(each)}
        for key, parameter in known.items():
            if key in self.values:
                parameter.default = self.values[key]
                parameter.show_default = f"{self.values[key]}, from {self.path}"
        keys = list(KEYS) if hasattr(command, "commands") else list(known)
        command.epilog = "\n\n".join(filter(None, (command.epilog, self.told(keys))))


def settings_here(*, tolerant: bool = False) -> SettingsFile:
    """What is in force in the working folder; raises as `find_settings`, unless `tolerant`: then a fault is kept."""
    try:
        return find_settings(Path.cwd())
    except FileNotFoundError:  # the working folder is gone
        return SettingsFile()
    except UsageError as error:
        if not tolerant:
            raise
        return SettingsFile(fault=str(error))


def find_settings(folder: Path) -> SettingsFile:
    """What is in force in a folder.

    Raises:
        UsageError: the file is no TOML, or a key, a type or a value in it is wrong; names file and key.
    """
    for path, table in _tables(folder):
        return SettingsFile(path, {key: _read(path, key, value) for key, value in table.items()})
    return SettingsFile()


def _tables(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(file, its settings), nearest first."""
    for place in (folder, *folder.parents):
        own, project = place / OWN_FILE, place / PROJECT_FILE
        if own.is_file():
            yield own, _parsed(own, own.read_text(encoding="utf-8", errors="replace"))
        if project.is_file() and _TABLE in (text := project.read_text(encoding="utf-8", errors="replace")):
            found = _parsed(project, text).get("tool", {}).get("fxscore")
            if isinstance(found, Mapping):
                yield project, found


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = tomllib.loads(text)
        return found
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}; mend that line") from None


def _read(path: Path, key: str, value: object) -> Value:
    if key not in KEYS:
        close = get_close_matches(key.replace("_", "-"), KEYS, n=1)
        meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(KEYS)}"
        raise UsageError(f"{path}: there is no setting {key!r}; {meant}")
    try:
        return KEYS[key].read(value, path.parent)
    except ValueError as error:
        reason = f" ({error})" if str(error) else ""
        raise UsageError(f"{path}: {key} = {value!r} is wrong{reason}; write {KEYS[key].form}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _scorer(value: Any, folder: Path) -> str:
    name = _text(value)
    if (_WEIGHTS / f"{name}.safetensors").is_file():
        return name
    path = folder / Path(name).expanduser()
    if path.is_file():
        return str(path)
    from fxscore.proxies import proxy_names  # slow, and seldom asked

    if name not in proxy_names():
        raise ValueError(f"no scorer is called so, and there is no file {path}")
    return name


def _store(value: Any, folder: Path) -> str:
    path = folder / Path(_text(value)).expanduser()
    if path.is_dir():
        raise ValueError("a folder")
    return str(path)


def _workers(value: Any, folder: Path) -> int:
    if type(value) is not int or value < 1:
        raise ValueError
    return value


def _seconds(value: Any, folder: Path) -> float:
    if type(value) not in (int, float) or not 0.1 <= value < float("inf"):
        raise ValueError
    return float(value)


def _quantity(read: Callable[[Any], float]) -> Callable[[Any, Path], str]:
    def reader(value: Any, folder: Path) -> str:
        if type(value) not in (str, int, float):
            raise ValueError
        read(value)
        return str(value)

    return reader


_COUNT = 'a number or text such as "25M", as in {0} = "25M"'
_SIZE = 'text such as "4G", as in {0} = "4G"'
KEYS: Mapping[str, Key] = {
    "scorer": Key(
        'a name of `fxscore scorers`, or a file beside the settings, as in scorer = "mine.safetensors"',
        _scorer,
        (options.Scorer,),
    ),
    "store": Key(
        'a file beside the settings, as in store = "scores.sqlite"',
        _store,
        (options.Store, options.StoreFile),
    ),
    "workers": Key("a whole number from 1 on, as in workers = 4", _workers, (options.Workers,)),
    "time-limit": Key("seconds from 0.1 on, as in time-limit = 60", _seconds, (options.TimeLimit,)),
    "memory-limit": Key(_SIZE.format("memory-limit"), _quantity(bytes_of), (options.MemoryLimit,)),
    "max-params": Key(_COUNT.format("max-params"), _quantity(count_of), (options.MaxParams,)),
    "max-macs": Key(_COUNT.format("max-macs"), _quantity(count_of), (options.MaxMacs,)),
    "max-memory": Key(_SIZE.format("max-memory"), _quantity(bytes_of), (options.MaxMemory,)),
}
