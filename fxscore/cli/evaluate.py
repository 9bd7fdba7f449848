"""`fxscore evaluate`: how well scorers rank the networks of a benchmark, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fxscore.cli import arguments, options, output
from fxscore.cli.arguments import STDOUT
from fxscore.cli.plot.pictures import check_picture
from fxscore.errors import WorkerError
from fxscore.types import Place

if TYPE_CHECKING:
    from fxscore.evaluate import ScorerComparison
    from fxscore.evaluate.study import Study, Workplace

INTERRUPTED = 130
EPILOG = (
    "Examples:\n\n"
    "  fxscore evaluate nasbench201 --data tables/ --scorer nasbench201 --scorer naswot --label cifar100.test\n\n"
    "  fxscore evaluate torchvision --scorer activations --scorer params --plot agreement.svg\n\n"
    "  fxscore evaluate timm --data tables/ --scorer mine.safetensors --n 0 --json result.json\n\n"
    "  fxscore evaluate nasbench201 nasbench_macro --data tables/ --scorer nasbench201 --scorer params --n 200\n\n"
    "Several spaces give the matrix across spaces too, each by its first label, and how alike the scorers rank. "
    "Networks that a learned scorer was trained on are left out. All scorers are measured on the same networks. "
    "Scores are kept: a second run is instant, and an interrupted one goes on. "
    "Exit codes: 0 all scored, 1 some networks failed, 2 wrong usage or nothing could be done, 130 interrupted."
)

Scorers = Annotated[
    list[str] | None,
    typer.Option(
        "--scorer",
        metavar="NAME|FILE",
        help="A shipped or handcrafted scorer, or a file; may be repeated.",
        show_default="the shipped default, params and macs",
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="NAME", help="What to compare with; may be repeated.", show_default="test labels"
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|FOLDER",
        help="The benchmark's file, or a folder of benchmark tables (see `fxscore data`).",
        show_default="where `fxscore data` keeps them",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("evaluate", epilog=EPILOG)(options.placed(evaluate))


def evaluate(
    spaces: Annotated[
        list[str],
        typer.Argument(metavar="SPACE...", help="Search spaces, timm or torchvision.", show_default=False),
    ],
    data: Data = None,
    scorer: Scorers = None,
    label: Labels = None,
    n: Annotated[int, typer.Option("--n", min=0, help="Networks to draw; 0 takes all.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw and of the resamples.")] = 0,
    input_shape: options.InputShape = None,
    top: Annotated[float, typer.Option(min=0, max=1, help="Share that precision counts as the best.")] = 0.1,
    picks: Annotated[int, typer.Option(min=1, help="Networks chosen by score, for the regret.")] = 10,
    resamples: Annotated[int, typer.Option(min=0, help="Of the bootstrap; 0 gives no intervals.")] = 1000,
    by_family: Annotated[
        bool,
        typer.Option("--by-family/--by-network", help="Resample whole families (timm, torchvision)."),
    ] = True,
    with_seen: Annotated[
        bool, typer.Option("--with-seen", help="Keep networks that a scorer was trained on.")
    ] = False,
    without_families: options.WithoutFamilies = None,
    json: options.Json = None,
    csv: options.Csv = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw it: .png, .svg or .pdf. Scorer against scorer goes to FILE-scorers; of several spaces, FILE is "
            "the matrix across them, and FILE-SPACE each.",
            show_default=False,
        ),
    ] = None,
    report: options.Report = None,
    where: Place = options.HERE,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Measure how well scorers rank the networks of a benchmark table, against published accuracies."""
    if plot is not None:
        check_picture(plot)
    picture = None if plot is None else str(plot)
    read = arguments.files(data, *(scorer or []), where["store"])
    output.prepare(verbose, log_file, json, csv, picture, report, inputs=read)
    from fxscore.evaluate import Measures
    from fxscore.evaluate.study import choose, named, require_labels
    from fxscore.scorer import DEFAULT_SCORER
    from fxscore.spaces.official import data_folder

    scorers = named(scorer or [DEFAULT_SCORER, "params", "macs"])
    folder, labels = data or data_folder(), label or []
    studies = {
        space: choose(space, folder, scorers, n, seed, with_seen, without_families or ()) for space in spaces
    }
    require_labels(studies, labels)
    try:
        with _workplace(studies, scorers, where) as place:
            measures = Measures(top, picks, resamples, seed=seed)
            found = {
                space: study.measure(scorers, measures, labels, by_family, place, input_shape)
                for space, study in studies.items()
            }
    except KeyboardInterrupt:
        typer.echo("fxscore: interrupted; the same command goes on from what is done", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except WorkerError as error:
        raise WorkerError(f"{error}; the same command goes on from what is done") from error
    shown = show(found, scorers, json, csv, plot, report)
    failed = any(any(each.failures.values()) for each in found.values())
    raise typer.Exit(1 if failed or not shown else 0)


@contextmanager
def _workplace(studies: Mapping[str, Study], scorers: Mapping[str, str], where: Place) -> Iterator[Workplace]:
    """Worker processes, the store and a progress bar."""
    from fxscore.cli.progress import RankingProgress
    from fxscore.run import Where

    place = Where(**where)
    total = sum(len(study.population) for study in studies.values()) * len(scorers)
    watching = RankingProgress(total, output.console(stderr=True))
    with place.executor() as executor, place.opened_store() as store, watching as watcher:
        yield {"executor": executor, "store": store, "watcher": watcher}


def show(
    found: Mapping[str, ScorerComparison],
    scorers: Mapping[str, str],
    json: str | None,
    csv: str | None,
    plot: Path | None,
    report: Path | None = None,
) -> bool:
    """Print the tables, unless stdout is taken by JSON or CSV; write the files asked for. False if one failed."""
    from fxscore.evaluate.study import across
    from fxscore.report.evaluation_files import comparison_csv, comparison_json
    from fxscore.report.evaluation_table import print_across, print_comparison

    comparisons = list(found.values())
    if STDOUT not in (json, csv):
        for comparison in comparisons:
            print_comparison(output.console(), comparison)
        if len(found) > 1:
            print_across(output.console(), *across(found, scorers))
    forms = ((comparison_json, json), (comparison_csv, csv))
    asked = [partial(output.write, form(*comparisons), file) for form, file in forms if file is not None]
    pictures = [] if plot is None else [partial(_draw, found, scorers, plot)]
    pages = [] if report is None else [partial(_write_report, comparisons, scorers, report)]
    return output.written(*asked, *pictures, *pages)


def _write_report(comparisons: Sequence[ScorerComparison], scorers: Mapping[str, str], path: Path) -> None:
    from fxscore.cli.reporting import settings, write_page
    from fxscore.report.html.evaluation import evaluation_page

    write_page(evaluation_page(comparisons, scorers, settings(scorers=", ".join(scorers))), path)


def _draw(found: Mapping[str, ScorerComparison], scorers: Mapping[str, str], path: Path) -> None:
    from fxscore.evaluate.study import across
    from fxscore.report.plots import plot_comparison, plot_cross_space, plot_score_matrix

    matrix, alike = across(found, scorers)
    if len(found) > 1:
        plot_cross_space(matrix, path)
    for space, comparison in found.items():
        plot_comparison(comparison, path.with_stem(f"{path.stem}-{space}") if len(found) > 1 else path)
    if len(scorers) > 1:
        plot_score_matrix(alike, path.with_stem(f"{path.stem}-scorers"))
