from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.strategies import Call, Spec, Writing, retrained, specs, write, writings

Equal = Callable[[nn.Module, nn.Module], None]
PLAIN = Writing()
ONE_CHANGE = {
    "initialisation": replace(PLAIN, seed=7),
    "names": replace(PLAIN, names="other"),
    "identity": replace(PLAIN, identities=True),
    "dropout and drop-path": replace(PLAIN, dropout=True),
    "ReLU∘ReLU and BN∘BN": replace(PLAIN, twice=True),
    "operand order": replace(PLAIN, order=1),
    "edges of zeros": replace(PLAIN, zeros=True),
    "functional spelling": replace(PLAIN, spelling="functional"),
    "in-place spelling": replace(PLAIN, spelling="inplace"),
}


@pytest.mark.parametrize("change", ONE_CHANGE)
@settings(max_examples=8)
@given(spec=specs(), seed=st.integers(0, 99))
def test_one_change_of_writing_changes_nothing(
    change: str, spec: Spec, seed: int, assert_equal: Equal
) -> None:
    writing = ONE_CHANGE[change]
    changed = replace(writing, seed=seed, order=writing.order and 1 + seed % 9)
    assert_equal(write(spec), write(spec, changed))


@settings(max_examples=40)
@given(spec=specs(), first=writings(), second=writings())
def test_no_writing_changes_the_score(
    spec: Spec, first: Writing, second: Writing, assert_equal: Equal
) -> None:
    assert_equal(write(spec, first), write(spec, second))


@settings(max_examples=10)
@given(spec=specs(), seed=st.integers(0, 99))
def test_training_changes_nothing(spec: Spec, seed: int, assert_equal: Equal) -> None:
    assert_equal(write(spec), retrained(write(spec), seed).train())


IN_PLACE = ("relu_", "elu_", "celu_", "selu_", "leaky_relu_", "hardtanh_")


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_functions_are_their_plain_forms(name: str, assert_equal: Equal) -> None:
    def net(function: str) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), Call(getattr(F, function)), nn.Conv2d(6, 4, 3)
        )

    assert_equal(net(name), net(name.removesuffix("_")))
