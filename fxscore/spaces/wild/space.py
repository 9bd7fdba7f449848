"""The space: a family and the choices that it uses. Text form: `vit:side=28,width=48,depth=4,…`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.wild import convolutional, mobile, others, residual, tokens  # noqa: F401 - they declare families
from fxscore.spaces.wild.choices import SIDES, VARIABLES, Choices
from fxscore.spaces.wild.registry import FAMILIES, Family
from fxscore.types import Shape

LEAST_PARAMETERS, MOST_PARAMETERS = 300, 1_000_000
MOST_MACS = 8_000_000  # two cores can train such a network in a minute
_TRIES = 10_000


@dataclass(frozen=True)
class WildNet:
    """One network.

    Attributes:
        family: its name.
        values: of the side and of the choices that the family uses, in their order.
    """

    family: str
    values: tuple[Value, ...]


class Wild(SearchSpace[WildNet]):
    """Networks of one to some hundred layers, 300 parameters to one million, for images 1×28×28 or 1×14×14.

    Args:
        without_families: families that are left out when networks are drawn.
    """

    name = "wild"
    input_shape = (1, 28, 28)
    variables = (
        Variable("family", tuple(FAMILIES)),
        Variable("side", SIDES),
        *VARIABLES.values(),
    )

    def __init__(self, without_families: tuple[str, ...] = ()) -> None:
        unknown = set(without_families) - set(FAMILIES)
        if unknown:
            raise SpaceError(
                f"{self.name} has no family {', '.join(sorted(unknown))}; it has {', '.join(FAMILIES)}"
            )
        self.families = tuple(name for name in FAMILIES if name not in without_families)

    def shape_of(self, genotype: WildNet) -> Shape:
        """1×28×28 or 1×14×14."""
        side = int(genotype.values[0])
        return (1, side, side)

    def family_of(self, genotype: WildNet) -> str:
        """The family's name."""
        return genotype.family

    def values_of(self, genotype: WildNet) -> tuple[Value, ...]:
        """Family, side, and every variable of the space; those that the family does not use have their first value."""
        used = self._named(genotype)
        values = (used.get(variable.name, variable.values[0]) for variable in self.variables[1:])
        return (genotype.family, *values)

    def from_values(self, values: tuple[Value, ...]) -> WildNet:
        """Read what `values_of` gives; what the family does not use is dropped, so equal networks are equal."""
        named = dict(zip((variable.name for variable in self.variables), values, strict=True))
        family = FAMILIES[str(named["family"])]
        return WildNet(family.name, tuple(named[name] for name in ("side", *family.uses)))

    def format(self, genotype: WildNet) -> str:
        """The family, a colon, `name=value` pairs joined by commas."""
        pairs = ",".join(f"{name}={value}" for name, value in self._named(genotype).items())
        return f"{genotype.family}:{pairs}"

    def parse(self, text: str) -> WildNet:
        """Read the text form; raises `SpaceError` that names what is wrong."""
        name, _, rest = text.strip().partition(":")
        if name not in FAMILIES:
            raise SpaceError(f"{self.name}: no family {name!r}; there are {', '.join(FAMILIES)}")
        wanted = ("side", *FAMILIES[name].uses)
        pairs = [item.partition("=")[::2] for item in rest.split(",")]
        if tuple(key for key, _ in pairs) != wanted:
            raise SpaceError(f"{self.name}: {text!r} must read {name}:{'=…,'.join(wanted)}=…")
        return WildNet(name, tuple(self._by_name[key].read(value) for key, value in pairs))

    def build(self, genotype: WildNet) -> nn.Module:
        """The network, ten classes."""
        choices = Choices(**self._named(genotype))  # type: ignore[arg-type]
        return FAMILIES[genotype.family].build(choices)

    def sample(self, generator: torch.Generator) -> WildNet:
        """A network within the limits: the family first, each as likely, then every choice alone."""
        return self.sample_of(self.families[self._random(len(self.families), generator)], generator)

    def sample_of(self, family: str, generator: torch.Generator) -> WildNet:
        """A network of one family within the limits of the space, each choice drawn alone."""
        for _ in range(_TRIES):
            genotype = self._draw(FAMILIES[family], generator)
            if self._fits(genotype):
                return genotype
        raise SpaceError(f"{self.name}: no {family} within the limits in {_TRIES} draws")

    def _draw(self, family: Family, generator: torch.Generator) -> WildNet:
        variables = (self._by_name[name] for name in ("side", *family.uses))
        return WildNet(
            family.name, tuple(v.values[self._random(len(v.values), generator)] for v in variables)
        )

    def _fits(self, genotype: WildNet) -> bool:
        params, macs = self.measure(genotype)
        return LEAST_PARAMETERS <= params <= MOST_PARAMETERS and macs <= MOST_MACS

    def measure(self, genotype: WildNet) -> tuple[int, int]:
        """(parameters, multiply-accumulates of one image), by a dry run without values."""
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            model = self.build(genotype).eval()
            params = sum(parameter.numel() for parameter in model.parameters())
            if params > MOST_PARAMETERS:
                return params, 0
            model(torch.empty(2, *self.shape_of(genotype)))  # some norms refuse a single number
        return params, counter.get_total_flops() // 4

    def _named(self, genotype: WildNet) -> dict[str, Value]:
        return dict(zip(("side", *FAMILIES[genotype.family].uses), genotype.values, strict=True))

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in self.variables}

    @staticmethod
    def _random(count: int, generator: torch.Generator) -> int:
        return int(torch.randint(count, (), generator=generator))
