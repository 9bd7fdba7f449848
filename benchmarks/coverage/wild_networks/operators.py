"""Neural operators: neuraloperator, on regular grids."""

from __future__ import annotations

import torch
from neuralop.models import FNO, TFNO, UNO, UQNO

from benchmarks.coverage.wild_networks.recipe import image, table

_FLAT = {"n_modes": (8, 8), "in_channels": 1, "out_channels": 1, "hidden_channels": 8, "n_layers": 2}
_WIDER = {"hidden_channels": 12}
_UNO = {
    "in_channels": 1,
    "out_channels": 1,
    "hidden_channels": 8,
    "lifting_channels": 8,
    "projection_channels": 8,
    "n_layers": 3,
    "uno_out_channels": [8, 16, 8],
    "uno_n_modes": [[6, 6], [4, 4], [6, 6]],
    "uno_scalings": [[1.0, 1.0], [0.5, 0.5], [2.0, 2.0]],
    "horizontal_skips_map": None,
    "channel_mlp_skip": "linear",
}


def _uncertain(width: int = 8) -> UQNO:
    return UQNO(FNO(**{**_FLAT, "hidden_channels": width}), FNO(**_FLAT))


NETWORKS = (
    table(
        "neuraloperator",
        image(32, 1),
        {
            "fno": (FNO, _FLAT, _WIDER),
            "fno_modes": (FNO, {**_FLAT, "n_modes": (6, 10)}, {"n_modes": (6, 4)}),
            "fno_instance_norm": (FNO, {**_FLAT, "norm": "instance_norm"}, _WIDER),
            "fno_separable": (FNO, {**_FLAT, "separable": True}, _WIDER),
            "tucker_fno": (TFNO, {**_FLAT, "rank": 0.3}, _WIDER),
            "cp_fno": (FNO, {**_FLAT, "factorization": "CP", "rank": 0.3}, _WIDER),
            "uno": (UNO, _UNO, {"uno_out_channels": [8, 24, 8]}),
            "uqno": (_uncertain, {}, {"width": 12}),
        },
    )
    | table(
        "neuraloperator",
        torch.zeros(1, 1, 32, 32, dtype=torch.complex64),
        {"fno_complex": (FNO, {**_FLAT, "complex_data": True, "positional_embedding": None}, _WIDER)},
    )
    | table(
        "neuraloperator",
        torch.zeros(1, 1, 64),
        {"fno_1d": (FNO, {**_FLAT, "n_modes": (8,)}, _WIDER)},
    )
    | table(
        "neuraloperator",
        torch.zeros(1, 1, 16, 16, 16),
        {"fno_3d": (FNO, {**_FLAT, "n_modes": (4, 4, 4)}, _WIDER)},
    )
)
