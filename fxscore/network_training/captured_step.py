"""A training step that a CUDA device records once and then replays as a whole.

Launching its kernels one by one takes a small network far longer than computing them. Recording needs a step that
never waits for the device, an optimiser whose state lies there (`capturable`), and batches of one shape.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fxscore.errors import TrainingError

_WARM_UP_STEPS = 3  # libraries choose their kernels and buffers in the first steps, which cannot be recorded


class CapturedStep:
    """Takes the place of a training step; records it when it is first called.

    Args:
        step: (images, labels) on the device to the loss, a scalar; updates `module` with `optimiser`.
        module: what is trained; recording leaves its weights and statistics as they were.
        optimiser: in a fresh state; its learning rates may change from step to step.

    Raises:
        TrainingError: the optimiser cannot be recorded.
    """

    def __init__(
        self,
        step: Callable[[Tensor, Tensor], Tensor],
        module: nn.Module,
        optimiser: torch.optim.Optimizer,
    ) -> None:
        if not all("capturable" in group for group in optimiser.param_groups):
            raise TrainingError(
                f"a step of {type(optimiser).__name__} cannot be recorded on the device; take adamw, adam or rmsprop"
            )
        self._step, self._module, self._optimiser = step, module, optimiser
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """One step; the loss is overwritten by the next one."""
        if self._graph is None:
            self._record(images, labels)
        assert self._graph is not None
        for rate, group in zip(self._rates, self._optimiser.param_groups, strict=True):
            rate.fill_(float(group["lr"]))
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._loss

    def _record(self, images: Tensor, labels: Tensor) -> None:
        self._images, self._labels = images.clone(), labels.clone()
        kept = {name: value.clone() for name, value in self._module.state_dict().items()}
        rates = [float(group["lr"]) for group in self._optimiser.param_groups]
        self._rates = [torch.tensor(rate, device=images.device) for rate in rates]
        for rate, group in zip(self._rates, self._optimiser.param_groups, strict=True):
            group["lr"], group["capturable"] = rate, True
        self._warm_up()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._loss = self._step(self._images, self._labels)
        self._begin_again(kept)
        for value, group in zip(rates, self._optimiser.param_groups, strict=True):
            group["lr"] = value
        self._graph = graph

    def _warm_up(self) -> None:
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP_STEPS):
                self._step(self._images, self._labels)
        current.wait_stream(aside)
        self._optimiser.zero_grad(set_to_none=True)  # gradients are to lie in the graph's own memory

    @torch.no_grad()
    def _begin_again(self, kept: dict[str, Tensor]) -> None:
        """Undo the warm-up, in place: the graph knows where the tensors lie."""
        self._module.load_state_dict(kept)
        for state in self._optimiser.state.values():
            for value in state.values():
                value.zero_()
