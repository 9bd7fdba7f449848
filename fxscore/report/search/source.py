"""A found network as a Python file of its own: plain PyTorch, no import of fxscore, ready for `zoo/`.

The Zen-NAS space has a readable form of its own, a table of blocks; a network of any other space is written layer
by layer from its trace.
"""

from __future__ import annotations

import textwrap

from torch import nn

from fxscore.constructed import construct
from fxscore.errors import FxScoreError, SearchError
from fxscore.report import numbers
from fxscore.report.rows import score_form
from fxscore.report.search.source_graph import graph_source
from fxscore.report.search.source_zen import chain_source
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import SCORE
from fxscore.searching.result import SearchResult
from fxscore.spaces.zen_resnet import ZenResNet
from fxscore.types import Shape


def network_source(result: SearchResult, evaluation: Evaluation) -> str:
    """The text of a Python file with `INPUT_SHAPE` and `build()`.

    Args:
        result: the search.
        evaluation: the network.

    Raises:
        SearchError: the network cannot be traced, or holds what a plain file cannot say.
    """
    genotype = result.space.parse(evaluation.text)
    about = _about(result, evaluation)
    if isinstance(result.space, ZenResNet):
        text = chain_source(genotype, result.space.input_shape, result.space.classes, about)
    else:
        text = graph_source(result.build(evaluation), result.space.input_shape, about)
    _check(text, result.build(evaluation), result.space.input_shape)
    return text


def _about(result: SearchResult, evaluation: Evaluation) -> str:
    """The file's docstring."""
    score, params = evaluation.values[SCORE], evaluation.values["params"]
    first = f"A network of {numbers.count(params)} parameters, found by a search of {result.space.name}."
    by = f"Score {score_form(result.judge)(score)} by {result.settings['scorer']}, {result.settings['algorithm']}"
    lines = textwrap.wrap(f"{by}, seed {result.settings['seed']}. Genotype:", 110)
    genotype = textwrap.wrap(evaluation.text, 106, break_on_hyphens=False)
    return "\n".join([first, "", *lines, "", *(f"    {line}" for line in genotype)])


def _check(text: str, wanted: nn.Module, input_shape: Shape) -> None:
    """The file must build a network that is equal to the one that was scored."""
    namespace: dict[str, object] = {"__name__": "found_network"}
    exec(compile(text, "network.py", "exec"), namespace)
    build = namespace["build"]
    assert callable(build)
    try:
        found, other = (construct(module.eval(), input_shape).fingerprint for module in (build(), wanted))
    except (
        FxScoreError,
        NameError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:  # a layer refuses its arguments
        raise SearchError(f"the network's plain file cannot be compared with it: {error}") from None
    if found != other:
        raise SearchError(
            "the network's plain file builds another network; please report its genotype, which the front holds"
        )
