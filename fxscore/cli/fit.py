"""`fxscore fit`: a scorer fitted to one's own trained networks."""

from __future__ import annotations

import glob
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fxscore.cli import arguments, options, output
from fxscore.reading import is_file
from fxscore.types import ModelRef, Place

if TYPE_CHECKING:
    from fxscore.report.html import Panel
    from fxscore.train.fit import Fitted

INTERRUPTED = 130
EPILOG = (
    "The file is a CSV table with the columns model and accuracy; a model is anything that `fxscore rank` takes:\n\n"
    "  model,accuracy\n\n"
    "  timm:resnet18,71.2\n\n"
    "  nets.py:small,64.0\n\n"
    "Examples:\n\n"
    "  fxscore fit results.csv --out mine.safetensors\n\n"
    "  fxscore fit results.csv --json worth.json --report fit.html\n\n"
    "  fxscore rank nets/*.py --scorer mine.safetensors\n\n"
    "Networks that fail are listed and left out. What is found of the others is kept: a fit that was interrupted "
    "goes on. Exit codes: 0 fitted, 1 fitted without the networks that failed, 2 wrong usage or nothing could be done, "
    "130 interrupted."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("fit", epilog=EPILOG)(options.placed(fit))


def fit(
    results: Annotated[
        Path,
        typer.Argument(metavar="CSV", help="Networks and what they were trained to.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The scorer's file; its name is the scorer's.")
    ] = Path("fitted.safetensors"),
    kind: Annotated[
        Literal["hybrid", "ft", "both"],
        typer.Option(
            help="hybrid: a head over features, in a minute; ft: an FT-ScoreNet, trained for longer; both: a hybrid "
            "and new FT-ScoreNets, each trained on four fifths, which takes longest. The two train in this process, "
            "which runs the networks' code too, once a worker has come to its end with it."
        ),
    ] = "hybrid",
    start: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="The scorer that is built upon.", show_default="the shipped one"
        ),
    ] = None,
    input_shape: options.InputShape = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of training an FT-ScoreNet.", show_default="100; 200 of --kind both"),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=2, help="Networks in one step.", show_default="32; 16 of --kind both")
    ] = None,
    members: Annotated[
        int | None, typer.Option(min=1, help="FT-ScoreNets of --kind both.", show_default="3")
    ] = None,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="Of --kind ft and both: a learning curve too, by up to twelve further trainings. A hybrid has one.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of folds, learners and samples.")] = 0,
    json: options.Json = None,
    report: options.Report = None,
    where: Place = options.HERE,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Fit a scorer to 20 to 200 of your own trained networks, and say whether that was worth it.

    The figures are of networks that a fit did not see: beside those of the shipped scorer, parameters and MACs, and by
    the number of networks that it learned from. Scores of the fitted file come with probabilities, but for --kind ft.
    """
    if members is not None and kind != "both":
        raise typer.BadParameter("--members belongs to --kind both")
    if curve and kind == "hybrid":
        raise typer.BadParameter("--curve belongs to --kind ft and both; a hybrid has its learning curve")
    if kind == "hybrid" and (steps or samples):
        raise typer.BadParameter(
            "--steps and --samples belong to --kind ft and both; a hybrid takes no steps"
        )
    output.prepare(verbose, log_file, out, json, report, inputs=arguments.files(results, where["store"]))
    asked = {
        "kind": kind,
        "start": Path(start) if start and is_file(Path(start)) else start,
        "input_shape": input_shape,
        "members": members or 3,
        "steps": steps,
        "samples": samples,
        "curve": curve,
        "seed": seed,
        **where,
    }
    try:
        complete = run(results, out, asked, report, json)
    except KeyboardInterrupt:
        typer.echo("fxscore: interrupted; the same command goes on from what is done", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(0 if complete else 1)


def run(
    file: Path, out: Path, asked: Mapping[str, Any], report: Path | None = None, json: str | None = None
) -> bool:
    """Fit to the networks of a file, tell how well, and write the scorer's file; False where some networks failed."""
    from json import dumps

    from fxscore.cli.fit_progress import show_fit, tell
    from fxscore.provenance import command_line, file_sha256
    from fxscore.train.fit import fit as fit_scorer
    from fxscore.train.fit.by_kind import training_steps
    from fxscore.train.results import read_results

    console, results = output.console(stderr=True), read_results(file)
    refs, accuracies = zip(*((result.ref, result.accuracy) for result in results), strict=True)
    kind, steps, members, curve = (asked[name] for name in ("kind", "steps", "members", "curve"))
    total = len(refs) + training_steps(kind, steps, members, curve, len(refs))
    with show_fit(console, total) as watch:
        fitted = fit_scorer(refs, accuracies, state=out, watch=watch, **asked)
    tell(console, results, fitted)
    about = {"table": file_sha256(file), "command": command_line("fxscore", sys.argv[1:])}
    fitted.save(out, {"trained_on": f"{fitted.record['trained_on']} of {file.name}", **about})
    for state in out.parent.glob(f"{glob.escape(out.name)}.{'[0-9a-f]' * 12}.state"):
        state.unlink()
    console.print(f"written to {out}", highlight=False, markup=False, soft_wrap=True)
    if json is not None:
        output.write(dumps(fitted.as_dict(), indent=2, ensure_ascii=False) + "\n", json)
    if report is not None:
        _write_report(fitted, report, out, refs, asked)
    return not fitted.failed


def _write_report(
    fitted: Fitted, path: Path, scorer: Path, refs: Sequence[ModelRef], asked: Mapping[str, Any]
) -> None:
    from fxscore.cli.reporting import settings, write_page
    from fxscore.report.html.fitting import fit_page

    write_page(fit_page(fitted, settings(seed=fitted.seed), _panels(fitted, scorer, refs, asked)), path)


def _panels(
    fitted: Fitted, scorer: Path, refs: Sequence[ModelRef], asked: Mapping[str, Any]
) -> dict[str, Panel]:
    """All that the fitted scorer knows of the best networks, by name; their features come from the store."""
    from fxscore.ranking import rank
    from fxscore.report.html.panels import DRAWN, named_panels

    best = sorted(fitted.used, key=lambda place: -fitted.networks[place][1])[:DRAWN]
    where = {name: asked[name] for name in Place.__annotations__ if name in asked}
    ranking = rank([refs[place] for place in best], scorer=scorer, input_shape=asked["input_shape"], **where)
    return {str(ref): panel for ref, panel in named_panels(ranking, scorer).items()}
