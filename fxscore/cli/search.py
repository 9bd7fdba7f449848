"""`fxscore search`: find networks of a space that score high and cost little."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fxscore.cli import arguments, options, output
from fxscore.types import Place

if TYPE_CHECKING:
    from fxscore.report.html import Panel
    from fxscore.searching import Evaluation, SearchResult

INTERRUPTED = 130
EPILOG = (
    "Examples:\n\n"
    "  fxscore search zen_resnet --max-params 1e6 --max-layers 18 --min-params 9e5 --out runs/zen\n\n"
    "  fxscore search zen_resnet --max-params 1e6 --population 512 --generations 100 --budget 51200 "
    "--out runs/paper\n\n"
    "  fxscore search nets.py:Plain --objective score --objective latency --out runs/plain --baseline\n\n"
    "  fxscore search zen_resnet --max-params 1e6 --out runs/zen --resume\n\n"
    "The folder holds front.csv and front.json, plots, and the chosen network as a drawing and as a Python file. "
    "Ctrl-C ends with the front so far; --resume goes on, to the same result as without the break. "
    "Exit codes: 0 found, 1 no network could be scored within the limits, 2 wrong usage, 130 interrupted."
)


def _limit(help_text: str) -> Any:
    return typer.Option(min=1, metavar="NUMBER", help=help_text, show_default="no limit")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("search", epilog=EPILOG)(options.placed(search))


def search(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE",
            help="A space (zen_resnet, nasbench201 …) or your own: nets.py:Class.",
            show_default=False,
        ),
    ],
    scorer: options.Scorer = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where history and results go.")] = Path(
        "runs/search"
    ),
    budget: Annotated[
        int | None,
        typer.Option(min=1, help="Networks to score at most.", show_default="as the generations need"),
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[min:|max:]NAME",
            help="score, params, macs, layers, activations, latency, or a proxy; give it once for each.",
            show_default="score and params",
        ),
    ] = None,
    max_params: options.MaxParams = None,
    max_macs: options.MaxMacs = None,
    max_layers: Annotated[float | None, _limit("Layers at most, as the space counts them.")] = None,
    min_params: Annotated[
        Any,
        typer.Option(
            metavar="NUMBER",
            parser=arguments.count,
            help="The chosen network has at least these.",
            show_default="0",
        ),
    ] = None,
    algorithm: Annotated[
        Literal["nsga2-de", "nsga2", "regularised-evolution", "random"],
        typer.Option(help="What proposes networks."),
    ] = "nsga2-de",
    cautious: Annotated[
        bool | None,
        typer.Option(
            "--cautious/--bold",
            help="Lower scores of networks far from the scorer's training, as far as it errs more there.",
            show_default="cautious where the scorer knows how far",
        ),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Networks of one generation.",
            show_default="512, the paper's, or a sixteenth of the budget",
        ),
    ] = None,
    generations: Annotated[
        int | None,
        typer.Option(
            min=1, help="Generations at most.", show_default="until the budget is used; without one 100"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the search in the folder.")] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Search at random too, for as many networks, and plot both.")
    ] = False,
    picture: Annotated[Literal["png", "svg", "pdf"], typer.Option(help="Format of the plots.")] = "png",
    report: options.Report = None,
    where: Place = options.HERE,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Search a space for networks that score high and cost little, without training any."""
    from fxscore.report.search.files import result_files

    written = (out / "history.jsonl", *result_files(out, picture), report)
    output.prepare(verbose, log_file, *written, inputs=arguments.files(space, scorer, where["store"]))
    shared: dict[str, Any] = {
        "scorer": scorer,
        "objectives": objective or ("score", "params"),
        "max_params": max_params,
        "max_macs": max_macs,
        "max_layers": max_layers,
        "cautious": cautious,
        "population": population,
        "seed": seed,
        "resume": resume,
        **where,
    }
    result = _search(space, budget, algorithm=algorithm, generations=generations, folder=out, **shared)
    chosen = _show(result, min_params or 0.0, out, picture)
    if report is not None:
        _write_report(result, chosen, report, scorer, where)
    interrupted = result.interrupted
    if baseline and result.front and not interrupted:
        interrupted = _compare(result, space, out, picture, shared)
    if interrupted:
        typer.echo("fxscore: interrupted; --resume goes on from here", err=True)
        raise typer.Exit(INTERRUPTED)
    if not result.front:
        raise typer.Exit(1)


def _search(
    space: str, budget: int | None, population: int | None, generations: int | None, **chosen: Any
) -> SearchResult:
    from fxscore.cli.search_progress import SearchProgress
    from fxscore.searching import search as run
    from fxscore.searching import sizes

    begun = chosen["folder"] if chosen["resume"] else None
    size = sizes(budget, population, generations, algorithm=chosen["algorithm"], begun=begun)
    ends_it = size.generations is not None and size.generations * size.population <= size.budget
    counted = size.generations if ends_it else None
    with SearchProgress(size.budget, output.console(stderr=True), counted) as progress:
        return run(space, **size._asdict(), watcher=progress, **chosen)


def _compare(result: SearchResult, space: str, out: Path, picture: str, shared: dict[str, Any]) -> bool:
    """Search at random for as many networks and plot both; whether it was interrupted."""
    from fxscore.report.search.plots import plot_convergence

    scored = sum(each.attempted for generation in result.history for each in generation)
    folder = out / "random"
    again = {
        **shared,
        "resume": (folder / "history.jsonl").exists(),
        "population": result.settings["population"],
    }
    against = _search(space, scored, generations=None, algorithm="random", folder=folder, **again)
    if not against.interrupted:
        path = out / f"convergence.{picture}"
        plot_convergence({"search": result, "random search": against}, path)
        typer.echo(f"wrote {path}", err=True)
    return against.interrupted


def _show(result: SearchResult, min_params: float, out: Path, picture: str) -> Evaluation | None:
    """Print the front and write the folder; returns the chosen network."""
    from fxscore.report.search.files import write_search
    from fxscore.report.search.table import print_search

    chosen = _chosen(result, min_params)
    print_search(output.console(), result, chosen)
    for path in write_search(result, chosen, out, picture=picture):
        typer.echo(f"wrote {path}", err=True)
    return chosen


def _write_report(
    result: SearchResult, chosen: Evaluation | None, path: Path, scorer: str | None, where: Place
) -> None:
    from fxscore.cli.reporting import scorer_record, settings, write_page
    from fxscore.report.html.searched import search_page

    panels = _panels(result, scorer, where)
    write_page(search_page(result, settings(), chosen, panels, scorer_record(scorer)[1]), path)


def _panels(result: SearchResult, scorer: str | None, where: Place) -> dict[str, Panel]:
    """All that is known of the best networks of the front, by genotype; what was scored comes from the store."""
    from fxscore.ranking import rank
    from fxscore.report.html.panels import DRAWN, named_panels

    best = sorted(result.front, key=lambda each: -each.values["score"])[:DRAWN]
    texts = {result.ref(each): each.text for each in best}
    found = named_panels(rank(list(texts), scorer=scorer, **where), scorer, texts)
    return {texts[ref]: panel for ref, panel in found.items()}


def _chosen(result: SearchResult, min_params: float) -> Evaluation | None:
    from fxscore.errors import SearchError

    try:
        return result.best(min_params=min_params)
    except SearchError as error:
        failed = result.failures
        why = f"{len(failed)} of {len(result.evaluations)} networks failed, the first with {failed[0].error}"
        typer.echo(f"fxscore: {error if result.front or not failed else why}", err=True)
        return None
