"""What the width of the last layer is worth to a scorer, on the network that its search chose (paper, V-B).

``python -m benchmarks.search.tails --scorers runs/spaces/ensemble.safetensors general`` reads the fronts that
``python -m benchmarks.search.zen_nas`` left, and scores each chosen network with tails of 8 to 128 channels.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

import fxscore
from benchmarks.results import command_line, table, write_section
from benchmarks.search.zen_nas import FOLDER, MIN_PARAMS, SPACE
from fxscore.spaces import get_space

TAILS = (8, 16, 32, 64, 128)


def chosen(folder: Path) -> str:
    """The highest score of the front from `MIN_PARAMS` parameters on."""
    front = json.loads((folder / "front.json").read_text())["front"]
    large = [each for each in front if each["params"] >= MIN_PARAMS]
    return str(max(large, key=lambda each: each["score"])["genotype"])


def row(scorer: str, folder: Path) -> list[object]:
    """The chosen network's tail, and its score with every other."""
    space, name = get_space(SPACE), Path(scorer).stem
    found = space.parse(chosen(folder / name))
    texts = [space.format(replace(found, tail=tail)) for tail in TAILS]
    scores = [fxscore.score(f"{SPACE}:{text}", scorer=scorer) for text in texts]
    return [name, found.tail, *(f"{score:.4f}" for score in scores)]


def main() -> None:
    """Score, print, and keep the table in RESULTS.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scorers", nargs="+", required=True, help="names or files, as searched with")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row(scorer, options.folder) for scorer in options.scorers]
    body = table(("scorer", "its tail", *(f"{tail} channels" for tail in TAILS)), rows)
    about = "The score of each search's chosen network (from 900,000 parameters on), were its tail another."
    text = f"{about}\n\n{body}"
    print(text)
    if options.write:
        write_section("search-tails", "The tail of the networks found", text, command_line())


if __name__ == "__main__":
    main()
