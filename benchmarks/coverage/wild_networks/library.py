"""Networks of the transformers library, built from small configurations."""

from __future__ import annotations

from typing import Any

import transformers
from torch import nn

PACKAGE = "transformers"
Options = dict[str, Any]


def from_configuration(kind: str, head: str = "AutoModel", **options: Any) -> nn.Module:
    """A network of one model type.

    Args:
        kind: the library's name of the model type.
        head: the class that builds it.
        options: of its configuration.
    """
    config = transformers.AutoConfig.for_model(kind, **options)
    if hasattr(config, "use_cache"):
        config.use_cache = False
    network: nn.Module = getattr(transformers, head).from_config(config)
    return network
