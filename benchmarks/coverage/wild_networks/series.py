"""Networks for series: the transformers library's, iTransformer and conformers of signals."""

from __future__ import annotations

import torch
from iTransformer import iTransformer

from benchmarks.coverage.wild_networks.library import PACKAGE, from_configuration
from benchmarks.coverage.wild_networks.recipe import Recipe, table

_SERIES = torch.zeros(1, 32, 3)
_PATCHES = {
    "num_input_channels": 3,
    "context_length": 32,
    "patch_length": 8,
    "patch_stride": 8,
    "d_model": 16,
}

NETWORKS: dict[str, Recipe] = table(
    "iTransformer",
    _SERIES,
    {
        "inverted": (
            iTransformer,
            {
                "num_variates": 3,
                "lookback_len": 32,
                "depth": 1,
                "dim": 16,
                "pred_length": 8,
                "dim_head": 8,
                "heads": 2,
            },
            {"depth": 2},
        )
    },
) | table(
    PACKAGE,
    _SERIES,
    {
        "patchtst": (
            from_configuration,
            {
                "kind": "patchtst",
                **_PATCHES,
                "num_hidden_layers": 1,
                "num_attention_heads": 4,
                "ffn_dim": 32,
                "do_mask_input": False,
            },
            {"num_hidden_layers": 2},
        ),
        "patchtsmixer": (
            from_configuration,
            {"kind": "patchtsmixer", **_PATCHES, "num_layers": 1},
            {"num_layers": 2},
        ),
    },
)
