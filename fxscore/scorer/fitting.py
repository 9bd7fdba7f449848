"""What scorers are fitted to must make sense: accuracies that teach something."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from fxscore.errors import ScorerError

LEAST = 8  # networks without which there is nothing to learn


def check_accuracies(models: Sequence[object], accuracies: Sequence[float]) -> None:
    """Refuse what nothing can be learned from.

    Raises:
        ScorerError: not one number for each network, too few networks, a number that is not finite, or all equal.
    """
    if len(models) != len(accuracies):
        raise ScorerError(f"{len(models)} networks and {len(accuracies)} accuracies: give one for each")
    wrong = next((place for place, value in enumerate(accuracies) if not isfinite(value)), None)
    if wrong is not None:
        raise ScorerError(f"the accuracy of network {wrong} is {accuracies[wrong]}; leave the network out")
    if len(models) < LEAST:
        raise ScorerError(
            f"{len(models)} networks are too few to learn from; give {LEAST} at least, better 20 to 200"
        )
    if len(set(accuracies)) == 1:
        raise ScorerError(f"all accuracies are {accuracies[0]}: there is no order to learn")
