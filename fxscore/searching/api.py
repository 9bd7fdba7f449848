"""`fxscore.search`: from a space and a scorer to the networks worth training."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from importlib.metadata import version
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fxscore.errors import SearchError, UsageError
from fxscore.extras import require
from fxscore.run import Where, package_version, shows_where
from fxscore.run.failure import own_errors_only
from fxscore.scorer import Scorer
from fxscore.scorer.card import card_of
from fxscore.scorer.names import portable
from fxscore.searching.caution import caution_of
from fxscore.searching.goals import Objective, SizeLimits
from fxscore.searching.handle import THIS_PROCESS, AnySpace, SpaceHandle, open_space
from fxscore.searching.journal import HISTORY, Journal, begun_settings
from fxscore.searching.loop import Loop, SearchWatcher
from fxscore.searching.measuring import Bench, Measurer, needed, open_measures
from fxscore.searching.random_search import RandomSearch
from fxscore.searching.regularised_evolution import RegularisedEvolution
from fxscore.searching.result import SearchResult
from fxscore.searching.strategy import SearchProblem, Strategy, count_genotypes
from fxscore.texts import one_line
from fxscore.types import Place

if TYPE_CHECKING:
    from typing_extensions import Unpack

REGULARISED = "regularised-evolution"
ALGORITHMS = ("nsga2-de", "nsga2", REGULARISED, "random")
PAPER_POPULATION, PAPER_GENERATIONS = 512, 100


@shows_where
def search(
    space: str | AnySpace,
    *,
    scorer: str | Path | Scorer | None = None,
    budget: int | None = None,
    objectives: Sequence[str] = ("score", "params"),
    max_params: float | None = None,
    max_macs: float | None = None,
    max_layers: float | None = None,
    algorithm: str = "nsga2-de",
    cautious: bool | None = None,
    population: int | None = None,
    generations: int | None = None,
    seed: int = 0,
    folder: Path | str | None = None,
    resume: bool = False,
    watcher: SearchWatcher | None = None,
    **where: Unpack[Place],
) -> SearchResult:
    """Search a space for networks that score high and cost little, without training any.

    A search ends with its budget or its generations, or when every network of the space has been looked at
    (`SearchResult.ended`). Ctrl-C ends it with what it has found so far (`SearchResult.interrupted`).

    Args:
        space: a space, a shipped one's name (`zen_resnet`), or `nets.py:Plain`. The networks of a class that other
            processes cannot import (of `__main__`, of a notebook) are scored in this process, one at a time.
        scorer: as for `fxscore.score`.
        budget: networks to score at most; those that pass a limit are not scored and do not count. By default what the
            generations need.
        objectives: `score`, `params`, `macs`, `layers`, `activations`, `latency` (seconds of one image on one
            thread) or any proxy, with `min:` or `max:` before the name to turn what is better.
        max_params: parameters at most; decided before scoring, like the two that follow.
        max_macs: multiply-accumulates of one image at most.
        max_layers: layers at most, as the space counts them (`SearchSpace.count_layers`), else convolution and linear
            layers.
        algorithm: one of `ALGORITHMS`.
        cautious: whether scores of networks far from the scorer's training are lowered by how much less surely it
            orders them (`held_back` of an evaluation); by default where it knows that, as `general` does.
        population: networks of one generation; by default that of the search that is resumed, 512, as in the paper
            (IV-A3), or a sixteenth of a smaller budget. No more than the space has.
        generations: at most; by default until the budget is used up, and without one 100, as in the paper.
        seed: of everything random in the search.
        folder: keeps the history there, from which `resume` goes on.
        resume: go on with the history of `folder`, with equal results to an uninterrupted search.
        watcher: is told of each network and generation, for a display.
        **where: workers, limits, store and cluster: the keywords of `fxscore.Where`; latencies are measured on this
            machine all the same.

    Raises:
        SearchError: unknown names, a history of another search, or limits that nothing keeps.
        UsageError: a budget, a population or generations below 1.
        SpaceError: no such space.
    """
    opened, handle = open_space(space)
    goals = tuple(map(Objective.parse, objectives))
    limits = SizeLimits(max_params, max_macs, max_layers)
    size = sizes(budget, population, generations, algorithm=algorithm, begun=folder if resume else None)
    with own_errors_only("the space"):
        genotypes = count_genotypes(opened)
        task = SearchProblem(opened, goals, min(size.population, genotypes), seed, limits)
        strategy = make_strategy(algorithm, task)
    card = card_of(scorer)
    caution = caution_of(card, cautious)
    settings = _settings(handle, task, limits, algorithm, card.scorer_id)
    if caution is not None:
        settings["cautious"] = True
    with ExitStack() as stack:
        journal = (
            stack.enter_context(
                closing(Journal(Path(folder) / HISTORY, settings, handle.place, resume=resume))
            )
            if folder
            else None
        )
        names = needed(goals, limits)
        bench = stack.enter_context(Bench(handle, Where(**where), names))
        measures = open_measures(bench, names, portable(scorer))
        measurer = Measurer(opened, goals, limits, measures, caution)
        loop = Loop(task, strategy, measurer, size.budget, size.generations, genotypes, journal, watcher)
        with own_errors_only("the space"):
            ended = loop.run()
    history = tuple(map(tuple, loop.history))
    return SearchResult(handle.place, goals, history, settings, opened, ended, card.confidence)


class Sizes(NamedTuple):
    """How large a search is: networks to score, networks of a generation, generations (None: no limit)."""

    budget: int
    population: int
    generations: int | None


def sizes(
    budget: int | None = None,
    population: int | None = None,
    generations: int | None = None,
    *,
    algorithm: str = "nsga2-de",
    begun: Path | str | None = None,
) -> Sizes:
    """What is not given is that of the search begun in a folder, the paper's, or fits the budget; see `search`.

    Regularised evolution has children one by one: its generations are a budget of as many networks.

    Raises:
        UsageError: what is given is no whole number from 1 on.
    """
    given: dict[str, Any] = {"budget": budget, "population": population, "generations": generations}
    for name, value in given.items():
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if value is not None and not (whole and value >= 1):
            raise UsageError(f"{name}={one_line(repr(value), 80)} is no whole number from 1 on")
    if population is None and begun is not None:
        population = begun_settings(Path(begun) / HISTORY).get("population")
    if population is None:
        population = PAPER_POPULATION if budget is None else max(4, min(PAPER_POPULATION, budget // 16))
    if budget is None:
        generations = generations or PAPER_GENERATIONS
        budget = population * generations
    if algorithm == REGULARISED and generations is not None:
        budget, generations = min(budget, population * generations), None
    return Sizes(budget, population, generations)


def make_strategy(algorithm: str, task: SearchProblem) -> Strategy:
    """The algorithm of a name; raises `SearchError` with the names that there are."""
    if algorithm == "random":
        return RandomSearch(task)
    if algorithm == REGULARISED:
        return RegularisedEvolution(task)
    if algorithm not in ALGORITHMS:
        raise SearchError(f"no algorithm is called {algorithm!r}; there are {', '.join(ALGORITHMS)}")
    require("search", algorithm)
    from fxscore.searching.nsga2 import NSGA2Search

    return NSGA2Search(task, differential=algorithm == "nsga2-de")


def _settings(
    handle: SpaceHandle, task: SearchProblem, limits: SizeLimits, algorithm: str, scorer_id: str
) -> dict[str, Any]:
    return {
        "space": handle.key.replace(THIS_PROCESS, ""),
        "scorer": scorer_id,
        "objectives": list(map(str, task.objectives)),
        "limits": limits.given,
        "algorithm": algorithm,
        "population": task.population,
        "seed": task.seed,
        "numpy": version("numpy"),
        "torch": version("torch"),
        "package": package_version(),
    }
