"""Names for the aten operators that the proxies tell apart.

The sets hold overload packets. In-place forms are their own packets, so both are listed. An operator that a
build of torch does not have is left out.
"""

from __future__ import annotations

from typing import Any

import torch

Packet = Any


def _packets(names: str) -> frozenset[Packet]:
    return frozenset(getattr(torch.ops.aten, name) for name in names.split() if hasattr(torch.ops.aten, name))


CONVOLUTIONS = _packets(
    "convolution _convolution cudnn_convolution convolution_overrideable _slow_conv2d_forward"
)
PRODUCTS = _packets("mm addmm bmm baddbmm mv addmv")
BATCH_NORMS = _packets(
    "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
    "cudnn_batch_norm miopen_batch_norm _batch_norm_with_update _batch_norm_no_update"
)
NORMS = BATCH_NORMS | _packets("native_layer_norm native_group_norm")

# NASWOT reads the sign of what enters these: activations that pass positive numbers and hold back negative ones.
RECTIFIERS = _packets(
    "relu relu_ hardtanh hardtanh_ leaky_relu leaky_relu_ threshold threshold_ _prelu_kernel elu elu_ celu celu_ "
    "gelu gelu_ silu silu_ hardswish hardswish_ mish mish_ softplus rrelu_with_noise rrelu_with_noise_"
)
ACTIVATIONS = RECTIFIERS | _packets("sigmoid sigmoid_ tanh tanh_ hardsigmoid hardsigmoid_")
POOLS = _packets("avg_pool1d avg_pool2d avg_pool3d max_pool2d_with_indices max_pool3d_with_indices")

ADDITIONS = _packets("add add_ sub sub_")
SCALINGS = _packets("mul mul_")
# What only lays out, picks or averages what its input holds.
REDUCTIONS = _packets(
    "view _unsafe_view reshape flatten squeeze unsqueeze permute transpose t select slice clone detach alias expand "
    "mean sum amax _adaptive_avg_pool2d adaptive_max_pool2d avg_pool2d max_pool2d_with_indices _to_copy contiguous"
)
