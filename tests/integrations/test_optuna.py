"""Studies of the real Optuna over a small space."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from fxscore.errors import MissingExtraError, SpaceError, UsageError
from fxscore.integrations.optuna import LEAST, SCORE, ScoreObjective, prune_by_score, suggest
from tests.searching.spaces import Tiny

optuna = pytest.importorskip("optuna", reason="needs fxscore[optuna]")


@pytest.fixture
def study() -> Any:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))


def test_a_study_finds_networks_within_the_limit(study: Any) -> None:
    space = Tiny()
    study.optimize(ScoreObjective(space, "params", max_params=20_000), n_trials=25)
    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    pruned = [trial for trial in study.trials if trial.state.name == "PRUNED"]
    assert complete
    assert pruned
    assert max(trial.user_attrs["params"] for trial in complete) <= 20_000
    assert min(trial.user_attrs["params"] for trial in pruned) > 20_000
    best = space.build(space.parse(study.best_trial.user_attrs["genotype"]))
    assert (
        sum(p.numel() for p in best.parameters()) == study.best_trial.user_attrs["params"] == study.best_value
    )


def test_suggestions_are_genotypes_of_the_space() -> None:
    trial = optuna.trial.FixedTrial({"depth": 2, "width": 5, "kernel": "3", "norm": "none"})
    assert suggest(trial, Tiny()) == (3, 12, 3, "none")


def test_what_the_space_rules_out_is_pruned() -> None:
    class Picky(Tiny):
        def from_values(self, values: Any) -> Any:
            raise SpaceError("not this one")

    trial = optuna.trial.FixedTrial({"depth": 2, "width": 5, "kernel": "3", "norm": "none"})
    with pytest.raises(optuna.TrialPruned, match="not this one"):
        suggest(trial, Picky())


def test_low_scores_end_before_they_are_trained(study: Any) -> None:
    trained: list[int] = []

    def objective(trial: Any) -> float:
        width = trial.number % 20 + 1
        prune_by_score(trial, nn.Conv2d(3, width, 3), keep=0.25, input_shape=(3, 8, 8), scorer="params")
        trained.append(width)
        return float(width)

    study.optimize(objective, n_trials=40)
    assert trained[:LEAST] == list(range(1, LEAST + 1))  # nothing to compare with yet
    assert all(SCORE in trial.user_attrs for trial in study.trials)
    assert trained[20:] == list(range(13, 21))  # of 12, 8 of 31 score higher: a quarter and more


def test_a_share_is_between_nothing_and_all(study: Any) -> None:
    with pytest.raises(UsageError, match="no share"):
        prune_by_score(study.ask(), nn.Conv2d(3, 4, 3), keep=0, input_shape=(3, 8, 8))


def test_without_optuna_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from fxscore.extras import require

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"fxscore\[optuna\]"):
        require("optuna", "a trial")
