"""Dynamically quantised layers are the layers that they were made of: precision is no part of an architecture.

`torch.ao.quantization.quantize_dynamic` keeps the weights of linear and recurrent layers in a packed form that nothing
can be recorded of. Their sizes say which layer they were (as seen in torch 2.14). Other quantised layers are refused.
"""

from __future__ import annotations

import sys
from typing import Any

from torch import nn

from fxscore.errors import CaptureError

_QUANTISED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized", "torch.ao.nn.sparse.quantized")
_CELL = ("input_size", "hidden_size", "bias")
_SIZES: dict[type[nn.Module], tuple[str, ...]] = {
    nn.LSTM: (*_CELL, "num_layers", "batch_first", "bidirectional"),
    nn.GRU: (*_CELL, "num_layers", "batch_first", "bidirectional"),
    nn.LSTMCell: _CELL,
    nn.GRUCell: _CELL,
    nn.RNNCell: (*_CELL, "nonlinearity"),
}


def unquantised(module: nn.Module) -> nn.Module | None:
    """The layer that a dynamically quantised one was made of, without weights; None where it is not quantised.

    Raises:
        CaptureError: the layer is quantised in another way.
    """
    kind: Any = type(module)
    if _QUANTISED[0] not in sys.modules or not kind.__module__.startswith(_QUANTISED):
        return None
    if kind.__name__ == "FloatFunctional":
        return None  # lives among the quantised ones, and computes as it stands
    own: Any = module
    dynamic = kind.__module__.startswith(f"{_QUANTISED[0]}.dynamic")
    if dynamic and kind.__name__ == "Linear":
        return nn.Linear(own.in_features, own.out_features, own.bias() is not None, device="meta")
    plain = next((layer for layer in _SIZES if layer.__name__ == kind.__name__), None)
    if not dynamic or plain is None:
        raise CaptureError(
            f"{kind.__name__} of {kind.__module__} is quantised, its weights packed; give the network as it was "
            "before quantisation, which has the same architecture"
        )
    return plain(**{size: getattr(own, size) for size in _SIZES[plain]}, device="meta")
