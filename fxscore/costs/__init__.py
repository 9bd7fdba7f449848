"""What a network costs: the one place where parameters, multiply-accumulates and activations are counted."""

from __future__ import annotations

from fxscore.costs.network import Costs, costs, network_costs
from fxscore.costs.operators import is_counted, macs_of, outputs_of
from fxscore.costs.resized import costs_of_one

__all__ = ["Costs", "costs", "costs_of_one", "is_counted", "macs_of", "network_costs", "outputs_of"]
