from __future__ import annotations

import gzip
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from fxscore.errors import ScorerError
from fxscore.run import Where
from fxscore.scorer import Hybrid, load_scorer
from fxscore.scorer.kernel_head import KernelHead
from fxscore.scorer.pair_table import PairTable, Tally
from fxscore.scorer.subject import Subject
from fxscore.train.general import choice, make
from fxscore.train.general.choice import candidates, chosen, chosen_without, mean_of_best
from fxscore.train.general.learning import Learning, Pool, fit, pools_of
from fxscore.train.general.left_out import SIZES, merit, without_families, without_origins
from fxscore.train.general.lessons import Lesson, read_lessons
from fxscore.train.general.named import name_of
from fxscore.types import ModelRef
from tests.train.general.made import NAMES, column, lesson, shared

WIDTHS = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192)


def lessons() -> list[Lesson]:
    made = [lesson(name, shared) for name in ("a", "b", "c")]
    return [*made, lesson("judge", shared, may_train=False), lesson("wild", shared, families=6)]


def test_everything_of_an_origin_leaves_together(monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[set[str]] = []

    def noted(pools: list[Pool], learning: Learning) -> KernelHead:
        taught.append({pool.origin for pool in pools})
        return fit(pools, learning)

    monkeypatch.setattr("fxscore.train.general.left_out.fit", noted)
    known = lessons()
    found = list(without_origins(known, pools_of(known), Learning(), also=["c"]))
    assert [each.lesson.origin for each in found] == ["a", "b", "judge", "wild"]
    assert taught == [{"b", "wild"}, {"a", "wild"}, {"a", "b", "wild"}, {"a", "b"}]


def test_families_are_scored_by_heads_that_saw_none_of_theirs() -> None:
    known = lessons()
    judged = without_families(known[-1], pools_of(known[:2]), Learning(prior=0.0, noise=0.1), folds=3)
    assert judged.rho > 0.6


def test_merit_rises_with_the_gain_over_the_robust_size() -> None:
    known = lessons()
    good, poor = (
        merit(list(without_origins(known, pools_of(known), Learning(prior=prior, noise=noise))))
        for prior, noise in ((0.0, 0.1), (5.0, 100.0))
    )
    assert good > poor + 0.3


def test_the_best_candidate_is_chosen_and_an_origin_has_no_say_in_its_own() -> None:
    agreeing = [lesson(name, shared) for name in ("a", "b", "c")]
    contrary = lesson(
        "x", lambda values: column(values, "log_params") / 2 + column(values, "own_log_weighted_activations")
    )
    known = [*agreeing, contrary]
    learned, sized = Learning(prior=0.0, noise=0.1), Learning(prior=5.0, noise=100.0)
    assert chosen(agreeing, pools_of(agreeing), [sized, learned]) is learned
    found = chosen_without(known, pools_of(known), [sized, learned])
    assert found["x"] is learned


def test_settings_are_the_mean_of_the_better_half() -> None:
    options = candidates(4)
    found = mean_of_best(options, [0.1, 0.9, 0.2, 0.8])
    one, other = options[1], options[3]
    assert found.heights["size"] == pytest.approx((one.heights["size"] * other.heights["size"]) ** 0.5)
    assert found.lengths["wiring"] == pytest.approx((one.lengths["wiring"] * other.lengths["wiring"]) ** 0.5)
    assert found.own == pytest.approx((one.own * other.own) ** 0.5)
    assert found.noise == pytest.approx((one.noise * other.noise) ** 0.5)
    assert found.prior == pytest.approx((one.prior + other.prior) / 2)
    assert found.limit == pytest.approx((one.limit + other.limit) / 2)


def test_candidates_are_the_same_each_time() -> None:
    assert candidates(3) == candidates(3)
    assert candidates(3)[0] == choice.MIDDLE
    assert candidates(3, seed=1)[1:] != candidates(3)[1:]


def test_the_scorer_and_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "candidates", lambda: candidates(2))
    scorer = make.taught(lessons())
    assert scorer.confidence.pairs is not None
    assert {line["n"] for line in scorer.record["measured"]} == {60}
    assert "judge" not in scorer.record["trained_on"]
    assert set(scorer.record["measured"][0]["sizes"]) == set(SIZES)
    scorer.save(tmp_path / "made.safetensors")
    read = load_scorer(tmp_path / "made.safetensors")
    assert isinstance(read, Hybrid)
    subject = Subject(
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 900, 10)), (3, 32, 32)
    )
    assert read.score(subject) == pytest.approx(scorer.score(subject), abs=1e-9)
    assert 0 < read.score(subject) < 100
    (neighbours,) = read.confidence.neighbours
    assert len(neighbours.networks.names) == len(neighbours.points)
    for known in lessons():
        for row in (0, 7):
            ((place, distance), *_) = neighbours.nearest(NAMES, known.values[row])
            name, results = neighbours.networks.one(place)
            assert (str(known.refs[row]) == name) == known.may_train
            if known.may_train:
                assert [(each.task, each.value) for each in results] == [(known.name, known.labels[row])]
                assert distance < 0.05


def test_the_record_holds_the_pairs_of_the_table_and_how_far_it_comes_true(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(make, "candidates", lambda: candidates(1))
    scorer = make.taught(lessons())
    held = scorer.record["pairs"]
    origins = {name: Tally.from_rows(rows) for name, rows in held["origins"].items()}
    assert set(origins) == {each.origin for each in lessons()}
    again = PairTable.of_tally(np.array(held["gaps"]), reduce(add, origins.values()))
    pairs = scorer.confidence.pairs
    assert pairs is not None
    assert again.shares == pytest.approx(pairs.shares, abs=1e-5)
    assert again.counts.tolist() == pairs.counts.tolist()
    assert [each["name"] for each in scorer.record["calibration"]["origins"]] == [*origins]
    assert 0 < scorer.record["calibration"]["error"] < 0.3


def test_names_do_not_tell_where_tables_lie() -> None:
    ref = ModelRef.of("some.graphs", "network", {"file": "/home/me/graphs.gz", "name": "a/b", "classes": 10})
    assert name_of(ref) == 'some.graphs:network{"classes": 10, "file": "graphs.gz", "name": "a/b"}'
    assert name_of(ModelRef("timm", "resnet18")) == "timm:resnet18"


def test_too_few_origins_are_refused() -> None:
    with pytest.raises(ScorerError, match="tables of 3 origins at least"):
        make.taught([lesson(name, shared) for name in ("a", "b")])


def test_lessons_are_read_from_tables_and_resumed_from_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = [
        "space,genotype,fashion_mnist.test,group,params,flops,family",
        *(
            f'wild,"{text}",{width / 4},"{text}",1,1,mlp'
            for width in WIDTHS
            for text in [
                f"mlp:side=14,width={width},growth=1.0,depth=1,norm=none,activation=relu,residual=False,order=pre"
            ]
        ),
    ]
    (tmp_path / "wild.csv.gz").write_bytes(gzip.compress("\n".join(table).encode()))
    where = Where(workers=1, store=tmp_path / "store.db")
    lines: list[str] = []
    (first,) = read_lessons([tmp_path], where, only=["wild"], tell=lines.append)
    assert lines == ["wild: features of 12 of 12 networks"]
    assert first.labels.tolist() == [width / 4 for width in WIDTHS]
    assert np.exp(first.column("log_params")) == pytest.approx([206 * width for width in WIDTHS], rel=0.2)
    monkeypatch.setattr(
        "fxscore.train.general.lessons.network_features", lambda *_, **__: pytest.fail("computed twice")
    )
    (again,) = read_lessons([tmp_path], where, only=["wild"])
    assert again.values == pytest.approx(first.values)
