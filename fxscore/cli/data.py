"""`fxscore data`: the official benchmark files: list them, download them, or say how to get them by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fxscore.cli import options, output
from fxscore.cli.arguments import STDOUT

if TYPE_CHECKING:
    from fxscore.spaces.official import OfficialFile

EPILOG = (
    "Examples:\n\n"
    "  fxscore data\n\n"
    "  fxscore data nasbench101 nasbench_macro\n\n"
    "  fxscore data nds --folder tables/\n\n"
    "  fxscore data timm-results --file results-imagenet.csv\n\n"
    "Scoring and ranking need none of them. Exit codes: 0 all there, 2 one could not be had (says why, or how)."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("data", epilog=EPILOG)(data)


def data(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Benchmarks to download; without one they are listed."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where they lie.", show_default="in the user's cache folder"),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="timm's results, results-imagenet.csv, where it is on this machine already: read and kept, nothing is "
            "downloaded.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = None,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """List the official benchmark files, or download some."""
    output.prepare(verbose, log_file, json)
    from fxscore.cli.progress import DownloadBar
    from fxscore.spaces.downloads import download
    from fxscore.spaces.official import official_file, official_files

    if file is not None:
        typer.echo(str(_kept(names, file, folder)))
        return
    if not names:
        show(official_files(), folder, json)
        return
    entries = [official_file(name) for name in names]
    if folder is not None:
        output.check_targets(*(folder / name for name in dict.fromkeys(entry.file for entry in entries)))
    for entry in entries:
        with DownloadBar(entry.file, output.console(stderr=True)) as progress:
            path = download(entry, folder, progress)
        typer.echo(str(path))


def _kept(names: list[str] | None, file: Path, folder: Path | None) -> Path:
    from fxscore.errors import UsageError
    from fxscore.published.accuracies import TIMM_RESULTS, keep_timm_results

    if names != [TIMM_RESULTS]:
        raise UsageError(f"--file goes with one name: fxscore data {TIMM_RESULTS} --file FILE")
    return keep_timm_results(file, folder)


def show(files: tuple[OfficialFile, ...], folder: Path | None, json: str | None) -> None:
    """Print all files as a table or JSON."""
    from dataclasses import asdict
    from json import dumps

    from fxscore.report.benchmarks import files_table
    from fxscore.spaces.official import local_path

    places = {entry.name: local_path(entry, folder) for entry in files}
    if json is not None:
        objects = [{**asdict(entry), "path": _text(places[entry.name])} for entry in files]
        output.write(dumps(objects, indent=2) + "\n", json)
    if json != STDOUT:
        output.console().print(files_table(files, places))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
