"""What every search space promises, whatever it holds; a space joins by its name alone."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces import SearchSpace, get_space, space_names
from fxscore.types import ModelRef

MERGING = {"metaqnn", "nasbench101", "wild", "zen_resnet"}
OWN = f"{Path(__file__).parent / 'own_space.py'}:Plain"


def draw(space: SearchSpace[Any], count: int, seed: int = 0) -> list[Any]:
    generator = torch.Generator().manual_seed(seed)
    return [space.sample(generator) for _ in range(count)]


def smallest(space: SearchSpace[Any], count: int) -> list[Any]:
    """Of a dozen draws those whose vectors are least, which are quick to build and run."""
    drawn = dict.fromkeys(draw(space, 12))
    return sorted(drawn, key=lambda genotype: sum(space.encode(genotype)))[:count]


@pytest.fixture(scope="module", params=[*space_names(), OWN], ids=lambda name: Path(name).name)
def space(request: pytest.FixtureRequest) -> SearchSpace[Any]:
    return get_space(request.param)


class TestSpace:
    def test_the_registry_knows_its_name(self, space: SearchSpace[Any]) -> None:
        if space.name in space_names():
            assert type(get_space(space.name)) is type(space)
            assert get_space(space.name).variables == space.variables
        else:
            assert space.name == "plain"

    def test_sampling_follows_the_generator(self, space: SearchSpace[Any]) -> None:
        assert draw(space, 8, seed=3) == draw(space, 8, seed=3)
        assert len(set(draw(space, 40))) > 1

    def test_text_round_trips(self, space: SearchSpace[Any]) -> None:
        for genotype in draw(space, 30):
            text = space.format(genotype)
            assert space.parse(text) == genotype
            assert space.parse(f" {text}\n") == genotype

    def test_text_names_a_network(self, space: SearchSpace[Any]) -> None:
        for genotype in draw(space, 10):
            text = space.format(genotype)
            assert ModelRef.parse(f"space:{text}") == ModelRef("space", text)

    def test_vector_round_trips(self, space: SearchSpace[Any]) -> None:
        for genotype in draw(space, 30):
            vector = space.encode(genotype)
            assert len(vector) == len(space.variables)
            assert all(
                0 <= v < len(variable.values) for v, variable in zip(vector, space.variables, strict=True)
            )
            assert space.decode(vector) == genotype

    def test_genotypes_are_values(self, space: SearchSpace[Any]) -> None:
        genotype = draw(space, 1)[0]
        assert pickle.loads(pickle.dumps(genotype)) == genotype
        assert hash(genotype) == hash(draw(space, 1)[0])
        with pytest.raises((AttributeError, TypeError)):
            genotype.anything = 1

    def test_variables_have_names_and_choices(self, space: SearchSpace[Any]) -> None:
        assert len({variable.name for variable in space.variables}) == len(space.variables)
        assert all(len(set(variable.values)) == len(variable.values) > 1 for variable in space.variables)

    def test_neighbours_are_other_members(self, space: SearchSpace[Any]) -> None:
        genotype = draw(space, 1)[0]
        near = list(itertools.islice(space.neighbours(genotype), 40))
        assert near
        assert len(set(near)) == len(near)
        assert genotype not in near
        assert [space.parse(space.format(other)) for other in near] == near

    def test_neighbourhood_is_mutual(self, space: SearchSpace[Any]) -> None:
        if space.name in MERGING:
            pytest.skip("a change of one variable may silence others, so the way back is longer")
        genotype = draw(space, 1)[0]
        for other in itertools.islice(space.neighbours(genotype), 3):
            assert genotype in set(space.neighbours(other))

    def test_size_counts_the_members(self, space: SearchSpace[Any]) -> None:
        assert space.size >= len(set(draw(space, 40)))

    def test_text_of_another_world_is_refused(self, space: SearchSpace[Any]) -> None:
        text = space.format(draw(space, 1)[0])
        for wrong in ("", "resnet50", text[: len(text) // 2], text + "?", text + text):
            with pytest.raises(SpaceError):
                space.parse(wrong)

    def test_vector_of_another_world_is_refused(self, space: SearchSpace[Any]) -> None:
        vector = space.encode(draw(space, 1)[0])
        for wrong in ([], [*vector, 0], [-1, *vector[1:]], [10**6, *vector[1:]]):
            with pytest.raises(SpaceError, match=space.name):
                space.decode(wrong)

    def test_networks_have_a_fixed_interface(self, space: SearchSpace[Any], shapes_only: None) -> None:
        shapes = set()
        for genotype in smallest(space, 2):
            with torch.device("meta"):
                out = space.build(genotype)(torch.empty(2, *space.shape_of(genotype)))
            shapes.add(out.shape)
        (shape,) = shapes
        assert shape[0] == 2
        assert len(shape) >= 2

    def test_builds_are_alike(self, space: SearchSpace[Any], shapes_only: None) -> None:
        genotype = smallest(space, 1)[0]
        with torch.device("meta"):
            first, second = (space.build(genotype).state_dict() for _ in range(2))
        assert {k: v.shape for k, v in first.items()} == {k: v.shape for k, v in second.items()}

    def test_networks_run_and_learn(self, space: SearchSpace[Any]) -> None:
        torch.manual_seed(0)
        genotype = smallest(space, 1)[0]
        channels, height, width = space.shape_of(genotype)
        module = space.build(genotype)
        out = module(torch.randn(2, channels, min(height, 64), min(width, 64)))
        assert out.isfinite().all()
        out.sum().backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())

    def test_foreign_files_are_refused(self, space: SearchSpace[Any], tmp_path: Path) -> None:
        for name, content in (
            ("empty.csv", b""),
            ("foreign.csv", b"name,height\nann,3\n"),
            ("foreign.json", b'{"name": {"height": 3}}'),
            ("cut.json", b'{"name": {"hei'),
            ("cut.csv.gz", b"\x1f\x8b\x08\x00"),
            ("noise.pth", bytes(range(256)) * 4),
        ):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(SpaceError, match=name):
                space.read(tmp_path / name)

    def test_missing_file_is_refused(self, space: SearchSpace[Any], tmp_path: Path) -> None:
        with pytest.raises(SpaceError, match="nowhere"):
            space.read(tmp_path / "nowhere.csv")
