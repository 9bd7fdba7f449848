"""The parts of a search alone: objectives, limits, fronts, mating, the way of a space to a worker."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.core.population import Population
from pymoo.core.problem import Problem

from fxscore.errors import SpaceError
from fxscore.searching import Evaluation, Objective, SizeLimits
from fxscore.searching.evaluation import front
from fxscore.searching.handle import LocalSpace, NamedSpace, PickledSpace, open_space
from fxscore.searching.mating import GenotypeDuplicates, MixedMating, Rates
from fxscore.searching.regularised_evolution import RegularisedEvolution
from fxscore.searching.strategy import SearchProblem, count_genotypes
from fxscore.spaces import SearchSpace, Variable
from fxscore.spaces.zen_resnet import ZenResNet
from tests.searching.spaces import Tiny

SCORE, PARAMS = Objective.parse("score"), Objective.parse("params")


def test_costs_are_minimised_and_merits_maximised_unless_told() -> None:
    assert SCORE.maximise
    assert Objective.parse("naswot").maximise
    assert not PARAMS.maximise
    assert Objective.parse("max:params").maximise
    assert PARAMS.loss(3) == 3
    assert SCORE.loss(3) == -3


def test_violation_adds_the_shares_beyond_each_limit() -> None:
    limits = SizeLimits(params=100, layers=10)
    assert limits.violation({"params": 100, "layers": 10}) == 0
    assert limits.violation({"params": 150, "layers": 12}) == pytest.approx(0.7)


def test_room_under_one_limit_pays_for_no_excess_over_another() -> None:
    limits = SizeLimits(params=100, layers=10)
    assert limits.violation({"params": 10, "layers": 1}) == 0
    assert limits.violation({"params": 10, "layers": 12}) == pytest.approx(0.2)


def evaluation(text: str, score: float, params: float, violation: float = 0.0) -> Evaluation:
    return Evaluation(text, {"score": score, "params": params}, violation)


def test_front_leaves_out_the_dominated_the_infeasible_and_the_second_of_equals() -> None:
    rows = [
        evaluation("a", 1, 10),
        evaluation("b", 2, 20),
        evaluation("worse", 1, 20),
        evaluation("twin", 2, 20),
        evaluation("beyond", 9, 1, violation=0.1),
    ]
    assert [each.text for each in front(rows, (SCORE, PARAMS))] == ["b", "a"]


def mating(space: Any, rates: Rates, ordered: bool = True) -> tuple[MixedMating, SearchProblem]:
    task = SearchProblem(space, (SCORE, PARAMS), 8, 0)
    mask = np.array([variable.ordered and ordered for variable in space.variables])
    return MixedMating(task, selection=first_two, ordered=mask, rates=rates), task


def first_two(problem: Any, pop: Any, count: int, **options: Any) -> Any:
    return np.tile([0, 1], (count, 1))


def offspring(operator: MixedMating, parents: Any, count: int, seed: int = 0) -> Any:
    problem = Problem(n_var=parents.shape[1], n_obj=2, vtype=int)
    pop = Population.new("X", parents)
    return operator._do(problem, pop, count, random_state=np.random.default_rng(seed)).get("X")


def evolution(population: int, losses: list[tuple[float, float]], tournament: int) -> RegularisedEvolution:
    """A search whose members, at depth 1 and rising width, have these (violation, loss)."""
    strategy = RegularisedEvolution(SearchProblem(Tiny(), (PARAMS,), population, 0), tournament)
    told = [Evaluation(str(place), {"params": loss}, bad) for place, (bad, loss) in enumerate(losses)]
    strategy.tell(np.array([[0, place, 0, 0] for place in range(len(losses))]), told)
    return strategy


def parents(strategy: RegularisedEvolution, asks: int = 30) -> set[int]:
    """The widths of the parents that children can be of: those one move away from each child."""
    space, found = Tiny(), set(range(20))
    for child in (child for _ in range(asks) for child in strategy.ask()):
        near = {space.encode(each)[1] for each in space.neighbours(space.decode(child.tolist()))}
        found &= near | {int(child[1])}
    return found


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([(0, 5), (0, 4), (0, 1), (0, 3), (0, 2), (0, 9)], 2),
        (
            [(0.5, 1), (0.2, 9), (0.9, 0), (0.3, 2)],
            1,
        ),  # without any that keeps the limits, the least violation
        ([(0.1, 0), (0.2, 0), (0, 99), (0.3, 1)], 2),
    ],
)
def test_the_best_of_the_sample_has_the_child(losses: list[tuple[float, float]], best: int) -> None:
    assert parents(evolution(len(losses), losses, tournament=len(losses))) == {best}


def test_a_small_sample_lets_others_than_the_best_have_children() -> None:
    assert not parents(evolution(4, [(0, 9), (0, 1), (0, 3), (0, 4)], tournament=1))


def test_the_oldest_die() -> None:
    strategy = evolution(2, [(0, 1), (0, 5), (0, 3), (0, 4)], tournament=2)
    assert parents(strategy) == {2}  # 0 and 1 are gone


@pytest.mark.parametrize(("population", "children"), [(4, 1), (15, 1), (16, 2), (40, 5)])
def test_children_come_in_eighths_of_the_population_one_at_least(population: int, children: int) -> None:
    strategy = evolution(population, [(0, 1), (0, 2)], tournament=10)  # more than there are members
    assert len(strategy.ask()) == children


def test_unordered_variables_come_from_the_parents_without_mutation() -> None:
    operator, _ = mating(Tiny(), Rates(mutation=0.0))
    parents = np.array([[0, 0, 0, 0], [0, 0, 2, 1], [1, 1, 1, 1]])
    children = offspring(operator, parents, 400)
    assert set(children[:, 2]) == {0, 2}
    # uniform crossover in half of the matings, half of the genes in each
    assert np.mean(children[:, 2] == 2) == pytest.approx(0.25, abs=0.06)


def test_mutation_hits_four_children_in_five_at_one_gene_of_two() -> None:
    operator, _ = mating(Tiny(), Rates(crossover=0.0))
    children = offspring(operator, np.array([[0, 0, 0, 0]] * 3), 2000)
    # 0.8 of the children × half of the genes × two of three kernels are another
    assert np.mean(children[:, 2] != 0) == pytest.approx(0.8 * 0.5 * 2 / 3, abs=0.04)


def test_ordered_variables_move_by_the_weighted_difference_of_two_members() -> None:
    operator, _ = mating(Tiny(), Rates(crossover=0.0, mutation=0.0, de_crossover=1.0))
    parents = np.array([[2, 10, 0, 0], [2, 10, 0, 0], [2, 15, 0, 0]])
    moved = set(offspring(operator, parents, 200)[:, 1].tolist())
    # base + 0.8·(difference) for the three members in each order: ±4 from 10, or 15 and no difference
    assert moved == {6, 14, 15}


def test_a_sum_of_plain_genes_is_left_alone_by_differential_evolution() -> None:
    operator, _ = mating(Tiny(), Rates(crossover=0.0, mutation=0.0), ordered=False)
    parents = np.array([[2, 10, 0, 0], [3, 12, 1, 1], [4, 15, 2, 0]])
    assert (offspring(operator, parents, 50) == parents[0]).all()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_child_of_the_zen_space_is_a_member(seed: int) -> None:
    operator, task = mating(ZenResNet(), Rates())
    parents = task.sample(6, torch.Generator().manual_seed(seed))
    for child in offspring(operator, parents, 8, seed):
        task.space.decode(child.tolist())  # raises where it is none


def test_vectors_that_differ_where_no_network_shows_it_are_duplicates() -> None:
    space = ZenResNet(slots=2)
    task = SearchProblem(space, (SCORE,), 2, 0)
    vector = task.sample(1, torch.Generator().manual_seed(3))[0]
    vector[8] = 0  # the second slot is off
    hidden = vector.copy()
    hidden[12] += 1  # so its width shows nowhere
    assert task.key(vector) == task.key(hidden)
    kept = GenotypeDuplicates(task).do(Population.new("X", np.stack([vector, hidden])))
    assert len(kept) == 1


def test_spaces_travel_by_name_or_pickle_or_not_at_all() -> None:
    class Local(Tiny):
        pass

    named, pickled, local = open_space("zen_resnet")[1], open_space(Tiny())[1], open_space(Local())[1]
    assert isinstance(named, NamedSpace)
    assert named.trusted
    assert isinstance(pickled, PickledSpace)
    assert not pickled.trusted
    assert isinstance(local, LocalSpace)
    for handle in (named, pickled, local):
        assert pickle.loads(pickle.dumps(handle)).open().variables
        assert handle.key


def test_options_of_a_space_change_its_key() -> None:
    keys = {open_space(ZenResNet(classes=classes))[1].key for classes in (10, 100)}
    assert len(keys) == 2
    assert open_space(ZenResNet(classes=10))[1].key in keys


def test_key_tells_members_from_what_the_space_rules_out() -> None:
    space = ZenResNet(slots=2)
    task = SearchProblem(space, (SCORE,), 2, 0)
    vector = task.sample(1, torch.Generator().manual_seed(0))[0]
    assert task.key(vector) is not None
    vector[1] = vector[8] = 0  # both slots off: no block
    with pytest.raises(SpaceError):
        space.decode(vector)
    assert task.key(vector) is None


class Ruled(SearchSpace[Any]):
    """Rules out two of six vectors; two of the others are one genotype."""

    name = "ruled"
    input_shape = (3, 8, 8)
    variables = (Variable("a", (1, 2)), Variable("b", (0, 1, 2)))

    def from_values(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if values[1] == 2:
            raise SpaceError("no two")
        return (values[0], 0) if values[0] == 1 else values

    def build(self, genotype: Any) -> Any:
        raise AssertionError("counting builds nothing")


def test_genotypes_of_a_small_space_are_counted_and_those_of_a_large_one_bounded() -> None:
    assert (Ruled().size, count_genotypes(Ruled())) == (6, 3)
    assert count_genotypes(Tiny()) == Tiny().size == 720
    assert count_genotypes(ZenResNet()) == ZenResNet().size
