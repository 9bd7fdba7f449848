"""Search spaces as a source: `nasbench201:|nor_conv_3x3~0|+…`, or your own, `nets.py:Space:genotype`.

A space of one's own is code of the user, so the parent of the workers only looks where it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxscore.errors import ModelRefError
from fxscore.sources.base import Recipe
from fxscore.sources.blame import foreign_code
from fxscore.sources.digest import source_digest, versions
from fxscore.sources.files import regular_file
from fxscore.sources.modules import module_file, working_directory_first
from fxscore.types import ModelRef

if TYPE_CHECKING:
    from fxscore.spaces import SearchSpace


class GenotypeSource:
    """Genotypes of the search spaces in `fxscore.spaces`."""

    @staticmethod
    def knows(ref: ModelRef) -> bool:
        """Whether the reference names a search space."""
        from fxscore.spaces import space_names

        return ref.source in space_names() or ":" in ref.name or _is_file(ref)

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        if _is_own(ref):
            _file_of(ref)
        else:
            self._read(ref)
        return [ref]

    def recipe(self, ref: ModelRef) -> Recipe:
        space, genotype = self._read(ref)
        return Recipe(lambda: space.build(genotype), lambda module: space.shape_of(genotype))

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        file = _file_of(ref) if _is_own(ref) else None
        return versions("torch", "fxscore") | ({"sha256": source_digest(file)} if file else {})

    def _read(self, ref: ModelRef) -> tuple[SearchSpace[Any], Any]:
        from fxscore.spaces import get_space

        if ref.options:
            raise ModelRefError(f"{ref}: a genotype takes no options")
        place, text = _split(ref)
        if "*" in text:
            raise ModelRefError(
                f"{ref}: a space is too large for patterns; `fxscore search {place}` goes through it, and "
                f"{place}:GENOTYPE is one network"
            )
        with foreign_code(str(ref)), working_directory_first():
            space = get_space(place)
            return space, space.parse(text)


def _split(ref: ModelRef) -> tuple[str, str]:
    """The space, as `get_space` names it, and the genotype's text."""
    from fxscore.spaces import space_names

    if ref.source in space_names() or _is_file(ref):
        return ref.source, ref.name
    name, _, text = ref.name.partition(":")
    return f"{ref.source}:{name}", text


def _is_own(ref: ModelRef) -> bool:
    from fxscore.spaces import space_names

    return ref.source not in space_names()


def _is_file(ref: ModelRef) -> bool:
    return ".py:" in ref.source


def _file_of(ref: ModelRef) -> Path | None:
    """The file of a space of one's own, found without running it."""
    if _is_file(ref):
        return regular_file(ref.source.rpartition(":")[0])
    return module_file(ref, ref.source)
