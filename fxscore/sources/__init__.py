"""Where models come from: text patterns → `ModelRef` → built module.

timm, torchvision and torch are imported only when a reference needs them.
"""

from __future__ import annotations

from fxscore.sources.base import Built, Recipe, Source
from fxscore.sources.building import build
from fxscore.sources.registry import expand, expand_or_keep, file_hash, recipe_key

__all__ = ["Built", "Recipe", "Source", "build", "expand", "expand_or_keep", "file_hash", "recipe_key"]
