"""AZ-NAS: expressivity, progressivity and trainability of a network's blocks, ranked together with its cost.

Lee, Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024, section 3. With x_l the
features behind block l (`blocks`):

- expressivity: rows of x_l are its positions in all images; with λ the eigenvalues of their covariance over channels,
  scaled to the sum 1, `E_l = −Σ λ ln λ`; the score is `Σ_l E_l` (equations 1 to 4);
- progressivity: `min_l (E_l − E_{l−1})` (equation 5);
- trainability: with random signs v behind block l and g their gradient ahead of it, the block's Jacobian is about the
  mean of `v gᵀ` over positions, and σ_l its greatest singular value: the mean over blocks of `−σ_l − 1/σ_l + 2`, at
  most 0, where a block leaves gradients as long as they were (equations 6 to 9);
- complexity: the FLOPs, which `flops` counts.

The paper's score is the sum over the four of `ln(rank / m)` among m networks (equation 11), so it needs a set:
`az_scores`. One network by itself has the first three as proxies of their own.

Details that are chosen here: what a block is (the paper lists them for each space); where a block makes the map
smaller, the positions that become one are taken as channels of one place, and where the sizes do not divide, both maps
are averaged to the smaller one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies.blocks import BlockMode, channels_last, rademacher
from fxscore.proxies.outputs import main_tensor
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.taps import Unfused

COMPONENTS = ("az_expressivity", "az_progressivity", "az_trainability", "flops")


@dataclass(frozen=True)
class BlockProxy(SeededProxy):
    """A number of the features between blocks; white noise by default, as in the paper."""

    spectrum: float = 0.0

    tie_rule: ClassVar[str] = "a real number, so ties come only from networks that compute alike"
    least: ClassVar[int] = 1

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        # Without a gradient at the input, a first layer without weights of its own would cut the graph.
        images = images.clone().requires_grad_()
        with Unfused(), BlockMode(network.parameters(), images) as mode:
            output = main_tensor(network(images))
        features = mode.features(output)
        if len(features) < self.least:
            raise ScorerError(
                f"{len(features)} blocks were found, and {self.name} needs {self.least} or more"
            )
        return self.of(features)

    @abstractmethod
    def of(self, features: Sequence[Tensor]) -> float:
        """The value, from the features behind each block."""


@dataclass(frozen=True)
class Expressivity(BlockProxy):
    """The sum over blocks of the entropy of their principal components."""

    name: ClassVar[str] = "az_expressivity"
    source: ClassVar[str] = "Lee, Ham, AZ-NAS, CVPR 2024, equations 1 to 4"

    def of(self, features: Sequence[Tensor]) -> float:
        return sum(map(component_entropy, features))


@dataclass(frozen=True)
class Progressivity(BlockProxy):
    """The least growth of that entropy from one block to the next."""

    name: ClassVar[str] = "az_progressivity"
    source: ClassVar[str] = "Lee, Ham, AZ-NAS, CVPR 2024, equation 5"
    least: ClassVar[int] = 2

    def of(self, features: Sequence[Tensor]) -> float:
        return float(np.diff([component_entropy(each) for each in features]).min())


@dataclass(frozen=True)
class Trainability(BlockProxy):
    """How near blocks are to leaving gradients as long as they were."""

    name: ClassVar[str] = "az_trainability"
    source: ClassVar[str] = "Lee, Ham, AZ-NAS, CVPR 2024, equations 6 to 9"
    least: ClassVar[int] = 2

    def of(self, features: Sequence[Tensor]) -> float:
        norms = [
            spectral_norm(before, after, self.seed + place)
            for place, (before, after) in enumerate(pairwise(features))
        ]
        if not all(norms):
            raise ScorerError("no gradient passes one of its blocks")
        return float(np.mean([-norm - 1 / norm + 2 for norm in norms]))


def component_entropy(features: Tensor) -> float:
    """Entropy of the shares of variance of the channels' principal components; 0 where nothing varies."""
    rows = channels_last(features.detach()).flatten(0, 1).double()
    values = torch.linalg.eigvalsh(torch.cov(rows.T).reshape(rows.shape[1], -1)).clamp(min=0)
    total = float(values.sum())
    return float(torch.special.entr(values / total).sum()) if total > 0 else 0.0


def spectral_norm(before: Tensor, after: Tensor, seed: int) -> float:
    """Greatest singular value of the mean of `v gᵀ`: v signs behind the block, g their gradient ahead of it."""
    signs = rademacher(after, seed)
    (gradient,) = torch.autograd.grad(
        after, before, signs, retain_graph=True, materialize_grads=True, allow_unused=True
    )
    ahead, behind = _matched(gradient, signs)
    product = behind.flatten(0, 1).T.double() @ ahead.flatten(0, 1).double() / (len(behind) * behind.shape[1])
    return float(torch.linalg.matrix_norm(product, 2))


def _matched(ahead: Tensor, behind: Tensor) -> tuple[Tensor, Tensor]:
    """Both as (N, positions, channels) of equally many positions."""
    if ahead.dim() == behind.dim() == 4 and (step := _step(ahead, behind)) > 1:
        ahead = F.pixel_unshuffle(ahead, step)
    images = min(len(ahead), len(behind))  # windows may be folded into the batch of one of them
    first, second = (each.reshape(images, -1, each.shape[2]) for each in map(channels_last, (ahead, behind)))
    places = min(first.shape[1], second.shape[1])
    return _averaged(first, places), _averaged(second, places)


def _averaged(rows: Tensor, places: int) -> Tensor:
    """(N, positions, channels) as (N, places, channels)."""
    if rows.shape[1] == places:
        return rows
    return F.adaptive_avg_pool1d(rows.transpose(1, 2), places).transpose(1, 2)


def _step(ahead: Tensor, behind: Tensor) -> int:
    """By how much a map became smaller; 1 where its sides do not divide alike."""
    (height, rest), (width, left) = (divmod(ahead.shape[axis], behind.shape[axis]) for axis in (2, 3))
    return height if height == width and not rest and not left else 1


def az_scores(components: Mapping[str, Sequence[float] | NDArray[np.float64]]) -> NDArray[np.float64]:
    """The AZ-NAS score of each network of a set.

    Args:
        components: (n,) by name, those of `COMPONENTS`; NaN where a network has none, which ranks last.

    Returns:
        (n,) sums of ln(rank / n), at most 0; the rank of the best is n, tied networks share the mean of theirs.
    """
    ranks = [rankdata(np.nan_to_num(components[name], nan=-np.inf)) for name in COMPONENTS]
    return np.asarray(np.sum([np.log(rank / len(rank)) for rank in ranks], axis=0))
