from __future__ import annotations

import io

import pytest
from rich.console import Console

from fxscore.explanation import Explanation, OperatorSummary
from fxscore.report.explanation import print_explanation

EXPLANATION = Explanation(
    name="my[net].py",
    input_shape=(3, 32, 32),
    batch=16,
    encoding=(16, 64),
    params=1_000_000,
    macs=50_000_000,
    macs_by_operator={"linear": 10_000_000, "conv2d": 40_000_000},
    uncounted=("cdist", "fft_rfft2"),
    left_out=("proposals", "boxes"),
    operators=(
        OperatorSummary("conv2d", "synthesised", 2, 900_000, ("stem.conv", "body.conv")),
        OperatorSummary("my_op", "halved", 1, 100_000, ("body.mine",)),
    ),
    exported=("body.mine",),
    unused=tuple(f"extra.{number}" for number in range(20)),
    fingerprint="abc",
    seconds=0.25,
    code="def forward(self): pass",
    passed_checks=("net.py:7: False",),
)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_explanation_says_what_each_operator_became(console: Console) -> None:
    print_explanation(console, EXPLANATION)
    text = text_of(console)
    assert "my[net].py" in text
    assert "recorded, but exported body.mine" in text
    assert "16 × 3×32×32" in text
    assert "passed unseen: net.py:7: False" in text
    assert "50.0 M (conv2d 80%, linear 20%)" in text
    conv = next(line for line in text.splitlines() if "  conv2d  " in line)
    assert "synthesised: weights from the shared kernel" in conv
    assert conv.split()[-4:] == ["2", "900", "k", "90.0%"]
    assert "halved" in text
    assert "Not seen by the score: proposals, boxes" in text
    assert "extra.7 and 12 more (--verbose)" in text
    assert "stem.conv" not in text
    assert "forward" not in text


def test_paths_and_code_on_demand(console: Console) -> None:
    print_explanation(console, EXPLANATION, paths=True, code=True)
    text = text_of(console)
    assert "stem.conv" in text
    assert "body.mine" in text
    assert "extra.19" in text
    assert "def forward(self): pass" in text
