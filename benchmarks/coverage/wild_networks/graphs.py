"""Graph networks: torch_geometric's common layers, on one graph, and egnn-pytorch."""

from __future__ import annotations

from typing import Any

import torch
from egnn_pytorch import EGNN_Network
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.nn import models

from benchmarks.coverage.wild_networks.recipe import table, tokens

_EDGES = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 4, 6], [1, 2, 3, 4, 5, 6, 7, 0, 4, 6, 1, 3]])
_NODES = torch.zeros(8, 6)
_GRAPH = {"x": _NODES, "edges": _EDGES}
_WITH_FEATURES = {**_GRAPH, "features": torch.linspace(0, 1, 48).view(12, 4)}


class OnGraph(nn.Module):
    """Two layers of a kind."""

    def __init__(self, kind: str, width: int = 16, **options: Any) -> None:
        super().__init__()
        make = getattr(pyg, kind)
        heads = options.get("heads", 1) if options.get("concat", True) else 1
        self.first = make(6, width, **options)
        self.second = make(width * heads, width, **options)
        self.head = nn.Linear(width * heads, 3)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        hidden = self.first(x, edges).relu()
        return self.head(self.second(hidden, edges).relu())


class Isomorphism(nn.Module):
    """Convolutions whose update is a network of its own."""

    def __init__(self, kind: str, width: int = 16) -> None:
        super().__init__()
        inputs = 12 if kind == "EdgeConv" else 6
        update = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width))
        self.conv = getattr(pyg, kind)(update)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        return self.head(self.conv(x, edges).relu())


class WholeGraph(nn.Module):
    """A convolution, pooling over the nodes and a classifier of the graph."""

    def __init__(self, pool: str, width: int = 16) -> None:
        super().__init__()
        self.conv = pyg.GCNConv(6, width)
        self.pool = getattr(pyg, pool)
        self.head = nn.Linear(width, 3)
        self.register_buffer("batch", torch.zeros(8, dtype=torch.long))

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        return self.head(self.pool(self.conv(x, edges).relu(), self.batch))


class EdgeFeatures(nn.Module):
    """A convolution that reads features of the edges too."""

    def __init__(self, kind: str, width: int = 16) -> None:
        super().__init__()
        makers: dict[str, Any] = {
            "NNConv": lambda: pyg.NNConv(6, width, nn.Linear(4, 6 * width)),
            "GINEConv": lambda: pyg.GINEConv(nn.Linear(6, width), edge_dim=4),
            "CGConv": lambda: pyg.CGConv(6, dim=4),
            "GMMConv": lambda: pyg.GMMConv(6, width, dim=4, kernel_size=3),
            "GATv2Conv": lambda: pyg.GATv2Conv(6, width, edge_dim=4),
        }
        self.conv = makers[kind]()
        self.head = nn.Linear(6 if kind == "CGConv" else width, width)
        self.out = nn.Linear(width, 3)

    def forward(self, x: Tensor, edges: Tensor, features: Tensor) -> Tensor:
        return self.out(self.head(self.conv(x, edges, features).relu()).relu())


_WIDER = {"width": 24}
_LAYERS: dict[str, dict[str, Any]] = {
    "GCNConv": {},
    "GATConv": {"heads": 2},
    "GATv2Conv": {"heads": 2, "concat": False},
    "SAGEConv": {},
    "GraphConv": {},
    "TransformerConv": {"heads": 2},
    "TAGConv": {},
    "SGConv": {"K": 2},
    "ChebConv": {"K": 2},
    "ARMAConv": {"num_stacks": 2},
    "ClusterGCNConv": {},
    "LEConv": {},
    "MFConv": {},
    "ResGatedGraphConv": {},
    "FeaStConv": {},
    "SuperGATConv": {"heads": 2},
    "FiLMConv": {},
    "GeneralConv": {},
    "EGConv": {"num_heads": 4, "num_bases": 2},
    "MixHopConv": {"powers": [0]},
}
_MODELS = {
    "gcn_model": models.GCN,
    "sage_model": models.GraphSAGE,
    "gin_model": models.GIN,
    "gat_model": models.GAT,
    "pna_like_edgecnn": models.EdgeCNN,
}
_MODEL = {"in_channels": 6, "hidden_channels": 16, "num_layers": 2, "out_channels": 3}
_EGNN = {"num_tokens": 20, "num_positions": 12, "dim": 16, "depth": 1}

NETWORKS = (
    table(
        "torch-geometric",
        _GRAPH,
        {kind.lower(): (OnGraph, {"kind": kind, **options}, _WIDER) for kind, options in _LAYERS.items()}
        | {kind.lower(): (Isomorphism, {"kind": kind}, _WIDER) for kind in ("GINConv", "EdgeConv")}
        | {
            f"graph_{pool}": (WholeGraph, {"pool": pool}, _WIDER)
            for pool in ("global_mean_pool", "global_max_pool", "global_add_pool")
        },
    )
    | table(
        "torch-geometric",
        _WITH_FEATURES,
        {
            f"{kind.lower()}_edges": (EdgeFeatures, {"kind": kind}, _WIDER)
            for kind in ("NNConv", "GINEConv", "CGConv", "GMMConv", "GATv2Conv")
        },
    )
    | table(
        "torch-geometric",
        {"x": _NODES, "edge_index": _EDGES},
        {name: (make, _MODEL, {"hidden_channels": 24}) for name, make in _MODELS.items()},
    )
    | table(
        "egnn-pytorch",
        {"feats": tokens(12, 20), "coors": torch.rand(1, 12, 3)},
        {"egnn": (EGNN_Network, _EGNN, {"depth": 2})},
    )
)
