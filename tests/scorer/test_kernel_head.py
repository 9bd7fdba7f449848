from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fxscore.scorer.features import FORWARD
from fxscore.scorer.kernel_head import FULL, GONE, KernelHead, weight_of
from fxscore.train.general.learning import Learning, fit, pools_of
from tests.train.general.made import NAMES, lesson, shared


@pytest.fixture(scope="module")
def head() -> KernelHead:
    return fit(pools_of([lesson(name, shared) for name in ("a", "b")]), Learning())


def rows_at(side: float) -> np.ndarray:
    return lesson("rows", shared, 8, side=side).values


def test_a_head_is_the_same_after_it_was_kept(head: KernelHead) -> None:
    again = KernelHead.from_arrays(head.describe(), head.arrays())
    assert again.predict(NAMES, rows_at(32)) == pytest.approx(head.predict(NAMES, rows_at(32)))


def test_scores_of_the_training_networks_are_those_of_the_head(head: KernelHead) -> None:
    taught = np.concatenate([lesson(name, shared).values for name in ("a", "b")])
    assert head.own_scores() == pytest.approx(
        head.predict(NAMES, taught), abs=0.02
    )  # points in half precision


def test_the_forward_fades_out_with_the_side_of_the_image(head: KernelHead) -> None:
    columns = [NAMES.index(name) for name in FORWARD]
    for side, reads in ((16.0, True), (40.0, True), (48.0, False), (224.0, False)):
        rows = rows_at(side)
        other = rows.copy()
        other[:, columns] = 0.0
        moved = np.abs(head.predict(NAMES, rows) - head.predict(NAMES, other)).max() > 1e-9
        assert moved == reads == head.uses(FORWARD, int(side))
    assert weight_of(np.array([1.0, FULL, GONE, 1000.0])).tolist() == [1, 1, 0, 0]
    assert 0 < weight_of(np.array([40.0]))[0] < 1


def test_scores_are_continuous_in_the_side(head: KernelHead) -> None:
    found = np.array([head.predict(NAMES, rows_at(side)) for side in np.arange(28, 60, 0.125)])
    assert np.abs(np.diff(found, axis=0)).max() < 0.05 * found.std()


def test_a_population_is_not_believed_where_what_all_of_it_has_in_common_does_not_hold() -> None:
    """Columns that all of one origin share are moved away from a network of it: others speak for it then."""
    lessons = [lesson(name, shared) for name in ("a", "b")]
    for level, each in enumerate(lessons):
        each.values[:, 10:15] = 2.0 * level
    rows, head = lessons[0].values, fit(pools_of(lessons), Learning())
    head = replace(head, far=np.zeros(2), near=np.full(2, 1e-6))  # as near as can be, by all other columns
    alike = np.flatnonzero(head.local_spread[0] == 0)
    assert len(alike) == 5
    shares = []
    for count in range(5):
        moved = replace(head, local_centre=head.local_centre.copy())
        moved.local_centre[0, alike[:count]] += 3.0
        strange = moved.strangeness(head.standardised(NAMES, rows))
        assert strange[:, 0] == pytest.approx(count, abs=0.1 * count + 0.01)
        assert strange[:, 1].min() > 3
        shares.append(moved.parts(NAMES, rows)[:, -2].mean())
    assert shares[0] > 0.5
    assert (np.diff(shares[:4]) < 0).all()
    assert shares[4] == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"spread": lambda head: -head.spread},
        {"heights": lambda head: -head.heights},
        {"group": lambda head: head.group + 5},
        {"faded": lambda head: head.faded + 5},
        {"amounts": lambda head: head.amounts[1:]},
        {"points": lambda head: head.points[:, 1:]},
        {"limit": lambda head: -head.limit},
        {"most": lambda head: head.most[1:]},
        {"local_spread": lambda head: head.local_spread[:, 1:]},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_a_head_that_does_not_fit_together_is_refused(head: KernelHead, broken: dict) -> None:  # type: ignore[type-arg]
    wrong = replace(head, **{name: change(head) for name, change in broken.items()})
    with pytest.raises(ValueError, match=r".+"):
        KernelHead.from_arrays(wrong.describe(), wrong.arrays())
