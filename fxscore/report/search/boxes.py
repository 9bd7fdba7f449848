"""What a drawing of a network shows: one box for each block, in order, with its share of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from fxscore.capture.empty_weights import build_without_weights
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.result import SearchResult
from fxscore.spaces.zen_resnet import Chain


@dataclass(frozen=True)
class Box:
    """One block, or a run of equal layers.

    Attributes:
        kind: what its colour stands for.
        label: what it is, with kernel and stride.
        detail: widths and repeats.
        channels: of its output.
        side: height of its output, in positions.
        params: learnable numbers.
    """

    kind: str
    label: str
    detail: str
    channels: int
    side: int
    params: int


def network_boxes(result: SearchResult, evaluation: Evaluation) -> list[Box]:
    """The boxes of a network: super-blocks of the Zen-NAS space, weighted layers of any other."""
    genotype = result.space.parse(evaluation.text)
    if isinstance(genotype, Chain):
        return _chain_boxes(genotype, result.space)
    return _layer_boxes(result.build, evaluation, result.space.input_shape)


def _chain_boxes(chain: Chain, space: Any) -> list[Box]:
    side, classes = space.input_shape[-1], space.classes
    boxes = [Box("stem", "Conv3×3, BN, ReLU", f"3 → {chain.stem}", chain.stem, side, 29 * chain.stem)]
    inputs = chain.stem
    for block in chain.blocks:
        side = -(-side // block.stride)
        k = block.kernel
        name = f"SuperResK{k}K{k}" if block.kind == "KXKX" else f"SuperResK1K{k}K1"
        label = name + (" / 2" if block.stride == 2 else "")
        detail = f"{inputs} → {block.channels}, bottleneck {block.bottleneck}, ×{block.sub_layers}"
        alone = Chain(inputs, (block,), 8)
        params = space.count_parameters(alone) - space.count_parameters(Chain(inputs, (), 8))
        params -= (block.channels - inputs) * 8  # the tail's share
        boxes.append(Box(name, label, detail, block.channels, side, params))
        inputs = block.channels
    tail = chain.tail
    boxes.append(Box("tail", "Conv1×1, BN, ReLU", f"{inputs} → {tail}", tail, side, (inputs + 2) * tail))
    boxes.append(Box("head", "average, linear", f"{tail} → {classes}", classes, 1, (tail + 1) * classes))
    return boxes


def _layer_boxes(
    build: Callable[[Evaluation], nn.Module], evaluation: Evaluation, shape: tuple[int, ...]
) -> list[Box]:
    """Convolutions and linear layers in the order in which they run; equal neighbours become one box."""
    module = build_without_weights(lambda: build(evaluation)).module.to("meta")
    seen: list[Box] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append(_layer_box(layer, output))

    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(note)
    with torch.no_grad():
        module(torch.empty(1, *shape, device="meta"))
    return list(_merged(seen))


def _layer_box(layer: nn.Module, output: Tensor) -> Box:
    params = sum(parameter.numel() for parameter in layer.parameters())
    if isinstance(layer, nn.Conv2d):
        kernel = "×".join(map(str, layer.kernel_size))
        kind = f"Conv{kernel}" + (" depthwise" if 1 < layer.groups == layer.in_channels else "")
        stride = "" if max(layer.stride) == 1 else f" / {max(layer.stride)}"
        detail = f"{layer.in_channels} → {layer.out_channels}"
        return Box(kind, kind + stride, detail, layer.out_channels, output.shape[-1], params)
    assert isinstance(layer, nn.Linear)  # the hooks are on these two kinds
    return Box(
        "Linear", "Linear", f"{layer.in_features} → {layer.out_features}", layer.out_features, 1, params
    )


def _merged(boxes: list[Box]) -> Iterator[Box]:
    for start, box in enumerate(boxes):
        if start and boxes[start - 1] == box:
            continue
        end = start
        while end < len(boxes) and boxes[end] == box:
            end += 1
        count = end - start
        yield box if count == 1 else replace(box, detail=f"{box.detail}, ×{count}", params=box.params * count)
