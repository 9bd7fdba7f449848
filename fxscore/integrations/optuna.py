"""Scores in Optuna (https://optuna.org): a search space as trials, the score as objective or as prior.

As objective::

    study = optuna.create_study(direction="maximize")
    study.optimize(ScoreObjective(space, max_params=1e6), n_trials=200)

As prior, in an objective that trains: trials whose network scores low among those so far end before training::

    def objective(trial):
        network = space.build(suggest(trial, space))
        prune_by_score(trial, network, keep=0.3, input_shape=space.input_shape)
        return train(network)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxscore.api import score
from fxscore.costs import network_costs
from fxscore.errors import SpaceError, UsageError
from fxscore.extras import require
from fxscore.scorer import Scorer, load_scorer
from fxscore.scorer.given import Model
from fxscore.spaces import SearchSpace
from fxscore.types import Shape

if TYPE_CHECKING:
    import optuna

SCORE = "fxscore"  # the trial's user attribute that keeps its score
LEAST = 10  # scores that are there before any trial is pruned


def suggest(trial: optuna.trial.BaseTrial, space: SearchSpace[Any]) -> Any:
    """A genotype of `space` from one suggestion for each variable; ordered ones are whole numbers, their positions.

    Raises:
        optuna.TrialPruned: the space rules this choice of values out.
    """
    vector = []
    for variable in space.variables:
        last = len(variable.values) - 1
        if variable.ordered:
            vector.append(trial.suggest_int(variable.name, 0, last))
        else:
            texts = [str(value) for value in variable.values]
            vector.append(texts.index(trial.suggest_categorical(variable.name, texts)))
    try:
        return space.decode(vector)
    except SpaceError as error:
        raise _pruned(str(error)) from None


@dataclass(frozen=True)
class ScoreObjective:
    """The score of a network of a search space, for `study.optimize`; maximise it.

    Attributes:
        space: what trials suggest genotypes of.
        scorer: as for `fxscore.score`.
        max_params: trials with more parameters are pruned before they are scored.
    """

    space: SearchSpace[Any]
    scorer: str | Path | Scorer | None = None
    max_params: float | None = None

    def __call__(self, trial: optuna.trial.BaseTrial) -> float:
        """Score what the trial suggests; its attributes hold the genotype's text and the parameters."""
        genotype = suggest(trial, self.space)
        network, shape = self.space.build(genotype), self.space.shape_of(genotype)
        params = network_costs(network, shape).params
        trial.set_user_attr("genotype", self.space.format(genotype))
        trial.set_user_attr("params", params)
        if self.max_params is not None and params > self.max_params:
            raise _pruned(f"{params} parameters are more than {self.max_params:g}")
        return score(network, input_shape=shape, scorer=self.scorer)


def prune_by_score(
    trial: optuna.Trial,
    model: Model,
    *,
    keep: float = 0.5,
    input_shape: Shape | None = None,
    scorer: str | Path | Scorer | None = None,
) -> float:
    """Score a network before it is trained; prune the trial unless it is among the best of its study so far.

    Args:
        trial: of a study; its user attribute `fxscore` keeps the score.
        model: as for `fxscore.score`.
        keep: share of the networks that go on; all do until `LEAST` were scored.
        input_shape: as for `fxscore.score`.
        scorer: as for `fxscore.score`; load it once, `fxscore.load_scorer()`, where trials are many.

    Returns:
        The score.

    Raises:
        UsageError: `keep` is no share.
        optuna.TrialPruned: more than this share of the networks so far score higher.
    """
    if not 0 < keep <= 1:
        raise UsageError(f"keep={keep} is no share; give a number above 0, and 1 at most")
    found = score(model, input_shape=input_shape, scorer=load_scorer(scorer))
    before = [t.user_attrs[SCORE] for t in trial.study.get_trials(deepcopy=False) if SCORE in t.user_attrs]
    trial.set_user_attr(SCORE, found)
    higher = sum(other > found for other in before)
    if len(before) >= LEAST and higher >= keep * (len(before) + 1):
        raise _pruned(f"score {found:.4g}: {higher} of {len(before)} networks so far score higher")
    return found


def _pruned(reason: str) -> Exception:
    require("optuna", "a trial of Optuna")
    import optuna

    pruned: Exception = optuna.TrialPruned(reason)
    return pruned
