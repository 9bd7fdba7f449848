"""One listwise step in constant memory (METHOD.md section 4).

Pass 1 scores all architectures of the sample without gradients; the loss is differentiated with respect to the
scores alone; pass 2 runs one architecture at a time with gradients and back-propagates its own dL/dscore. The
gradients of synthesised weights add up per shape and go through one synthesis. The two passes are also the two
passes of v-norm, whose factors pass 1 measures and pass 2 takes as constants.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fxscore.constructed import ConstructedArchitecture
from fxscore.kernel import TrainableWeights
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.train.loss import spearman_loss


def accumulate_gradients(
    scorer: FTScoreNet, architectures: Sequence[ConstructedArchitecture], accuracies: Tensor
) -> float:
    """Add the gradient of the listwise loss to the scorer's parameters; returns the loss.

    Args:
        scorer: parameters' `.grad` are added to.
        architectures: the sample, s constructed architectures.
        accuracies: (s,) labels; only their order matters.
    """
    weights = TrainableWeights(scorer.kernel, kaiming=not scorer.settings.v_norm)
    scores, factors = _measure(scorer, architectures, weights)
    scores.requires_grad_()
    loss = spearman_loss(scores, accuracies)
    (slopes,) = torch.autograd.grad(loss, scores)
    for architecture, given, slope in zip(architectures, factors, slopes, strict=True):
        if slope != 0:
            score = scorer(architecture, weights, scorer.observer(factors=given))
            score.backward(slope)
    weights.backward()
    return float(loss.detach())


@torch.no_grad()
def _measure(
    scorer: FTScoreNet, architectures: Sequence[ConstructedArchitecture], weights: TrainableWeights
) -> tuple[Tensor, list[list[Tensor]]]:
    scores, factors = [], []
    for architecture in architectures:
        observer = scorer.observer()
        scores.append(scorer(architecture, weights, observer))
        factors.append(observer.factors)
    return torch.stack(scores), factors
