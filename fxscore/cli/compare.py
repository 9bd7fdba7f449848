"""`fxscore compare`: which of some networks is better, how surely, and what speaks for each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fxscore.cli import arguments, options, output
from fxscore.cli.arguments import STDOUT
from fxscore.cli.expand import expand
from fxscore.errors import UsageError
from fxscore.types import Place

if TYPE_CHECKING:
    from fxscore.comparison import Comparison

EPILOG = (
    "Examples:\n\n"
    "  fxscore compare zoo/resnet.py zoo/vit.py\n\n"
    "  fxscore compare timm:resnet50 timm:convnext_tiny torchvision:vit_b_16 --report compared.html\n\n"
    "  fxscore compare nets.py:small nets.py:large --input-shape 3,64,64 --json\n\n"
    "Exit codes: 0 compared, 1 a network failed, 2 wrong usage or nothing could be done."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("compare", epilog=EPILOG)(options.placed(compare))


def compare(
    models: options.Models,
    scorer: options.Scorer = None,
    input_shape: options.InputShape = None,
    json: options.Json = None,
    report: options.Report = None,
    where: Place = options.HERE,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Say which network is better, with what probability, what speaks for each, and what would settle it."""
    read = arguments.files(*models, scorer, where["store"])
    output.prepare(verbose, log_file, json, report, inputs=read)
    refs = expand(models, False)
    if len(refs) < 2:
        raise UsageError("a comparison takes two networks at least: fxscore compare A B")
    from json import dumps

    from fxscore.comparing import compare as compared
    from fxscore.report.comparison import print_comparison

    found = compared(*refs, scorer=scorer, input_shape=input_shape, **where)
    if json != STDOUT:
        print_comparison(output.console(), found)
    if json is not None:
        output.write(dumps(found.as_dict(), indent=2, ensure_ascii=False) + "\n", json)
    complete = report is None or output.written(partial(_write_report, found, report, scorer))
    raise typer.Exit(1 if found.ranking.failures or not complete else 0)


def _write_report(found: Comparison, path: Path, scorer: str | None) -> None:
    from fxscore.cli.reporting import scorer_record, settings, write_page
    from fxscore.report.html.comparison import comparison_page
    from fxscore.report.html.panels import network_detail
    from fxscore.report.html.reasons import reasons_in
    from fxscore.scorer import load_scorer

    name, record = scorer_record(scorer)
    why = reasons_in(found.ranking, load_scorer(scorer), found.verdicts)
    page = comparison_page(
        found, settings(scorer=name), scorer=record, why=why, detail=network_detail(scorer)
    )
    write_page(page, path)
