"""Budgets: read as people write them, and decided before anything is scored."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor, nn

import fxscore
from fxscore.capture import capture
from fxscore.costs import network_costs
from fxscore.costs.memory import memory_of
from fxscore.errors import UsageError
from fxscore.quantities import bytes_of, count_of


def network(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 2))


class Refuses(nn.Module):
    """A network that is not to be scored."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("its forward was run")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("25M", 25e6),
        ("5 G", 5e9),
        ("5GMACs", 5e9),
        ("1.5e6", 1.5e6),
        ("300k params", 3e5),
        ("2B", 2e9),
        (7, 7.0),
    ],
)
def test_counts_as_people_write_them(text: str | int, count: float) -> None:
    assert count_of(text) == count


@pytest.mark.parametrize("given", ["", "five", "-3", "0", 0, -1.0, float("nan"), "5 parsecs", "G"])
def test_what_is_no_count_is_said(given: str | float) -> None:
    with pytest.raises(UsageError, match="is no count; write 25M"):
        count_of(given)


def test_bytes_are_in_powers_of_1024() -> None:
    assert [bytes_of(text) for text in ("4G", "512MB", "1.5KiB", "12")] == [4 << 30, 512 << 20, 1536, 12]


def test_memory_is_parameters_and_the_tensors_alive_at_one_time() -> None:
    chain = network(5)
    params = sum(parameter.numel() for parameter in chain.parameters())
    size = network_costs(chain, (3, 8, 8))
    assert size.memory == 4 * (params + 3 * 64 + 5 * 36)  # the convolution's input and output


def test_memory_counts_what_a_shortcut_keeps_and_no_batch() -> None:
    class Keeps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = (x * 2).relu().sigmoid()
            return x + y

    one = memory_of(capture(Keeps(), (4, 6, 6), 1), 1)
    assert one == 4 * 3 * 4 * 36  # x stays alive beside an operator's input and output
    assert memory_of(capture(Keeps(), (4, 6, 6), 8), 8) == one


def test_networks_over_the_budget_are_named_and_not_run() -> None:
    models = {"small": network(4), "large": network(40)}
    ranking = fxscore.rank(models, input_shape=(3, 8, 8), max_params="1k", scorer="params")
    assert [record.ref.name for record in ranking] == ["small"]
    assert [ref.name for ref in ranking.over_budget] == ["large"]
    assert not len(fxscore.rank(models, input_shape=(3, 8, 8), max_macs="4k", scorer="params"))
    assert not len(fxscore.rank(models, input_shape=(3, 8, 8), max_memory="1K", scorer="params"))


def test_a_network_whose_size_is_not_known_is_a_failure() -> None:
    ranking = fxscore.rank(
        {"odd": Refuses(), "small": network(4)}, input_shape=(3, 8, 8), max_macs="1M", scorer="params"
    )
    assert [record.ref.name for record in ranking.failures] == ["odd"]
    assert "its forward was run" in str(ranking.failures[0].error)
    assert ranking.failures[0].scorer_id == "params"


def test_references_are_counted_before_they_are_scored(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "from torch import nn\nINPUT_SHAPE = (3, 8, 8)\n"
        "def net(width):\n    return nn.Sequential(nn.Conv2d(3, width, 3), nn.Flatten(), nn.Linear(width * 36, 2))\n"
        "def small():\n    return net(4)\n"
        "def large():\n    return net(64)\n"
    )
    refs = [f"{tmp_path}/nets.py:small", f"{tmp_path}/nets.py:large"]
    ranking = fxscore.rank(refs, scorer="params", max_params="2k", workers=1, store=tmp_path / "store.db")
    assert [str(record.ref) for record in ranking] == refs[:1]
    assert [str(ref) for ref in ranking.over_budget] == refs[1:]


def test_top_keeps_the_best_and_the_failures() -> None:
    models = {f"w{width}": network(width) for width in (2, 3, 4)} | {"odd": Refuses()}
    ranking = fxscore.rank(models, input_shape=(3, 8, 8), scorer="macs", top=2)
    assert [record.ref.name for record in ranking] == ["w4", "w3", "odd"]
