"""What may be chosen in `wild`, by name; each family uses some of it (`families.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from fxscore.spaces.base import Variable

CLASSES = 10
SIDES = (28, 14)  # Fashion-MNIST as it is, and averaged 2×2

VARIABLES: dict[str, Variable] = {
    variable.name: variable
    for variable in (
        Variable("width", (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256), ordered=True),
        Variable("growth", (1.0, 1.5, 2.0), ordered=True),
        Variable("depth", (1, 2, 3, 4, 5, 6, 8, 10, 12, 16), ordered=True),
        Variable("stages", (1, 2, 3), ordered=True),
        Variable("kernel", (1, 3, 5, 7), ordered=True),
        Variable("stem", ("plain", "strided", "patch2", "patch4")),
        Variable("patch", (2, 4, 7), ordered=True),
        Variable("strides", ("none", "middle", "early", "even", "late", "every")),
        Variable("down", ("stride", "max", "avg")),
        Variable("norm", ("batch", "group", "layer", "none")),
        Variable("activation", ("relu", "gelu", "silu", "hardswish", "elu", "tanh", "sigmoid")),
        Variable("pool", ("avg", "max", "flatten")),
        Variable("hidden", (0, 16, 64), ordered=True),
        Variable("residual", (True, False)),
        Variable("order", ("pre", "post")),
        Variable("position", ("none", "learned", "sine")),
        Variable("ratio", (1, 2, 3, 4, 6), ordered=True),
        Variable("groups", (1, 2, 4, 8), ordered=True),
        Variable("gate", ("none", "se", "eca")),
        Variable("merge", ("sum", "concat")),
        Variable("wiring", tuple(range(16))),
        Variable("cell", ("rnn", "lstm", "gru")),
        Variable("both_ways", (False, True)),
        Variable("project", (False, True)),
    )
}


@dataclass(frozen=True)
class Choices:
    """The choices of one network; those that its family does not use keep the values here.

    Attributes:
        side: of the image, in pixels.
        width: channels of the first block.
        growth: factor on the channels at every downsampling.
        depth: blocks.
        stages: parts with a map of one size; layers of recurrent networks.
        kernel: of the spatial convolutions.
        stem: of convolutional networks: 3×3, 3×3 of stride 2, or patches.
        patch: side of the patches of token networks.
        strides: which blocks halve the map.
        down: how they do: by the block's own stride, or by a pool before it.
        norm, activation: everywhere.
        pool: before the classifier (`flatten`: none).
        hidden: width of a layer before the classifier; 0 has none.
        residual: sums around the blocks.
        order: of normalisation and function inside a residual block.
        position: embedding of token positions.
        ratio: inner width of a block, over its outer width.
        groups: of grouped convolutions; heads of attention.
        gate: attention over channels.
        merge: how a node of a random graph joins its inputs.
        wiring: seed of the random graph.
        cell, both_ways: of recurrent layers.
        project: whether a layer stands before them.
    """

    side: int
    width: int = 16
    growth: float = 1.0
    depth: int = 1
    stages: int = 1
    kernel: int = 3
    stem: str = "plain"
    patch: int = 4
    strides: str = "even"
    down: str = "stride"
    norm: str = "batch"
    activation: str = "relu"
    pool: str = "avg"
    hidden: int = 0
    residual: bool = True
    order: str = "pre"
    position: str = "none"
    ratio: int = 1
    groups: int = 1
    gate: str = "none"
    merge: str = "sum"
    wiring: int = 0
    cell: str = "rnn"
    both_ways: bool = False
    project: bool = False
