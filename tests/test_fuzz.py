"""Whatever a network is, it has a finite score or one `FxScoreError`: never another exception, in process or in `rank`.

Networks are drawn as text, mostly ones that cannot run: layers whose sizes do not fit, functions that misbehave.
"""

from __future__ import annotations

import math
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import fxscore

PRELUDE = """\
import torch
import torch.nn.functional as F
from torch import nn


class Do(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.layer = nn.Linear(6, 6)
        self.weight = nn.Parameter(torch.randn(6))

    def forward(self, x):
        return self.function(self, x)
"""
SIZES = (0, 1, 2, 3, 6, 6, 6)
LAYERS = (
    "nn.Conv2d(3, {a}, {b})", "nn.Conv2d({a}, 6, 1, {b}, groups={c})", "nn.Conv2d(6, 6, 3, {a}, {b}, {c})",
    "nn.Conv1d({a}, {b}, {c})", "nn.ConvTranspose2d({a}, 6, {b}, {c})", "nn.Linear({a}, 6)", "nn.Linear(6, {b})",
    "nn.BatchNorm2d({a})", "nn.GroupNorm({a}, 6)", "nn.LayerNorm({a})", "nn.InstanceNorm2d({a}, affine=True)",
    "nn.MaxPool2d({a}, {b})", "nn.AvgPool2d({a}, 1, {b})", "nn.AdaptiveAvgPool2d({a})", "nn.Flatten({a})",
    "nn.Upsample(scale_factor={a})", "nn.PixelShuffle({a})", "nn.Softmax({a})", "nn.PReLU({a})", "nn.ReLU(True)",
    "nn.Dropout(0.{a})", "nn.LazyLinear({a})", "nn.LazyConv2d({a}, {b})", "nn.Embedding(6, {a})",
    "nn.LSTM({a}, 6)", "nn.GRUCell({a}, 6)", "nn.MultiheadAttention(6, {a})", "nn.Bilinear({a}, 6, {b})",
    "nn.TransformerEncoderLayer(6, {a}, 8)", "nn.Identity()", "nn.GELU()", "nn.Sigmoid()",
)  # fmt: skip
FUNCTIONS = (
    "None", "x", "(x, None, {{'a': [x]}})", "x.shape", "x.sum()", "x[0, {a}]", "x.view({a}, -1)", "x.mean({a})",
    "x / 0", "x.log()", "x.sqrt() - x", "x + torch.empty_like(x)", "x @ s.weight", "x * s.weight", "s.layer(x)",
    "x if x.sum() > 0 else -x", "x[x > 0]", "x.transpose(1, {a})", "x.half()", "x.long()", "x.numpy()", "1 / 0",
    "torch.ones({a}, 6)", "torch.cat([x] * {a}, {b})", "x.unfold(1, {a}, {b})", "F.one_hot(x.argmax(-1), {a})",
    "torch.fft.fft(x)", "x.topk({a}).indices", "torch.zeros_like(x)", "x.double() + s.weight", "x.to_sparse()",
    "x.sort(-1).values", "F.interpolate(x, {a})", "x.expand({a}, *x.shape)", "torch.multinomial(x.softmax(-1), {a})",
    "x.unique()", "x.nonzero()", "[x[i] for i in range({a})]", "x.data_ptr()", "setattr(s, 'kept', x) or x",
    "s.missing",
    "x.new_tensor([{a}]) * x", "x.clone().resize_({a}, 6)", "torch.linalg.inv(x @ x.mT)", "exec('raise SystemExit')",
    "x.stride({a})",
)  # fmt: skip
WRAPS = (
    "{}",
    "{}",
    "{}",
    "torch.jit.script({})",
    "nn.DataParallel({})",
    "nn.Sequential({}, nn.ReLU())",
    "{}.double()",
)
SHAPES = ((3, 8, 8), (6,), (6, 6), (3, 5, 9), (3, 4, 6, 6), (), (0, 4), (3, 6, 6))


def network(choice: random.Random) -> str:
    """The text of one network."""
    sizes = {name: choice.choice(SIZES) for name in "abc"}
    parts = []
    for _ in range(choice.randint(1, 5)):
        layer = (
            choice.choice(LAYERS) if choice.random() < 0.7 else f"Do(lambda s, x: {choice.choice(FUNCTIONS)})"
        )
        parts.append(layer.format(**sizes))
    return choice.choice(WRAPS).format(f"nn.Sequential({', '.join(parts)})")


def built(text: str) -> nn.Module | None:
    """The network; None where PyTorch does not make it."""
    names: dict[str, Any] = {}
    exec(PRELUDE, names)
    try:
        model: nn.Module = eval(text, names)
    except Exception:  # noqa: BLE001  whatever PyTorch refuses, it is no network
        return None
    return model


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_a_score_or_an_error_of_one_line(seed: int, shape: tuple[int, ...]) -> None:
    model = built(network(random.Random(seed)))
    if model is None:
        return
    with suppress(fxscore.FxScoreError):
        score = fxscore.score(model, input_shape=shape)
        assert isinstance(score, float)
        assert math.isfinite(score)


def test_rank_gives_every_network_a_row(tmp_path: Path) -> None:
    texts = [network(random.Random(seed)) for seed in range(12)]
    functions = [f"def net{number}():\n    return {text}\n" for number, text in enumerate(texts)]
    (tmp_path / "nets.py").write_text("\n\n".join([PRELUDE, *functions]))
    references = [f"{tmp_path / 'nets.py'}:net{number}" for number in range(len(texts))]
    ranking = fxscore.rank(references, input_shape=(3, 8, 8), workers=1, no_store=True)
    assert len(ranking.records) == len(texts)
    for record in ranking.records:
        assert (record.score is None) != (record.error is None)
        assert record.score is None or math.isfinite(record.score)
        assert record.error is None or len(record.error.splitlines()) == 1
