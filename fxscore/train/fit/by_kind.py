"""`fxscore.fit`: a scorer of any kind fitted to one's own trained networks, with the figure that it earns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from fxscore.errors import ScorerError
from fxscore.run import Where, shows_where
from fxscore.scorer import FTScoreNet, Hybrid, Scorer, load_scorer, shipped_scorers
from fxscore.scorer.given import Model
from fxscore.sources import expand
from fxscore.train.fit.both import fit_both
from fxscore.train.fit.drawing import drawn_fits
from fxscore.train.fit.fitted import Fitted, Kind
from fxscore.train.fit.hybrid import fit_hybrid
from fxscore.train.fit.parts import named
from fxscore.train.fit.scorenet import fit_ft_scorenet
from fxscore.train.looking import Watch
from fxscore.types import ModelRef, Place, Shape, shape_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

STARTS = {"hybrid": "general", "ft": "nasbench201", "both": "general"}
STEPS = {"hybrid": 0, "ft": 100, "both": 200}
SAMPLES = {"hybrid": 0, "ft": 32, "both": 16}
MEMBERS = 3
HELD_OUT = 0.2  # of the networks, to measure trained FT-ScoreNets on


@shows_where
def fit(
    models: Sequence[Model],
    accuracies: Sequence[float],
    *,
    kind: Kind = "hybrid",
    start: str | Path | Scorer | None = None,
    input_shape: Shape | None = None,
    steps: int | None = None,
    samples: int | None = None,
    members: int = MEMBERS,
    curve: bool = False,
    seed: int = 0,
    state: Path | None = None,
    watch: Watch = lambda done: None,
    **where: Unpack[Place],
) -> Fitted:
    """Fit a scorer to networks that you have trained, and say how well it ranks those that it did not see.

    What is returned also says whether that was worth it (`Fitted.worth`): what the shipped scorer and plain sizes reach
    on the same networks and, where a learning curve was drawn, what more networks would bring. Scores of a hybrid, and
    of an ensemble with one, come with probabilities.

    Modules are looked at in this process, references by workers. A network that fails is left out and named in what is
    returned.

    Args:
        models: modules (their weights are not read) or references such as `timm:resnet50`; 20 to 200 are enough.
        accuracies: one number each, more is better, all of one data set.
        kind: `hybrid`, a head over features, measured in five folds; `ft`, an FT-ScoreNet trained with the listwise
            loss (METHOD.md section 4), measured on a fifth that is held out; `both`, the ensemble of both.
        start: the scorer that is built upon, by name, path or object; by default the shipped one of the kind.
        input_shape: (C, H, W) of all networks; by default the references' own, and 3×224×224 for modules.
        steps: of training an FT-ScoreNet; 100, of the kind `both` 200.
        samples: networks in one step; 32, of the kind `both` 16.
        members: FT-ScoreNets of the kind `both`.
        curve: draw the learning curve of `ft` and `both` too, whose points are up to twelve further trainings; that of
            a hybrid, which costs little, always is.
        seed: of folds, learners, splits and samples.
        state: beginning of the names of files that keep trainings, so that they go on after a kill.
        watch: is told how many networks and steps are done.
        **where: workers, limits, store and cluster for looking at references: the keywords of `fxscore.Where`.

    Raises:
        ScorerError: accuracies that teach nothing, too few networks that can be used, or a start of another kind.
        ModelRefError: a text is no reference, or stands for several networks.
    """
    begun = starting(kind, start)
    networks = [one_network(model) for model in models]
    always: dict[str, Any] = {
        "input_shape": None if input_shape is None else shape_of(input_shape),
        "seed": seed,
        "where": Where(**where),
        "watch": watch,
    }
    given = {
        place: (named(model, place), float(accuracy))
        for place, (model, accuracy) in enumerate(zip(networks, accuracies, strict=False))
    }
    if isinstance(begun, Hybrid) and kind == "hybrid":
        return replace(fit_hybrid(begun, networks, accuracies, **always), networks=given)
    trained: dict[str, Any] = {
        "steps": steps or STEPS[kind],
        "samples": samples or SAMPLES[kind],
        "validation": HELD_OUT,
        "curve": curve,
        "state": state,
    }
    if isinstance(begun, Hybrid):
        found = fit_both(begun, networks, accuracies, members=members, **always, **trained)
    else:
        found = fit_ft_scorenet(begun, networks, accuracies, **always, **trained)
    return replace(found, networks=given)


def training_steps(
    kind: Kind, steps: int | None, members: int = MEMBERS, curve: bool = False, networks: int = 0
) -> int:
    """Steps of all trainings of a fit to so many networks, for a display."""
    fits = 1 + (drawn_fits(networks) if curve else 0)
    return fits * (members if kind == "both" else 1) * (steps or STEPS[kind])


def starting(kind: Kind, start: str | Path | Scorer | None) -> Hybrid | FTScoreNet:
    """What a fit builds upon; raises `ScorerError` where that is no scorer of the kind."""
    if kind not in STARTS:
        raise ScorerError(f"{kind!r} is no kind of scorer to fit; there are {', '.join(STARTS)}")
    wanted = FTScoreNet if kind == "ft" else Hybrid
    if start is None and STARTS[kind] not in shipped_scorers():
        return wanted()
    scorer = load_scorer(STARTS[kind] if start is None else start)
    if isinstance(scorer, wanted):
        return scorer
    name = start if isinstance(start, (str, Path)) else type(scorer).__name__
    raise ScorerError(f"{name} is no scorer of the kind {kind}; leave the start out, or change the kind")


def one_network(model: Model) -> nn.Module | ModelRef:
    """A module, or the one reference that a text stands for; raises `ModelRefError` or `ScorerError` else."""
    if not isinstance(model, (str, os.PathLike)):
        return model
    refs = expand(os.fsdecode(model))
    if len(refs) != 1:
        raise ScorerError(f"{os.fsdecode(model)!r} stands for {len(refs)} networks; name one")
    return refs[0]
