"""Published accuracies: torchvision's from its metadata, timm's from its results table, beside the scores."""

from __future__ import annotations

import gzip
from pathlib import Path

import platformdirs
import pytest

from fxscore.cli.app import run
from fxscore.errors import SpaceError
from fxscore.published.accuracies import keep_timm_results, published_accuracy
from fxscore.report.rows import rows
from fxscore.types import ModelRef, Ranking, ScoreRecord

TABLE = (
    "model,img_size,top1,top1_err,param_count\n"
    "resnet18.a1_in1k,288,73.2,26.8,11.69\n"
    "resnet18.tv_in1k,224,69.8,30.2,11.69\n"
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    source = tmp_path / "results-imagenet.csv"
    source.write_text(TABLE)
    return source


def test_torchvision_states_the_accuracy_of_the_weights_that_a_name_loads() -> None:
    assert published_accuracy(ModelRef("torchvision", "resnet18")) == pytest.approx(69.758)
    assert published_accuracy(ModelRef("torchvision", "fasterrcnn_resnet50_fpn")) is None
    assert published_accuracy(ModelRef("torchvision", "nosuch")) is None
    assert published_accuracy(ModelRef.of("torchvision", "resnet18", {"num_classes": 10})) is None


def test_timms_come_from_its_table_by_the_tag_that_the_name_loads(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert published_accuracy(ModelRef("timm", "resnet18")) is None  # no table yet
    assert run(["data", "timm-results", "--file", str(data)]) == 0
    assert Path(capsys.readouterr().out.strip()).read_text() == TABLE
    assert published_accuracy(ModelRef("timm", "resnet18")) == 73.2
    assert published_accuracy(ModelRef("timm", "resnet18.tv_in1k")) == 69.8
    assert published_accuracy(ModelRef("timm", "resnet34")) is None
    assert published_accuracy(ModelRef("file", "zoo/vit.py:build")) is None


def test_a_packed_table_is_taken_and_a_foreign_one_refused(data: Path, tmp_path: Path) -> None:
    packed = tmp_path / "results.csv.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    assert keep_timm_results(packed, tmp_path / "there").read_text() == TABLE
    data.write_text("name,size\na,1\n")
    with pytest.raises(SpaceError, match="no column model, top1"):
        keep_timm_results(data, tmp_path / "there")
    assert run(["data", "nds", "--file", str(data)]) == 2


def test_the_best_published_comes_first_and_what_nobody_published_last() -> None:
    accuracies = {"a": 70.1, "b": None, "c": 81.5}
    records = [
        ScoreRecord(ModelRef("timm", name), 1.0, published=value) for name, value in accuracies.items()
    ]
    shown = rows(Ranking.of(records), "published")
    assert [row.record.ref.name for row in shown] == ["c", "a", "b"]
