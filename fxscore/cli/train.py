"""`fxscore train`: train a scorer on benchmark tables, resumably, and measure it on cells that it did not see."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fxscore.cli import arguments, options, output
from fxscore.provenance import command_line

if TYPE_CHECKING:
    from fxscore.train.plan import TrainingPlan

INTERRUPTED = 130
GENERAL = "general"  # in the place of spaces: the shipped scorer
EPILOG = (
    "Examples:\n\n"
    "  fxscore train nasbench201 --data tables/ --out mine.safetensors\n\n"
    "  fxscore train nasbench201 --data tables/ --cells 100 --samples 100 --steps 200 --out few.safetensors\n\n"
    "  fxscore train nasbench201 nasbench_macro --schedule accumulate --data tables/ --out both.safetensors\n\n"
    "  fxscore train --ensemble one.safetensors two.safetensors --data tables/ --out all.safetensors\n\n"
    "  fxscore train general --data tables/ --more-data benchmarks/tables --out general.safetensors\n\n"
    "  fxscore rank zoo/*.py --scorer mine.safetensors\n\n"
    "The state of the run lies beside the scorer's file until it is done; the same command goes on from there."
)

Spaces = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SPACE",
        help="Search spaces to train on; with --ensemble, trained scorers by name or file.",
        show_default="those of the plan",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("train", epilog=EPILOG)(train)


def train(
    spaces: Spaces = None,
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the benchmark tables lie.")] = Path(),
    more_data: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Further folders of tables, for general.", show_default=False),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The scorer's file; its name is the scorer's.")
    ] = Path("scorer.safetensors"),
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A plan in JSON; options override it.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPACE=LABEL",
            help="Labels to train on.",
            show_default="validation accuracy where there is one",
        ),
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Architectures drawn from each table; 0 leaves a tenth to measure on, 1,000 at most.",
            show_default="0",
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=2, help="Architectures in one listwise step.", show_default="64")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps.", show_default="496")] = None,
    schedule: Annotated[
        Literal["iterate", "accumulate"] | None,
        typer.Option(help="One space a step in turn, or all in every step.", show_default="iterate"),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="Share of the cells kept for validation.", show_default="0.05"),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="Adam's learning rate.", show_default="0.001")
    ] = None,
    averaging: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Decay of the average of weights; 0 keeps the last.", show_default="0"
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=2, help="Images in the input-like tensor.", show_default="16")
    ] = None,
    resolution: Annotated[
        int | None, typer.Option(min=4, help="Height and width of the stored input.", show_default="16")
    ] = None,
    kernel_size: Annotated[
        int | None, typer.Option(min=1, help="Size of the kernel's maps.", show_default="3")
    ] = None,
    v_norm: Annotated[
        bool | None,
        typer.Option(
            "--v-norm/--no-v-norm", help="Unitise by measured factors, or Kaiming.", show_default="--v-norm"
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of split, samples and start.", show_default="0")] = None,
    without_families: options.WithoutFamilies = None,
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble",
            help="Weigh trained scorers on the validation part of the draw, instead of training one.",
        ),
    ] = False,
    test: Annotated[int, typer.Option(min=0, help="Cells left out to measure on; 0 takes all.")] = 1000,
    validate_every: Annotated[
        int, typer.Option(min=1, help="Steps between looks at the validation part.")
    ] = 10,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Train a scorer on benchmark tables, and measure it on cells that it did not see."""
    read = arguments.files(plan, *(spaces or [] if ensemble else []))
    output.prepare(verbose, log_file, out, inputs=read)
    given = {
        "cells": cells,
        "samples": samples,
        "steps": steps,
        "schedule": schedule,
        "validation": validation,
    }
    given |= {"without_families": without_families}
    given |= {"learning_rate": learning_rate, "averaging": averaging, "seed": seed}
    shape = None if resolution is None else (3, resolution, resolution)
    settings = {"batch": batch, "input_shape": shape, "kernel_size": kernel_size, "v_norm": v_norm}
    if spaces == [GENERAL]:
        make_general([data, *(more_data or [])], out)
        return
    if ensemble:
        fit_together(plan, spaces or [], label or [], given, data, out, test)
        return
    chosen = combine(plan, tuple(spaces or ()), label or [], given, settings)

    run(chosen, data, out, test, validate_every)


def run(plan: TrainingPlan, data: Path, out: Path, test: int, validate_every: int) -> None:
    """Train, measure and write the scorer's file; an interruption loses nothing."""
    from fxscore.cli.train_progress import report, show_steps
    from fxscore.train.run import TrainingRun

    console, training = output.console(stderr=True), TrainingRun(plan, data, out, validate_every)
    try:
        with show_steps(console, training.trainer) as show:
            for step in training.trainer.run():
                show(step)
    except KeyboardInterrupt:
        done = training.trainer.state.step
        console.print(f"interrupted after step {done}; the same command goes on", highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    report(console, training.finish(test, {"command": command(data)}), out)


def make_general(folders: list[Path], out: Path) -> None:
    """Make the general scorer; features of networks are kept in the store, so that the same command goes on."""
    from fxscore.run import Where
    from fxscore.train.general.make import make

    console = output.console(stderr=True)
    make(
        folders,
        out,
        Where(),
        {"command": command(folders[0])},
        lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True),
    )
    console.print(f"written to {out}", highlight=False, markup=False, soft_wrap=True)


def fit_together(
    plan: Path | None,
    members: list[str],
    labels: list[str],
    given: dict[str, Any],
    data: Path,
    out: Path,
    test: int,
) -> None:
    """Fit an ensemble on the spaces of a plan, or on all that its members were trained on."""
    if not members:
        raise typer.BadParameter("name the trained scorers: fxscore train --ensemble A.safetensors …")
    chosen = combine(plan, (), labels, given, {})
    same_draw = plan is None and all(given[name] is None for name in ("cells", "validation", "seed"))

    from fxscore.cli.train_progress import report
    from fxscore.train.weigh import weigh

    base, about = chosen if plan else replace(chosen, spaces=()), {"command": command(data)}
    ensemble, measured = weigh(base, members, data, out, test, same_draw=same_draw, about=about)
    console = output.console(stderr=True)
    for member, weight in zip(ensemble.members, ensemble.weights.tolist(), strict=True):
        console.print(f"weight {weight:.3f} {member.name}", highlight=False, markup=False)
    report(console, measured, out)


def command(data: Path) -> str:
    """The command that is running, with one name for the folder of the tables wherever it lies."""
    words = ["TABLES" if word == str(data) else word for word in sys.argv[1:]]
    return command_line("fxscore", (word.replace(f"--data={data}", "--data=TABLES") for word in words))


def combine(
    plan: Path | None,
    spaces: tuple[str, ...],
    labels: list[str],
    given: dict[str, Any],
    settings: dict[str, Any],
) -> TrainingPlan:
    """The plan of a file, or the default one, with the options that were given."""
    from fxscore.train.plan import TrainingPlan

    base = TrainingPlan() if plan is None else TrainingPlan.read(plan)
    if not all(space and name for space, _, name in (text.partition("=") for text in labels)):
        raise typer.BadParameter("write --label SPACE=LABEL, such as nasbench201=cifar10.valid")
    given = {**_given(given), "settings": replace(base.settings, **_given(settings))}
    if spaces:
        given["spaces"] = spaces
    if labels:
        given["labels"] = {**base.labels, **dict(text.split("=", 1) for text in labels)}
    return replace(base, **given)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
