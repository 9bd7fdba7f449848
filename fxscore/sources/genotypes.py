"""Search spaces as a source: `nasbench201:|nor_conv_3x3~0|+…`, or your `package.module:Space:genotype`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fxscore.errors import ModelRefError
from fxscore.sources.base import Recipe
from fxscore.sources.blame import foreign_code
from fxscore.sources.digest import versions
from fxscore.sources.python_callables import working_directory_first
from fxscore.types import ModelRef

if TYPE_CHECKING:
    from fxscore.spaces import SearchSpace


class GenotypeSource:
    """Genotypes of the search spaces in `fxscore.spaces`."""

    @staticmethod
    def knows(ref: ModelRef) -> bool:
        """Whether the reference names a search space."""
        from fxscore.spaces import space_names

        return ref.source in space_names() or ":" in ref.name

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        self._read(ref)
        return [ref]

    def recipe(self, ref: ModelRef) -> Recipe:
        space, genotype = self._read(ref)
        return Recipe(lambda: space.build(genotype), lambda module: space.input_shape)

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        return versions("torch", "fxscore")

    def _read(self, ref: ModelRef) -> tuple[SearchSpace[Any], Any]:
        from fxscore.spaces import get_space

        if ref.options:
            raise ModelRefError(f"{ref}: a genotype takes no options")
        place, text = _split(ref)
        with foreign_code(str(ref)), working_directory_first():
            space = get_space(place)
            return space, space.parse(text)


def _split(ref: ModelRef) -> tuple[str, str]:
    """The space, as `get_space` names it, and the genotype's text."""
    from fxscore.spaces import space_names

    if ref.source in space_names():
        return ref.source, ref.name
    name, _, text = ref.name.partition(":")
    return f"{ref.source}:{name}", text
