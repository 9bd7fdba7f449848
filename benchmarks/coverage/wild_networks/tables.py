"""Networks for tables: rtdl, pytorch-tabnet, tab-transformer-pytorch, deepctr-torch and pykan."""

from __future__ import annotations

from typing import Any

import rtdl_num_embeddings
import rtdl_revisiting_models as rtdl
import torch
from deepctr_torch import models as deepctr
from deepctr_torch.inputs import DenseFeat, SparseFeat
from kan import KAN
from pytorch_tabnet.tab_network import TabNet
from tab_transformer_pytorch import FTTransformer, TabTransformer
from torch import nn

from benchmarks.coverage.wild_networks.recipe import table

_NUMBERS = torch.zeros(1, 6)
_SIZES = [4, 7, 11]
_CATEGORIES = torch.tensor([[3, 6, 10]])
_FT = {
    "n_cont_features": 6,
    "cat_cardinalities": _SIZES,
    "d_out": 2,
    "n_blocks": 2,
    "d_block": 16,
    "attention_n_heads": 4,
    "attention_dropout": 0.1,
    "ffn_d_hidden_multiplier": 2.0,
    "ffn_dropout": 0.1,
    "residual_dropout": 0.0,
}
_TAB = {
    "categories": tuple(_SIZES),
    "num_continuous": 6,
    "dim": 16,
    "depth": 2,
    "heads": 4,
    "dim_head": 4,
    "dim_out": 2,
}


def _embedded(kind: str, width: int = 16) -> nn.Module:
    embeddings = {
        "linear": lambda: rtdl_num_embeddings.LinearReLUEmbeddings(6, 8),
        "periodic": lambda: rtdl_num_embeddings.PeriodicEmbeddings(6, 8, n_frequencies=6, lite=False),
        "piecewise": lambda: rtdl_num_embeddings.PiecewiseLinearEmbeddings(
            [torch.linspace(-2, 2, 5)] * 6, 8, activation=True, version="B"
        ),
    }
    return nn.Sequential(
        embeddings[kind](), nn.Flatten(), nn.Linear(48, width), nn.ReLU(), nn.Linear(width, 2)
    )


def _tabnet(steps: int = 2, width: int = 4) -> nn.Module:
    return TabNet(
        9,
        2,
        n_d=width,
        n_a=width,
        n_steps=steps,
        cat_idxs=[6, 7, 8],
        cat_dims=_SIZES,
        cat_emb_dim=[2, 2, 2],
        group_attention_matrix=torch.eye(9),
    )


_COLUMNS = [SparseFeat(f"c{size}", size, embedding_dim=4) for size in _SIZES] + [
    DenseFeat(f"n{index}", 1) for index in range(3)
]
_ROW = torch.tensor([[3.0, 6.0, 10.0, 0.5, 0.2, 0.1]])


def _deepctr(name: str, **options: Any) -> nn.Module:
    return getattr(deepctr, name)(_COLUMNS, _COLUMNS, device="cpu", **options)


def _pnn(name: str, **options: Any) -> nn.Module:
    return getattr(deepctr, name)(_COLUMNS, device="cpu", **options)


_DEEP = {"dnn_hidden_units": (16, 8)}
_WIDER = {"dnn_hidden_units": (24, 8)}
_CTR = "WDL DeepFM xDeepFM DIFM IFM AutoInt DCN FiBiNET NFM ONN".split()

NETWORKS = (
    table(
        "rtdl-revisiting-models",
        _NUMBERS,
        {
            "mlp": (
                rtdl.MLP,
                {"d_in": 6, "d_out": 2, "n_blocks": 2, "d_block": 16, "dropout": 0.1},
                {"d_block": 24},
            ),
            "resnet": (
                rtdl.ResNet,
                {
                    "d_in": 6,
                    "d_out": 2,
                    "n_blocks": 2,
                    "d_block": 16,
                    "d_hidden_multiplier": 2.0,
                    "dropout1": 0.1,
                    "dropout2": 0.0,
                },
                {"n_blocks": 3},
            ),
        },
    )
    | table(
        "rtdl-revisiting-models",
        (_NUMBERS, _CATEGORIES),
        {"ft_transformer": (rtdl.FTTransformer, _FT, {"n_blocks": 3})},
    )
    | table(
        "rtdl-num-embeddings",
        _NUMBERS,
        {
            f"{kind}_embeddings": (_embedded, {"kind": kind}, {"width": 24})
            for kind in ("linear", "periodic", "piecewise")
        },
    )
    | table(
        "pytorch-tabnet",
        torch.cat([_NUMBERS, _CATEGORIES], 1),
        {"tabnet": (_tabnet, {}, {"width": 6})},
    )
    | table(
        "tab-transformer-pytorch",
        (_CATEGORIES, _NUMBERS),
        {
            "lucid_ft_transformer": (FTTransformer, _TAB, {"depth": 3}),
            "tab_transformer": (TabTransformer, {**_TAB, "mlp_act": nn.ReLU()}, {"depth": 3}),
        },
    )
    | table(
        "deepctr-torch",
        _ROW,
        {name.lower(): (_deepctr, {"name": name, **_DEEP}, _WIDER) for name in _CTR}
        | {
            "pnn": (_pnn, {"name": "PNN", **_DEEP}, _WIDER),
            "afn": (
                _deepctr,
                {"name": "AFN", "ltl_hidden_size": 16, "afn_dnn_hidden_units": (16, 8)},
                {"afn_dnn_hidden_units": (24, 8)},
            ),
        },
    )
    | table(
        "pykan",
        _NUMBERS[:, :4],
        {
            "kan": (
                lambda width=5: KAN(
                    width=[4, width, 2], grid=3, k=3, auto_save=False, save_act=False, symbolic_enabled=False
                ),
                {},
                {"width": 7},
            )
        },
    )
)
