"""The constructed architectures of three blocks, to the letter; EXPECTTEST_ACCEPT=1 writes them anew."""

# ruff: noqa: E501 (generated code is as long as it is)

from __future__ import annotations

import re

import torch.nn.functional as F
from expecttest import assert_expected_inline
from torch import Tensor, nn

from fxscore.constructed import construct


class ResidualBlock(nn.Module):
    """Two convolutions beside a projected shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        y += self.shortcut(x)
        out: Tensor = self.relu(y)
        return out


class DepthwiseBlock(nn.Module):
    """An inverted residual with squeeze-and-excitation, dropped now and then in training."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.expand = nn.Sequential(nn.Conv2d(channels, wide, 1), nn.BatchNorm2d(wide), nn.ReLU6())
        self.depthwise = nn.Sequential(
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide), nn.BatchNorm2d(wide), nn.ReLU6()
        )
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 2, 1), nn.SiLU(), nn.Conv2d(2, wide, 1), nn.Sigmoid()
        )
        self.project = nn.Conv2d(wide, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(self.expand(x))
        out: Tensor = x + F.dropout2d(self.project(y * self.gate(y)), 0.2, self.training)
        return out


class AttentionBlock(nn.Module):
    """Pre-norm self-attention and a feed-forward layer with layer scale, over patches with positions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, channels, 4, 4)
        self.positions = nn.Parameter(nn.init.trunc_normal_(nn.Parameter().new_empty(1, 4, channels)))
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = nn.MultiheadAttention(channels, 2, batch_first=True)
        self.feed = nn.Sequential(
            nn.Linear(channels, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, channels)
        )
        self.scale = nn.Parameter(nn.Parameter().new_ones(channels) * 1e-5)
        self.head = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.positions
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.scale * self.feed(self.norm2(x))
        out: Tensor = self.head(x.mean(1))
        return out


def code(module: nn.Module) -> str:
    """The constructed architecture as code, without the remarks on what may be forgotten."""
    text = construct(module, (3, 8, 8), batch=2).code
    return re.sub(r";  [\w = ]+ = None", "", text).strip()


def test_residual_block() -> None:
    assert_expected_inline(
        code(nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), ResidualBlock(4, 8))),
        """\
def forward(self, input_like, weights, observer):
    w_4_3_1_1 = weights[(4, 3, 1, 1)]
    conv2d_1 = torch.conv2d(input_like, w_4_3_1_1, None, (1, 1), (0, 0), (1, 1), 1)
    unitise_1 = fxscore_ops_unitise(conv2d_1, observer)
    w_8_4_1_1 = weights[(8, 4, 1, 1)]
    conv2d_2 = torch.conv2d(unitise_1, w_8_4_1_1, None, (2, 2), (0, 0), (1, 1), 1)
    note_redundant_1 = fxscore_ops_note_redundant(conv2d_2, observer)
    batch_axis_norm_1 = fxscore_ops_batch_axis_norm(note_redundant_1)
    w_8_4_3_3 = weights[(8, 4, 3, 3)]
    conv2d_3 = torch.conv2d(unitise_1, w_8_4_3_3, None, (2, 2), (1, 1), (1, 1), 1)
    note_redundant_2 = fxscore_ops_note_redundant(conv2d_3, observer)
    batch_axis_norm_2 = fxscore_ops_batch_axis_norm(note_redundant_2)
    relu_1 = torch.nn.functional.relu(batch_axis_norm_2)
    note_activation_1 = fxscore_ops_note_activation(relu_1, observer)
    w_8_8_3_3 = weights[(8, 8, 3, 3)]
    conv2d_4 = torch.conv2d(note_activation_1, w_8_8_3_3, None, (1, 1), (1, 1), (1, 1), 1)
    note_redundant_3 = fxscore_ops_note_redundant(conv2d_4, observer)
    batch_axis_norm_3 = fxscore_ops_batch_axis_norm(note_redundant_3)
    sum_of_1 = fxscore_ops_sum_of(batch_axis_norm_1, batch_axis_norm_3)
    relu_2 = torch.nn.functional.relu(sum_of_1)
    note_activation_2 = fxscore_ops_note_activation(relu_2, observer)
    encode_1 = fxscore_ops_encode(note_activation_2, 1)
    return encode_1""",
    )


def test_depthwise_block() -> None:
    assert_expected_inline(
        code(nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), DepthwiseBlock(4))),
        """\
def forward(self, input_like, weights, observer):
    w_4_3_1_1 = weights[(4, 3, 1, 1)]
    conv2d_1 = torch.conv2d(input_like, w_4_3_1_1, None, (1, 1), (0, 0), (1, 1), 1)
    unitise_1 = fxscore_ops_unitise(conv2d_1, observer)
    w_8_4_1_1 = weights[(8, 4, 1, 1)]
    w_8 = weights[(8,)]
    conv2d_2 = torch.conv2d(unitise_1, w_8_4_1_1, w_8, (1, 1), (0, 0), (1, 1), 1)
    note_redundant_1 = fxscore_ops_note_redundant(conv2d_2, observer)
    batch_axis_norm_1 = fxscore_ops_batch_axis_norm(note_redundant_1)
    relu6_1 = torch.nn.functional.relu6(batch_axis_norm_1)
    note_activation_1 = fxscore_ops_note_activation(relu6_1, observer)
    w_8_1_3_3 = weights[(8, 1, 3, 3)]
    conv2d_3 = torch.conv2d(note_activation_1, w_8_1_3_3, w_8, (1, 1), (1, 1), (1, 1), 8)
    note_redundant_2 = fxscore_ops_note_redundant(conv2d_3, observer)
    batch_axis_norm_2 = fxscore_ops_batch_axis_norm(note_redundant_2)
    relu6_2 = torch.nn.functional.relu6(batch_axis_norm_2)
    note_activation_2 = fxscore_ops_note_activation(relu6_2, observer)
    mean_1 = torch.mean(note_activation_2, (2, 3), True)
    w_2_8_1_1 = weights[(2, 8, 1, 1)]
    w_2 = weights[(2,)]
    conv2d_4 = torch.conv2d(mean_1, w_2_8_1_1, w_2, (1, 1), (0, 0), (1, 1), 1)
    unitise_2 = fxscore_ops_unitise(conv2d_4, observer)
    silu_1 = torch.nn.functional.silu(unitise_2)
    note_activation_3 = fxscore_ops_note_activation(silu_1, observer)
    w_8_2_1_1 = weights[(8, 2, 1, 1)]
    conv2d_5 = torch.conv2d(note_activation_3, w_8_2_1_1, w_8, (1, 1), (0, 0), (1, 1), 1)
    unitise_3 = fxscore_ops_unitise(conv2d_5, observer)
    sigmoid_1 = torch.sigmoid(unitise_3)
    mul_1 = torch.mul(sigmoid_1, note_activation_2)
    w_4_8_1_1 = weights[(4, 8, 1, 1)]
    w_4 = weights[(4,)]
    conv2d_6 = torch.conv2d(mul_1, w_4_8_1_1, w_4, (1, 1), (0, 0), (1, 1), 1)
    unitise_4 = fxscore_ops_unitise(conv2d_6, observer)
    sum_of_1 = fxscore_ops_sum_of(unitise_4, unitise_1)
    encode_1 = fxscore_ops_encode(sum_of_1, 1)
    return encode_1""",
    )


def test_attention_block() -> None:
    assert_expected_inline(
        code(AttentionBlock(8)),
        """\
def forward(self, input_like, weights, observer):
    w_4_8_1_1 = weights[(4, 8, 1, 1)]
    unit_variance_1 = fxscore_ops_unit_variance(w_4_8_1_1)
    reshape_1 = torch.reshape(unit_variance_1, (1, 4, 8))
    w_8_3_4_4 = weights[(8, 3, 4, 4)]
    w_8 = weights[(8,)]
    conv2d_1 = torch.conv2d(input_like, w_8_3_4_4, w_8, (4, 4), (0, 0), (1, 1), 1)
    unitise_1 = fxscore_ops_unitise(conv2d_1, observer)
    reshape_2 = torch.reshape(unitise_1, (2, 8, 4))
    permute_1 = torch.permute(reshape_2, (0, 2, 1))
    sum_of_1 = fxscore_ops_sum_of(reshape_1, permute_1)
    layer_norm_1 = torch.nn.functional.layer_norm(sum_of_1, (8,), None, None, 1e-05)
    w_24_8_1_1 = weights[(24, 8, 1, 1)]
    reshape_3 = torch.reshape(w_24_8_1_1, (24, 8))
    w_24 = weights[(24,)]
    linear_1 = torch._C._nn.linear(layer_norm_1, reshape_3, w_24)
    unitise_2 = fxscore_ops_unitise(linear_1, observer)
    chunk_1 = torch.chunk(unitise_2, 3, -1)
    getitem_1 = chunk_1[0]
    reshape_4 = torch.reshape(getitem_1, (2, 4, 2, 4))
    permute_2 = torch.permute(reshape_4, (0, 2, 1, 3))
    getitem_2 = chunk_1[1]
    reshape_5 = torch.reshape(getitem_2, (2, 4, 2, 4))
    permute_3 = torch.permute(reshape_5, (0, 2, 1, 3))
    getitem_3 = chunk_1[2]
    reshape_6 = torch.reshape(getitem_3, (2, 4, 2, 4))
    permute_4 = torch.permute(reshape_6, (0, 2, 1, 3))
    scaled_dot_product_attention_1 = torch._C._nn.scaled_dot_product_attention(permute_2, permute_3, permute_4, None, 0.0, False)
    permute_5 = torch.permute(scaled_dot_product_attention_1, (0, 2, 1, 3))
    reshape_7 = torch.reshape(permute_5, (2, 4, 8))
    w_8_8_1_1 = weights[(8, 8, 1, 1)]
    reshape_8 = torch.reshape(w_8_8_1_1, (8, 8))
    linear_2 = torch._C._nn.linear(reshape_7, reshape_8, w_8)
    unitise_3 = fxscore_ops_unitise(linear_2, observer)
    sum_of_2 = fxscore_ops_sum_of(sum_of_1, unitise_3)
    layer_norm_2 = torch.nn.functional.layer_norm(sum_of_2, (8,), None, None, 1e-05)
    w_16_8_1_1 = weights[(16, 8, 1, 1)]
    reshape_9 = torch.reshape(w_16_8_1_1, (16, 8))
    w_16 = weights[(16,)]
    linear_3 = torch._C._nn.linear(layer_norm_2, reshape_9, w_16)
    unitise_4 = fxscore_ops_unitise(linear_3, observer)
    gelu_1 = torch._C._nn.gelu(unitise_4)
    note_activation_1 = fxscore_ops_note_activation(gelu_1, observer)
    w_8_16_1_1 = weights[(8, 16, 1, 1)]
    reshape_10 = torch.reshape(w_8_16_1_1, (8, 16))
    linear_4 = torch._C._nn.linear(note_activation_1, reshape_10, w_8)
    unitise_5 = fxscore_ops_unitise(linear_4, observer)
    sum_of_3 = fxscore_ops_sum_of(sum_of_2, unitise_5)
    mean_1 = torch.mean(sum_of_3, (1,), True)
    reshape_11 = torch.reshape(mean_1, (2, 8))
    encode_1 = fxscore_ops_encode(reshape_11, 1)
    return encode_1""",
    )
