"""Recurrent layers keep their fused form; every weight matrix is synthesised and scaled by 1/sqrt(inputs).

The gates inside a fused layer cannot be unitised one by one, and at unit variance they would all be saturated; the
scale is the one of PyTorch's own initialisation. Stacked layers are taken apart, so that a stack is the same however it
was written, and the sequence that each gives is unitised like the output of any synthesised operator. States are not:
they are bounded by their gates, and what a cell gives is what it is fed at the next step. A ReLU bounds none, so there
the state's weights, which are all positive, are scaled by 1/inputs: a state grows with time at most like a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from operator import getitem
from typing import Any

import torch
from torch import fx

from fxscore.represent.attention import tuple_of
from fxscore.represent.context import RewriteContext
from fxscore.represent.packing import one_length, rows_of
from fxscore.represent.registry import represents


@dataclass(frozen=True)
class _Stack:
    """The arguments of a recurrent operator.

    Attributes:
        before: what stands between the sequence and the states: the batch sizes of a packed sequence.
        states: (layers · directions, B, H) each; an LSTM has two.
        weights: of all layers and directions, in PyTorch's order.
        has_biases, layers, directions: of the stack.
        after: `batch_first`, of a padded sequence.
    """

    before: tuple[fx.Node, ...]
    states: tuple[fx.Node, ...]
    weights: Sequence[Any]
    has_biases: bool
    layers: int
    directions: int
    after: tuple[bool, ...]


@represents(torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu)
def recurrent(ctx: RewriteContext, input: fx.Node, *arguments: Any) -> fx.Node:
    """LSTM, GRU and plain recurrent layers on a padded or a packed sequence; a padded one is run batch first."""
    stack = _stack(arguments)
    packed = one_length(ctx, input, stack.before[0]) if stack.before else None
    if packed is not None:
        input, stack = ctx.call(torch.reshape, input, packed), replace(stack, before=(), after=(False,))
    time_first = stack.after == (False,) and len(ctx.shape(input)) == 3
    if time_first:
        stack = replace(stack, after=(True,))
    sequence, final = ctx.call(torch.permute, input, (1, 0, 2)) if time_first else input, []
    for layer in range(stack.layers):
        results = _layer(ctx, sequence, stack, layer)
        sequence = ctx.unitise(ctx.call(getitem, results, 0))
        final.append([ctx.call(getitem, results, 1 + place) for place in range(len(stack.states))])
    states = [
        parts[0] if stack.layers == 1 else ctx.call(torch.cat, list(parts))
        for parts in zip(*final, strict=True)
    ]
    if packed is not None:
        sequence = rows_of(ctx, sequence)
    elif time_first:
        sequence = ctx.call(torch.permute, sequence, (1, 0, 2))
    return ctx.call(tuple_of, sequence, *states, like=ctx.node)


@represents(torch.lstm_cell, torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell)
def cell(ctx: RewriteContext, input: fx.Node, hx: Any, *weights: Any) -> fx.Node:
    """One step."""
    return ctx.call(ctx.node.target, input, hx, *_scaled(ctx, weights), like=ctx.node)


def _stack(arguments: tuple[Any, ...]) -> _Stack:
    """Reads (hx, weights, …) of a padded sequence, or (batch_sizes, hx, weights, …) of a packed one."""
    packed = isinstance(arguments[2], (list, tuple))
    hx, weights, has_biases, layers, _, _, both_ways, *after = arguments[packed:]
    states = tuple(hx) if isinstance(hx, (list, tuple)) else (hx,)
    return _Stack(arguments[:packed], states, weights, has_biases, layers, 1 + both_ways, tuple(after))


def _layer(ctx: RewriteContext, sequence: fx.Node, stack: _Stack, layer: int) -> fx.Node:
    each = len(stack.weights) // stack.layers
    own_weights = stack.weights[layer * each : (layer + 1) * each]
    way = each // stack.directions
    weights = [
        part for start in range(0, each, way) for part in _scaled(ctx, own_weights[start : start + way])
    ]
    own = slice(layer * stack.directions, (layer + 1) * stack.directions)
    states = [state if stack.layers == 1 else ctx.call(getitem, state, own) for state in stack.states]
    hx = states if len(states) > 1 else states[0]
    settings = (stack.has_biases, 1, 0.0, False, stack.directions == 2, *stack.after)
    return ctx.call(ctx.node.target, sequence, *stack.before, hx, weights, *settings)


def _scaled(ctx: RewriteContext, weights: Sequence[Any]) -> list[Any]:
    """The weights of one direction of a layer or of a cell: of the inputs, of the states, and further ones."""
    return [_scaled_one(ctx, weight, place == 1) for place, weight in enumerate(weights)]


def _scaled_one(ctx: RewriteContext, weight: Any, of_states: bool) -> Any:
    if weight is None or len(ctx.shape(weight)) != 2:
        return ctx.weight(weight)
    inputs = ctx.shape(weight)[-1]
    unbounded = of_states and ctx.node.target in (torch.rnn_relu, torch.rnn_relu_cell)
    return ctx.call(torch.div, ctx.weight(weight), float(inputs) if unbounded else sqrt(inputs))
