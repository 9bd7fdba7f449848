"""Genotypes that a benchmark calls one network are one constructed architecture."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fxscore.constructed import construct
from fxscore.spaces import SearchSpace, get_space
from fxscore.spaces.nasbench101 import Cell


def fingerprint(space: SearchSpace[Any], genotype: Any) -> str:
    return construct(space.build(genotype), input_shape=space.input_shape, batch=2).fingerprint


def uneven(cell: Cell) -> bool:
    """Whether the output's width does not divide among the vertices that it joins."""
    return bool(128 % max(1, sum(vertex > 0 for vertex in cell.sources(cell.output))))


def twins(space: SearchSpace[Any], count: int) -> list[tuple[Any, Any]]:
    """Pairs of different genotypes with one isomorphism key, found among random draws."""
    generator, first = torch.Generator().manual_seed(1), dict[str, Any]()
    pairs: dict[str, tuple[Any, Any]] = {}
    while len(pairs) < count:
        genotype = space.sample(generator)
        key = space.isomorphism_key(genotype)
        if space.name == "nasbench101" and uneven(genotype):
            continue  # widths that do not divide evenly give some vertices one channel more, by number
        if first.setdefault(key, genotype) != genotype:
            pairs.setdefault(key, (first[key], genotype))
    return list(pairs.values())


@pytest.mark.parametrize(("name", "count"), [("nasbench201", 6), ("nasbench101", 3)])
def test_isomorphic_genotypes_share_a_fingerprint(name: str, count: int) -> None:
    space = get_space(name)
    for one, other in twins(space, count):
        assert fingerprint(space, one) == fingerprint(space, other), (space.format(one), space.format(other))


def test_other_networks_have_other_fingerprints() -> None:
    space = get_space("nasbench201")
    drawn = [space.sample(torch.Generator().manual_seed(seed)) for seed in range(6)]
    keys = {space.isomorphism_key(genotype) for genotype in drawn}
    assert len({fingerprint(space, genotype) for genotype in drawn}) == len(keys) == 6


def test_cells_that_carry_only_zeros_are_one() -> None:
    space = get_space("nasbench201")
    none, conv = "none", "nor_conv_3x3"
    # No path leads to node 3, whatever the other edges do.
    dead = ((none,) * 6, (conv, none, none, none, none, none), (conv, conv, conv, none, none, none))
    prints = {fingerprint(space, space.from_values(operations)) for operations in dead}
    assert len(prints) == 1
