"""Python files and builders of one's own: what they may do, and what is said when they fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import fx, nn

from fxscore.errors import ModelRefError
from fxscore.sources import build, expand, file_hash, recipe_key
from fxscore.types import ModelRef

HEAD = "from torch import nn\n\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> ModelRef:
    path.write_text(text)
    return ModelRef.parse(str(path.relative_to(Path.cwd())))


FAILURES = {
    "syntax error": ("def build(:\n", "net.py:1"),
    "null byte": ("x = '\0'\n", "null bytes"),
    "raises while read": (HEAD + "raise KeyError('gone')\n", "KeyError: 'gone' (net.py:3)"),
    "imports nothing there": ("import no_such_package_at_all\n", "No module named 'no_such_package_at_all'"),
    "exits while read": ("import sys\nsys.exit(3)\n", "sys.exit(3) (net.py:2)"),
    "no build": (HEAD + "def buidl():\n    return nn.ReLU()\n", "did you mean buidl?"),
    "nothing at all": ("", "add `def build() -> nn.Module`"),
    "build is no function": ("build = 3\n", "no function 'build'"),
    "build raises": (HEAD + "def build():\n    return nn.Linear(3, -1)\n", "net.py:4"),
    "build raises of itself": (
        "def build():\n    raise ValueError('odd\\nwidth')\n",
        "ValueError: odd width (net.py:2)",
    ),
    "build exits": ("def build():\n    raise SystemExit\n", "sys.exit() (net.py:2)"),
    "build needs options": ("def build(width):\n    ...\n", "missing a required argument: 'width'"),
    "no module": ("def build():\n    return {}\n", "returned dict, not an nn.Module"),
    "returns nothing": ("def build():\n    ...\n", "returned NoneType, not an nn.Module"),
    "bad shape": (
        HEAD + "INPUT_SHAPE = (3, 32.0, 32)\nbuild = nn.ReLU\n",
        "INPUT_SHAPE = (3, 32.0, 32) must be",
    ),
    "empty shape": (HEAD + "INPUT_SHAPE = ()\nbuild = nn.ReLU\n", "INPUT_SHAPE = () must be"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("weights", [False, True])
def test_each_failure_is_one_line_that_says_where(name: str, weights: bool, folder: Path) -> None:
    text, words = FAILURES[name]
    ref = write(folder / "net.py", text)
    modules, path = set(sys.modules), list(sys.path)
    with pytest.raises(ModelRefError) as caught:
        build(ref, weights=weights)
    assert words in str(caught.value)
    assert str(caught.value).startswith("net.py")
    assert "\n" not in str(caught.value)
    assert sys.path == path
    assert not [module for module in set(sys.modules) - modules if "net" in module]


def test_a_long_message_is_cut(folder: Path) -> None:
    ref = write(folder / "net.py", "def build():\n    raise ValueError('long ' * 1000)\n")
    with pytest.raises(ModelRefError) as caught:
        build(ref)
    assert len(str(caught.value)) < 400


def test_an_interrupt_is_not_an_error_of_the_file(folder: Path) -> None:
    ref = write(folder / "net.py", "def build():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        build(ref)


def test_a_file_that_went_away_is_said_so(folder: Path) -> None:
    ref = write(folder / "net.py", HEAD + "build = nn.ReLU\n")
    (folder / "net.py").unlink()
    for use in (build, file_hash, recipe_key):
        with pytest.raises(ModelRefError, match="no such file"):
            use(ref)


def test_globs_take_builders_and_options_and_leave_out_private_files(folder: Path) -> None:
    for name in ("b.py", "a.py", "_helper.py", "__init__.py", "deep/c.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    assert [str(ref) for ref in expand("*.py")] == ["a.py", "b.py"]
    assert [str(ref) for ref in expand("**/*.py")] == ["a.py", "b.py", "deep/c.py"]
    assert [str(ref) for ref in expand('*.py:wide{"w": 2}')] == ['a.py:wide{"w": 2}', 'b.py:wide{"w": 2}']
    assert [str(ref) for ref in expand(f"{folder}/a.py")] == [f"{folder}/a.py"]


def test_a_name_with_wildcard_signs_is_taken_as_it_is(folder: Path) -> None:
    ref = write(folder / "net[1].py", HEAD + "build = nn.ReLU\n")
    assert expand("net[1].py") == [ref]
    assert isinstance(build(ref).module, nn.ReLU)


SIBLINGS = """
import sys
import dataclasses
from torch import nn
from parts import block
import parts.deep

@dataclasses.dataclass
class Config:
    width: int = 4

sys.path.append("/somewhere/else")

def build(width: int = Config().width) -> nn.Module:
    import late
    return nn.Sequential(block(width), late.block(width), parts.deep.block(width))
"""


def test_files_beside_it_can_be_imported_and_are_forgotten(folder: Path) -> None:
    nets = folder / "nets"
    (nets / "parts").mkdir(parents=True)
    part = HEAD + "def block(width):\n    return nn.Linear(width, width)\n"
    for name in ("parts/__init__.py", "parts/deep.py", "late.py"):
        (nets / name).write_text(part)
    ref = write(nets / "net.py", SIBLINGS)
    modules, path = set(sys.modules), list(sys.path)
    built = build(ModelRef.of(ref.source, ref.name, {"width": 6}))
    assert [parameter.shape[0] for parameter in built.module.parameters()] == [6] * 6
    assert sys.path == path
    assert not {name for name in set(sys.modules) - modules if name.startswith(("parts", "late", "_fxscore"))}
    assert not list(nets.glob("__pycache__/net.*"))


def test_equally_named_siblings_of_two_folders_do_not_meet(folder: Path) -> None:
    for width, name in ((3, "one"), (5, "two")):
        (folder / name).mkdir()
        (folder / name / "widths.py").write_text(f"WIDTH = {width}\n")
        write(
            folder / name / "net.py",
            HEAD + "import widths\ndef build():\n    return nn.Linear(widths.WIDTH, 2)\n",
        )
    linears = [build(ref).module for ref in expand("*/net.py")]
    assert [linear.get_parameter("weight").shape[1] for linear in linears] == [3, 5]


def test_a_package_imported_meanwhile_from_elsewhere_is_kept(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept_package.py").write_text("WIDTH = 3\n")
    monkeypatch.syspath_prepend(elsewhere)
    ref = write(
        folder / "net.py",
        HEAD + "import kept_package\ndef build():\n    return nn.Linear(kept_package.WIDTH, 2)\n",
    )
    build(ref)
    assert sys.modules.pop("kept_package").WIDTH == 3


def test_a_module_made_while_the_file_is_read_has_no_weights_either(folder: Path) -> None:
    ref = write(folder / "net.py", HEAD + "NET = nn.Linear(3, 4)\ndef build():\n    return NET\n")
    assert {parameter.device.type for parameter in build(ref).module.parameters()} == {"meta"}


def test_classes_of_a_forgotten_file_still_trace_and_export(folder: Path) -> None:
    text = (
        HEAD + "SCALE = 2.0\n\ndef scale(x):\n    return SCALE * x\n\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.linear = nn.Linear(3, 4)\n\n"
        "    def forward(self, x):\n        return scale(self.linear(x))\n\nbuild = Net\n"
    )
    ref = write(folder / "net.py", text)
    module = build(ref, weights=True).module
    x = torch.ones(2, 3)
    assert torch.equal(fx.symbolic_trace(module)(x), module(x))
    assert torch.equal(torch.export.export(module, (x,)).module()(x), module(x))


def test_the_hash_follows_the_file_and_the_files_it_imports(folder: Path) -> None:
    ref = write(folder / "net.py", "import helper\nfrom package import x\n")
    hashes = [file_hash(ref)]
    for name, text in (
        ("helper.py", "import further\n"),
        ("further.py", ""),
        ("further.py", "x = 1\n"),
        ("package/__init__.py", ""),
        ("net.py", "import helper\nfrom package import y\n"),
        ("net.py", "def (:\n"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        hashes.append(file_hash(ref))
    assert len(set(hashes)) == len(hashes)
    (folder / "unrelated.py").write_text("")
    assert file_hash(ref) == hashes[-1]
    assert hashes[-1] in recipe_key(ref)


def test_a_package_of_the_working_directory_can_be_named(folder: Path) -> None:
    text = HEAD + "INPUT_SHAPE = (8,)\nclass Net(nn.Linear):\n    pass\nclass Outer:\n    Inner = Net\n"
    write(folder / "mynets_of_this_test.py", text)
    options = '{"in_features": 8, "out_features": 2}'
    try:
        for name in ("Net", "Outer.Inner"):
            (ref,) = expand(f"mynets_of_this_test:{name}{options}")
            built = build(ref)
            assert built.input_shape == (8,)
            assert built.module.get_parameter("weight").shape == (2, 8)
        before = recipe_key(ref)
        (folder / "mynets_of_this_test.py").write_text(text + "\n")
        assert recipe_key(ref) != before
    finally:
        sys.modules.pop("mynets_of_this_test", None)
    assert str(folder) not in sys.path


def test_a_search_space_of_ones_own_is_a_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        folder / "myspace_of_this_test.py",
        HEAD + "from fxscore.spaces import SearchSpace, Variable\n\n"
        "class Plain(SearchSpace):\n    name = 'plain'\n    input_shape = (4,)\n"
        "    variables = (Variable('width', (8, 16)),)\n\n"
        "    def build(self, genotype):\n        return nn.Linear(4, genotype[0])\n",
    )
    try:
        (ref,) = expand("myspace_of_this_test:Plain:width=16")
        built = build(ref)
        assert built.input_shape == (4,)
        assert built.module.get_parameter("weight").shape == (16, 4)
        with pytest.raises(ModelRefError, match="width = '17' is not one of 8, 16"):
            build(expand("myspace_of_this_test:Plain:width=17")[0])
    finally:
        sys.modules.pop("myspace_of_this_test", None)
