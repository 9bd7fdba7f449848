from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fxscore.errors import ModelRefError
from fxscore.published import cifar, graphs, lemur, stems


def parameters(make: Callable[..., nn.Module], **options: Any) -> int:
    """Of a network that gives a row of logits for an image of 32×32."""
    with torch.device("meta"):
        network = make(**options).eval()
        logits = network(torch.empty(2, 3, 32, 32))
    assert logits.shape == (2, options.get("classes", 10))
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("make", "options", "published"),
    # Rounded counts that the papers or the authors' pages state.
    [
        (cifar.lenet, {}, 62_006),
        (cifar.alexnet, {}, 2.47e6),
        (cifar.vgg, {"depth": 19}, 20.04e6),
        (cifar.resnet, {"depth": 20}, 0.27e6),
        (cifar.resnext29, {"cardinality": 8}, 34.43e6),
        (stems.vgg, {"name": "vgg11_bn"}, 28.150e6),
        (stems.resnet, {"name": "resnet18", "pool": False}, 11.174e6),
        (stems.densenet, {"name": "densenet121"}, 6.956e6),
        (stems.mobilenet_v2, {}, 2.237e6),
        (stems.googlenet, {}, 5.491e6),
        (stems.inception_v3, {}, 21.640e6),
    ],
)
def test_parameters_are_the_published_ones(
    make: Callable[..., nn.Module], options: dict[str, Any], published: float
) -> None:
    assert parameters(make, **options) == pytest.approx(published, rel=2e-3)


def test_a_wider_resnet_keeps_its_stem() -> None:
    narrow, wide = (parameters(cifar.resnet, depth=8, width=width, classes=100) for width in (1, 3))
    assert 8 * narrow < wide < 9 * narrow


def test_attention_adds_parameters() -> None:
    counts = [parameters(cifar.resnext29, cardinality=1, attention=kind) for kind in ("none", "se", "ge")]
    assert counts == sorted(set(counts))
    with pytest.raises(ModelRefError, match="none of none, se, cbam, ge"):
        cifar.resnext29(attention="eca")


def test_the_perceptron_of_a_vgg_has_the_widths_asked_for() -> None:
    network = cifar.vgg(depth=11, norm=False, hidden=(16, 8))
    assert [m.out_features for m in network.modules() if isinstance(m, nn.Linear)] == [16, 8, 10]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


def graph_file(folder: Path, *nodes: object) -> str:
    file = folder / "graphs.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps({"name": "net", "params": 0, "nodes": nodes}).encode()))
    return str(file)


NODES = (
    ["x", "input", {}, [], {}],
    [
        "conv",
        "mod:Conv2d",
        {"in_channels": 3, "out_channels": 4, "kernel_size": [1, 1], "key": "a.b"},
        [{"n": "x"}],
        {},
    ],
    [
        "part",
        "fn:_operator.getitem",
        {},
        [{"n": "conv"}, [{"slice": [None, None, None]}, {"slice": [0, 2, None]}]],
        {},
    ],
    ["both", "fn:torch.cat", {}, [[{"n": "part"}, {"n": "conv"}]], {"dim": 1}],
    ["mean", "method:mean", {}, [{"n": "both"}, [2, 3]], {}],
    [
        "last",
        "mod:Linear",
        {"in_features": 6, "out_features": 10, "bias": True, "key": "c"},
        [{"n": "mean"}],
        {},
    ],
    ["output", "output", {}, [{"n": "last"}], {}],
)


def test_a_graph_is_the_network_that_it_lists(tmp_path: Path) -> None:
    network = graphs.network(graph_file(tmp_path, *NODES), "net", classes=7)
    x = torch.randn(2, 3, 5, 5)
    hidden = network.get_submodule("conv")(x)
    expected = network.get_submodule("last")(torch.cat([hidden[:, :2], hidden], 1).mean([2, 3]))
    assert expected.shape == (2, 7)
    assert torch.equal(network(x), expected)


@pytest.mark.parametrize("operator", ["fn:os.system", "method:__class__", "mod:Module", "eval:x"])
def test_a_graph_runs_no_foreign_code(operator: str, tmp_path: Path) -> None:
    file = graph_file(tmp_path, NODES[0], ["bad", operator, {}, [{"n": "x"}], {}])
    with pytest.raises(ModelRefError, match=f"node bad: the operator '{operator}' is not known"):
        graphs.network(file, "net")


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelRefError, match="holds no network 'other'; it has net"):
        graphs.network(graph_file(tmp_path, *NODES), "other")
    (tmp_path / "noise.jsonl").write_text("{")
    with pytest.raises(ModelRefError, match=r"noise\.jsonl cannot be read"):
        graphs.network(str(tmp_path / "noise.jsonl"), "net")


def test_a_network_of_lemur_is_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ab" / "nn" / "nn"
    folder.mkdir(parents=True)
    (tmp_path / "ab" / "__init__.py").write_text("raise SystemExit('the package was imported')")
    (folder / "Small-1.py").write_text(
        "import torch\ndef Net(in_shape, out_shape, prm, device):\n"
        "    return torch.nn.Linear(in_shape[0], out_shape[0]).requires_grad_(prm['dropout'] == 0.2)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    network = lemur.network("Small-1")
    assert isinstance(network, nn.Linear)
    assert (network.in_features, network.out_features, network.weight.requires_grad) == (3, 10, True)
    with pytest.raises(ModelRefError, match="no network 'Small-2'"):
        lemur.network("Small-2")
