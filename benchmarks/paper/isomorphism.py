"""How the fingerprint groups the cells of NAS-Bench-201, beside the benchmark's own string form.

``python -m benchmarks.paper.isomorphism`` takes every cell (``--every 47`` fewer) and prints the number of classes by
either, and how many cells the fingerprint separates although the string form joins them (it should be none).
One cell a stage stands for the five of the benchmark, which repeat it; ``--repeats 5`` builds them all. Of 100
classes two cells are scored, as the benchmark builds them: isomorphic cells have equal scores, to the last bit.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict

import numpy as np
import torch

import fxscore
from benchmarks.results import table, write_section
from fxscore.constructed import construct
from fxscore.spaces.nasbench201 import Cell, NASBench201, Network


def classes(every: int, repeats: int) -> dict[str, dict[Cell, str]]:
    """The cells of each class of the string form, with their fingerprints."""
    space, found = NASBench201(), defaultdict[str, dict[Cell, str]](dict)
    for vector in itertools.islice(itertools.product(range(5), repeat=6), 0, None, every):
        cell = space.decode(vector)
        built = construct(network(cell, repeats), input_shape=space.input_shape, batch=2)
        found[space.isomorphism_key(cell)][cell] = built.fingerprint
    return found


def network(cell: Cell, repeats: int) -> Network:
    """The benchmark's network, each stage with so many cells."""
    return Network(cell.operations, NASBench201().classes, cells=repeats)


def largest_difference(found: dict[str, dict[Cell, str]], count: int) -> tuple[int, float]:
    """(classes, largest difference between the scores of two members) of `count` classes drawn with a seed."""
    shape = NASBench201().input_shape
    several = [list(cells) for cells in found.values() if len(cells) > 1]
    drawn = np.random.default_rng(0).permutation(len(several))[:count]
    gaps = [0.0]
    for index in drawn:
        pair = several[index][0], several[index][-1]
        one, other = (fxscore.score(network(cell, 5), input_shape=shape) for cell in pair)
        gaps.append(abs(one - other))
    return len(drawn), max(gaps)


def main() -> None:
    """Print the counts; exit with 1 where the fingerprint separates what the string form joins."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every n-th cell")
    parser.add_argument("--repeats", type=int, default=1, help="cells a stage, of the fingerprints")
    parser.add_argument("--scored", type=int, default=100, help="classes of which two members are scored")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = classes(options.every, options.repeats)
    separated = sum(len(set(cells.values())) > 1 for cells in found.values())
    prints = len({fingerprint for cells in found.values() for fingerprint in cells.values()})
    scored, gap = largest_difference(found, options.scored)
    columns = ["cells", "classes by string form", "classes by fingerprint", "string classes separated"]
    counts = [sum(map(len, found.values())), len(found), prints, separated]
    text = (
        f"{table(columns, [counts])}\n\nOf {scored} classes of the string form with several cells (seed 0) two cells, "
        f"in full, were scored by the default scorer: their scores differ by at most {gap:g}."
    )
    print(text)
    if options.write:
        write_section(
            "isomorphism", "Isomorphic cells", text, "python -m benchmarks.paper.isomorphism --write"
        )
    if separated or gap:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
