"""The assertion for other people's tests, by itself and in a real run of pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from fxscore.integrations.testing import assert_not_worse


def network(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36 * width, 4))


def test_equal_and_better_networks_pass_and_worse_ones_say_both_scores() -> None:
    options = {"input_shape": (3, 8, 8), "scorer": "params"}
    assert_not_worse(network(6), network(6), **options)  # type: ignore[arg-type]
    assert_not_worse(network(9), network(6), **options)  # type: ignore[arg-type]
    with pytest.raises(
        AssertionError, match=r"scores 692\.0000 by params, the reference 1036\.0000: worse by 344"
    ):
        assert_not_worse(network(4), network(6), **options)  # type: ignore[arg-type]
    assert_not_worse(network(4), network(6), margin=400, **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_in_a_run_of_pytest_the_line_of_the_test_is_shown(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "from fxscore.integrations.testing import assert_not_worse\n"
        "def test_own():\n"
        "    assert_not_worse('zoo/squeezenet.py', 'zoo/vgg.py', scorer='params')  # here\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_own.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "# here" in done.stdout
    assert "AssertionError: the network scores" in done.stdout
    assert "raise AssertionError" not in done.stdout
