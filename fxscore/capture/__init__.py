"""From an `nn.Module` to an `fx.GraphModule` with shapes; the model's weights are never allocated or read."""

from __future__ import annotations

from fxscore.capture.trace import capture, with_shapes

__all__ = ["capture", "with_shapes"]
