"""Options that several commands share, each with the sentence that explains it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from fxscore.cli import arguments
from fxscore.report.rows import SortKey
from fxscore.types import Place

MODEL_HELP = (
    "What to score: a Python file with build() and INPUT_SHAPE (zoo/vit.py, nets.py:build_small), timm:NAME, "
    "torchvision:NAME, a space (nasbench201:CELL), package.module:callable, or an exported program (net.pt2). "
    "timm and torchvision names may hold wildcards, in quotes. Keyword arguments follow in braces: "
    "'timm:resnet50{\"num_classes\": 10}'. "
    "Python files, packages and exported programs run their code; scorer files and stores run none."
)

Models = Annotated[list[str], typer.Argument(metavar="MODEL", help=MODEL_HELP, show_default=False)]
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP, show_default=False)]
Scorer = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="A shipped scorer (see `fxscore scorers`) or a checkpoint file.",
        autocompletion=arguments.scorers,
        show_default="the shipped default",
    ),
]
# Any: the value is a tuple, which typer would read as several values; the parser makes it from one.
WithoutFamilies = Annotated[
    Any,
    typer.Option(
        "--without-families",
        metavar="NAME,…",
        parser=arguments.names,
        help="Families to leave out, in spaces that have them (`wild`, timm, torchvision).",
        show_default=False,
    ),
]
InputShape = Annotated[
    Any,
    typer.Option(
        metavar="C,H,W",
        parser=arguments.shape,
        help="Shape of one input without the batch.",
        show_default="the model's own, else 3,224,224",
    ),
]
Sort = Annotated[
    SortKey,
    typer.Option(help="Order of the rows; score and published from the best, others from the smallest."),
]


def _limit(what: str, example: str, parser: Callable[[str], float]) -> Any:
    help_text = f"{what} at most, such as {example}; decided before anything is scored."
    return typer.Option(metavar="NUMBER", parser=parser, help=help_text, show_default="no limit")


MaxParams = Annotated[Any, _limit("Parameters", "25M", arguments.count)]
MaxMacs = Annotated[Any, _limit("Multiply-accumulates of one image", "5G", arguments.count)]
MaxMemory = Annotated[
    Any, _limit("Bytes of one forward of one image (parameters and tensors)", "512M", arguments.size)
]
Top = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Show the first N rows only.", show_default="all")
]
PretrainedOnly = Annotated[
    bool,
    typer.Option("--pretrained-only", help="Of timm and torchvision, only what they publish weights for."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes, one thread each.", show_default="one per core")
]
TimeLimit = Annotated[
    float | None,
    typer.Option(min=0.1, metavar="SECONDS", help="Longest time for one network.", show_default="600"),
]
MemoryLimit = Annotated[
    Any,
    typer.Option(
        metavar="SIZE",
        parser=arguments.size,
        help="Largest memory of one worker, such as 4G.",
        show_default="no limit",
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The store of results; what is in it is not computed again.",
        show_default="in the user's cache folder",
    ),
]
StoreFile = Annotated[
    Path | None,
    typer.Option("--store", metavar="FILE", help="The store.", show_default="in the user's cache folder"),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Neither read nor write stored results.")]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Use a Dask cluster, tcp://HOST:PORT or tls://HOST:PORT, or `local` (needs fxscore[cluster]).",
        show_default="this machine",
    ),
]
WorkerWait = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        help="How long a cluster may be without workers before the run ends with what is done.",
        show_default="60",
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        metavar="[FILE]",
        help="Write JSON to a file; alone or with `-`, to stdout instead of the table.",
        show_default=False,
    ),
]
Csv = Annotated[
    str | None,
    typer.Option(
        metavar="[FILE]",
        help="Write CSV to a file; alone or with `-`, to stdout instead of the table.",
        show_default=False,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write a report to look at: one HTML file with tables and plots, which works offline.",
        show_default=False,
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Log what is done, and show the traceback of an error.")
]
LogFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Append the full log to a file.", show_default=False)
]


HERE: Place = {}
_WHERE = {
    "workers": Workers,
    "time_limit": TimeLimit,
    "memory_limit": MemoryLimit,
    "store": Store,
    "no_store": NoStore,
    "cluster": Cluster,
    "worker_wait": WorkerWait,
}


def placed(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `where` is given by the options of `Place`, which stand in its place."""

    @wraps(command)
    def run(**given: Any) -> None:
        command(where={name: given.pop(name) for name in _WHERE}, **given)

    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters += _where_parameters(parameter) if parameter.name == "where" else [parameter]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _where_parameters(where: inspect.Parameter) -> list[inspect.Parameter]:
    return [
        where.replace(name=name, annotation=option, default=False if name == "no_store" else None)
        for name, option in _WHERE.items()
    ]
