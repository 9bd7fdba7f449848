"""Programs that `torch.export.save` wrote, as a source: `net.pt2`. Last choice: a file of Python code says more.

The exported graph of aten operators is replayed as plain calls, so that the same rules represent it. Its batch must be
free (`dynamic_shapes`), or the scorer's: sizes that export has made constants cannot follow another batch.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxscore.errors import ModelRefError
from fxscore.sources.base import DEFAULT_INPUT_SHAPE, Recipe
from fxscore.sources.digest import versions
from fxscore.sources.exported_archive import refuse_pickles
from fxscore.sources.files import file_digest, matching, regular_file
from fxscore.types import ModelRef, Shape

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


class ExportedProgramSource:
    """Files of exported programs."""

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        return [ModelRef("exported", name, ref.options) for name in matching(ref.name)]

    def recipe(self, ref: ModelRef) -> Recipe:
        if ref.options:
            raise ModelRefError(f"{ref}: an exported program takes no options")
        path = Path(os.path.abspath(regular_file(ref.name)))
        return Recipe(lambda: _load(path), _input_shape, path)

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        return {"sha256": file_digest(regular_file(ref.name)), **versions("torch")}


def _load(path: Path) -> nn.Module:
    from torch import export

    from fxscore.capture.fallback import exported_network

    refuse_pickles(path)
    try:
        program = export.load(path)
    except Exception as error:  # foreign bytes: whatever the reader raises
        raise ModelRefError(f"{path} is not a program that torch.export.save wrote ({error})") from error
    network = exported_network(program)
    network.example_input_array = _examples(program)  # type: ignore[assignment]
    return network


def _examples(program: ExportedProgram) -> object:
    """The inputs that the program was exported with, where one image does not say it all."""
    import torch

    if program.example_inputs is None:
        return None
    args, kwargs = program.example_inputs
    one_image = len(args) == 1 and not kwargs and isinstance(args[0], torch.Tensor)
    if one_image and args[0].is_floating_point():
        return None
    return kwargs if kwargs and not args else args


def _input_shape(network: nn.Module) -> Shape:
    program: Any = network.program
    examples = program.example_inputs
    first = examples[0][0] if examples and examples[0] else None
    return tuple(first.shape[1:]) if first is not None else DEFAULT_INPUT_SHAPE
