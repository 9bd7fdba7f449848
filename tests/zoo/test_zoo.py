"""Every file of the zoo is small, plain PyTorch, and does what its first lines say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fxscore.sources import build, expand
from fxscore.types import ModelRef

ZOO = Path(__file__).parents[2] / "zoo"
FILES = sorted(path.name for path in ZOO.glob("*.py"))
# What makes the family what it is: a layer that the network must contain.
FAMILIES: dict[str, type[nn.Module]] = {
    "coatnet.py": nn.LayerNorm,
    "convmixer.py": nn.GELU,
    "convnext.py": nn.LayerNorm,
    "mlp_mixer.py": nn.Linear,
    "mobilenet_v3.py": nn.Hardswish,
    "poolformer.py": nn.GroupNorm,
    "squeezenet.py": nn.AdaptiveAvgPool2d,
    "vgg.py": nn.MaxPool2d,
}

pytestmark = pytest.mark.zoo


def reference(name: str) -> ModelRef:
    return ModelRef.parse(str(ZOO / name))


def test_the_zoo_is_what_a_glob_finds() -> None:
    assert [Path(str(ref)).name for ref in expand(str(ZOO / "*.py"))] == FILES
    assert len(FILES) >= 14


@pytest.mark.parametrize("name", FILES)
class TestEveryFile:
    def test_it_cites_its_paper_and_imports_nothing_but_torch(self, name: str) -> None:
        tree = ast.parse((ZOO / name).read_text())
        assert re.search(r"arXiv:\d{4}\.\d{4,5}", ast.get_docstring(tree) or "")
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
        assert {module.partition(".")[0] for module in imported} <= {"torch", "typing", "__future__"}
        assert len((ZOO / name).read_text().splitlines()) < 150

    def test_it_classifies_with_finite_logits_and_every_parameter_takes_part(self, name: str) -> None:
        built = build(reference(name), weights=True)
        module = built.module.train()
        logits = module(torch.randn(4, *built.input_shape, generator=torch.Generator().manual_seed(0)))
        assert logits.shape == (4, 10)
        assert logits.isfinite().all()
        logits.square().sum().backward()
        without = [n for n, p in module.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
        assert without == []

    def test_it_is_cheap(self, name: str) -> None:
        """Below 200 million multiply-accumulates an image and 3 million parameters."""
        built = build(reference(name), weights=True)
        with FlopCounterMode(display=False) as counter:
            built.module(torch.zeros(1, *built.input_shape))
        assert counter.get_total_flops() / 2 < 200e6
        assert sum(parameter.numel() for parameter in built.module.parameters()) < 3e6


@pytest.mark.parametrize("name", FAMILIES)
def test_it_has_the_layer_of_its_family(name: str) -> None:
    assert any(isinstance(layer, FAMILIES[name]) for layer in build(reference(name)).module.modules())


def test_the_file_in_the_readme_builds(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ZOO / "README.md").read_text(), re.DOTALL)
    (tmp_path / "net.py").write_text(block)
    built = build(ModelRef.parse(str(tmp_path / "net.py")), weights=True)
    assert built.module(torch.zeros(2, *built.input_shape)).shape == (2, 10)


def test_the_options_in_the_readme_are_taken() -> None:
    texts = re.findall(r"`'(zoo/.*?)'`", (ZOO / "README.md").read_text())
    assert texts
    for text in texts:
        ref = ModelRef.parse(text)
        build(ModelRef("file", str(ZOO.parent / ref.name), ref.options))
