from __future__ import annotations

import numpy as np
import pytest

from fxscore.evaluate import spearman
from fxscore.scorer.hybrid_learners import normal_targets
from fxscore.train.general.learning import SHARED, Learning, fit, groups, pools_of
from tests.train.general.made import NAMES, Floats, column, lesson, shared

SETTINGS = Learning(prior=0.0, noise=0.1)


def test_what_all_populations_agree_on_ranks_one_that_was_left_out() -> None:
    pools = pools_of([lesson(name, shared) for name in ("a", "b", "c")])
    unseen = lesson("unseen", shared)
    head = fit(pools, SETTINGS)
    assert spearman(head.predict(NAMES, unseen.values), unseen.labels) > 0.6


def test_what_one_population_believes_alone_stays_its_own() -> None:
    def against(values: Floats) -> Floats:
        return -3 * column(values, "kernel_mean")

    def agreed(values: Floats) -> Floats:
        return 3 * column(values, "kernel_mean")

    pools = pools_of([*(lesson(name, agreed) for name in ("a", "b", "c")), lesson("odd", against)])
    unseen = lesson("unseen", agreed)
    assert spearman(fit(pools, SETTINGS).predict(NAMES, unseen.values), unseen.labels) > 0.3


def test_levels_and_scales_of_accuracies_do_not_matter() -> None:
    plain = [lesson(name, shared) for name in ("a", "b")]
    moved = [lesson("a", shared), lesson("b", lambda values: 90 + np.exp(shared(values)))]
    unseen = lesson("unseen", shared).values
    found = [fit(pools_of(each), SETTINGS).predict(NAMES, unseen) for each in (plain, moved)]
    assert found[0] == pytest.approx(found[1])


def test_far_from_training_the_size_decides() -> None:
    pools = pools_of([lesson(name, shared) for name in ("a", "b")])
    head = fit(pools, Learning(prior=0.5, limit=50.0))
    far = np.full((5, len(NAMES)), 1e9)
    far[:, NAMES.index("own_log_side")] = np.log(32)
    far[:, NAMES.index("log_params")] = np.arange(5)
    far[:, NAMES.index("own_log_weighted_activations")] = 1.0
    assert head.predict(NAMES, far) == pytest.approx(head.prior_mean(NAMES, far))
    assert (np.diff(head.predict(NAMES, far)) > 0).all()


def test_tasks_of_the_same_networks_teach_together_and_judges_do_not_teach() -> None:
    one = lesson("a", shared)
    other = lesson("a", lambda values: -shared(values))
    judge = lesson("judge", shared, may_train=False)
    (pool,) = pools_of([one, other, judge])
    assert pool.targets == pytest.approx(np.zeros(len(one)), abs=1e-6)  # the two contradict each other
    (drawn,) = pools_of([one], most=7)
    assert len(drawn.targets) == len(drawn.values) == 7


def test_a_large_table_teaches_what_is_common_with_some_of_its_networks_drawn_wherever_they_stand() -> None:
    small, large = lesson("a", shared), lesson("timm", shared, n=2 * SHARED)
    head = fit(pools_of([small, large]), SETTINGS)
    taught = head.amounts != 0
    assert taught[head.pool == 0].all()
    own = taught[head.pool == 1]
    assert own.sum() == SHARED
    assert SHARED / 4 < own[:SHARED].sum() < 3 * SHARED / 4
    assert (head.local_amounts[head.pool == 1] != 0).all()  # what it alone teaches, it teaches with all


def test_quantiles_keep_the_order_and_share_ties() -> None:
    found = normal_targets(np.array([3.0, 1.0, 2.0, 2.0]))
    assert found[0] > found[2] == found[3] > found[1]
    assert found.sum() == pytest.approx(0.0)


def test_no_column_is_in_two_groups_and_none_depends_on_the_size_at_which_it_is_seen() -> None:
    columns = [name for own in groups().values() for name in own]
    assert len(columns) == len(set(columns))
    assert set(columns) <= set(NAMES)
    assert not {"log_macs", "log_activations", "positions_last"} & set(columns)
