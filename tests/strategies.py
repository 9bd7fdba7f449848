"""Random small networks: what one computes (a `Spec`) apart from how it is written (a `Writing`).

The invariances of METHOD.md section 1 say that the writing does not matter, so a test draws one spec, writes it
twice, and compares. Every network takes (B, 3, H, W) and keeps its trunk small.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor, nn

Make = Callable[[], nn.Module]


@dataclass(frozen=True)
class Layer:
    """One operator on a map: its kind, and for weighted kinds the kernel, stride and channels it gives."""

    kind: str
    kernel: int = 1
    stride: int = 1
    channels: int = 0
    bias: bool = False


@dataclass(frozen=True)
class Join:
    """Branches from one value, joined by `sum`, `product` (gated) or `cat` (and a 1×1 convolution back)."""

    kind: str
    branches: tuple[tuple[Layer, ...], ...]


@dataclass(frozen=True)
class Spec:
    """A network: stem, items in turn, and a head that is `linear`, `convolution` or `features`."""

    channels: int
    items: tuple[Layer | Join, ...]
    head: str = "linear"


@dataclass(frozen=True)
class Writing:
    """How a network is written; none of it may change a score.

    Attributes:
        seed: of the initial values, and of choices between equal spellings.
        spelling: `module`, `functional` or `inplace`.
        order: seed of the order and association of sums; 0 is the order of the spec.
        identities, dropout, twice: with `nn.Identity`, dropout and drop-path, ReLU∘ReLU and BN∘BN in between.
        zeros: with an edge of zeros into every sum.
        names: prefix of all names.
    """

    seed: int = 0
    spelling: str = "module"
    order: int = 0
    identities: bool = False
    dropout: bool = False
    twice: bool = False
    zeros: bool = False
    names: str = "part"


# -- strategies ----------------------------------------------------------------------------------------------------

CHANNELS = 6
_ACTIVATIONS = ("relu", "relu", "gelu", "silu", "hardswish", "relu6", "sigmoid")


def _layers() -> st.SearchStrategy[Layer]:
    """Operators that keep the shape."""
    convolutions = st.builds(
        Layer,
        kind=st.sampled_from(("convolution", "depthwise")),
        kernel=st.sampled_from((1, 3)),
        channels=st.just(CHANNELS),
        bias=st.booleans(),
    )
    norms = st.sampled_from(("batch", "batch", "group", "layer")).map(Layer)
    pools = st.sampled_from(("max", "average")).map(lambda kind: Layer(kind, kernel=3))
    return st.one_of(convolutions, norms, st.sampled_from(_ACTIVATIONS).map(Layer), pools)


def _chains(least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Layer, ...]]:
    return st.lists(_layers(), min_size=least, max_size=most).map(tuple)


def joins() -> st.SearchStrategy[Join]:
    """One to four branches and what joins them; a branch may be empty (a shortcut) or zero, and the image goes on."""
    zero = (Layer("zero"),)
    branches = st.lists(st.one_of(_chains(), _chains(), st.just(zero)), min_size=1, max_size=4).map(tuple)
    found = st.builds(Join, kind=st.sampled_from(("sum", "sum", "product", "cat")), branches=branches)
    return found.filter(
        lambda join: (all if join.kind == "product" else any)(b != zero for b in join.branches)
    )


def specs(head: str | None = None) -> st.SearchStrategy[Spec]:
    """Small networks: a chain of operators, joins and at most one attention block, and a head."""
    tokens = st.sampled_from(((), (Layer("attention"),)))
    items = st.lists(st.one_of(joins(), _layers()), min_size=1, max_size=3).map(tuple)
    heads = (
        st.sampled_from(("linear", "linear", "convolution", "features")) if head is None else st.just(head)
    )
    return st.builds(
        lambda items, tokens, head: Spec(CHANNELS, (*items, *tokens), head), items, tokens, heads
    )


def writings() -> st.SearchStrategy[Writing]:
    """Any way of writing."""
    flags = st.booleans()
    return st.builds(
        Writing,
        seed=st.integers(0, 99),
        spelling=st.sampled_from(("module", "functional", "inplace")),
        order=st.integers(0, 9),
        identities=flags,
        dropout=flags,
        twice=flags,
        zeros=flags,
        names=st.sampled_from(("part", "layer", "x")),
    )


# -- from a spec to a module ----------------------------------------------------------------------------------------


def write(spec: Spec, writing: Writing = Writing()) -> nn.Module:
    """The network of `spec`, written as `writing` says, with weights drawn from its seed."""
    writer = _Writer(writing)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(writing.seed)
        stem = Layer("convolution", kernel=3, channels=spec.channels)
        parts: list[nn.Module] = [writer.layer(stem, 3)]
        for item in spec.items:
            parts.append(
                writer.join(item, spec.channels)
                if isinstance(item, Join)
                else writer.chain((item,), spec.channels)
            )
        return writer.sequence([*parts, *writer.head(spec)])


class _Writer:
    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.choice = random.Random(writing.seed)
        self.order = random.Random(writing.order)

    def sequence(self, parts: Sequence[nn.Module]) -> nn.Sequential:
        """Parts one after the other, with what changes nothing in between."""
        filled: list[nn.Module] = []
        for part in parts:
            filled.append(part)
            if self.writing.identities:
                filled.append(nn.Identity())
            if self.writing.dropout:
                filled.append(self.choice.choice((nn.Dropout(0.5), nn.Dropout2d(0.3), DropPath(0.5))))
        return nn.Sequential(OrderedDict((f"{self.writing.names}{i}", part) for i, part in enumerate(filled)))

    def item(self, item: Layer | Join, channels: int) -> nn.Module:
        return self.join(item, channels) if isinstance(item, Join) else self.chain((item,), channels)

    def chain(self, layers: Sequence[Layer], channels: int) -> nn.Sequential:
        parts: list[nn.Module] = []
        fresh = False  # whether the value is this chain's own, so that it may be changed in place
        for layer in layers:
            for _ in range(2 if self.writing.twice and layer.kind in ("relu", "batch") else 1):
                parts.append(self.layer(layer, channels, fresh))
            fresh = True
        return self.sequence(parts)

    def join(self, join: Join, channels: int) -> nn.Module:
        branches = [self.chain(branch, channels) for branch in join.branches]
        if join.kind == "cat":
            back = Layer("convolution", channels=channels)
            return self.sequence([Cat(branches), self.layer(back, channels * len(branches))])
        if join.kind == "product":
            branches = branches[:2]
        elif self.writing.zeros:
            branches.append(self.chain((Layer("zero"),), channels))
        if self.writing.order:
            self.order.shuffle(branches)
        if join.kind == "product":
            return Product(branches)
        return Sum(branches, self.order.randrange(3) if self.writing.order else 0, self.writing.spelling)

    def layer(self, layer: Layer, channels: int, fresh: bool = False) -> nn.Module:
        spelling = self.writing.spelling
        if layer.kind in ("convolution", "depthwise"):
            convolution = _convolution(layer, channels)
            return convolution if spelling == "module" else _Functional(convolution, _convolve, self.choice)
        if layer.kind in ("batch", "group", "layer"):
            norm = _norm(layer.kind, channels)
            return norm if spelling == "module" else _Functional(norm, _normalise, self.choice)
        if layer.kind == "attention":
            return Attention(channels, functional=spelling != "module")
        choices = _WEIGHT_FREE[layer.kind]
        place = {"module": 0, "functional": 1, "inplace": 2 if fresh else 1}[spelling]
        spelled = choices[min(place, len(choices) - 1)]
        return Call(self.choice.choice(spelled))

    def head(self, spec: Spec) -> list[nn.Module]:
        functional = self.writing.spelling != "module"
        if spec.head == "features":
            return []
        if spec.head == "convolution":
            last = self.layer(Layer("convolution", channels=10, bias=True), spec.channels)
            pool = Call(lambda x: x.mean((-2, -1))) if functional else nn.AdaptiveAvgPool2d(1)
            return [last, pool, nn.Flatten()]
        linear = nn.Linear(spec.channels, 10)
        if not functional:
            return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear]
        return [Call(lambda x: x.mean([2, 3])), _Functional(linear, _project, self.choice)]


class Call(nn.Module):
    """A function without weights as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class DropPath(nn.Module):
    """Stochastic depth: whole images are dropped in training."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = x.new_empty((x.shape[0],) + (1,) * (x.dim() - 1)).bernoulli_(1 - self.share)
        return x * kept / (1 - self.share)


class Sum(nn.Module):
    """The sum of branches, associated from the left, from the right or in pairs; perhaps in place."""

    def __init__(self, branches: Sequence[nn.Module], association: int, spelling: str) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.association = association
        self.spelling = spelling

    def forward(self, x: Tensor) -> Tensor:
        terms: list[Tensor] = [branch(x) for branch in self.branches]
        while len(terms) > 1:
            if self.association == 0:
                terms = [self._add(terms[0], terms[1]), *terms[2:]]
            elif self.association == 1:
                terms = [*terms[:-2], self._add(terms[-2], terms[-1])]
            else:
                pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
                terms = [self._add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return terms[0]

    def _add(self, first: Tensor, second: Tensor) -> Tensor:
        if self.spelling == "module":
            return first + second
        if self.spelling == "functional":
            return torch.add(first, second)
        total = first.clone()
        total += second
        return total


class Product(nn.Module):
    """The first branch gated by the second; products have no order either."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        factors: list[Tensor] = [branch(x) for branch in self.branches]
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor
        return product


class Cat(nn.Module):
    """Branches side by side."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Attention(nn.Module):
    """Self-attention over positions with a shortcut; the projections in either spelling."""

    def __init__(self, channels: int, functional: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.joint = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)
        self.functional = functional

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        if self.functional:
            tokens = x.reshape(B, C, H * W).permute(0, 2, 1)
            normed = F.layer_norm(tokens, (C,), self.norm.weight, self.norm.bias)
            joint = F.linear(normed, self.joint.weight, bias=self.joint.bias)
        else:
            tokens = x.flatten(2).transpose(1, 2)
            joint = self.joint(self.norm(tokens))
        q, k, v = joint.reshape(B, H * W, 3, 2, C // 2).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, H * W, C)
        mixed: Tensor = tokens + self.project(attended)
        return mixed.transpose(1, 2).reshape(B, C, H, W)


class _Functional(nn.Module):
    """Holds a layer's parameters, and calls a function on them in its own way."""

    def __init__(
        self, layer: Any, function: Callable[[Any, Tensor, int], Tensor], choice: random.Random
    ) -> None:
        super().__init__()
        self.held = layer
        self.function = function
        self.variant = choice.randrange(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.held, x, self.variant)


def _convolution(layer: Layer, channels: int) -> nn.Conv2d:
    groups = channels if layer.kind == "depthwise" else 1
    return nn.Conv2d(
        channels,
        layer.channels,
        layer.kernel,
        layer.stride,
        layer.kernel // 2,
        groups=groups,
        bias=layer.bias,
    )


def _convolve(held: nn.Conv2d, x: Tensor, variant: int) -> Tensor:
    if variant == 0:
        return F.conv2d(x, held.weight, held.bias, held.stride, held.padding, held.dilation, held.groups)
    if variant == 1:
        padding = int(held.padding[0])
        return F.conv2d(x, held.weight, held.bias, stride=held.stride[0], padding=padding, groups=held.groups)
    options = {"weight": held.weight, "bias": held.bias, "padding": list(held.padding), "groups": held.groups}
    return torch.conv2d(input=x, **options)  # type: ignore[arg-type]


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(2 if kind == "group" else 1, channels)


def _normalise(held: Any, x: Tensor, variant: int) -> Tensor:
    affine = (held.weight, held.bias)
    if isinstance(held, nn.GroupNorm):
        return F.group_norm(x, held.num_groups, *affine)
    if variant == 0:
        return F.batch_norm(x, held.running_mean, held.running_var, *affine)
    if variant == 1:
        return F.batch_norm(x, None, None, weight=held.weight, bias=held.bias, training=True)
    return torch.batch_norm(x, *affine, held.running_mean, held.running_var, False, 0.1, 1e-5, False)


def _project(held: nn.Linear, x: Tensor, variant: int) -> Tensor:
    if variant == 0:
        return F.linear(x, held.weight, held.bias)
    if variant == 1:
        return x @ held.weight.T + held.bias
    return torch.addmm(held.bias, x, held.weight.t())


# Of every kind: spellings as modules, as functions, and in place (where there is one).
_WEIGHT_FREE: dict[str, tuple[tuple[Any, ...], ...]] = {
    "relu": (
        (nn.ReLU(),),
        (F.relu, torch.relu, lambda x: x.relu(), lambda x: x.clamp(min=0)),
        (
            nn.ReLU(True),
            torch.relu_,
            lambda x: x.relu_(),
            lambda x: x.clamp_(min=0),
            lambda x: F.relu(x, True),
        ),
    ),
    "relu6": (
        (nn.ReLU6(), nn.Hardtanh(0.0, 6.0)),
        (F.relu6, lambda x: x.clamp(0, 6)),
        (nn.ReLU6(True), lambda x: x.clamp_(0, 6)),
    ),
    "gelu": ((nn.GELU(),), (F.gelu,)),
    "silu": ((nn.SiLU(),), (F.silu,), (nn.SiLU(True), lambda x: F.silu(x, inplace=True))),
    "hardswish": ((nn.Hardswish(),), (F.hardswish,), (nn.Hardswish(True),)),
    "sigmoid": (
        (nn.Sigmoid(),),
        (torch.sigmoid, F.sigmoid, lambda x: x.sigmoid()),
        (torch.sigmoid_, lambda x: x.sigmoid_()),
    ),
    "max": (
        (nn.MaxPool2d(3, 1, 1),),
        (
            lambda x: F.max_pool2d(x, 3, 1, 1),
            lambda x: torch.max_pool2d(x, (3, 3), stride=(1, 1), padding=(1, 1)),
        ),
    ),
    "average": (
        (nn.AvgPool2d(3, 1, 1),),
        (
            lambda x: F.avg_pool2d(x, 3, 1, 1),
            lambda x: F.avg_pool2d(x, (3, 3), stride=(1, 1), padding=(1, 1)),
        ),
    ),
    "zero": ((lambda x: x.mul(0.0),), (torch.zeros_like, lambda x: x * 0, lambda x: 0.0 * x)),
}


def retrained(model: nn.Module, seed: int) -> nn.Module:
    """`model` with other weights and running statistics, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 3)
    return model
