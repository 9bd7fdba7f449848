"""Every operator × configuration: the shape is kept, values are finite, gradients flow, runs are deterministic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torchvision.ops import DeformConv2d, FrozenBatchNorm2d

from fxscore.capture import capture
from fxscore.kernel import FourierKernel, TrainableWeights
from fxscore.ops import Observer
from fxscore.passes import default_pipeline, run_passes
from fxscore.passes.cut_head import CutHeadPass
from fxscore.passes.join_encodings import JoinEncodingsPass
from fxscore.represent import has_module_rule
from fxscore.types import Shape

BATCH = 4
IMAGE: Shape = (6, 9, 8)
TOKENS: Shape = (7, 8)


@dataclass(frozen=True)
class Case:
    """One operator in one configuration.

    Attributes:
        make: the module.
        shape: of its input, without the batch.
        forms: what its weights become, by form; `synthesised` implies a gradient at the kernel.
        needs_input: whether the result depends on the input.
    """

    make: Callable[[], nn.Module]
    shape: Shape = IMAGE
    forms: tuple[str, ...] = ("synthesised",)
    needs_input: bool = True


class Use(nn.Module):
    """Uses learnable tensors (complex ones: with their parts last), or layers, in a forward given as a function."""

    def __init__(
        self, forward: Callable[..., Tensor], *shapes: tuple[int, ...], complex: bool = False, **layers: Any
    ) -> None:
        super().__init__()
        for number, shape in enumerate(shapes):
            values = torch.randn(shape)
            self.register_parameter(
                "wvu"[number], nn.Parameter(torch.view_as_complex(values) if complex else values)
            )
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.function = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def conv(dims: int, *args: Any, shape: Shape = (), **options: Any) -> Case:
    sides = shape or (6, *(9, 8, 7)[:dims])
    cls = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dims - 1]
    return Case(lambda: cls(*args, **options), sides)


def transposed(dims: int, *args: Any, **options: Any) -> Case:
    cls = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dims - 1]
    return Case(lambda: cls(*args, **options), (6, *(5, 4, 3)[:dims]))


def attend(
    *args: Any, cross: bool = False, mask: Tensor | None = None, causal: bool = False, **options: Any
) -> Case:
    """`nn.MultiheadAttention` over tokens; `cross` takes key and value from elsewhere."""

    def forward(m: Any, x: Tensor) -> Tensor:
        first = options.get("batch_first", False)
        query = x if first else x.transpose(0, 1)
        key = value = query[..., : options.get("kdim", 8)].flip(1 if first else 0) if cross else query
        value = query[..., : options.get("vdim", 8)] if "vdim" in options else value
        out: Tensor = m.layer(query, key, value, attn_mask=mask, need_weights=False, is_causal=causal)[0]
        return out if first else out.transpose(0, 1)

    return Case(lambda: Use(forward, layer=nn.MultiheadAttention(*args, **options)), TOKENS)


def norm(
    make: Callable[[], nn.Module], shape: Shape = IMAGE, forms: tuple[str, ...] = ("one", "zero")
) -> Case:
    return Case(make, shape, forms)


def use(
    forward: Callable[..., Tensor],
    *shapes: tuple[int, ...],
    form: str | tuple[str, ...] = "synthesised",
    of: Shape = IMAGE,
    complex: bool = False,
) -> Case:
    return Case(
        lambda: Use(forward, *shapes, complex=complex), of, (form,) if isinstance(form, str) else form
    )


def standardised(weight: Tensor) -> Tensor:
    """Weight standardisation, as timm's `StdConv2d` writes it."""
    return F.batch_norm(weight.view(1, 4, -1), None, None, training=True).view_as(weight)


ONE = ("one",)
ALL = ("synthesised", "one", "zero")
NORMS = ("batch", "synchronised", "layer", "group", "instance", "rms")
sdpa = F.scaled_dot_product_attention
CAUSAL = torch.ones(7, 7).tril().bool()

ROWS: dict[str, Case] = {
    # -- convolutions
    **{f"conv{d}d": conv(d, 6, 4, 3) for d in (1, 2, 3)},
    **{f"conv{d}d no bias": conv(d, 6, 4, 3, bias=False) for d in (1, 2, 3)},
    **{f"conv{d}d strided": conv(d, 6, 4, 3, stride=2, padding=1) for d in (1, 2, 3)},
    **{f"conv{d}d dilated": conv(d, 6, 4, 3, dilation=2, padding=2) for d in (1, 2, 3)},
    **{f"conv{d}d grouped": conv(d, 6, 4, 3, groups=2) for d in (1, 2, 3)},
    **{f"conv{d}d depthwise": conv(d, 6, 12, 3, groups=6) for d in (1, 2, 3)},
    **{f"conv{d}d same": conv(d, 6, 4, 4, padding="same", dilation=2) for d in (1, 2)},
    **{f"conv{d}d valid": conv(d, 6, 4, 3, padding="valid") for d in (1, 2, 3)},
    **{
        f"conv{d}d {mode}": conv(d, 6, 4, 3, padding=1, padding_mode=mode)
        for d in (1, 2, 3)
        for mode in ("reflect", "replicate", "circular")
    },
    "conv2d same reflect": conv(2, 6, 4, 3, padding="same", padding_mode="reflect"),
    "conv2d uneven": conv(2, 6, 4, (1, 5), stride=(2, 1), padding=(0, 2), dilation=(3, 1)),
    "conv2d 1×1": conv(2, 6, 4, 1),
    **{f"transposed {d}d": transposed(d, 6, 4, 3) for d in (1, 2, 3)},
    "transposed strided": transposed(2, 6, 4, 3, stride=2, padding=1, output_padding=1),
    "transposed grouped": transposed(2, 6, 4, 3, groups=2, bias=False),
    "transposed dilated": transposed(2, 6, 4, 3, dilation=2),
    "transposed uneven": transposed(2, 6, 4, (2, 3), stride=(1, 2)),
    "conv2d functional with a computed weight": use(
        lambda m, x: F.conv2d(x, m.w * m.v), (4, 6, 3, 3), (4, 1, 1, 1)
    ),
    "conv2d with weight norm": Case(lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(6, 4, 3))),
    "conv2d with spectral norm": Case(lambda: nn.utils.parametrizations.spectral_norm(nn.Conv2d(6, 4, 3))),
    "conv2d with standardised weight": use(lambda m, x: F.conv2d(x, standardised(m.w)), (4, 6, 3, 3)),
    # -- linear
    "linear of vectors": Case(lambda: nn.Linear(8, 5), (8,)),
    "linear of tokens": Case(lambda: nn.Linear(8, 5), TOKENS),
    "linear of maps": Case(lambda: nn.Linear(8, 5), IMAGE),
    "linear no bias": Case(lambda: nn.Linear(8, 5, bias=False), TOKENS),
    "matmul with a weight": use(lambda m, x: x @ m.w, (8, 5), of=TOKENS),
    "matmul with a weight on the left": use(lambda m, x: m.w @ x, (5, 7), of=TOKENS),
    "matmul with a weight per head": use(lambda m, x: x.unsqueeze(1) @ m.w, (3, 8, 5), of=TOKENS),
    "mm with a transposed weight": use(lambda m, x: torch.mm(x, m.w.t()), (5, 8), of=(8,)),
    "bmm with an expanded weight": use(
        lambda m, x: torch.bmm(x, m.w.expand(BATCH, -1, -1)), (8, 5), of=TOKENS
    ),
    "addmm": use(lambda m, x: torch.addmm(m.v, x, m.w), (8, 5), (5,), of=(8,)),
    "einsum with a weight": use(lambda m, x: torch.einsum("btc,cd->btd", x, m.w), (8, 5), of=TOKENS),
    "einsum with a weight per head": use(
        lambda m, x: torch.einsum("btc,hcd->bhtd", x, m.w), (2, 8, 5), of=TOKENS
    ),
    "einsum with a matrix per group": use(
        lambda m, x: torch.einsum("btc,tcd->btd", x, m.w), (7, 8, 5), of=TOKENS
    ),
    "einsum of three": use(
        lambda m, x: torch.einsum("btc,cd,de->bte", x, m.w, m.v), (8, 5), (5, 4), of=TOKENS
    ),
    "einsum with a weight first": use(lambda m, x: torch.einsum("cd,btc->bdt", m.w, x), (8, 5), of=TOKENS),
    "tensordot": use(lambda m, x: torch.tensordot(x, m.w, dims=([1, 2], [1, 0])), (8, 7, 5), of=TOKENS),
    "tensordot by a number": use(lambda m, x: torch.tensordot(x, m.w, dims=1), (8, 5, 2), of=TOKENS),
    "inner": use(lambda m, x: torch.inner(x, m.w), (5, 8), of=TOKENS),
    "matrix by vector": use(lambda m, x: torch.mv(x, m.w), (8,), of=(8,)),
    "matmul with a vector": use(lambda m, x: x @ m.w, (8,), of=TOKENS),
    "linear with a vector": use(lambda m, x: F.linear(x, m.w), (8,), of=TOKENS),
    "baddbmm": use(lambda m, x: torch.baddbmm(x, x, m.w.expand(BATCH, -1, -1), beta=0.5), (8, 8), of=TOKENS),
    "addbmm": use(lambda m, x: torch.addbmm(m.v, x, m.w), (BATCH, 8, 5), (7, 5), of=TOKENS),
    "bilinear": Case(lambda: Use(lambda m, x: m.b(x, x.flip(1)[..., :3]), b=nn.Bilinear(8, 3, 5)), TOKENS),
    "embedding bag": Case(
        lambda: Use(lambda m, x: x + m.e(torch.arange(14).view(7, 2) % 9), e=nn.EmbeddingBag(9, 8)), TOKENS
    ),
    "grouped products": use(
        lambda m, x: F.grouped_mm(x, m.w, offs=torch.tensor([1, 3, 4], dtype=torch.int32)),
        (3, 8, 16),
        of=(8,),
    ),
    "deformable convolution": Case(
        lambda: Use(
            lambda m, x: m.d(x, m.c(x)),
            d=DeformConv2d(6, 4, 3, padding=1, groups=2),
            c=nn.Conv2d(6, 18, 3, padding=1),
        )
    ),
    "deformable convolution under a mask": Case(
        lambda: Use(
            lambda m, x: m.d(x, x.repeat(1, 3, 1, 1), x[:, :1].repeat(1, 9, 1, 1).sigmoid()),
            d=DeformConv2d(6, 4, 3, padding=1, bias=False),
        )
    ),
    "distances": use(lambda m, x: torch.cdist(x, m.w), (5, 8), of=TOKENS),
    "cosine similarity": use(lambda m, x: F.cosine_similarity(x, m.w, dim=-1), (7, 8), of=TOKENS),
    "complex linear": use(
        lambda m, x: torch.fft.irfft(torch.fft.rfft(x) @ m.w), (5, 5, 2), of=TOKENS, complex=True
    ),
    "complex einsum": use(
        lambda m, x: torch.einsum("btf,tf->btf", torch.fft.rfft(x), m.w).abs(),
        (7, 5, 2),
        of=TOKENS,
        complex=True,
    ),
    "complex einsum per frequency": use(
        lambda m, x: torch.fft.irfft(torch.einsum("bif,iof->bof", torch.fft.rfft(x), m.w)),
        (7, 4, 5, 2),
        of=TOKENS,
        complex=True,
    ),
    "complex filter, its weights real": use(
        lambda m, x: torch.fft.irfft(torch.fft.rfft(x) * torch.view_as_complex(m.w)), (7, 5, 2), of=TOKENS
    ),
    # -- norms
    "batch norm of vectors": norm(lambda: nn.BatchNorm1d(8), (8,)),
    "batch norm 1d": norm(lambda: nn.BatchNorm1d(7), TOKENS),
    "batch norm 2d": norm(lambda: nn.BatchNorm2d(6)),
    "batch norm 3d": norm(lambda: nn.BatchNorm3d(6), (6, 3, 4, 5)),
    "batch norm without affine": norm(lambda: nn.BatchNorm2d(6, affine=False), forms=()),
    "batch norm without statistics": norm(lambda: nn.BatchNorm2d(6, track_running_stats=False)),
    "batch norm of folded tokens": norm(
        lambda: Use(lambda m, x: m.norm(x.flatten(0, 1)).view_as(x), norm=nn.BatchNorm1d(8)), TOKENS
    ),
    "batch norm, frozen": norm(lambda: Use(lambda m, x: m.norm(x), norm=FrozenBatchNorm2d(6)), forms=()),
    "synchronised batch norm": norm(lambda: nn.SyncBatchNorm(6)),
    "layer norm": norm(lambda: nn.LayerNorm(8), TOKENS),
    "layer norm over several axes": norm(lambda: nn.LayerNorm([9, 8])),
    "layer norm without affine": norm(lambda: nn.LayerNorm(8, elementwise_affine=False), TOKENS, ()),
    "layer norm without bias": norm(lambda: nn.LayerNorm(8, bias=False), TOKENS, ONE),
    "group norm": norm(lambda: nn.GroupNorm(3, 6)),
    "group norm without affine": norm(lambda: nn.GroupNorm(1, 6, affine=False), forms=()),
    "instance norm 1d": norm(lambda: nn.InstanceNorm1d(7, affine=True), TOKENS),
    "instance norm 2d": norm(lambda: nn.InstanceNorm2d(6), forms=()),
    "instance norm 2d with statistics": norm(
        lambda: nn.InstanceNorm2d(6, affine=True, track_running_stats=True)
    ),
    "instance norm 3d": norm(lambda: nn.InstanceNorm3d(6, affine=True), (6, 3, 4, 5)),
    "rms norm": norm(lambda: nn.RMSNorm(8), TOKENS, ONE),
    "rms norm without affine": norm(lambda: nn.RMSNorm(8, elementwise_affine=False), TOKENS, ()),
    "rms norm by hand": use(
        lambda m, x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * m.w,
        (8,),
        form="one",
        of=TOKENS,
    ),
    # -- attention
    "attention": attend(8, 2),
    "attention batch first": attend(8, 2, batch_first=True),
    "attention no bias": attend(8, 2, bias=False),
    "cross attention": attend(8, 2, batch_first=True, cross=True),
    "cross attention of other widths": attend(8, 2, kdim=5, vdim=4, batch_first=True, cross=True),
    "attention under a mask": attend(8, 2, batch_first=True, mask=~CAUSAL),
    "attention under a float mask": attend(8, 2, mask=torch.zeros(7, 7).masked_fill(~CAUSAL, -9.0)),
    "attention under a mask per head": attend(8, 2, mask=(~CAUSAL).expand(2 * BATCH, 7, 7)),
    "causal attention": attend(8, 2, batch_first=True, mask=~CAUSAL, causal=True),
    "attention without a batch axis": Case(
        lambda: Use(lambda m, x: torch.stack([m.a(t, t, t)[0] for t in x]), a=nn.MultiheadAttention(8, 2)),
        TOKENS,
    ),
    "attention with a learned key": attend(8, 2, add_bias_kv=True, mask=~CAUSAL),
    "attention with a zero key": attend(8, 2, add_zero_attn=True, add_bias_kv=True, batch_first=True),
    "attention of padded sequences": Case(
        lambda: Use(
            lambda m, x: m.a(x, x, x, key_padding_mask=torch.arange(7).expand(BATCH, -1) > 4)[0],
            a=nn.MultiheadAttention(8, 2, batch_first=True),
        ),
        TOKENS,
    ),
    "attention whose shares are used": Case(
        lambda: Use(lambda m, x: sum(m.a(x, x, x)), a=nn.MultiheadAttention(7, 7, batch_first=True)), (7, 7)
    ),
    "attention whose shares per head are used": Case(
        lambda: Use(
            lambda m, x: torch.cat(
                [x, m.a(x, x, x, average_attn_weights=False, attn_mask=~CAUSAL)[1].flatten(1, 2)], 1
            ),
            a=nn.MultiheadAttention(7, 7, batch_first=True),
        ),
        (7, 7),
    ),
    "transformer layer": Case(lambda: nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), TOKENS, ALL),
    "transformer layer, norm first": Case(
        lambda: nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True, activation="gelu"),
        TOKENS,
        ALL,
    ),
    "scaled dot products": use(lambda m, x: sdpa(x @ m.w, x, x, scale=0.2), (8, 8), of=TOKENS),
    "scaled dot products, causal": use(lambda m, x: sdpa(x, x @ m.w, x, is_causal=True), (8, 8), of=TOKENS),
    "scaled dot products under a mask": use(
        lambda m, x: sdpa(x, x @ m.w, x, attn_mask=CAUSAL), (8, 8), of=TOKENS
    ),
    "scaled dot products with learned queries": use(
        lambda m, x: sdpa(m.w.expand(BATCH, -1, -1), x, x), (1, 3, 8), of=TOKENS
    ),
    # -- other weighted operators
    "position embedding": Case(
        lambda: Use(lambda m, x: x + m.table(torch.arange(7)), table=nn.Embedding(9, 8)), TOKENS
    ),
    "prelu": Case(lambda: nn.PReLU(), IMAGE, ("0.25",)),
    "prelu per channel": Case(lambda: nn.PReLU(6), IMAGE, ("0.25",)),
    "lstm": Case(lambda: Use(lambda m, x: m.layer(x)[0], layer=nn.LSTM(8, 5, 2, batch_first=True)), TOKENS),
    "gru": Case(lambda: Use(lambda m, x: m.layer(x)[0], layer=nn.GRU(8, 5, bidirectional=True)), TOKENS),
    "lstm with a projection": Case(
        lambda: Use(lambda m, x: m.layer(x)[0], layer=nn.LSTM(8, 5, 2, proj_size=3, bidirectional=True)),
        TOKENS,
    ),
    "last state of a gru": Case(lambda: Use(lambda m, x: m.layer(x)[1][-1], layer=nn.GRU(8, 5, 3)), TOKENS),
    "lstm cell": Case(lambda: Use(lambda m, x: m.c(x, m.c(x))[0], c=nn.LSTMCell(8, 5)), (8,)),
    "gru cell": Case(lambda: Use(lambda m, x: m.c(x, m.c(x)), c=nn.GRUCell(8, 5, bias=False)), (8,)),
    "rnn cell": Case(lambda: Use(lambda m, x: m.c(x), c=nn.RNNCell(8, 5, nonlinearity="relu")), (8,)),
    # -- learnable tensors used directly
    "scale by a scalar": use(lambda m, x: x * m.w, (), form="one"),
    "scale per channel": use(lambda m, x: m.w * x, (6, 1, 1), form="one"),
    "division by a scale": use(lambda m, x: x / m.w, (1,), form="one"),
    "shift per channel": use(lambda m, x: x + m.w, (1, 6, 1, 1), form="zero"),
    "shift taken away": use(lambda m, x: x - m.w, (8,), form="zero", of=TOKENS),
    "shift to take from": use(lambda m, x: m.w - x, (8,), form="zero", of=TOKENS),
    "scale and shift in place": use(
        lambda m, x: x.clone().mul_(m.w).add_(m.v), (8,), (8,), form=("one", "zero"), of=TOKENS
    ),
    "layer scale": use(lambda m, x: x + m.w * x.tanh(), (8,), form="one", of=TOKENS),
    "mix coefficients": use(
        lambda m, x: m.w.softmax(0)[0] * x + m.w.softmax(0)[1] * x.tanh(), (2,), form="one"
    ),
    "a gate between two": use(lambda m, x: (g := m.w.sigmoid()) * x + (1 - g) * x.tanh(), (1,), form="one"),
    "class token": use(lambda m, x: torch.cat([m.w.expand(BATCH, -1, -1), x], 1), (1, 1, 8), of=TOKENS),
    "mask token": use(lambda m, x: torch.where(x > 0, m.w, x), (1, 1, 8), of=TOKENS),
    "position table": use(lambda m, x: x + m.w, (1, 7, 8), of=TOKENS),
    "position map": use(lambda m, x: x + m.w, (1, 6, 9, 8)),
    "position table in parts": use(
        lambda m, x: x + torch.cat([m.w, m.v], 1), (1, 3, 8), (1, 4, 8), of=TOKENS
    ),
    "relative position table": use(
        lambda m, x: x @ x.mT + m.w[(torch.arange(7)[:, None] - torch.arange(7)) + 6], (13,), of=TOKENS
    ),
    "position table, resized": use(
        lambda m, x: x + F.interpolate(m.w, (9, 8), mode="bilinear"), (1, 6, 4, 4)
    ),
    "a table that scales positions": use(lambda m, x: x * m.w, (7, 8), of=TOKENS),
}


def represented(row: Case) -> fx.GraphModule:
    """The operator's own representation: no head is cut and nothing is averaged."""
    graph_module = capture(row.make(), row.shape, BATCH, leaves=has_module_rule)
    kept = [
        rewrite for rewrite in default_pipeline() if not isinstance(rewrite, (CutHeadPass, JoinEncodingsPass))
    ]
    return run_passes(graph_module, kept, lint=True)


def input_like(row: Case) -> Tensor:
    return torch.randn(BATCH, *row.shape, generator=torch.Generator().manual_seed(1)).requires_grad_()


@pytest.mark.parametrize("name", ROWS)
def test_operator(name: str) -> None:
    row = ROWS[name]
    module = row.make()
    graph_module = represented(row)
    lines = graph_module.meta["coverage"]
    assert {line.form for line in lines} == set(row.forms)
    accounted = {parameter for line in lines for parameter in line.parameters}
    assert accounted == {parameter for parameter, _ in module.named_parameters()}, (
        "every weight is accounted for"
    )

    kernel = FourierKernel(4, 4, 3, torch.Generator().manual_seed(0))
    weights, x = TrainableWeights(kernel), input_like(row)
    found = graph_module(x, weights, Observer())
    assert found.shape == module.eval()(x).shape
    assert bool(found.isfinite().all())
    assert torch.equal(found, graph_module(x, weights, Observer())), "deterministic"

    slope = torch.randn(found.shape, generator=torch.Generator().manual_seed(2))
    torch.autograd.backward((found * slope).sum())
    weights.backward()
    if row.needs_input:
        assert x.grad is not None
        assert float(x.grad.abs().max()) > 0
        assert bool(x.grad.isfinite().all())
    learned = [p.grad for p in kernel.parameters() if p.grad is not None]
    assert bool(learned) == ("synthesised" in row.forms)
    assert all(bool(gradient.isfinite().all()) for gradient in learned)
    if learned:
        assert kernel.maps.grad is not None
        assert float(kernel.maps.grad.abs().max()) > 0


@pytest.mark.parametrize("name", ["conv2d", "linear of tokens", "attention", "transposed 2d", "addmm"])
def test_the_output_of_a_synthesised_operator_has_unit_variance(name: str) -> None:
    row = ROWS[name]
    kernel = FourierKernel(4, 4, 3, torch.Generator().manual_seed(0))
    observer = Observer()
    found = represented(row)(input_like(row), TrainableWeights(kernel), observer)
    assert float(found.detach().std(correction=0)) == pytest.approx(1, abs=1e-3)
    assert len(observer.factors) >= 1


@pytest.mark.parametrize("name", [name for name in ROWS if name.startswith(NORMS) and " norm" in name])
def test_norms_are_what_their_modules_are_without_affine_and_statistics(name: str) -> None:
    row = ROWS[name]
    module = row.make()
    x = input_like(row).detach()
    found = represented(row)(x, {}, Observer())
    if name.startswith(("batch", "synchronised")):
        folded = "folded" in name
        x = x.flatten(0, 1) if folded else x
        expected = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
        expected = expected.view(found.shape)
    else:
        with torch.no_grad():
            for parameter_name, parameter in module.named_parameters():
                parameter.fill_(0.0 if parameter_name.endswith("bias") else 1.0)
        expected = module.train()(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
