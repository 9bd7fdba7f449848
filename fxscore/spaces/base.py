"""A search space: genotypes, their text and vector forms, their neighbours, and the networks they stand for.

A space is a product of finite variables, perhaps with some vectors ruled out. METHOD.md section 6 tells
ordered variables (widths, counts) from unordered ones (operator kinds), since search treats them differently.
A space of one's own needs a name, an input shape, variables and `build`; the rest has defaults::

    class Plain(SearchSpace[tuple[Value, ...]]):
        name = "plain"
        input_shape = (3, 32, 32)
        variables = (Variable("width", (8, 16, 32), ordered=True), Variable("norm", ("batch", "none")))

        def build(self, genotype: tuple[Value, ...]) -> nn.Module:
            width, norm = genotype
            layers = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width) if norm == "batch" else nn.Identity()]
            return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from fxscore.errors import SpaceError
from fxscore.spaces.files.plain_table import is_plain_table, read_plain_table, write_plain_table
from fxscore.spaces.table import BenchmarkTable
from fxscore.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

Value = int | float | bool | str
G = TypeVar("G", bound=Hashable)

_SAMPLE_TRIES = 10_000


@dataclass(frozen=True)
class Variable:
    """One choice of a space: `values` in order; `ordered` where neighbouring values are alike."""

    name: str
    values: tuple[Value, ...]
    ordered: bool = False

    def index(self, value: Value) -> int:
        """The position of a value; raises `SpaceError` with the values that fit."""
        try:
            return self.values.index(value)
        except ValueError:
            shown = ", ".join(map(str, self.values[:12])) + (", …" if len(self.values) > 12 else "")
            raise SpaceError(f"{self.name} = {value!r} is not one of {shown}") from None

    def read(self, text: str) -> Value:
        """The value whose text is `text`."""
        by_text = {str(value): value for value in self.values}
        return by_text[text] if text in by_text else self.values[self.index(text)]


class SearchSpace(ABC, Generic[G]):
    """A finite set of genotypes, each with a text form, a vector form and a network.

    Subclasses give `name`, `input_shape` (C, H, W), `variables` and `build`. The default genotype is the
    tuple of values, one per variable; a space with a genotype of its own overrides `values_of` and
    `from_values` (and `parse` and `format` where a text form is customary).
    """

    name: str
    input_shape: Shape
    variables: tuple[Variable, ...]

    @abstractmethod
    def build(self, genotype: G) -> nn.Module:
        """A new network, its weights freshly initialised; takes (N, C, H, W)."""

    def shape_of(self, genotype: G) -> Shape:
        """(C, H, W) that this network takes; `input_shape`, where all networks of the space take the same."""
        return self.input_shape

    def family_of(self, genotype: G) -> str | None:
        """The name of the kind of network, where the space has several; networks of one family resemble each other."""
        return None

    def count_parameters(self, genotype: G) -> int | None:
        """The number of learnable parameters, where the space knows it without building the network."""
        return None

    def count_layers(self, genotype: G) -> int | None:
        """The number of layers as this space counts them, where it has a count of its own."""
        return None

    def values_of(self, genotype: G) -> tuple[Value, ...]:
        """One value per variable."""
        return cast("tuple[Value, ...]", genotype)

    def from_values(self, values: tuple[Value, ...]) -> G:
        """The genotype with these values; raises `SpaceError` where the space rules them out."""
        return cast("G", values)

    def encode(self, genotype: G) -> list[int]:
        """The vector of the genotype: for each variable the position of its value."""
        values = self.values_of(genotype)
        return [variable.index(value) for variable, value in zip(self.variables, values, strict=True)]

    def decode(self, vector: Sequence[int]) -> G:
        """The genotype of a vector; raises `SpaceError` where the vector is no member of the space."""
        if len(vector) != len(self.variables):
            raise SpaceError(f"{self.name}: a vector has {len(self.variables)} numbers, not {len(vector)}")
        return self.from_values(tuple(map(self._value, self.variables, map(int, vector))))

    def _value(self, variable: Variable, index: int) -> Value:
        if not 0 <= index < len(variable.values):
            raise SpaceError(
                f"{self.name}: {variable.name} takes positions 0 to {len(variable.values) - 1}, not {index}"
            )
        return variable.values[index]

    def format(self, genotype: G) -> str:
        """The text form: `name=value` pairs joined by commas."""
        pairs = zip(self.variables, self.values_of(genotype), strict=True)
        return ",".join(f"{variable.name}={value}" for variable, value in pairs)

    def parse(self, text: str) -> G:
        """Read the text form; raises `SpaceError` that names what is wrong."""
        found = _form(self.variables).fullmatch(text.strip())
        if found is None:
            names = [variable.name for variable in self.variables]
            raise SpaceError(f"{self.name}: {text!r} must read {'=…,'.join(names)}=…")
        return self.from_values(tuple(map(Variable.read, self.variables, found.groups())))

    def sample(self, generator: torch.Generator) -> G:
        """A genotype drawn uniformly over the vectors that the space allows."""
        for _ in range(_SAMPLE_TRIES):
            try:
                return self.decode(self._random_vector(generator))
            except SpaceError:
                continue
        raise SpaceError(f"{self.name}: no valid genotype in {_SAMPLE_TRIES} draws; override `sample`")

    def _random_vector(self, generator: torch.Generator) -> list[int]:
        import torch  # who only asks for names of spaces needs none

        return [int(torch.randint(len(v.values), (), generator=generator)) for v in self.variables]

    def neighbours(self, genotype: G) -> Iterator[G]:
        """Genotypes that differ in one variable, each once; of an ordered variable only the next values."""
        vector, seen = self.encode(genotype), {genotype}
        for position, variable in enumerate(self.variables):
            for index in _moves(variable, vector[position]):
                changed = self._try_decode([*vector[:position], index, *vector[position + 1 :]])
                if changed is not None and changed not in seen:
                    seen.add(changed)
                    yield changed

    def _try_decode(self, vector: Sequence[int]) -> G | None:
        try:
            return self.decode(vector)
        except SpaceError:
            return None

    @property
    def size(self) -> int:
        """The number of vectors; an upper bound where the space rules some out or merges equal ones."""
        return math.prod(len(variable.values) for variable in self.variables)

    def isomorphism_key(self, genotype: G) -> str:
        """Equal for genotypes that the benchmark itself calls one network; the text form by default."""
        return self.format(genotype)

    def read(self, path: str | Path) -> BenchmarkTable[G]:
        """Read a benchmark file: fxscore's own table format, or one that the benchmark's authors use.

        Raises:
            SpaceError: the file is wrong, cut short or foreign; names the row or key; nothing is half read.
        """
        if is_plain_table(path):
            return read_plain_table(path, self.name, self.parse)
        return self.read_official(path)

    def read_official(self, path: str | Path) -> BenchmarkTable[G]:
        """Read the benchmark's own files; a space without any refuses them all."""
        raise SpaceError(f"{self.name} has no benchmark file but fxscore's own tables: {path} is none")

    def write(self, table: BenchmarkTable[G], path: str | Path) -> None:
        """Write a table in fxscore's own format, which `read` reads quickly."""
        write_plain_table(table, path, self.format)


@lru_cache(maxsize=64)
def _form(variables: tuple[Variable, ...]) -> re.Pattern[str]:
    """Of the text form. A known value may hold commas itself; an unknown one, which is told, ends with the next."""
    values = (map(re.escape, map(str, variable.values)) for variable in variables)
    pairs = zip(variables, values, strict=True)
    return re.compile(",".join(f"{re.escape(each.name)}=({'|'.join(known)}|[^,]*)" for each, known in pairs))


def _moves(variable: Variable, index: int) -> Iterator[int]:
    if variable.ordered:
        yield from (i for i in (index - 1, index + 1) if 0 <= i < len(variable.values))
    else:
        yield from (i for i in range(len(variable.values)) if i != index)
