"""FT-ScoreNets of one space and of several, each on every space: Tables I and II of the paper with the data there is.

``python -m benchmarks.paper.spaces --data ../shared/data --work runs/spaces --scorers FILE…`` takes scorers trained by
``fxscore train --plan benchmarks/plans/…`` and writes the section "One space, several spaces" of RESULTS.md: rows are
where a scorer is tested, columns are scorers. All scorers of a row meet the same networks, which none of them was
trained on or chosen by, so that a column trained on that space is measured fairly too. Leave one space out: of
``--left-out``, scorers trained on all spaces but one, a row takes the one that was not trained on the row's; the
ensemble without the row's space is fitted here, from the members of other spaces, on cells of other spaces. Handcrafted
proxies measure the same networks, in the store of ``python -m benchmarks.quality.handcrafted``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.paper.spaces_scores import Scores, SpaceRow, load_all, read_rows
from benchmarks.results import command_line, picture, write_section
from benchmarks.shared.matrix import matrix_markdown, means_markdown, rho
from benchmarks.shared.opponents import WORK, proxy_scores
from fxscore.evaluate import CrossSpace, Estimate, LearningCurve, Measures, learning_curve, trained_spaces
from fxscore.evaluate.coefficients import Floats
from fxscore.report.plots import plot_curves
from fxscore.scorer import FTScoreNet, load_scorer
from fxscore.scorer.ensemble import Ensemble
from fxscore.train.data import TABLES
from fxscore.train.ensemble import fit_mixture

HANDCRAFTED = ("params", "macs", "activations", "layer_depth", "naswot", "zen", "synflow")
ITERATION = "iteration without the row's space"
ENSEMBLE = "ensemble without the row's space"
Column = FTScoreNet | Ensemble


def measure(
    rows: Sequence[SpaceRow], columns: Mapping[str, Column], scores: Scores, store: Path
) -> dict[tuple[str, str], Floats]:
    """Scores of the test networks by (row, column); `store` is the folder of the proxies' values."""
    found: dict[tuple[str, str], Floats] = {}
    for row in rows:
        for name, scorer in columns.items():
            found[row.title, name] = scores.of(scorer, row.test)
        for name, values in proxy_scores(row.space, row.refs, store, HANDCRAFTED).items():
            found[row.title, name] = values
    return found


def left_out(rows: Sequence[SpaceRow], scorers: Sequence[Column], scores: Scores) -> dict[str, Floats]:
    """By row, the scores of the first scorer that was not trained on the row's space."""
    found = {}
    for row in rows:
        unseen = next((each for each in scorers if row.space not in trained_spaces(each)), None)
        if unseen is not None:
            found[row.title] = scores.of(unseen, row.test)
    return found


def without_own_space(rows: Sequence[SpaceRow], ensemble: Ensemble, scores: Scores) -> dict[str, Floats]:
    """By row, what an ensemble gives that knows nothing of the row's space: neither a member nor a cell of it."""
    found = {}
    for row in rows:
        members = [m for m in ensemble.scorenets if row.space not in trained_spaces(m)]
        if not members:
            continue
        others = [other for other in rows if other is not row]
        raw = {other.space: scores.members(members, other.fit) for other in others}
        labels = {other.space: other.fit.accuracies.double().numpy() for other in others}
        mixture, _ = fit_mixture(raw, labels, [trained_spaces(member) for member in members], 0)
        found[row.title] = mixture.combine(scores.members(members, row.test))
    return found


def matrix_of(
    rows: Sequence[SpaceRow], found: Mapping[tuple[str, str], Floats], learned: Mapping[str, tuple[str, ...]]
) -> CrossSpace:
    """The table of correlations; `learned` gives the spaces that each column was trained on."""
    cells: dict[tuple[str, str], Estimate] = {}
    for row in rows:
        truth = row.test.accuracies.double().numpy()
        for name in (*learned, *HANDCRAFTED):
            if (row.title, name) in found:
                cells[row.title, name] = rho(found[row.title, name], truth, Measures())
    trained = {n: frozenset(row.title for row in rows if row.space in homes) for n, homes in learned.items()}
    return CrossSpace(tuple(row.title for row in rows), tuple(learned), HANDCRAFTED, cells, trained=trained)


def no_values(found: Mapping[tuple[str, str], Floats]) -> dict[str, str]:
    """By handcrafted scorer, of how many networks of which rows it has no value."""
    counts: dict[str, list[str]] = {}
    for (row, name), values in found.items():
        if missing := int(np.isnan(values).sum()):
            counts.setdefault(name, []).append(f"{missing} of {row}")
    return {name: ", ".join(rows) for name, rows in counts.items()}


def report(
    rows: Sequence[SpaceRow],
    matrices: Mapping[str, CrossSpace],
    ensembles: Sequence[Ensemble],
    without_value: Mapping[str, str],
) -> str:
    """The whole section; `without_value` says of which networks a scorer has no score."""
    networks = "; ".join(
        f"{row.title} {len(row.test)} ({TABLES[row.space].test_label}"
        + (f": {row.test.caution})" if row.test.caution else ")")
        for row in rows
    )
    failures = "".join(f"{name} has no value for {count}. " for name, count in without_value.items())
    parts = [
        "Spearman's ρ with 95 % bootstrap intervals (1000 resamples, seed 0), one training run (seed 0) per column. "
        f"Networks that no scorer of the table drew for training or validation: {networks}. Batch 16; 32×32 networks "
        "are seen at 16×16, larger ones at 64×64, in training and here; handcrafted scores as in the section "
        '"Handcrafted scores". †: trained on that space. Bold: outperforms all handcrafted ones; underlined: two of '
        "them or more; only spaces not trained on are marked. The paper's own tables hold NDS spaces that have no data "
        "here, 64-image batches at 32×32 and 208 to 1440 steps; these runs are small ones, by the plans in "
        f"benchmarks/plans. {failures}"
    ]
    for title, matrix in matrices.items():
        negative = ", ".join(f"{name} on {row}" for row, name in matrix.negative) or "none"
        off = sum(
            row not in matrix.trained[n]
            for row in matrix.rows
            for n in matrix.learned
            if matrix.value(row, n)
        )
        parts += [f"### {title}", matrix_markdown(matrix), means_markdown(matrix)]
        parts.append(f"Negative cells among {off} of spaces not trained on: {negative}.")
    for ensemble in ensembles:
        weights = ", ".join(
            f"{member.name} {weight:.3f}"
            for member, weight in zip(ensemble.members, ensemble.weights.tolist(), strict=True)
        )
        parts.append(f"Weights of {ensemble.name}: {weights}.")
    return "\n\n".join(parts)


def curves(files: Sequence[str]) -> list[LearningCurve]:
    """How far each FT-ScoreNet with v-norm ranks its own samples, by step of training: mean of ten steps."""
    found = []
    for scorer in map(load_scorer, files):
        if not isinstance(scorer, FTScoreNet) or not scorer.settings.v_norm:
            continue
        losses = [float(row["loss"]) for row in scorer.record.get("history", ())]
        points = {float(step): -sum(losses[step - 10 : step]) / 10 for step in range(10, len(losses) + 1, 2)}
        if points:
            found.append(learning_curve(scorer.name, "step", [points]))
    return found


def main() -> None:
    """Score, print, and write the section."""
    options = arguments()
    torch.set_num_threads(1)
    columns, without = load_all(options.scorers), load_all(options.left_out)
    drawn = (options.cells, options.validation, options.draw_seed)
    rows = read_rows(options.data, [*columns.values(), *without.values()], options.spaces, options.n, drawn)
    scores = Scores(options.work)
    found = measure(rows, columns, scores, options.handcrafted)
    homes = {name: trained_spaces(scorer) for name, scorer in columns.items()}
    ensembles = [scorer for scorer in columns.values() if isinstance(scorer, Ensemble)]
    unseen = {ENSEMBLE: without_own_space(rows, ensembles[0], scores)} if ensembles else {}
    if without:
        unseen[ITERATION] = left_out(rows, list(without.values()), scores)
    for name, by_row in unseen.items():
        found |= {(row, name): values for row, values in by_row.items()}
        homes[name] = ()
    plain = {n for n, s in columns.items() if isinstance(s, FTScoreNet) and not s.settings.v_norm}
    groups = {"With v-norm (Table I)": homes.keys() - plain, "Without v-norm (Table II)": plain}
    matrices = {
        title: matrix_of(rows, found, {name: homes[name] for name in homes if name in names})
        for title, names in groups.items()
        if names
    }
    text = report(rows, matrices, ensembles, no_values(found))
    print(text)
    if options.write:
        draw = partial(
            plot_curves, curves(options.scorers), figure_name="−loss: soft ρ of the sample, mean of ten steps"
        )
        text += "\n\n" + picture("spaces-curves.png", "Learning curves", draw)
        write_section("spaces", "One space, several spaces", text, command_line())


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder in which scores are kept")
    parser.add_argument("--scorers", nargs="+", required=True, help="names or files; one column each")
    parser.add_argument("--left-out", nargs="*", default=[], help="scorers of all spaces but one each")
    parser.add_argument("--handcrafted", type=Path, default=WORK, help="folder of the proxies' values")
    parser.add_argument("--spaces", nargs="+", default=list(TABLES), help="rows; all by default")
    parser.add_argument("--n", type=int, default=300, help="test networks of a row; 0 takes all")
    parser.add_argument(
        "--cells", type=int, default=200, help="of the draw whose validation part fits ensembles"
    )
    parser.add_argument("--validation", type=float, default=0.25, help="share of that part")
    parser.add_argument("--draw-seed", type=int, default=0, help="of that draw")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
