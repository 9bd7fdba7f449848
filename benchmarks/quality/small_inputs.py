"""What small inputs and batches cost: the proxies of `benchmarks.quality.handcrafted`, against their own settings.

``python -m benchmarks.quality.small_inputs --data ../shared/data --work work/ --write`` measures 40 networks of each
benchmark twice: at the resolution and batch of the board, and at the networks' own resolution with the proxies' own
batches; and keeps the rank correlation of the two in RESULTS.md. Of the libraries, networks of at most a billion
multiply-accumulates are taken, which is what can be afforded at 224×224.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.results import table, write_section
from benchmarks.shared.boards import NETWORKS, Board, boards, drawn_parts
from benchmarks.shared.proxy_scores import known_records, measure
from fxscore.evaluate import Measures, agreement, scores_of
from fxscore.evaluate.coefficients import Floats
from fxscore.proxies import proxy_names
from fxscore.proxies.base import BaseProxy
from fxscore.run import Executor, LocalExecutor, Store
from fxscore.types import ModelRef

LARGEST = 1e9  # multiply-accumulates
WEIGHTED = tuple(
    name
    for name in proxy_names()
    if name not in ("params", "macs", "flops", "activations", "layers", "layer_depth", "grasp")
)


def networks(board: Board, options: argparse.Namespace, executor: Executor, store: Store) -> list[ModelRef]:
    """The first of the board's draw that are small enough."""
    everything = board.population(options.data)
    drawn = drawn_parts(len(everything), [min(len(everything), NETWORKS, 4 * options.n)], 0)
    refs = [everything.refs[row] for rows in drawn.values() for row in rows]
    macs = values(refs, board.proxy("macs"), board.resolution, executor, store)
    return [ref for ref, count in zip(refs, macs, strict=True) if count <= LARGEST][: options.n]


def values(
    refs: list[ModelRef],
    proxy: BaseProxy,
    resolution: int | None,
    executor: Executor,
    store: Store,
) -> Floats:
    """A proxy's values, NaN where there is none."""
    measure(dict.fromkeys(refs, (proxy,)), resolution, executor, store)
    known = known_records(refs, proxy, resolution, store)
    return scores_of([known[ref] for ref in refs])


def row(board: Board, options: argparse.Namespace, executor: Executor, store: Store) -> list[object]:
    """One benchmark's correlations."""
    refs = networks(board, options, executor, store)
    own = {name: replace(board, batch=None).proxy(name) for name in WEIGHTED}
    small = {name: board.proxy(name) for name in WEIGHTED}
    for proxies, resolution in ((own, None), (small, board.resolution)):
        measure(dict.fromkeys(refs, tuple(proxies.values())), resolution, executor, store)
    cells = []
    for name in WEIGHTED:
        one = values(refs, small[name], board.resolution, executor, store)
        two = values(refs, own[name], None, executor, store)
        cells.append(_correlation(one, two))
    print(board.name, len(refs), *cells, flush=True)
    return [board.name, len(refs), f"{board.resolution}, {board.batch or 16}", *cells]


def _correlation(one: Floats, two: Floats) -> str:
    both = np.isfinite(one) & np.isfinite(two)
    estimate = agreement(one[both], two[both], Measures(resamples=1000)).figures["spearman"]
    if estimate.value is None or estimate.low is None:
        return "–"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def main() -> None:
    """Measure, print and keep."""
    options = arguments()
    with (
        Store(options.work / "store.sqlite") as store,
        LocalExecutor(options.workers, options.time_limit) as executor,
    ):
        rows = [row(board, options, executor, store) for board in boards(options.boards) if board.resolution]
    columns = ["networks of", "n", "resolution, batch", *WEIGHTED]
    text = (
        "Spearman's ρ of every proxy at the small setting (NASWOT at twice the batch) with itself at the networks' own "
        "resolution and 16 images (NASWOT 32), with 95 % bootstrap intervals (1000 resamples, seed 0). Of torchvision "
        f"and timm networks of at most {LARGEST:.0e} MACs; grasp is left out, which does not agree with itself under "
        f"another seed.\n\n{table(columns, rows)}"
    )
    print(text)
    if options.write:
        command = f"python -m benchmarks.quality.small_inputs --data DATA --work WORK --n {options.n} --write"
        write_section("small-inputs", "Proxies at small inputs", text, command)


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder of the result store")
    parser.add_argument("--n", type=int, default=40, help="networks of each benchmark")
    parser.add_argument("--boards", nargs="*", help="spaces, timm, torchvision; all by default")
    parser.add_argument("--workers", type=int, help="worker processes; one per core by default")
    parser.add_argument("--time-limit", type=float, default=900.0, help="seconds for one network")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
