"""What users call: whatever they give, and whatever their networks raise, is a score, a record or one clear line."""

from __future__ import annotations

import math
import os
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fxscore
from fxscore.errors import FxScoreError, NetworkError, ScorerError, UsageError
from fxscore.types import shape_of


class Raises(nn.Module):
    """A network whose forward raises what it is given."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
        self.layer = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        raise self.error


class OddError(BaseException):
    """No `Exception`, and with a message that no terminal should see, from a `__str__` that works once at most."""

    def __str__(self) -> str:
        raise RecursionError("\x1b[2J")


class Meddles(nn.Module):
    """Changes what is global in its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 5, 3)

    def forward(self, x: Tensor) -> Tensor:
        torch.set_default_dtype(torch.float64)
        os.chdir("/")
        out: Tensor = self.layer(x)
        return out.mean((2, 3))


ERRORS = (KeyError("no such key"), SystemExit(3), OddError(), MemoryError(), StopIteration(), GeneratorExit())


def network(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 64, 3))


def test_ranking_modules_records_every_failure_and_goes_on() -> None:
    given = {"first": network(3), "meddles": Meddles(), "last": network(4)}
    given |= {type(error).__name__: Raises(error) for error in ERRORS}
    given["too wide"] = nn.Sequential(nn.Conv2d(5, 2, 3))
    before = Path.cwd()
    records = {record.ref.name: record for record in fxscore.rank(given, input_shape=(3, 10, 10))}
    assert set(records) == set(given)
    for name in ("first", "meddles", "last"):
        assert math.isfinite(records[name].score or math.nan), records[name].error
    for error in ERRORS:
        told = records[type(error).__name__].error or ""
        assert type(error).__name__ in told
        assert told.isprintable()
    assert records["too wide"].error
    assert torch.get_default_dtype() == torch.float32
    assert Path.cwd() == before


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("scorer", [None, "naswot"])
def test_a_score_raises_own_errors_alone(error: BaseException, scorer: str | None) -> None:
    with pytest.raises(FxScoreError) as caught:
        fxscore.score(Raises(error), input_shape=(6,), scorer=scorer)
    assert type(error).__name__ in str(caught.value)
    assert caught.value.__cause__ is not None
    with pytest.raises(FxScoreError):
        fxscore.explain(Raises(error), input_shape=(6,))


def test_control_c_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        fxscore.score(Raises(KeyboardInterrupt()), input_shape=(6,))
    with pytest.raises(KeyboardInterrupt):
        fxscore.rank([Raises(KeyboardInterrupt())], input_shape=(6,))


class Nan:
    """A scorer without a score."""

    needs_weights, batch, scorer_id = False, None, "nan"

    def shape_for(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def score(self, subject: object) -> float:
        return math.nan


def test_what_is_no_number_is_no_score() -> None:
    with pytest.raises(ScorerError, match="ranks nothing"):
        fxscore.score(network(3), input_shape=(3, 10, 10), scorer=Nan())
    (record,) = fxscore.rank([network(3)], input_shape=(3, 10, 10), scorer=Nan())
    assert "ranks nothing" in (record.error or "")


@pytest.mark.parametrize(
    "shape",
    [32, "3,32,32", b"333", (), (3, 0, 32), (3, -1), (3, 2.5), {3: 4}, (3, None), [[3]], "x" * 10_000],
)
def test_a_wrong_shape_is_one_clear_line(shape: Any) -> None:
    for call in (fxscore.score, fxscore.explain, lambda model, **given: fxscore.rank([model], **given)):
        with pytest.raises(UsageError, match=r"is no shape; give positive whole numbers") as caught:
            call(network(3), input_shape=shape)
        assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "shape", [[3, 10, 10], torch.Size((3, 10, 10)), np.array([3, 10, 10]), map(int, "345"), range(1, 4)]
)
def test_any_sequence_of_whole_numbers_is_a_shape(shape: Any) -> None:
    numbers = shape_of(shape)
    assert len(numbers) == 3
    assert {type(number) for number in numbers} == {int}


def build_it() -> nn.Module:
    return network(3)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (build_it, "build_it is a function, not a network; give what it returns"),
        (nn.Linear, "Linear is a class, not a network; give an instance"),
        (7, "7 is no network"),
        (None, "None is no network"),
        (torch.ones(3), "is no network"),
        ("nonsense", "is no model reference"),
        (b"timm:resnet18", "is no network"),
    ],
)
def test_what_is_no_network_is_one_clear_line(model: Any, words: str) -> None:
    for call in (fxscore.score, fxscore.explain, lambda model: fxscore.rank([network(2), model])):
        with pytest.raises(FxScoreError, match=re.escape(words)) as caught:
            call(model)
        assert "\n" not in str(caught.value)


def test_one_module_is_not_ranked_by_its_layers() -> None:
    for models in (network(3), nn.ModuleList([network(3), network(4)])):
        with pytest.raises(UsageError, match=r"fxscore.score\(module\)"):
            fxscore.rank(models)


def test_a_mapping_names_modules_alone() -> None:
    with pytest.raises(UsageError, match="give references as a list"):
        fxscore.rank({"mine": "timm:resnet18"})


FILE = """
from torch import nn
INPUT_SHAPE = (3, 9, 9)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(50, 8), nn.Linear(8, 2)
    def forward(self, ids, scale=1.0):
        return self.head(self.words(ids).mean(1)) * scale
build = Net
"""


def test_one_reference_stands_for_itself_and_takes_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.py").write_text(FILE)
    few, many = ({"ids": torch.arange(count)[None], "scale": 2.0} for count in (6, 40))
    store = tmp_path / "store.sqlite"
    scores = {}
    for name, examples in (("few", few), ("many", many), ("few again", few)):
        (record,) = fxscore.rank("words.py", example_inputs=examples, workers=1, store=store)
        scores[name] = record
        assert record.score == fxscore.score(Path("words.py"), example_inputs=examples), record.error
    assert scores["few"].macs == scores["many"].macs
    assert scores["few"].score == scores["few again"].score
    assert fxscore.rank([Path("words.py")], example_inputs=few, store=store)[0].score == scores["few"].score
    module: Any = {}
    exec(FILE, module)
    (record,) = fxscore.rank([module["Net"]()], example_inputs=few)
    assert record.score == scores["few"].score
    (wrong,) = fxscore.rank("words.py", workers=1, store=store)  # an image is not what it takes
    assert wrong.error


def test_a_file_that_is_not_there_costs_the_others_nothing(tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text("from torch import nn\nINPUT_SHAPE = (3, 8, 8)\nbuild = lambda: nn.Conv2d(3, 4, 3)\n")
    ranking = fxscore.rank([str(tmp_path / "gone.py"), good], workers=1, no_store=True)
    assert [record.score is not None for record in ranking] == [True, False]
    assert "no such file" in (ranking[1].error or "")


def test_the_version_is_that_of_the_package() -> None:
    assert fxscore.__version__ == metadata.version("fxscore")
    assert "__version__" in dir(fxscore)
    assert issubclass(NetworkError, FxScoreError)


class Evil(str):
    """A text whose methods are somebody else's code."""

    def split(self, *given: Any) -> Any:
        raise SystemExit(1)

    def __getitem__(self, place: Any) -> Any:
        raise SystemExit(2)


class SpeaksError(Exception):
    """Whose message is what it was given, or is raised."""

    def __str__(self) -> str:
        if isinstance(self.args[0], BaseException):
            raise self.args[0]
        return self.args[0]  # type: ignore[no-any-return]


def odd_syntax_error() -> SyntaxError:
    error = SyntaxError("bad")
    error.filename, error.msg = 7, 8  # type: ignore[assignment]
    return error


@pytest.mark.parametrize(
    "error",
    [SpeaksError(SystemExit()), SpeaksError(GeneratorExit()), SpeaksError(Evil("evil")), odd_syntax_error()],
)
def test_however_an_error_speaks_it_is_one_of_fxscore(error: BaseException) -> None:
    class Raises(nn.Conv2d):
        def named_parameters(self, *given: Any, **named: Any) -> Any:
            raise error

    with pytest.raises(fxscore.FxScoreError) as caught:
        fxscore.score(Raises(3, 4, 3), input_shape=(3, 8, 8), scorer="params")
    assert str(caught.value).isprintable()
    assert [
        record.score
        for record in fxscore.rank({"a": Raises(3, 4, 3)}, input_shape=(3, 8, 8), scorer="params")
    ] == [None]


class TrainGivesNothing(nn.Conv2d):
    """As many networks in the wild: `train` is overridden, and forgets to return the module."""

    def train(self, mode: bool = True) -> None:  # type: ignore[override]
        super().train(mode)


@pytest.mark.parametrize("scorer", ["nasbench201", "params", "activations", "naswot"])
def test_a_train_that_returns_nothing_changes_no_score(scorer: str) -> None:
    plain, own = nn.Conv2d(3, 4, 3), TrainGivesNothing(3, 4, 3)
    own.load_state_dict(plain.state_dict())
    scores = [
        fxscore.score(nn.Sequential(conv, nn.ReLU()), input_shape=(3, 8, 8), scorer=scorer)
        for conv in (plain, own)
    ]
    assert scores[0] == scores[1]
    assert fxscore.score(own, input_shape=(3, 8, 8), scorer="params") == 112


@pytest.mark.parametrize(
    "scorer", [5, b"params", nn.Linear(1, 1), object(), ["params"], type("S", (), {"score": len})]
)
def test_what_is_no_scorer_is_one_clear_line(scorer: Any) -> None:
    with pytest.raises(UsageError, match="is no scorer; give a name"):
        fxscore.score(nn.Conv2d(3, 4, 3), input_shape=(3, 8, 8), scorer=scorer)


def test_a_name_of_any_length_is_no_scorer() -> None:
    with pytest.raises(fxscore.FxScoreError, match="no scorer is called"):
        fxscore.load_scorer("x" * 5000)


@pytest.mark.parametrize("examples", [5, "x", nn.Linear])
def test_what_is_no_example_is_not_the_networks_fault(examples: Any) -> None:
    with pytest.raises(fxscore.FxScoreError, match=r"^example_inputs is of type"):
        fxscore.score(nn.Conv2d(3, 4, 3), example_inputs=examples, scorer="params")


@pytest.mark.parametrize("shape", [(3, 2**63, 8), (2**70, 8, 8), (3, 10**7, 10**7), {3, 8}])
def test_a_shape_that_no_tensor_has_is_not_the_networks_fault(shape: Any) -> None:
    with pytest.raises(UsageError, match="input_shape"):
        fxscore.score(nn.Conv2d(3, 4, 3), input_shape=shape, scorer="params")
