"""One process of `benchmarks.speed.against`: does what each line of its input asks, and answers with CPU milliseconds.

Runs against whatever fxscore is on its path, so it uses only what every commit since 646140c has.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch


@cache
def session(scorer: str) -> Any:
    """A scorer at work, as in a worker of `rank`."""
    home = "fxscore.job" if find_spec("fxscore.job") else "fxscore.score_job"  # the former is 646140c's
    return importlib.import_module(home).ScoreJob(scorer, scorer).open()


def score(ref: str, scorer: str) -> float:
    """Built, captured, counted, rewritten, run and scored, as in a worker of `rank`."""
    from fxscore.types import ModelRef

    prepared = session(scorer).prepare(ModelRef.parse(ref))
    return float(getattr(session(scorer).finish(prepared), "score", 0.0))


@cache
def network(ref: str) -> Any:
    """With weights, for whoever wants a module."""
    from fxscore.sources import build
    from fxscore.types import ModelRef

    return build(ModelRef.parse(ref), weights=True)


def proxy(ref: str, name: str) -> float:
    """A handcrafted proxy at 64×3×32×32."""
    from fxscore.proxies import get_proxy

    return float(get_proxy(name, batch=64)(network(ref).module, (3, 32, 32)))


def count(ref: str, library: str) -> float:
    """Multiply-accumulates of a module that is there already."""
    built = network(ref)
    if library == "fxscore":
        from fxscore.scorer import Subject, load_scorer

        return float(load_scorer("macs").score(Subject(built.module, built.input_shape)))
    image = torch.zeros(1, *built.input_shape)
    module = importlib.import_module(library)
    if library == "ptflops":
        shape = tuple(built.input_shape)
        return float(module.get_model_complexity_info(built.module, shape, False, False)[0])
    if library == "thop":
        return float(module.profile(built.module, (image,), verbose=False)[0])
    if library == "torchinfo":
        return float(module.summary(built.module, input_data=image, verbose=0).total_mult_adds)
    return float(importlib.import_module("fvcore.nn").FlopCountAnalysis(built.module, image).total())


def milliseconds(kind: str, *arguments: str) -> float | None:
    """CPU time of one piece of work; None where it failed."""
    works = {"score": score, "proxy": proxy, "count": count}
    try:
        if kind != "score":
            network(arguments[0])
        gc.collect()
        begin = time.process_time()
        works[kind](*arguments)
        return 1e3 * (time.process_time() - begin)
    except Exception as error:  # noqa: BLE001  a library's own failure is a gap in the table
        print(f"{arguments}: {error}", file=sys.stderr)
        return None


def main() -> None:
    """Answer until there is nothing more to read."""
    torch.set_num_threads(1)
    answers, sys.stdout = sys.stdout, sys.stderr  # some libraries print
    for line in sys.stdin:
        print(json.dumps(milliseconds(*json.loads(line))), file=answers, flush=True)
