"""Inputs of `benchmarks.robustness` that need no worker: scorer files, result tables, references, modules.

Whatever they are, what comes of them is a result or an `FxScoreError`; anything else is a bad outcome.
"""

from __future__ import annotations

import json
import math
import os
import random
import string
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import fxscore
from fxscore.errors import FxScoreError
from fxscore.sources import expand, recipe_key
from fxscore.train.results import read_results
from fxscore.types import ModelRef

SHIPPED = Path(fxscore.__file__).parent / "scorer" / "weights" / "nasbench201.safetensors"


@dataclass
class Tried:
    """A class of inputs: how many were tried, how many were accepted, and what went wrong."""

    name: str
    inputs: int = 0
    accepted: int = 0
    bad: list[str] = field(default_factory=list)

    def check(self, label: str, attempt: Callable[[], str | None], *, refused: str = "") -> None:
        """Count one input; `attempt` says what is wrong with an accepted one, and may raise `FxScoreError`."""
        self.inputs += 1
        try:
            wrong = attempt()
        except FxScoreError as error:
            wrong = (
                None
                if str(error).replace("\n", "").isprintable()
                else f"an error that is not fit to print: {str(error)!a}"
            )
        except BaseException as error:  # noqa: BLE001  what a user would see as a traceback
            wrong = f"{type(error).__name__}: {error}"
        else:
            self.accepted += 1
        if wrong:
            self.bad.append(f"{label}: {wrong}"[:300])


def altered_scorers(count: int, seed: int = 0) -> Tried:
    """A shipped scorer's file with bytes changed, cut, doubled, or another header: refused, each of them."""
    tried, draw, content = Tried("altered scorer files"), random.Random(seed), SHIPPED.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder) / f"altered{number}.safetensors"
            path.write_bytes(_altered(content, draw))
            tried.check(path.name, lambda path=path: _loads(path))  # type: ignore[misc]
            path.unlink()
    return tried


def _loads(path: Path) -> str:
    fxscore.load_scorer(path)
    return "it was loaded"


def _altered(content: bytes, draw: random.Random) -> bytes:
    """Never equal to the content."""
    place = draw.randrange(len(content))
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    kind = draw.choice(["flip", "cut", "more", "swap", "zeros", "length", "header"])
    if kind == "flip":
        return content[:place] + bytes([content[place] ^ draw.randrange(1, 256)]) + content[place + 1 :]
    if kind == "cut":
        return content[:place]
    if kind == "more":
        return content + draw.randbytes(draw.randrange(1, 100))
    if kind == "swap":
        return content[place:] + content[:place] if place else content[:-1]
    if kind == "zeros":
        return (
            content[:place] + b"\0\1" + content[place + 2 :] if content[place : place + 2] != b"\0\1" else b""
        )
    if kind == "length":
        return draw.randrange(1 << draw.choice([8, 16, 40, 63])).to_bytes(8, "little") + content[8:-1]
    name = draw.choice([name for name in header if name != "__metadata__"])
    header[name] = _other_entry(header[name], draw)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def _other_entry(entry: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    shape = [draw.choice([0, -1, 1 << 40, size + 1]) for size in entry["shape"] or [1]]
    return draw.choice(
        [
            {**entry, "shape": shape},
            {**entry, "dtype": draw.choice(["F64", "I8", "BOOL", "X3"])},
            {**entry, "data_offsets": [draw.randrange(1 << 50), draw.randrange(1 << 50)]},
            {"shape": entry["shape"]},
        ]
    )


def tables(count: int, seed: int = 0) -> Tried:
    """Result tables in many dialects: read as they were written, or refused."""
    tried, draw = Tried("result tables (CSV)"), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder) / f"table{number}.csv"
            truth = [round(draw.uniform(1, 99), draw.randrange(3)) for _ in range(draw.randrange(8, 30))]
            path.write_bytes(_table(truth, draw))
            tried.check(path.name, lambda path=path, truth=truth: _reads(path, truth))  # type: ignore[misc]
    return tried


def _reads(path: Path, truth: list[float]) -> str | None:
    read = [result.accuracy for result in read_results(path)]
    return None if read == truth else f"{read[:4]} for {truth[:4]}"


def _table(truth: list[float], draw: random.Random) -> bytes:
    separator = draw.choice([",", ",", ";", "\t", "|"])
    comma, quoted, noted = draw.random() < 0.3, draw.random() < 0.5, draw.random() < 0.3
    columns = ["model", "accuracy"] + ["note"] * noted + ["accuracy"] * (draw.random() < 0.1)
    lines = [separator.join(columns)]
    for width, value in enumerate(truth):
        number = str(value).replace(".", ",") if comma else str(value)
        cells = [
            f"nasbench_macro:{width // 9}{width // 3 % 3}{width % 3}00000",
            f'"{number}"' if quoted else number,
            *["réseau"] * (len(columns) - 2),
        ]
        lines.append(separator.join(cells + ["x"] * (draw.random() < 0.03)))
    text = draw.choice(["\n", "\r\n", "\r"]).join(lines) + draw.choice(["", "\n", "\n\n"])
    content = text.encode(draw.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]))
    return content[: draw.randrange(len(content))] if draw.random() < 0.1 else content


def references(count: int, seed: int = 0) -> Tried:
    """Random texts as references: refused in a line, or taken, with a text form that is taken back."""
    tried, draw = Tried("references and options"), random.Random(seed)
    for text in _references(count, draw):
        tried.check(repr(text)[:60], lambda text=text: _taken(text))  # type: ignore[misc]
    return tried


def _taken(text: str) -> str | None:
    refs = expand(text)
    for ref in refs[:3]:
        recipe_key(ref)
        if str(ModelRef.parse(str(ref))) != str(ref):
            return f"{ref} is not taken back"
    return None


def _references(count: int, draw: random.Random) -> Iterator[str]:
    sources = [
        "timm:",
        "torchvision:",
        "nasbench201:",
        "zen_resnet:",
        "torch.nn:",
        "python:",
        "",
        "a.py:",
        "x.pt2",
    ]
    pieces = [
        "resnet18",
        "*",
        "!*",
        ",",
        "[",
        "]",
        "?",
        "|nor_conv_3x3~0|",
        ":",
        "/",
        "\\",
        "..",
        "\0",
        "\ud800",
    ]
    pieces += [
        "\x1b[2J",
        "{}",
        '{"a": 1}',
        '{"a": ' + "[" * 3000,
        '{"pretrained": true}',
        "{1}",
        "NaN",
        "é",
        "λ\n",
    ]
    pieces += [
        ".py",
        ":build",
        ".py:Space:",
        "width=3",
        "Linear",
        "x" * 5000,
        " ",
        "~",
        "-",
        "--json",
        "%s",
        "$HOME",
    ]
    letters = string.printable + "éλ\u202e\ud83d"
    for _ in range(count):
        parts = draw.choices(pieces, k=draw.randrange(0, 5))
        parts += ["".join(draw.choices(letters, k=draw.randrange(6)))]
        draw.shuffle(parts)
        yield draw.choice(sources) + "".join(parts)


class Faulty(nn.Module):
    """Passes its input on, unless its fault says otherwise."""

    def __init__(self, fault: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.fault = fault

    def forward(self, x: Tensor) -> Any:
        return self.fault(x)


class OddError(BaseException):
    """Says nothing of itself."""

    def __str__(self) -> str:
        raise ValueError("\x1b[31m")


def _meddle(x: Tensor) -> Tensor:
    os.chdir("/")
    torch.set_default_dtype(torch.float64)
    return x


def _raise(error: BaseException) -> Any:
    raise error


FAULTS: tuple[Callable[[Tensor], Any], ...] = (
    lambda x: x,
    lambda x: None,
    lambda x: x.reshape(3, -1, 7),
    lambda x: x[:, :0],
    lambda x: torch.mean(x, axis=(2, 3)).reshape(len(x), -1, 1, 1),  # type: ignore[call-overload]
    lambda x: x if x.sum() > 0 else -x,
    lambda x: torch.zeros_like(x) / 0,
    lambda x: x * float("nan"),
    lambda x: x.int(),
    lambda x: x > 0,
    lambda x: [x, {"y": x}, "z"],
    lambda x: x.double(),
    lambda x: x + torch.rand_like(x),
    lambda x: torch.cat([x, x], 7),
    lambda x: torch.linalg.cholesky_ex(x, nonsense=1),
    lambda x: _raise(OddError()),
    lambda x: _raise(SystemExit("\ud800")),
    lambda x: _raise(RuntimeError("\x1b[2J" + "long " * 10_000)),
    lambda x: _raise(MemoryError()),
    lambda x: _meddle(x),
    lambda x: Faulty(FAULTS[-1])(x),
)


def modules(count: int, seed: int = 0) -> Tried:
    """Small random networks with a fault or none, under shapes that fit or not."""
    tried, draw, before = Tried("modules"), random.Random(seed), Path.cwd()
    for number in range(count):
        model, fault = _network(draw)
        shape = draw.choice([(3, 8, 8)] * 8 + [(3, 8), (0, 8, 8), "3,8,8", 8, (1, 8, 8)])
        tried.check(f"network {number}, fault {fault}", lambda: _scores(model, shape))  # noqa: B023
        if Path.cwd() != before or torch.get_default_dtype() != torch.float32:
            tried.bad.append(f"network {number}, fault {fault}: it changed what is global")
    return tried


def _scores(model: nn.Module, shape: Any) -> str | None:
    score = fxscore.score(model, input_shape=shape, scorer="nasbench201")
    return None if math.isfinite(score) else f"the score {score}"


def _network(draw: random.Random) -> tuple[nn.Module, int]:
    fault = draw.choice([0] * len(FAULTS) + list(range(len(FAULTS))))
    width = draw.randrange(1, 9)
    layers: list[nn.Module] = [nn.Conv2d(draw.choice([3, 3, 3, 5]), width, draw.choice([1, 3, 9])), nn.ReLU()]
    layers += [nn.BatchNorm2d(width)] * draw.randrange(2) + [nn.AdaptiveAvgPool2d(draw.choice([1, 2]))]
    layers.insert(draw.randrange(len(layers) + 1), Faulty(FAULTS[fault]))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(draw.choice([width, width, 4 * width]), 10)), fault
