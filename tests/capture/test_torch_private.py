"""PyTorch's private names are used in one file alone, and do there what is said of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

import fxscore
from fxscore.capture import torch_private

PACKAGE = Path(fxscore.__file__).parent
HOME = Path(torch_private.__file__)
OTHERS = {"_exit", "_getframe", "_asdict", "_replace"}  # of Python itself, documented


def own_names(tree: ast.AST) -> Iterator[str]:
    """What a file defines, and what its objects hold."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("self", "cls")
        ):
            yield node.attr


def private_names(tree: ast.AST) -> Iterator[str]:
    """Private attributes that are read of anything but `self`, and private modules and names that are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        ):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (*(node.module or "").split("."), *(alias.name for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))


def used_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {name for name in private_names(tree) if name.startswith("_") and not name.startswith("__")}
    return found - OTHERS - set(own_names(tree))


def test_no_other_file_uses_a_private_name() -> None:
    assert {"_base", "_version", "_pytree", "_C"} <= used_in(HOME)  # so the search sees them
    used = {str(path.relative_to(PACKAGE)): used_in(path) for path in PACKAGE.rglob("*.py") if path != HOME}
    assert {name: found for name, found in used.items() if found} == {}


def test_views_and_versions() -> None:
    whole = torch.zeros(2, 3)
    row = whole[0]
    before = torch_private.version_of(whole)
    row.add_(1)
    assert torch_private.version_of(whole) == before + 1
    assert torch_private.base_of(row) is whole
    assert torch_private.base_of(whole) is None
    keys = [torch_private.storage_key(each.untyped_storage()) for each in (row, whole, row.clone())]
    assert keys[0] == keys[1] != keys[2]


def test_tables_of_a_module_are_its_own() -> None:
    module = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
    torch_private.children_of(module)["1"] = nn.Tanh()
    assert isinstance(module[1], nn.Tanh)
    norm = module[0]
    torch_private.parameters_of(norm)["weight"] = nn.Parameter(torch.full((3,), 2.0))
    found = list(torch_private.tensors_of(norm))
    assert found[0] is norm.weight
    assert float(norm.weight.detach()[0]) == 2
    assert len(found) == 5
    assert isinstance(norm, torch_private.BatchNormBase)
    assert torch_private.FUNCTION_HOMES[2].gelu is not None


def test_what_was_compiled_is_forgotten() -> None:
    module = nn.ReLU()
    module.compile(backend="eager")
    torch_private.forget_compiled(module)
    assert module(torch.tensor([-1.0])) == 0
    compiled: nn.Module = torch.compile(nn.Sequential(nn.ReLU()))  # type: ignore[assignment]
    assert torch_private.COMPILED_FROM in dict(compiled.named_children())


def test_unwritten_memory_is_no_number() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    torch_private.set_deterministic(True, warn_only=True)
    try:
        assert torch.are_deterministic_algorithms_enabled()
        assert bool(torch.empty(4).isnan().all())
    finally:
        torch_private.set_deterministic(before, warn_only=False)


def test_operators_have_names_and_arguments() -> None:
    assert torch_private.operator_name(torch.ops.aten.add.Tensor) == "add"
    assert isinstance(torch.ops.aten.add, torch_private.OpOverloadPacket)
    (argument,) = torch_private.schema_arguments("aten::relu(Tensor self) -> Tensor")
    assert argument.name == "self"
    assert torch_private.own_function("relu", len) is torch.relu
    assert torch_private.own_function("no_such_function", len) is len
    assert isinstance(torch.jit.script(_double), torch_private.ScriptFunction)


def _double(x: torch.Tensor) -> torch.Tensor:
    return x * 2
