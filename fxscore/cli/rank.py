"""`fxscore rank`: score many networks and print them from the best to the worst."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fxscore.cli import arguments, options, output
from fxscore.cli.arguments import STDOUT
from fxscore.cli.expand import expand
from fxscore.errors import WorkerError
from fxscore.report.rows import SortKey
from fxscore.types import Place, Ranking

INTERRUPTED = 130
EPILOG = (
    "Examples:\n\n"
    "  fxscore rank zoo/*.py\n\n"
    "  fxscore rank 'timm:resnet*' torchvision:vit_b_16 --sort params\n\n"
    "  fxscore rank nets.py:small nets.py:large --input-shape 3,64,64 --time-limit 30\n\n"
    "  fxscore rank 'timm:*' --max-macs 5G --max-params 25M --top 10\n\n"
    "  fxscore rank zoo/*.py --json results.json --csv results.csv --report results.html\n\n"
    "A network that cannot be scored becomes a row with its error; the others are ranked. "
    "Exit codes: 0 all scored, 1 some networks failed, 2 wrong usage or nothing could be done, "
    "130 interrupted."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("rank", epilog=EPILOG)(options.placed(rank))


def rank(
    models: options.Models,
    scorer: options.Scorer = None,
    input_shape: options.InputShape = None,
    max_params: options.MaxParams = None,
    max_macs: options.MaxMacs = None,
    max_memory: options.MaxMemory = None,
    sort: options.Sort = "score",
    top: options.Top = None,
    json: options.Json = None,
    csv: options.Csv = None,
    report: options.Report = None,
    drawn: Annotated[
        int,
        typer.Option(
            min=0, help="Of how many of the best networks the report shows operators and a drawing."
        ),
    ] = 10,
    where: Place = options.HERE,
    pretrained_only: options.PretrainedOnly = False,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Score networks without training them, and rank them.

    Each file runs in a worker process with a time limit, so a broken one spoils nothing but its own row.
    """
    read = arguments.files(*models, scorer, where["store"])
    output.prepare(verbose, log_file, json, csv, report, inputs=read)
    refs = expand(models, pretrained_only)
    from fxscore.cli.progress import RankingProgress
    from fxscore.ranking import rank as rank_networks

    with RankingProgress(len(refs), output.console(stderr=True)) as progress:
        try:
            ranking = rank_networks(
                refs,
                scorer=scorer,
                input_shape=input_shape,
                watcher=progress,
                max_params=max_params,
                max_macs=max_macs,
                max_memory=max_memory,
                **where,
            )
            code, ended = 1 if ranking.failures else 0, ""
        except KeyboardInterrupt:
            ranking, code, ended = Ranking.of(progress.records), INTERRUPTED, "interrupted"
        except WorkerError as error:
            if not progress.records:
                raise
            ranking, code, ended = Ranking.of(progress.records), 1, str(error)
    page = [] if report is None else [partial(_write_report, ranking, report, scorer, drawn)]
    if not show(ranking, sort, json, csv, top, page):
        code = code or 1
    if ended:
        kept = "" if where["no_store"] else "; the same command goes on from there"
        typer.echo(f"fxscore: {ended}, {len(ranking)} of {len(refs)} networks done{kept}", err=True)
    raise typer.Exit(code)


def show(
    ranking: Ranking,
    sort: SortKey,
    json: str | None,
    csv: str | None,
    top: int | None = None,
    further: Sequence[Callable[[], object]] = (),
) -> bool:
    """Print the table, unless stdout is taken by JSON or CSV; write the files asked for. False if one failed."""
    from fxscore.report.files import ranking_csv, ranking_json
    from fxscore.report.table import print_ranking

    if STDOUT not in (json, csv):
        print_ranking(output.console(), ranking, sort=sort, top=top)
    forms = ((ranking_json, json), (ranking_csv, csv))
    asked = [
        partial(output.write, form(ranking, sort=sort, top=top), file)
        for form, file in forms
        if file is not None
    ]
    return output.written(*asked, *further)


def _write_report(ranking: Ranking, path: Path, scorer: str | None, drawn: int) -> None:
    """The networks that are drawn are built once more, in this process: their files have just been run."""
    from fxscore.cli.reporting import scorer_record, settings, write_page
    from fxscore.report.html.panels import network_detail
    from fxscore.report.html.ranking import ranking_page
    from fxscore.report.html.reasons import reasons_in
    from fxscore.scorer import load_scorer

    name, record = scorer_record(scorer)
    detail, why = network_detail(scorer), reasons_in(ranking, load_scorer(scorer))
    chosen = settings(scorer=name)
    page = ranking_page(ranking, chosen, scorer=record, why=why, detail=detail, details=drawn)
    write_page(page, path)
