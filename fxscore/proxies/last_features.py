"""Finds the features of a forward pass: what enters the pooling ahead of the classifier.

The head is the last convolution or linear operator whose result reaches the main output through operators
without weights (METHOD.md section 2). The features are its input, before the operators that only lay out,
pick or average (global pool, flatten, choice of a token). Where there is no such operator, they are the main
output itself.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from fxscore.proxies.flow import Call, FlowMode
from fxscore.proxies.operators import ADDITIONS, REDUCTIONS


class FeatureMode(FlowMode):
    """Follows a forward pass; afterwards `features` gives the features that belong to its output."""

    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__(parameters, images)
        # For a tensor, what it was before it was laid out, picked or averaged; and the features of its head.
        self._sources: MutableMapping[Tensor, Tensor] = WeakIdKeyDictionary()
        self._heads: MutableMapping[Tensor, Tensor] = WeakIdKeyDictionary()

    def features(self, output: Tensor) -> Tensor:
        """The features from which the pass made `output`."""
        return self._heads.get(output, output)

    def see(self, call: Call) -> None:
        if not call.data:
            return
        source = next(tensor for tensor, origin in zip(call.inputs, call.origins, strict=True) if origin.data)
        head = self._source(source) if call.weighted else self._carried(call)
        for output in call.outputs:
            self._heads.pop(output, None)
            if head is not None:
                self._heads[output] = head
            if call.packet in REDUCTIONS:
                self._sources[output] = self._source(source)

    def _source(self, tensor: Tensor) -> Tensor:
        return self._sources.get(tensor, tensor)

    def _carried(self, call: Call) -> Tensor | None:
        """The head of what came in; weights other than an added bias end it."""
        if call.packet not in ADDITIONS and any(
            origin.learned and not origin.data for origin in call.origins
        ):
            return None
        heads = [self._heads[tensor] for tensor in call.inputs if tensor in self._heads]
        return heads[-1] if heads else None
