"""How the encoding of a network, and with it the score, changes from block to block (Figures 3 and 4 of the paper).

A network is cut after each of its blocks; what the scorer's MLP sees of the cut network is a vector. Vectors of many
networks of a space span a plane: by their principal components, or by an auto-encoder that keeps the score as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fxscore.errors import FxScoreError, ScorerError
from fxscore.evaluate.coefficients import Floats
from fxscore.scorer import FTScoreNet
from fxscore.scorer.subject import Subject
from fxscore.types import Shape

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_GRID = 60  # points of the landscape along a side
_STEPS, _RATE, _WIDTH = 600, 1e-2, 32  # of the auto-encoder


class _ReachedError(BaseException):
    """The block has its output: an exception, as it ends a forward; no `Exception`, lest the network catches it."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


class Until(nn.Module):
    """A network up to the end of one of its modules, whose output is its own."""

    def __init__(self, network: nn.Module, path: str) -> None:
        super().__init__()
        self.network, self.path = network, path

    def forward(self, x: Tensor) -> Any:
        """The output of the module at `path`."""
        hook = self.network.get_submodule(self.path).register_forward_hook(_reached)
        try:
            return self.network(x)
        except _ReachedError as reached:
            return reached.output
        finally:
            hook.remove()


def _reached(module: nn.Module, args: Any, output: Any) -> None:
    raise _ReachedError(output)


def block_paths(network: nn.Module) -> list[str]:
    """The paths of a network's blocks, in order: the most numerous kind of module at the least depth that repeats one.

    Raises:
        ScorerError: no kind of module occurs twice.
    """
    by_depth: dict[int, list[tuple[str, type]]] = {}
    for path, module in network.named_modules():
        has_parts = any(True for _ in module.children()) or any(True for _ in module.parameters())
        if path and has_parts and not isinstance(module, _CONTAINERS):
            by_depth.setdefault(path.count("."), []).append((path, type(module)))
    for _, found in sorted(by_depth.items()):
        kind, times = Counter(cls for _, cls in found).most_common(1)[0]
        if times > 1:
            return [path for path, cls in found if cls is kind]
    raise ScorerError("the network has no two modules of one kind: there are no blocks to cut it after")


@torch.no_grad()
def vector_of(scorer: FTScoreNet, network: nn.Module, shape: Shape) -> Floats:
    """(B,) what the scorer's MLP sees of a network."""
    constructed = Subject(network, shape).construct(scorer.batch, scorer.shape_for(shape))
    return np.asarray(scorer.vector(constructed, scorer.weights, scorer.observer()).double())


@dataclass(frozen=True)
class Path:
    """One network: its name, and the vectors (n, B) after its blocks and of the whole."""

    name: str
    vectors: Floats


def path_of(scorer: FTScoreNet, name: str, network: nn.Module, shape: Shape) -> Path:
    """The vectors after every block; blocks that no input reaches are left out."""
    return Path(name, np.stack([*_vectors(scorer, network, shape), vector_of(scorer, network, shape)]))


def _vectors(scorer: FTScoreNet, network: nn.Module, shape: Shape) -> Iterator[Floats]:
    for path in block_paths(network):
        try:
            yield vector_of(scorer, Until(network, path), shape)
        except FxScoreError:  # a cell of cut edges alone gives zeros, which nothing encodes
            continue


@dataclass(frozen=True)
class Plane:
    """A map from vectors (n, B) to points (n, 2), and the score at points (n, 2)."""

    name: str
    points: Callable[[Floats], Floats]
    scores: Callable[[Floats], Floats]


def principal_plane(scorer: FTScoreNet, vectors: Floats) -> Plane:
    """The first two principal components; the score of a point is that of the vector it stands for."""
    centre = vectors.mean(0)
    axes = np.linalg.svd(vectors - centre, full_matrices=False)[2][:2]
    return Plane(
        "principal components",
        lambda given: np.asarray((given - centre) @ axes.T),
        lambda points: score_vectors(scorer, points @ axes + centre),
    )


def learned_plane(scorer: FTScoreNet, vectors: Floats, seed: int = 0) -> Plane:
    """An auto-encoder of two numbers, which also give the score (L2 losses of both)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = [_mlp(vectors.shape[1], 2), _mlp(2, vectors.shape[1]), _mlp(2, 1)]
    encoder, decoder, judge = parts
    centre, spread = vectors.mean(0), vectors.std(0) + 1e-9
    wanted = score_vectors(scorer, vectors)
    low, high = wanted.mean(), wanted.std() + 1e-9
    x, y = (
        torch.tensor(each, dtype=torch.float32)
        for each in ((vectors - centre) / spread, (wanted - low) / high)
    )
    optimiser = torch.optim.Adam([p for part in parts for p in part.parameters()], lr=_RATE)
    for _ in range(_STEPS):
        optimiser.zero_grad()
        z = encoder(x)
        loss = (decoder(z) - x).square().mean() + (judge(z).squeeze(1) - y).square().mean()
        loss.backward()
        optimiser.step()
    return Plane(
        "auto-encoder",
        lambda given: _run(encoder, (given - centre) / spread),
        lambda points: _run(judge, points)[:, 0] * high + low,
    )


def _mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, _WIDTH), nn.Tanh(), nn.Linear(_WIDTH, outputs))


@torch.no_grad()
def _run(part: nn.Module, values: Floats) -> Floats:
    return np.asarray(part(torch.tensor(values, dtype=torch.float32)).double())


@torch.no_grad()
def score_vectors(scorer: FTScoreNet, vectors: Floats) -> Floats:
    """(n,) raw scores of vectors (n, B)."""
    return np.asarray(scorer.mlp(torch.tensor(vectors, dtype=torch.float32)).squeeze(1).double())


def landscape(plane: Plane, points: Floats) -> tuple[Floats, Floats, Floats]:
    """(x, y, scores) on a grid around these points (n, 2)."""
    low, high = points.min(0), points.max(0)
    margin = 0.05 * (high - low) + 1e-9
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], _GRID) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    return x, y, plane.scores(grid).reshape(_GRID, _GRID)


def decile_places(values: Sequence[float], seed: int) -> list[int]:
    """One place drawn from each tenth of the values, the best tenth first."""
    generator = np.random.default_rng(seed)
    tenths = np.array_split(np.argsort(-np.asarray(values), kind="stable"), 10)
    return [int(generator.choice(tenth)) for tenth in tenths if len(tenth)]
