from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from fxscore.errors import TrainingError
from fxscore.train.data import split_cells
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.plan import TrainingPlan
from tests.train.small import cells, plan, trainer

RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "averaged": {"averaging": 0.9},
    "two spaces in turn": {"spaces": ("tiny", "other")},
    "two spaces at once": {"spaces": ("tiny", "other"), "schedule": "accumulate", "samples": 3},
}


def assert_same(first: Trainer, second: Trainer) -> None:
    """Equal to the last bit: weights, optimiser, average, step and history."""
    assert first.state.step == second.state.step
    assert first.state.history == second.state.history
    for key in ("weights", "average"):
        ours, theirs = (getattr(run.state, key) for run in (first, second))
        ours, theirs = (ours(), theirs()) if callable(ours) else (ours, theirs)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours), key
    for one, other in zip(first.scorer.parameters(), second.scorer.parameters(), strict=True):
        mine, its = (run.state.optimiser.state[p] for run, p in ((first, one), (second, other)))
        assert all(torch.equal(torch.as_tensor(mine[name]), torch.as_tensor(its[name])) for name in mine)


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(kind: str, stop: int, tmp_path: Path) -> None:
    path, options = tmp_path / "run" / "state.safetensors", RUNS[kind]
    whole = trainer(**options)
    reports = list(whole.run())
    assert [report.step for report in reports] == list(range(1, 9))
    assert len(list(islice(trainer(path, **options).run(), stop))) == stop
    resumed = trainer(path, **options)
    assert resumed.state.step == stop // 2 * 2, "one interval is lost at most"
    assert list(resumed.run()) == reports[stop // 2 * 2 :]
    assert_same(resumed, whole)
    assert list(trainer(path, **options).run()) == []


def test_a_process_killed_at_step_five_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    command = [sys.executable, "-m", "tests.train.small", str(path), "12"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 5:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    resumed, whole = trainer(path, steps=12), trainer(steps=12)
    assert 4 <= resumed.state.step < 12
    for run in (resumed, whole):
        list(run.run())
    assert_same(resumed, whole)


def test_a_crash_while_saving_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.safetensors"
    list(islice(trainer(path).run(), 2))

    def crash(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            list(trainer(path).run())
    resumed, whole = trainer(path), trainer()
    assert resumed.state.step == 2
    for run in (resumed, whole):
        list(run.run())
    assert_same(resumed, whole)


def test_the_global_generator_has_no_part_in_a_run() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = trainer()
    list(first.run())
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    second = trainer()
    list(second.run())
    assert_same(first, second)


def test_training_ranks_what_it_trains_on() -> None:
    run = trainer(steps=60, samples=12, learning_rate=0.01, every=60)
    before = run.validate()
    reports = list(run.run())
    assert reports[-1].validation is not None
    assert reports[-1].validation > max(0.9, before)
    assert torch.equal(score_cells(run.trained(), cells()), score_cells(run.trained(), cells()))


def test_the_average_is_what_is_kept() -> None:
    run = trainer(averaging=0.9)
    list(run.run())
    kept, last = run.trained().state_dict(), run.scorer.state_dict()
    assert not torch.equal(kept["readout.weight"], last["readout.weight"])
    assert torch.equal(kept["readout.weight"], run.state.average["readout.weight"])


# -- states that must not be resumed ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("state") / "state.safetensors"
    list(islice(trainer(path, averaging=0.9).run(), 2))
    return path


@settings(max_examples=20)
@given(place=st.integers(0, 10**7), change=st.integers(1, 255), header=st.booleans())
def test_one_altered_byte_is_refused(place: int, change: int, header: bool, state: Path) -> None:
    data = bytearray(state.read_bytes())
    place %= 8 + int.from_bytes(data[:8], "little") if header else len(data)
    padding = chr(data[place]) == " "
    data[place] ^= change
    if padding and chr(data[place]).isspace():
        return  # still white space that pads the header
    altered = state.with_name("altered.safetensors")
    altered.write_bytes(data)
    with pytest.raises(TrainingError, match=r"altered\.safetensors is damaged"):
        trainer(altered, averaging=0.9)


def test_truncated_and_foreign_states_are_refused(state: Path, tmp_path: Path) -> None:
    data = state.read_bytes()
    for number, content in enumerate((data[:-1], data[: len(data) // 2], data[:5], b"", b"accuracy 97 %\n")):
        path = tmp_path / f"{number}.safetensors"
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=r"is damaged .*delete it"):
            trainer(path, averaging=0.9)
    for metadata in (None, {"plan": "{}", "step": "1", "history": "[]"}):
        save_file({"w": torch.ones(2)}, tmp_path / "foreign.safetensors", metadata)
        with pytest.raises(TrainingError, match="no training state at all"):
            trainer(tmp_path / "foreign.safetensors", averaging=0.9)


@pytest.mark.parametrize("change", [{"seed": 5}, {"samples": 4}, {"averaging": 0.0}, {"learning_rate": 0.1}])
def test_a_state_of_another_plan_is_refused(change: dict[str, Any], state: Path) -> None:
    with pytest.raises(TrainingError, match=r"state\.safetensors belongs to a run with another plan"):
        trainer(state, **{"averaging": 0.9, **change})


# -- plans, samples and splits ---------------------------------------------------------------------------------------


def test_a_plan_goes_through_a_file(tmp_path: Path) -> None:
    chosen = plan(spaces=("tiny", "other"), labels={"tiny": "x"}, averaging=0.5)
    (tmp_path / "plan.json").write_text(json.dumps(chosen.as_dict()))
    assert TrainingPlan.read(tmp_path / "plan.json") == chosen


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot read the training plan"),
        ("[]", "no training plan"),
        ("3", "no training plan"),
        ('{"spaces": ["tiny"], "colour": 3}', "no training plan.*colour"),
        ('{"spaces": ["tiny"], "settings": {"colour": 3}}', "no training plan.*colour"),
        ('{"spaces": ["tiny"], "settings": 3}', "no training plan"),
        ('{"spaces": ["tiny"], "schedule": "random"}', "'random' is neither"),
        ('{"spaces": ["tiny"], "samples": 1}', "at least 2 samples"),
        ('{"spaces": ["tiny"], "samples": "many"}', "no training plan"),
    ],
)
def test_a_wrong_plan_is_refused(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(TrainingError, match=why):
        TrainingPlan.read(tmp_path / "plan.json")


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\.json"):
        TrainingPlan.read(tmp_path / "none.json")


def test_a_space_with_one_cell_cannot_be_ranked() -> None:
    with pytest.raises(TrainingError, match="fewer than 2"):
        Trainer(plan(), [cells().subset([0])])


def test_a_gradient_that_is_not_finite_stops_the_run() -> None:
    run = trainer()
    with torch.no_grad():
        run.scorer.readout.bias.fill_(float("inf"))
    with pytest.raises(TrainingError, match="step 1: the gradient of"):
        list(run.run())


@settings(max_examples=20)
@given(count=st.integers(0, 12), share=st.floats(0, 0.5), seed=st.integers(0, 9))
def test_the_parts_of_a_split_are_disjoint_and_complete(count: int, share: float, seed: int) -> None:
    everything = cells()
    parts = split_cells(everything, count, share, seed)
    names = [str(genotype) for part in parts for genotype in part.genotypes]
    assert sorted(names) == sorted(map(str, everything.genotypes))
    assert len(parts[0]) + len(parts[1]) == (count or 11)  # of 12 one is left to measure on
    labels = dict(zip(map(str, everything.genotypes), everything.accuracies.tolist(), strict=True))
    for part in parts:
        assert part.accuracies.tolist() == [labels[str(genotype)] for genotype in part.genotypes]
    again = split_cells(everything, count, share, seed)
    assert [part.genotypes for part in again] == [part.genotypes for part in parts]


def test_the_average_follows_the_weights_faster_at_the_start() -> None:
    run = trainer(averaging=0.9)
    for step, decay in ((10, 0.5), (30, 0.75), (1000, 0.9)):
        run.state.step = step
        before = run.state.average["readout.weight"].clone()
        with torch.no_grad():
            run.scorer.readout.weight.add_(1)
        run.state.update_average()
        wanted = decay * before + (1 - decay) * run.scorer.readout.weight.detach()
        assert torch.allclose(run.state.average["readout.weight"], wanted)
