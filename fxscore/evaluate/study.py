"""From names to a comparison: which networks scorers are measured on, and what each gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from fxscore.errors import ScorerError
from fxscore.evaluate.comparison import ScorerComparison, compare_scorers
from fxscore.evaluate.cross_space import CrossSpace, ScoreMatrix, score_matrix
from fxscore.evaluate.estimates import Measures
from fxscore.evaluate.population import Population
from fxscore.evaluate.scoring import score_refs
from fxscore.evaluate.seen import seen_by, trained_spaces
from fxscore.evaluate.tables import read_population
from fxscore.proxies import proxy_names
from fxscore.run import Executor, Store, Watcher
from fxscore.scorer import Scorer, load_scorer
from fxscore.types import ScoreRecord, Shape


@dataclass(frozen=True)
class Study:
    """Networks to measure scorers on, and what must be said of the choice."""

    population: Population
    notes: tuple[str, ...] = ()

    def measure(
        self,
        scorers: Mapping[str, str],
        measures: Measures,
        labels: Sequence[str],
        by_family: bool,
        place: Workplace,
        input_shape: Shape | None = None,
    ) -> ScorerComparison:
        """Score the networks and compare the scorers on those of the labels that the population has.

        Args:
            scorers: names or paths by the name that reports call them.
            measures: what and how.
            labels: where the population has none of these, its test labels.
            by_family: resample whole families, where the population has them.
            place: where scores are computed and kept.
            input_shape: (C, H, W) for all networks; None takes each network's own.
        """
        records = score_all(self.population, scorers, place, input_shape)
        own = [name for name in labels if name in self.population.labels]
        return compare_scorers(self.population, records, measures, own, by_family=by_family, notes=self.notes)


class Workplace(TypedDict):
    """Where scores are computed and kept."""

    executor: Executor
    store: Store | None
    watcher: Watcher | None


def require_labels(studies: Mapping[str, Study], labels: Sequence[str]) -> None:
    """Raise `SpaceError`, with the labels that there are, for one that no population has."""
    for name in labels:
        if not any(name in study.population.labels for study in studies.values()):
            next(iter(studies.values())).population.label(name)


def across(
    found: Mapping[str, ScorerComparison], scorers: Mapping[str, str]
) -> tuple[CrossSpace, ScoreMatrix]:
    """The matrix across spaces, and scorer against scorer.

    Args:
        found: comparisons by space.
        scorers: names or paths by the name that reports call them.
    """
    handcrafted = [name for name, text in scorers.items() if text in proxy_names()]
    learned = [name for name in scorers if name not in handcrafted]
    trained = {name: frozenset(trained_spaces(load_scorer(scorers[name]))) for name in learned}
    names = (*learned, *handcrafted)
    scores = {space: comparison.scores for space, comparison in found.items()}
    return CrossSpace.of(found, learned, handcrafted, trained), score_matrix(scores, names, names)


def named(scorers: Sequence[str]) -> dict[str, str]:
    """Scorers by the name that reports call them: a file by its stem, where that is plain."""
    names = [Path(text).stem if Path(text).is_file() else text for text in scorers]
    pairs = zip(names, scorers, strict=True)
    return {name if names.count(name) == 1 else text: text for name, text in pairs}


def choose(
    space: str,
    data: Path | None,
    scorers: Mapping[str, str],
    count: int,
    seed: int,
    with_seen: bool = False,
    without_families: Sequence[str] = (),
) -> Study:
    """Draw the networks that no scorer was trained on.

    Args:
        space: a search space, `timm` or `torchvision`.
        data: the benchmark's file, or the folder of tables.
        scorers: names or paths by the name that reports call them.
        count: networks to draw; 0 takes all.
        seed: of the draw.
        with_seen: do not leave out what a scorer was trained on.
        without_families: names of families to leave out, where the space has them.

    Raises:
        SpaceError: the table cannot be found or read.
        ScorerError: the scorers were trained on everything that the table holds.
    """
    population = read_population(space, data)
    seen, notes = set[int](), []
    for name, scorer in scorers.items():
        found = seen_by(load_scorer(scorer), space, data, len(population), population.families)
        if found.doubt:
            notes.append(f"{name}: {found.doubt}")
        if found.indices:
            notes.append(
                f"{len(found.indices)} networks that {name} was trained on or chosen by are "
                + ("among these" if with_seen else "left out")
            )
        seen |= found.indices
    rest = population if with_seen else population.without(frozenset(seen))
    rest = rest.without_families(without_families)
    if len(rest) < 2:
        raise ScorerError(
            f"the scorers were trained on all {len(population)} networks of {space} in this table"
        )
    return Study(rest.draw(count, seed), tuple(notes))


def score_all(
    population: Population,
    scorers: Mapping[str, str | Scorer],
    place: Workplace,
    input_shape: Shape | None = None,
) -> dict[str, list[ScoreRecord]]:
    """Every scorer's records of a population, in its order."""
    return {
        name: score_refs(population.refs, scorer, input_shape=input_shape, **place)
        for name, scorer in scorers.items()
    }
