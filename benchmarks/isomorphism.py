"""How the fingerprint groups the cells of NAS-Bench-201, beside the benchmark's own string form.

``python -m benchmarks.isomorphism`` takes every cell (``--every 47`` fewer) and prints the number of classes by
either, and how many cells the fingerprint separates although the string form joins them (it should be none).
One cell a stage stands for the five of the benchmark, which repeat it; ``--repeats 5`` builds them all.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict

import torch

from benchmarks.results import table, write_section
from fxscore.constructed import construct
from fxscore.spaces.nasbench201 import NASBench201, Network


def classes(every: int, repeats: int) -> dict[str, set[str]]:
    """The fingerprints that occur in each class of the string form."""
    space, found = NASBench201(), defaultdict[str, set[str]](set)
    for vector in itertools.islice(itertools.product(range(5), repeat=6), 0, None, every):
        cell = space.decode(vector)
        module = Network(cell.operations, space.classes, cells=repeats)
        built = construct(module, input_shape=space.input_shape, batch=2)
        found[space.isomorphism_key(cell)].add(built.fingerprint)
    return found


def main() -> None:
    """Print the counts; exit with 1 where the fingerprint separates what the string form joins."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every n-th cell")
    parser.add_argument("--repeats", type=int, default=1, help="cells a stage")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = classes(options.every, options.repeats)
    separated = sum(len(prints) > 1 for prints in found.values())
    prints = len(set().union(*found.values()))
    cells = len(range(0, 5**6, options.every))
    columns = ["cells", "classes by string form", "classes by fingerprint", "string classes separated"]
    text = table(columns, [[cells, len(found), prints, separated]])
    print(text)
    if options.write:
        write_section("isomorphism", "Isomorphic cells", text, "python -m benchmarks.isomorphism --write")
    if separated:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
