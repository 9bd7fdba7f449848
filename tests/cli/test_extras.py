"""Commands without the packages that only some of them need: one line that says what to install, or no matter."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

import pytest
import torch
from torch import nn

from fxscore.cli.app import run
from fxscore.errors import MissingExtraError
from fxscore.extras import PACKAGES, missing_requirement, require
from fxscore.scorer import Hybrid

Captured = pytest.CaptureFixture[str]
NETS = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def build(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36 * width, 10))
"""


def hide(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Have every import of a package and its modules fail as if it were not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)


def files(folder: Path) -> tuple[str, str]:
    """(a file of networks, a table of results)."""
    nets, table = folder / "nets.py", folder / "own.csv"
    nets.write_text(NETS)
    rows = [f'"{nets}{{""width"": {width}}}",{50 + width}' for width in range(2, 11)]
    table.write_text("\n".join(["model,accuracy", *rows]))
    return str(nets), str(table)


def told(words: Sequence[str], capsys: Captured) -> str:
    """The only line that a command that exits with 2 says."""
    capsys.readouterr()
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


COMMANDS = {
    "sklearn": [
        "fit TABLE --no-store",
        "fit TABLE --kind both --no-store",
        "train-network NETS --dataset digits --epochs 1 --warmup 0",
    ],
    "torchsort": ["fit TABLE --kind ft --no-store", "fit TABLE --kind both --no-store"],
    "pymoo": ["search zen_resnet --budget 8 --population 4 --no-store"],
    "distributed": [
        "rank NETS --cluster local --no-store",
        "search zen_resnet --budget 8 --cluster tcp://127.0.0.1:1 --algorithm random --no-store",
        "fit TABLE --cluster local --no-store",
    ],
}


@pytest.mark.parametrize(
    ("module", "words"), [(name, words) for name in COMMANDS for words in COMMANDS[name]]
)
def test_a_missing_package_is_one_line_with_its_command(
    module: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    nets, table = files(tmp_path)
    monkeypatch.chdir(tmp_path)
    hide(monkeypatch, module)
    extra = next(name for name, (package, _) in PACKAGES.items() if package == module)
    line = told(words.replace("NETS", nets).replace("TABLE", table).split(), capsys)
    assert re.search(rf"needs .*pip install .*'fxscore\[{extra}\]'$", line.strip())


def test_training_needs_torchsort(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxscore.train.loop import Trainer
    from fxscore.train.plan import TrainingPlan

    hide(monkeypatch, "torchsort")
    with pytest.raises(MissingExtraError, match="--no-build-isolation"):
        Trainer(TrainingPlan(("own",)), [])


def test_a_hybrid_is_fitted_without_torchsort_and_scored_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    nets, table = files(tmp_path)
    out = str(tmp_path / "own.safetensors")
    for module in ("torchsort", "pymoo", "distributed", "dask"):
        hide(monkeypatch, module)
    assert run(["fit", table, "--out", out, "--no-store"]) == 0
    hide(monkeypatch, "sklearn")
    assert run(["score", nets, "--scorer", out, "--no-store"]) == 0
    assert run(["search", "zen_resnet", "--algorithm", "random", "--budget", "2", "--population", "2", "--scorer",
                "params", "--no-store", "--max-params", "1e6", "--out", str(tmp_path / "found")]) == 0  # fmt: skip


def test_from_python_the_error_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "sklearn")
    networks = [nn.Sequential(nn.Conv2d(3, width, 3)) for width in range(2, 12)]
    with pytest.raises(MissingExtraError, match="fitting a hybrid scorer needs scikit-learn"):
        Hybrid().fit(networks, torch.arange(10.0).tolist(), input_shape=(3, 8, 8))


def test_every_extra_is_one_of_the_package() -> None:
    stated = " ".join(requires("fxscore") or ())
    for extra, (_, package) in PACKAGES.items():
        require(extra, "this test")
        if extra != "fit":  # an installation of before has it elsewhere
            assert re.search(rf'{package.split("[")[-1].rstrip("]")}\S*; extra == "{extra}"', stated)


def test_a_missing_requirement_is_one_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    nets, _ = files(tmp_path)
    for name in [name for name in sys.modules if name.startswith("fxscore.report.drawing")]:
        monkeypatch.delitem(sys.modules, name)
    hide(monkeypatch, "matplotlib")
    line = told(["draw", nets, "--out", str(tmp_path / "net.png")], capsys)
    assert re.search(r"needs matplotlib .*: pip install fxscore$", line.strip())


def test_a_fault_of_ones_own_is_no_missing_requirement() -> None:
    for name in ("fxscore.nonsense", "sklearn", "", None):
        assert missing_requirement(ModuleNotFoundError("none", name=name)) is None
