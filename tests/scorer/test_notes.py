"""What a record says of a network that is not seen whole."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import fxscore
from fxscore.score_session import note_of
from fxscore.scorer import FTScoreNet, Settings
from tests.passes.test_heads import Calls

SCORER = FTScoreNet(Settings(batch=2, input_shape=(3, 8, 8)))
DETECTOR = """
from torch import nn
from torchvision.models.detection import FCOS

INPUT_SHAPE = (3, 32, 32)


def build():
    backbone = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU())
    backbone.out_channels = 32
    return FCOS(backbone, num_classes=3)
"""


def test_a_detector_is_said_to_be_seen_up_to_its_backbone(tmp_path: Path) -> None:
    """In a module's record, in one that a worker made, and in one that the store kept."""
    path = tmp_path / "detector.py"
    path.write_text(DETECTOR)
    namespace: dict[str, object] = {}
    exec(DETECTOR, namespace)
    (of_module,) = fxscore.rank([namespace["build"]()], input_shape=(3, 32, 32), scorer=SCORER)  # type: ignore[operator]
    assert of_module.score is not None
    assert of_module.note == "score and MACs without head"
    for _ in range(2):
        (record,) = fxscore.rank([str(path)], workers=1, store=tmp_path / "store")
        assert (record.error, record.note) == (None, of_module.note)
    assert fxscore.explain(str(path)).left_out == ("head",)


def test_what_is_not_counted_is_said() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        output: Tensor = m.layer(torch.fft.rfft2(x).real.mean((2, 3)))  # type: ignore[operator]
        return output

    model = Calls(forward, layer=nn.Linear(3, 2))
    (record,) = fxscore.rank({"spectrum": model}, input_shape=(3, 8, 8), scorer=SCORER)
    assert record.note == "MACs without fft_rfft2"


def test_a_network_that_is_seen_whole_has_no_note() -> None:
    (record,) = fxscore.rank(
        {"plain": nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())}, input_shape=(3, 8, 8), scorer=SCORER
    )
    assert record.note is None
    assert note_of(("a", "b"), ("cdist",)) == "score and MACs without a, b; MACs without cdist"
