"""Programs that `torch.export.save` wrote score like the networks that they were exported from."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import fxscore
from fxscore.errors import CaptureError, ModelRefError
from fxscore.score_job import ScoreJob
from fxscore.scorer import FTScoreNet, Settings
from fxscore.sources import build, expand, recipe_key
from fxscore.types import ModelRef

BATCH = 4
SCORER = FTScoreNet(Settings(batch=BATCH, input_shape=(3, 8, 8)))


def network() -> nn.Module:
    layers = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers, nn.Linear(8, 10)).eval()


class Words(nn.Module):
    """A network of token ids."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.head = nn.Embedding(9, 8), nn.Linear(8, 2)

    def forward(self, ids: Tensor) -> Tensor:
        output: Tensor = self.head(self.tokens(ids).mean(1))
        return output


def save(model: nn.Module, example: Tensor, path: Path, free: bool = True) -> str:
    sizes = ({0: torch.export.Dim("batch")},) if free else None
    torch.export.save(torch.export.export(model, (example,), dynamic_shapes=sizes), path)
    return str(path)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save(network(), torch.randn(2, 3, 12, 12), tmp_path_factory.mktemp("exported") / "net.pt2")


def test_it_is_the_network_that_was_exported(program: str) -> None:
    plain = fxscore.explain(network(), input_shape=(3, 12, 12), scorer=SCORER)
    found = fxscore.explain(program, scorer=SCORER)
    assert found.fingerprint == plain.fingerprint
    assert found.input_shape == (3, 12, 12)
    assert found.params == plain.params
    assert found.unused == ()
    assert fxscore.score(program, scorer=SCORER) == fxscore.score(
        network(), input_shape=(3, 12, 12), scorer=SCORER
    )


def test_its_weights_are_not_kept(program: str) -> None:
    assert {parameter.device.type for parameter in build(ModelRef.parse(program)).module.parameters()} == {
        "meta"
    }


def test_a_program_of_token_ids_brings_its_example(tmp_path: Path) -> None:
    path = save(Words().eval(), torch.tensor([[1, 8, 3], [2, 2, 2]]), tmp_path / "words.pt2")
    assert fxscore.score(path, scorer=SCORER) == fxscore.score(
        Words(), example_inputs=torch.tensor([[1, 8, 3]]), scorer=SCORER
    )


def test_a_constant_batch_must_be_the_scorers(tmp_path: Path) -> None:
    wrong = save(nn.Sequential(network()), torch.randn(2, 3, 12, 12), tmp_path / "two.pt2", free=False)
    with pytest.raises(CaptureError, match=r"batch of 2 alone.*dynamic_shapes"):
        fxscore.score(wrong, scorer=SCORER)
    right = save(network(), torch.randn(BATCH, 3, 12, 12), tmp_path / "four.pt2", free=False)
    assert fxscore.score(right, scorer=SCORER) == fxscore.score(
        network(), input_shape=(3, 12, 12), scorer=SCORER
    )


def test_patterns_and_keys(program: str) -> None:
    pattern = str(Path(program).parent / "*.pt2")
    assert expand(pattern) == [ModelRef("exported", program)]
    assert str(ModelRef.parse(program)) == program
    assert "sha256=" in recipe_key(ModelRef.parse(program))


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "net [1]\n.pt2").write_bytes(b"")
    (found,) = expand(str(tmp_path / "net [1]\n.pt2"))
    assert expand(str(found)) == [found]


@pytest.mark.parametrize(
    ("text", "message"),
    [("nat.pt2", "did you mean net.pt2"), ("*x.pt2", "matches no file"), ('net.pt2{"a": 1}', "no options")],
)
def test_what_cannot_be_found(program: str, text: str, message: str) -> None:
    with pytest.raises(ModelRefError, match=message):
        build(expand(str(Path(program).parent / text))[0])


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.pt2").write_bytes(b"not a zip")
    with pytest.raises(ModelRefError, match=r"broken\.pt2 is not a program"):
        build(ModelRef.parse(str(tmp_path / "broken.pt2")))


class Opens:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def altered(program: str, member: str, content: bytes, out: Path) -> str:
    """A copy of a program in which one file of the archive is another."""
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, content if member in entry.filename else old.read(entry))
    return str(out)


def pickled(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def test_sample_inputs_that_are_no_plain_tensors_are_refused_unread(program: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for content in (pickled((Opens(made),)), pickle.dumps(Opens(made))):
        file = altered(program, "sample_inputs", content, tmp_path / "bad.pt2")
        with pytest.raises(ModelRefError, match=r"sample_inputs/model.pt, which is no plain tensor"):
            build(ModelRef.parse(file))
    assert not made.exists()


def test_pickled_weights_that_are_no_plain_tensors_are_refused_unread(program: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    config = b'{"config": {"0.weight": {"path_name": "weight_0", "is_param": true, "use_pickle": true}}}'
    file = altered(program, "model_weights_config", config, tmp_path / "config.pt2")
    file = altered(file, "weights/weight_0", pickled(Opens(made)), tmp_path / "bad.pt2")
    with pytest.raises(ModelRefError, match=r"weight_0, which is no plain tensor"):
        build(ModelRef.parse(file))
    assert not made.exists()


def test_workers_trust_a_program_no_more_than_a_file(program: str) -> None:
    job = ScoreJob("params", "params")
    assert not job.trusts(ModelRef.parse(program))
    assert not job.trusts(ModelRef.parse("zoo/vit.py"))
    assert job.trusts(ModelRef.parse("timm:resnet18"))
