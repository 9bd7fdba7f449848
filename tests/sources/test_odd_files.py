"""Files that are none, cannot be read, or are made to overwhelm whoever parses them: one error row each, at once."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

import fxscore
from fxscore.errors import ModelRefError
from fxscore.sources import build, expand, file_hash, recipe_key
from fxscore.types import ModelRef

NETWORK = """
from torch import nn
INPUT_SHAPE = (3, 9, 9)
def build(width=3):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 2))
"""
UNDECODABLE = os.fsdecode(b"na\xefve.py")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_odd(folder: Path) -> dict[str, str]:
    """File names and words of the error that each must have, from looking at it alone."""
    (folder / "folder.py").mkdir()
    (folder / "file.txt").write_text("")
    os.mkfifo(folder / "pipe.py")
    (folder / "dangling.py").symlink_to("nowhere.py")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "device.py").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.py")
    with (folder / "sparse.py").open("wb") as stream:
        stream.truncate(1 << 34)
    return {
        "folder.py": "is a folder",
        "pipe.py": "is a named pipe",
        "dangling.py": "is a link to nowhere.py, which is not there",
        "loop.py": "cannot be read: ",
        "device.py": "is a device",
        "socket.py": "is a socket",
        "sparse.py": "is larger than 16 MiB",
        "x" * 300 + ".py": "cannot be read: ",
        "absent.py": "no such file",
        "nul\0.py": "cannot be read: ",
        "file.txt/x.py": "cannot be read: Not a directory",
    }


def test_what_is_no_readable_file_is_one_line(folder: Path) -> None:
    for name, words in make_odd(folder).items():
        with pytest.raises(ModelRefError) as caught:
            recipe_key(ModelRef.parse(name))
        assert words in str(caught.value), name
        assert str(caught.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_one_line(folder: Path) -> None:
    (folder / "mine.py").write_text(NETWORK)
    (folder / "mine.py").chmod(0)
    with pytest.raises(ModelRefError, match="cannot be read: Permission denied"):
        recipe_key(ModelRef.parse("mine.py"))


PARSERS_FEAR = {
    "branches": "x = 1\nif x == -1:\n    pass\n"
    + "".join(f"elif x == {n}:\n    pass\n" for n in range(9_000)),
    "terms": "TOTAL = " + "1 + " * 60_000 + "1\n",
    "brackets": "(" * 5_000 + "\n",
    "numbers": "BIG = 0x" + "f" * 1_000_000 + "\n",
    "imports": "import a\n" * 200_000,
}


def test_the_parent_never_parses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own parser needs minutes, or the whole stack, for some of these."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("parsed in the parent")

    refs = []
    for name, text in PARSERS_FEAR.items():
        (folder / f"{name}.py").write_text(NETWORK + text)
        refs.append(ModelRef.parse(f"{name}.py"))
    monkeypatch.setattr("builtins.compile", refuse)
    begin = time.monotonic()
    assert len({recipe_key(ref) for ref in refs}) == len(refs)
    assert time.monotonic() - begin < 10


def test_the_parent_never_imports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import os\nos._exit(5)\n"
    for name in ("deadly_module.py", "deadly_package/__init__.py", "deadly_package/inner.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    words = ("deadly_module:Net", "deadly_package.inner:Net", "deadly_module.py:Space:width=1")
    keys = {recipe_key(expand(word)[0]) for word in words}
    assert len(keys) == len(words)
    (folder / "deadly_package/inner.py").write_text("x = 1\n")
    assert recipe_key(expand(words[1])[0]) not in keys
    assert "deadly_module" not in sys.modules


def test_a_name_that_is_no_utf_8_is_shown_and_taken_back(folder: Path) -> None:
    (folder / UNDECODABLE).write_text(NETWORK)
    (folder / "line\nend.py").write_text(NETWORK)
    for name, shown in ((UNDECODABLE, r"na\udcefve.py"), ("line\nend.py", r"line\nend.py")):
        (ref,) = expand(name)
        assert str(ref) == shown
        (again,) = expand(shown)
        assert again == ref
        assert file_hash(again) == file_hash(ref)
        recipe_key(ref).encode()
        assert build(again).input_shape == (3, 9, 9)


def test_a_builder_that_changes_the_folder_loses_no_file(folder: Path) -> None:
    (folder / "parts.py").write_text("WIDTH = 5\n")
    moving = "import os\nos.chdir('/')\n" + NETWORK.replace(
        "    return", "    os.chdir('/')\n    from parts import WIDTH as width\n    return"
    )
    (folder / "moving.py").write_text(moving)
    built = build(ModelRef.parse("moving.py"))
    assert built.module.get_parameter("0.weight").shape[0] == 5
    assert Path.cwd() == folder


def test_one_file_one_row(folder: Path) -> None:
    """Whatever the others are or do, the good file has its score, and each of the others a row."""
    bodies = {
        "good.py": NETWORK,
        UNDECODABLE: NETWORK,
        "marked.py": "\ufeff" + NETWORK.replace("\n", "\r\n"),
        "moves.py": NETWORK.replace("    return", "    import os\n    os.chdir('/')\n    return"),
        "moves_late.py": NETWORK
        + "class Net(nn.Conv2d):\n    def forward(self, x):\n        import os\n        os.chdir('/')\n"
        "        return super().forward(x)\ndef build():\n    return Net(3, 4, 3)\n",
    } | {f"{name}.py": NETWORK + text for name, text in PARSERS_FEAR.items()}
    for name, text in bodies.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    failures = make_odd(folder)
    failures |= {
        "surrogate.py": r"ValueError: \ud800 in \x1b[31mred",
        "quits.py": "exit code 9",
    }
    (folder / "surrogate.py").write_text("def build():\n    raise ValueError('\\ud800 in \\x1b[31mred')\n")
    (folder / "quits.py").write_text("import os\nos._exit(9)\n")
    words = [*failures, *bodies]
    ranking = fxscore.rank(words, workers=1, store=folder / "store.sqlite", time_limit=60)
    by_name = {record.ref.name.removesuffix(":build"): record for record in ranking}
    assert set(by_name) == set(words)
    good = by_name["good.py"].score
    assert good is not None
    for name in (UNDECODABLE, "marked.py", "moves.py"):
        assert by_name[name].score == good, by_name[name].error
    assert by_name["moves_late.py"].score is not None, by_name["moves_late.py"].error
    for name, expected in failures.items():
        assert expected in (by_name[name].error or ""), by_name[name]
    for record in ranking:
        assert str(record.ref).isprintable()
        assert (record.error or "").isprintable()


@pytest.mark.parametrize(
    "name",
    [
        *("-net.py", " net.py", "{a}.py", "n{b}.py", "{c}/n{1}.py", 'q"u{.py', "x{}.py"),
        *("[v1]/n [2].py", "s*a?.py", "two\nlines [3].py", "c:o.py"),
    ],
)
@pytest.mark.parametrize("options", ["", '{"width": 5}', ':build{"width": 5}'])
def test_whatever_a_name_holds_it_is_taken_back_as_it_is_printed(
    name: str, options: str, folder: Path
) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(NETWORK)
    (ref,) = expand(f"./{name}{options}")
    assert not str(ref).startswith("-")
    (again,) = expand(str(ref))
    assert str(again) == str(ref)
    assert ref.kwargs == again.kwargs == ({"width": 5} if options else {})
    assert file_hash(ref) == file_hash(again)
    assert build(again).module[0].out_channels == (5 if options else 3)  # type: ignore[index]


@pytest.mark.parametrize("text", ['n.py{"a": 1, "a": 2}', 'timm:resnet18{"a": {"b": 1, "b": 1}}'])
def test_an_option_that_is_given_twice_is_refused(text: str) -> None:
    with pytest.raises(ModelRefError, match="an option is given twice"):
        ModelRef.parse(text)


def test_a_space_before_the_braces_belongs_to_no_name() -> None:
    assert str(ModelRef.parse('torch.nn:Conv2d {"a": 1}')) == 'torch.nn:Conv2d{"a": 1}'
    assert str(ModelRef.parse("torch.nn:Conv2d {} ")) == "torch.nn:Conv2d"
