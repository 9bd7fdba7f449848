"""Recurrent layers keep their fused form; every weight matrix is synthesised and scaled by 1/sqrt(inputs).

The gates inside a fused layer cannot be unitised one by one, and at unit variance they would all be saturated; the
scale is the one of PyTorch's own initialisation. The output is unitised like that of any synthesised operator.
"""

from __future__ import annotations

from math import sqrt
from operator import getitem
from typing import Any

import torch
from torch import fx

from fxscore.represent.attention import tuple_of
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import represents


@represents(torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu)
def recurrent(
    ctx: RewriteContext,
    input: fx.Node,
    hx: Any,
    params: Any,
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> fx.Node:
    """LSTM, GRU and plain recurrent layers on a padded sequence."""
    weights = [_scaled(ctx, param) for param in params]
    settings = (has_biases, num_layers, 0.0, False, bidirectional, batch_first)
    results = ctx.call(ctx.node.target, input, hx, weights, *settings, like=ctx.node)
    sequence, *states = (ctx.call(getitem, results, index) for index in range(len(ctx.node.meta["val"])))
    return ctx.call(tuple_of, ctx.unitise(sequence), *states, like=ctx.node)


def _scaled(ctx: RewriteContext, param: Any) -> Any:
    shape = ctx.shape(param)
    weight = ctx.weight(param)
    return ctx.call(torch.div, weight, sqrt(shape[-1])) if len(shape) == 2 else weight
