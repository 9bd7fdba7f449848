"""Which source a reference belongs to, and what can be said of a reference without building it."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from fxscore.errors import ModelRefError
from fxscore.sources.base import Source
from fxscore.sources.digest import source_digest
from fxscore.sources.exported_programs import ExportedProgramSource
from fxscore.sources.genotypes import GenotypeSource
from fxscore.sources.python_callables import PythonCallableSource
from fxscore.sources.python_files import PythonFileSource, path_of
from fxscore.sources.timm_models import TimmSource
from fxscore.sources.torchvision_models import TorchvisionSource
from fxscore.types import ModelRef

_SOURCES: dict[str, Source] = {
    "file": PythonFileSource(),
    "timm": TimmSource(),
    "torchvision": TorchvisionSource(),
    "python": PythonCallableSource(),
    "exported": ExportedProgramSource(),
}


def source_of(ref: ModelRef) -> Source:
    """The source that a reference names; search spaces and packages go by their own names."""
    if ref.source in _SOURCES:
        return _SOURCES[ref.source]
    return GenotypeSource() if GenotypeSource.knows(ref) else _SOURCES["python"]


def expand(pattern: str, *, pretrained_only: bool = False) -> list[ModelRef]:
    """The model references that a text pattern stands for.

    Args:
        pattern: a file or a glob of files (`zoo/*.py`, `nets/*.pt2`); `timm:` or `torchvision:` with names and
            wildcards joined by commas, of which those with a leading `!` are left out (`timm:resnet*,!*d`); an
            importable builder (`package.module:callable`); or a genotype (`nasbench201:|…|`). JSON options
            in braces at the end go to every builder.
        pretrained_only: leave out a library's architectures for which it publishes no weights.

    Returns:
        At least one reference, sorted by name, each once.

    Raises:
        ModelRefError: nothing matches; the message gives the closest names.
    """
    if os.path.isdir(pattern):  # unlike Path.is_dir it takes texts of any length
        raise ModelRefError(f"{pattern} is a folder; name its files, as in {Path(pattern) / '*.py'}")
    ref = ModelRef.parse(pattern)
    return source_of(ref).expand(ref, pretrained_only=pretrained_only)


def expand_or_keep(word: str, *, pretrained_only: bool = False) -> list[ModelRef]:
    """As `expand`; a plain name that cannot be found is kept, and becomes an error row beside the networks that can.

    Raises:
        ModelRefError: the word is no reference at all, or a pattern matches nothing.
    """
    if (ref := _one_genotype(word)) is not None:
        return [ref]
    try:
        return expand(word, pretrained_only=pretrained_only)
    except ModelRefError:
        if glob.has_magic(word) and not os.path.lexists(word):
            raise
        return [ModelRef.parse(word)]


def _one_genotype(word: str) -> ModelRef | None:
    """A genotype names one network, which is kept in any case: to read it, its space's code would load torch."""
    if os.path.isdir(word):
        return None
    ref = ModelRef.parse(word)
    return ref if isinstance(source_of(ref), GenotypeSource) else None


def file_hash(ref: ModelRef) -> str:
    """A SHA-256 of a file reference's file and the files beside it that it imports; "" for other sources.

    Raises:
        ModelRefError: the file does not exist.
    """
    return source_digest(path_of(ref)) if ref.source == "file" else ""


def recipe_key(ref: ModelRef) -> str:
    """A text that is equal where a reference stands for the same network, now and later: a cache key.

    It holds the reference's text, the digest of its file, and the versions of the packages that build it.
    """
    provenance = source_of(ref).provenance(ref)
    return "; ".join([str(ref), *(f"{name}={value}" for name, value in sorted(provenance.items()))])
