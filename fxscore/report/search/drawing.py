"""A drawing of a found network in the manner of the paper's Figure 6, from its graph (`fxscore.report.drawing`)."""

from __future__ import annotations

from pathlib import Path

from fxscore.capture.empty_weights import build_without_weights
from fxscore.report.drawing import Drawing, draw_subject
from fxscore.report.rows import score_form
from fxscore.scorer.subject import Subject
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import SCORE
from fxscore.searching.result import SearchResult


def draw_network(result: SearchResult, evaluation: Evaluation, path: Path) -> None:
    """Draw one network of a search.

    Args:
        result: the search.
        evaluation: the network.
        path: the picture; its ending decides the format.

    Raises:
        UsageError: the ending is no picture's.
        MissingExtraError: the package that lays drawings out is not there.
    """
    drawing_of(result, evaluation).save(path)


def drawing_of(result: SearchResult, evaluation: Evaluation) -> Drawing:
    """The drawing of one network of a search."""
    module = build_without_weights(lambda: result.build(evaluation)).module.eval()
    name = f"{result.space.name}, score {score_form(result.judge)(evaluation.values[SCORE])}"
    return draw_subject(name, Subject(module, result.space.input_shape, owned=True))
