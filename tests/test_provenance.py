from __future__ import annotations

from pathlib import Path

from fxscore.provenance import command_line


def test_a_command_says_no_place_of_this_machine(tmp_path: Path) -> None:
    words = [
        "fit",
        str(tmp_path / "mine.csv"),
        f"--out={tmp_path / 'a b.safetensors'}",
        "zoo/a.py",
        "--n",
        "3",
    ]
    command = command_line("fxscore", words)
    assert command == "fxscore fit mine.csv '--out=a b.safetensors' zoo/a.py --n 3"
