"""All ranking tasks of folders of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fxscore.errors import SpaceError
from fxscore.evaluate.published_tasks import published_tasks
from fxscore.evaluate.space_tasks import SPACE_TABLES, space_tasks
from fxscore.evaluate.task import RankingTask, TaskTable
from fxscore.published.tables import TABLES


def task_tables(folders: Sequence[Path], only: Sequence[str] = ()) -> Iterator[TaskTable]:
    """What each known table gives that lies in one of the folders, and torchvision's accuracies.

    Args:
        folders: looked through in this order for each table.
        only: names of tables; all where empty.

    Raises:
        SpaceError: no such folder, a name that no table has, or a file that is wrong, cut short or foreign.
    """
    _check(folders, only)
    for entry in SPACE_TABLES:
        path = _find(entry.file, folders)
        if path is not None and (not only or entry.space in only):
            yield space_tasks(entry, path)
    for published in TABLES:
        path = _find(published.file, folders)
        if path is not None and (not only or published.name in only):
            yield published_tasks(published, path)


def all_tasks(folders: Sequence[Path], only: Sequence[str] = ()) -> list[RankingTask]:
    """Every task of `task_tables`, each of ten networks or more."""
    return [task for table in task_tables(folders, only) for task in table.tasks]


def table_names() -> tuple[str, ...]:
    """The names of all tables that are known."""
    return (*(entry.space for entry in SPACE_TABLES), *(entry.name for entry in TABLES))


def _check(folders: Sequence[Path], only: Sequence[str]) -> None:
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise SpaceError(
            f"there is no folder {missing[0]}; `fxscore data` says where benchmark tables come from"
        )
    if unknown := sorted(set(only) - set(table_names())):
        raise SpaceError(f"no table {', '.join(unknown)}; there are {', '.join(table_names())}")


def _find(file: str, folders: Sequence[Path]) -> Path | None:
    if not file:
        return Path()  # torchvision's own
    return next((folder / file for folder in folders if (folder / file).exists()), None)
