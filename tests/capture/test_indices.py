"""Places that a tensor does not have are refused, as the forward itself refuses them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.errors import CaptureError

LENGTH = 5


class LooksUp(nn.Module):
    """A forward that looks up one place, written down in the network, among the rows of a weight or of a value."""

    place: Tensor

    def __init__(self, way: str, place: int) -> None:
        super().__init__()
        self.way = way
        self.rows = nn.Parameter(torch.empty(LENGTH, 3))
        self.register_buffer("place", torch.tensor([place]))

    def forward(self, x: Tensor) -> Tensor:
        if self.way == "embedding":
            return x + nn.functional.embedding(self.place, self.rows)
        if self.way == "index_select":
            return x.index_select(1, self.place)
        return x[:, self.place]


WAYS = ("embedding", "index_select", "getitem")


@pytest.mark.parametrize("way", WAYS)
def test_the_first_place_behind_the_last_is_refused(way: str) -> None:
    size = (3,) if way == "embedding" else (LENGTH,)
    capture(LooksUp(way, LENGTH - 1), size, 2)
    with pytest.raises(CaptureError, match=f"looks up place {LENGTH} of {LENGTH}"):
        capture(LooksUp(way, LENGTH), size, 2)


def test_places_count_from_the_end_as_far_as_there_are_any() -> None:
    capture(LooksUp("getitem", -LENGTH), (LENGTH,), 2)
    with pytest.raises(CaptureError, match=f"looks up place {-LENGTH - 1} of {LENGTH}"):
        capture(LooksUp("getitem", -LENGTH - 1), (LENGTH,), 2)
