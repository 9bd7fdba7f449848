"""Handcrafted scores of the benchmarks: kept once measured, failures included."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks.shared import proxy_scores
from benchmarks.shared.boards import BOARDS, Board, drawn_parts
from benchmarks.shared.proxy_scores import known_records, measure
from fxscore.proxies import get_proxy
from fxscore.run import Store
from fxscore.sources import Built, build
from fxscore.types import ModelRef
from tests.evaluate.executor import InProcess

REFS = [
    ModelRef.parse(f"nasbench201:|{kind}~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|")
    for kind in ("nor_conv_1x1", "none")
]
BOARD = Board("b", "nasbench201", ("x",), "x", resolution=16, batch=2, fewer={"grasp": 3, "zen": 5})
PROXIES = tuple(BOARD.proxy(name) for name in ("params", "macs", "naswot", "zen"))


def test_values_are_those_of_the_proxies_and_failures_are_records(
    in_process: type[InProcess], tmp_path: Path
) -> None:
    with Store(tmp_path / "store") as store:
        measure(dict.fromkeys(REFS, PROXIES), 16, in_process(), store)
        found = {proxy: known_records(REFS, proxy, 16, store) for proxy in PROXIES}
        assert not known_records(REFS, PROXIES[0], 32, store)
    _, macs, naswot, zen = PROXIES
    conv, cut = REFS
    module = build(conv, weights=True).module
    assert found[macs][conv].score == get_proxy("macs")(module, (3, 32, 32))
    assert found[naswot][conv].score == get_proxy("naswot", batch=4)(module, (3, 16, 16))
    assert found[zen][conv].score is not None
    assert found[zen][cut].score is None  # the image does not reach the output
    assert "ScorerError: zen of" in str(found[zen][cut].error)


def test_a_second_run_measures_what_is_missing(in_process: type[InProcess], tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        measure({REFS[0]: PROXIES[:1]}, 16, in_process(), store)
        measure({REFS[0]: PROXIES[:1]}, 16, in_process(), store)
        assert in_process.scored == REFS[:1]
        measure(dict.fromkeys(REFS, PROXIES[:2]), 16, in_process(), store)
        assert in_process.scored == [REFS[0], REFS[0], REFS[1]]


def test_a_network_that_cannot_be_built_is_a_record_of_every_proxy(
    in_process: type[InProcess], tmp_path: Path
) -> None:
    wrong = ModelRef("nasbench201", "|nosuch|")
    with Store(tmp_path / "store") as store:
        measure({wrong: PROXIES[:2]}, 16, in_process(), store)
        errors = [known_records([wrong], proxy, 16, store)[wrong].error for proxy in PROXIES[:2]]
    assert all("nosuch" in str(error) for error in errors)


class Picky(nn.Module):
    """Takes one size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.layer = size, nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[-1] == self.size
        out: Tensor = self.layer(x.mean((2, 3)))
        return out


class Adaptable(Picky):
    """Can be told another size."""

    def set_input_size(self, img_size: tuple[int, int]) -> None:
        self.size = img_size[0]


@pytest.mark.parametrize(("kind", "takes", "seen"), [(Picky, 16, 16), (Picky, 64, 64), (Adaptable, 64, 8)])
def test_a_network_is_seen_at_the_first_size_that_it_takes(
    kind: type[Picky], takes: int, seen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = Built(kind(takes), (3, 64, 64), ModelRef("python", "x"), "")
    monkeypatch.setattr(proxy_scores, "build", lambda ref, weights: Built(kind(takes), (3, 64, 64), ref, ""))
    snip = BOARD.proxy("snip")
    values = proxy_scores._at_resolution([snip], built, 8)
    shown = kind(seen)
    shown.load_state_dict(built.module.state_dict())
    with torch.random.fork_rng():
        assert values == {snip.scorer_id: snip(shown, (3, seen, seen))}


def test_draws_are_parts_of_each_other_and_shared_by_what_has_so_many() -> None:
    names = ["params", "grasp", "zen"]
    assert BOARD.draws(names, 9, 0) == {9: ["params"], 5: ["params", "zen"], 3: names}
    assert BOARD.draws(names, 9, 4) == {4: ["params", "zen"], 3: names}
    parts = drawn_parts(2000, [1500, 1000, 300, 7], seed=3)
    assert [len(set(rows)) for rows in parts.values()] == [1500, 1000, 300, 7]
    assert set(parts[7]) < set(parts[300]) < set(parts[1000]) < set(parts[1500])
    assert drawn_parts(2000, [300], seed=3)[300] == parts[300]


def test_boards_say_their_setting() -> None:
    assert BOARD.setting().endswith("16×16 or the nearest it takes, batch 2 (NASWOT 4)")
    assert len({board.space for board in BOARDS}) == len(BOARDS)
