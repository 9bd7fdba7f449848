"""Weighs trained scorers on drawn cells: an ensemble from their files to its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fxscore.errors import TrainingError
from fxscore.reading import is_file
from fxscore.scorer import FTScoreNet, load_scorer
from fxscore.scorer.ensemble import Ensemble
from fxscore.train.ensemble import fit_ensemble, score_together
from fxscore.train.measured import UnseenFigures, measure_all, split
from fxscore.train.plan import TrainingPlan
from fxscore.train.records import ensemble_record


def weigh(
    plan: TrainingPlan,
    names: Sequence[str],
    data: Path,
    out: Path,
    test: int,
    *,
    same_draw: bool = False,
    about: Mapping[str, Any],
) -> tuple[Ensemble, Sequence[UnseenFigures]]:
    """Find the weights of an ensemble on drawn cells, measure it on others and write its file.

    The weights are found on the validation part of each space's draw: where the members were trained with the same
    seed, and on a draw at least as large, no member was trained on it. Without a validation part it is the whole draw.

    Args:
        plan: Its spaces, labels, cells, validation and seed count; without spaces, those of the members.
        names: Trained scorers, by name or path.
        data: Folder of the benchmark tables.
        out: The ensemble's file.
        test: Cells of each space to measure on, among those not drawn; 0 takes all.
        same_draw: Take cells, validation and seed from the members' plans instead.
        about: What more its record says.

    Raises:
        TrainingError: A scorer is no FT-ScoreNet, or the members' draws differ where they are asked for.
    """
    members = [_member(name) for name in names]
    homes = [_home(member) for member in members]
    spaces = plan.spaces or tuple(dict.fromkeys(space for home in homes for space in home))
    draw = _draw(members) if same_draw else {}
    plan = replace(plan, spaces=spaces, settings=members[0].settings, **draw)
    drawn = {space: split(plan, data, space, plan.labels.get(space)) for space in plan.spaces}
    cells = {space: held if len(held) > 1 else training for space, (training, held, _) in drawn.items()}
    ensemble, fitted = fit_ensemble(members, cells, homes, plan.seed, out.name.removesuffix(".safetensors"))
    measured = measure_all(partial(score_together, ensemble), plan, data, test)
    ensemble.save(out, {**ensemble_record(plan, data, ensemble, cells, fitted, measured), **about})
    return ensemble, measured


def _member(name: str) -> FTScoreNet:
    scorer = load_scorer(Path(name) if is_file(Path(name)) else name)
    if not isinstance(scorer, FTScoreNet):
        raise TrainingError(f"{name} is no FT-ScoreNet; an ensemble is made of these")
    return scorer


def _draw(members: Sequence[FTScoreNet]) -> dict[str, Any]:
    """The draw that all members share: its validation part is what none of them was trained on."""
    plans = [member.record.get("plan", {}) for member in members]
    draws = [{name: plan.get(name) for name in ("cells", "validation", "seed")} for plan in plans]
    if None in draws[0].values() or not draws[0]["validation"] or any(draw != draws[0] for draw in draws):
        raise TrainingError(
            "the members were not trained on one draw of cells with a validation part; say with --cells, --validation "
            "and --seed which draw's validation part the weights are to be found on, such as no member was trained on"
        )
    return draws[0]


def _home(member: FTScoreNet) -> tuple[str, ...]:
    """The spaces that a member was trained on, as its record says."""
    return tuple(member.record.get("plan", {}).get("spaces", ()))
