"""`fxscore store`: look into the store of results, export it, make it smaller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fxscore.cli import options, output
from fxscore.cli.arguments import STDOUT

if TYPE_CHECKING:
    from fxscore.run.store_tools import StoreInfo


def register(app: typer.Typer) -> None:
    """Add the group of commands to the application."""
    group = typer.Typer(
        help="Look into the store of results, export it, or make it smaller.",
        epilog="Examples:\n\n  fxscore store info\n\n  fxscore store export results.csv\n\n"
        "  fxscore store prune --errors",
        no_args_is_help=True,
    )
    group.command("info")(info)
    group.command(
        "export", epilog="Examples:\n\n  fxscore store export | head\n\n  fxscore store export a.jsonl"
    )(export)
    group.command(
        "prune",
        epilog="Examples:\n\n  fxscore store prune --other-versions\n\n"
        "  fxscore store prune --older-than 90 --errors",
    )(prune)
    app.add_typer(group, name="store")


def info(store: options.StoreFile = None) -> None:
    """What the store holds, for each scorer; the whole file is checked for damage."""
    from fxscore.run import default_store_path, store_info

    show(store_info(store or default_store_path()))


def show(found: StoreInfo) -> None:
    """Print one line for the file and a table of its contents."""
    from fxscore.report.store import contents_table

    console = output.console()
    networks = sum(context.networks for context in found.contexts)
    line = f"{found.path}: {networks} networks, {found.size / 2**20:.1f} MiB"
    console.print(line, highlight=False, markup=False, soft_wrap=True)
    if found.contexts:
        console.print(contents_table(found.contexts))


def export(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .csv or .jsonl file; `-` is stdout.")
    ] = STDOUT,
    store: options.StoreFile = None,
    form: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option(
            "--format", help="CSV, or one JSON object a line.", show_default="by the file's name, else csv"
        ),
    ] = None,
) -> None:
    """Write every record of the store as a row."""
    from fxscore.run import default_store_path, export_store
    from fxscore.run.store_file import connect

    path = store or default_store_path()
    connect(path, create=False).close()  # a store that cannot be read leaves no empty file behind
    kind = form or ("jsonl" if file.endswith((".jsonl", ".ndjson")) else "csv")
    if file == STDOUT:
        export_store(path, sys.stdout, kind)
        return
    output.check_targets(file, inputs=[path])
    with Path(file).open("w", encoding="utf-8", newline="") as stream:
        rows = export_store(path, stream, kind)
    typer.echo(f"{rows} records written to {file}", err=True)


def prune(
    other_versions: Annotated[
        bool,
        typer.Option(
            "--other-versions", help="Records of other versions of fxscore, which this one never reads."
        ),
    ] = False,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Records older than this.", show_default=False)
    ] = None,
    scorer: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Records of this scorer, as `info` names it.", show_default=False),
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Records without a score.")] = False,
    store: options.StoreFile = None,
) -> None:
    """Remove the records that meet any of the conditions given."""
    from fxscore.run import default_store_path, package_version, prune_store

    removed = prune_store(
        store or default_store_path(),
        keep_package=package_version() if other_versions else None,
        older_than_days=older_than,
        scorer=scorer,
        errors=errors,
    )
    typer.echo(f"{removed} records removed")
