"""The families of `wild` by name: what builds a network, and which choices it uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from fxscore.spaces.wild.choices import VARIABLES, Choices

Builder = Callable[[Choices], nn.Module]

COURSE = ("width", "growth", "depth", "stem", "strides", "down", "norm", "activation", "pool", "hidden")


@dataclass(frozen=True)
class Family:
    """One kind of network.

    Attributes:
        name: in texts and tables.
        build: the network of some choices.
        uses: names of the choices that change it.
    """

    name: str
    build: Builder
    uses: tuple[str, ...]


FAMILIES: dict[str, Family] = {}


def family(name: str, *uses: str) -> Callable[[Builder], Builder]:
    """Declare a family by its builder and the names of the choices that it uses."""
    unknown = set(uses) - set(VARIABLES)
    if unknown or name in FAMILIES:
        raise ValueError(f"family {name}: {', '.join(sorted(unknown)) or 'declared twice'}")
    ordered = tuple(variable for variable in VARIABLES if variable in uses)

    def declare(build: Builder) -> Builder:
        FAMILIES[name] = Family(name, build, ordered)
        return build

    return declare
