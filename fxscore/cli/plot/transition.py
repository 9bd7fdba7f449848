"""`fxscore plot transition`: how encoding and score change from block to block, over the landscape of the score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fxscore.cli import options
from fxscore.cli.plot.pictures import Picture, prepare

if TYPE_CHECKING:
    from fxscore.evaluate.population import Population


EPILOG = (
    "Examples:\n\n  fxscore plot transition nasbench201 --data tables/ -o transition.png\n\n"
    "  fxscore plot transition nets.py:SmallCNN --networks 50"
)


def transition(
    space: Annotated[str, typer.Argument(metavar="SPACE", help="A search space.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE|FOLDER", help="The benchmark's table, for deciles of accuracy."),
    ] = None,
    scorer: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="An FT-ScoreNet; others have no encoding to map.")
    ] = "nasbench201",
    networks: Annotated[int, typer.Option(min=10, help="Networks that span the map.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw and of the learned map.")] = 0,
    out: Picture = Path("transition.png"),
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw how encodings change block by block.

    Of ten networks, one from each tenth of accuracy (of score, without a table), over a map of the score.

    The networks' code runs in this very process.
    """
    prepare(out, verbose, log_file, *filter(None, [data]))
    import numpy as np

    from fxscore.errors import ScorerError
    from fxscore.evaluate.transition import (
        decile_places,
        learned_plane,
        path_of,
        principal_plane,
        score_vectors,
        vector_of,
    )  # fmt: skip
    from fxscore.report.transition import plot_transition
    from fxscore.scorer import FTScoreNet, load_scorer
    from fxscore.sources import build

    used = load_scorer(scorer)
    if not isinstance(used, FTScoreNet):
        raise ScorerError(
            f"{scorer} is no FT-ScoreNet, whose encodings this plot maps; try --scorer nasbench201"
        )
    drawn = _drawn(space, data, networks, seed)
    built = [build(ref) for ref in drawn.refs]
    vectors = np.stack([vector_of(used, each.module, each.input_shape) for each in built])
    # Test accuracy, as in the paper, where the table has it.
    label = next((name for name in drawn.labels if "test" in name), next(iter(drawn.labels), "score"))
    values = drawn.labels.get(label, score_vectors(used, vectors))
    paths = [
        path_of(used, f"{label} {values[place]:.2f}", built[place].module, built[place].input_shape)
        for place in decile_places(list(values), seed)
    ]
    # The learned map also sees the cut networks, which lie beyond the whole ones and would saturate it.
    seen = np.concatenate([vectors, *(path.vectors for path in paths)])
    planes = [learned_plane(used, seen, seed), principal_plane(used, vectors)]
    plot_transition(paths, planes, vectors, f"{space}: encodings after each block", out)
    typer.echo(f"wrote {out}", err=True)


def _drawn(space: str, data: Path | None, count: int, seed: int) -> Population:
    """Networks of the space's table, or, without one, of the space."""
    import torch

    from fxscore.evaluate.population import Population
    from fxscore.evaluate.study import choose
    from fxscore.searching.handle import reference
    from fxscore.spaces import get_space

    if data is not None:
        return choose(space, data, {}, count, seed).population
    known, generator = get_space(space), torch.Generator().manual_seed(seed)
    texts = dict.fromkeys(known.format(known.sample(generator)) for _ in range(count))
    return Population(space, tuple(reference(space, text) for text in texts), {})
