"""The commands of `fxscore plot` that draw what other commands wrote; nothing is scored and no network is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from fxscore.cli import arguments, options
from fxscore.cli.plot.pictures import Picture, prepare, told

_Json = typer.Argument(
    metavar="JSON...", help="What rank, evaluate or fit wrote with --json.", show_default=False
)
Jsons = Annotated[list[Path], _Json]


def register(group: typer.Typer) -> None:
    """Add the commands to the group."""
    examples: dict[Callable[..., None], tuple[str, ...]] = {
        pareto: ("runs/zen", "ranking.json --cost macs -o front.pdf"),
        convergence: ("runs/zen runs/zen/random -o convergence.svg",),
        scores: ("evaluation.json", "fit.json -o scores.pdf"),
        matrix: ("evaluation.json", "general.json naswot.json synflow.json"),
        curve: ("nasbench201", "fit.json", "one.safetensors other.safetensors"),
        calibration: ("", "general -o calibration.pdf"),
    }
    for command, ways in examples.items():
        name = command.__name__
        lines = "\n\n".join(f"  fxscore plot {name} {way}".rstrip() for way in ways)
        group.command(name, epilog=f"Examples:\n\n{lines}")(command)


def pareto(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|JSON", help="A search's folder, or a ranking's JSON.", show_default=False
        ),
    ],
    cost: Annotated[
        Literal["params", "macs"], typer.Option(help="What a ranking's scores are drawn against.")
    ] = "params",
    out: Picture = Path("pareto.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw score against cost, with the Pareto front.

    Of a search, or of a ranking.
    """
    prepare(out, verbose, log_file, source)
    from fxscore.report.recorded import read_front
    from fxscore.report.search.plots import plot_pareto
    from fxscore.searching.kept import read_search

    if source.suffix.lower() == ".json":
        ranked, others = read_front(source, cost)
        if others:
            typer.echo(f"fxscore: {ranked.name} alone; {others} networks take other inputs", err=True)
        plot_pareto(ranked, None, out, title=f"Ranking of {ranked.name}")
    else:
        plot_pareto(read_search(source), None, out)
    told(out)


def convergence(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Of searches.", show_default=False)
    ],
    out: Picture = Path("convergence.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw how searches came to their best score.

    The highest score so far by number of networks scored, a line for each search.
    """
    prepare(out, verbose, log_file, *folders)
    from fxscore.report.search.plots import plot_convergence
    from fxscore.searching.kept import read_search

    plot_convergence({str(folder): read_search(folder) for folder in folders}, out)
    told(out)


def scores(
    files: Jsons,
    out: Picture = Path("scores.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw score against accuracy, with margins.

    The margins show how both are spread. Accuracies are those of a benchmark (evaluate), of your own networks (fit), or
    of published weights (rank).
    """
    prepare(out, verbose, log_file, *files)
    from fxscore.errors import UsageError
    from fxscore.report.plots import plot_scores
    from fxscore.report.recorded import read_scores

    drawn = [known for each in read_scores(files) if (known := each.labelled())]
    if not drawn:
        raise UsageError(
            f"{', '.join(map(str, files))}: fewer than two networks have both a score and an accuracy; "
            "`fxscore evaluate` and `fxscore fit` write both"
        )
    plot_scores(drawn, out)
    told(out)


def matrix(
    files: Jsons,
    out: Picture = Path("matrix.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw how alike scorers rank, as a heat map.

    Spearman's ρ of scorer with scorer, over the same networks.
    """
    prepare(out, verbose, log_file, *files)
    from fxscore.errors import UsageError
    from fxscore.evaluate.cross_space import score_matrix
    from fxscore.report.plots import plot_score_matrix
    from fxscore.report.recorded import read_scores

    populations = read_scores(files)
    names = list(dict.fromkeys(name for each in populations for name in each.scores))
    if len(names) < 2:
        raise UsageError(
            f"all scores are by {names[0]}; give an evaluation of several scorers, or a ranking by each"
        )
    plot_score_matrix(score_matrix({each.name: each.scores for each in populations}, names, names), out)
    told(out)


def curve(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SCORER|JSON...", help="Scorers, or fits' JSON files.", show_default=False),
    ],
    out: Picture = Path("curve.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw learning curves of trained scorers.

    ρ by training step (train), or by number of networks learned from (fit).
    """
    prepare(out, verbose, log_file, *sources)
    from fxscore.report.learned import read_curve
    from fxscore.report.plots import plot_curves

    plot_curves([read_curve(source) for source in sources], out)
    told(out)


def calibration(
    scorer: Annotated[
        str,
        typer.Argument(
            metavar="[SCORER]", help="A scorer that knows its calibration.", autocompletion=arguments.scorers
        ),
    ] = "general",
    out: Picture = Path("calibration.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw how far probabilities came true.

    Those that a scorer gave pairs of networks, on origins that were left out.
    """
    prepare(out, verbose, log_file, scorer)
    from fxscore.report.learned import read_calibration
    from fxscore.report.plots import plot_calibration

    plot_calibration(read_calibration(scorer), out)
    told(out)
