"""What ranks small networks of every kind: scores against the trainings of `benchmarks.quality.wild_training`.

``python -m benchmarks.quality.wild --write`` scores every network of `benchmarks/tables/wild.csv.gz` with the shipped
scorers and with what is known of old, and says how each ranks the accuracies: over all networks, within families, and
among networks of about equal size. `--without-families` leaves families out by name. Scores are kept in ``runs/wild``;
the same command goes on.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.wild_training import LABEL, SEEDS, TABLE, table_rows
from benchmarks.results import command_line, table, write_section
from benchmarks.shared.opponents import BINS, SCORERS
from fxscore.cli.arguments import names
from fxscore.evaluate import (
    Estimate,
    Measures,
    Population,
    agreement,
    family_spearman,
    matched_spearman,
    read_population,
    score_refs,
    scores_of,
    spearman,
)
from fxscore.evaluate.coefficients import Floats
from fxscore.run import LocalExecutor, Store

WITHIN = 8  # networks that a family needs to count


def scored(population: Population, scorer: str, options: argparse.Namespace) -> Floats:
    """The scores of all networks, NaN where there is none; kept in the store."""
    with LocalExecutor(options.workers) as executor, Store(options.folder / "store.db") as store:
        return scores_of(score_refs(population.refs, scorer, executor=executor, store=store))


def ranks(population: Population, options: argparse.Namespace) -> str:
    """The table of ρ of every scorer."""
    labels = population.label(LABEL)
    params = scored(population, "params", options)
    rows = []
    for name in SCORERS:
        scores = scored(population, name, options)
        known = np.flatnonzero(np.isfinite(scores))
        inside = population.subset(known.tolist())
        assert inside.families is not None
        a, b, sizes = scores[known], labels[known], params[known]
        over_all = agreement(a, b, Measures()).figures["spearman"]
        within = family_spearman(a, b, inside.families, WITHIN)
        equal = matched_spearman(a, b, sizes, BINS)
        rows.append((name, len(known), *map(interval, (over_all, within, equal))))
    return table(("scorer", "n", "ρ, all", "ρ within families", "ρ at equal parameters"), rows)


def interval(estimate: Estimate) -> str:
    """A figure and its interval."""
    texts = [f"{value:.3f}" for value in (estimate.value, estimate.low, estimate.high) if value is not None]
    return texts[0] if len(texts) < 3 else f"{texts[0]} ({texts[1]} to {texts[2]})"


def spread(population: Population) -> str:
    """The table of accuracies by family."""
    assert population.families is not None
    labels, families = population.label(LABEL), np.array(population.families)
    rows = []
    for name in sorted(set(families.tolist())):
        own = labels[families == name]
        low, lower, middle, upper, high = np.quantile(own, [0, 0.25, 0.5, 0.75, 1])
        rows.append((name, len(own), *(f"{value:.1f}" for value in (low, lower, middle, upper, high))))
    return table(("family", "n", "lowest", "quartile", "median", "quartile", "highest"), rows)


def ceiling(rows: list[dict[str, Any]]) -> str:
    """How far trainings of one network with different seeds agree."""
    by_network: dict[str, dict[int, float]] = defaultdict(dict)
    family = {row["genotype"]: row["family"] for row in rows}
    for row in rows:
        by_network[row["genotype"]][int(row["seed"])] = float(row[LABEL])
    whole = {name: seeds for name, seeds in by_network.items() if set(SEEDS) <= set(seeds)}
    if len(whole) < 2:
        return "Fewer than two networks were trained with several seeds yet."
    values = np.array([[seeds[seed] for seed in SEEDS] for seeds in whole.values()])
    families = [family[name] for name in whole]
    pairs = list(itertools.combinations(range(len(SEEDS)), 2))
    over_all = np.mean([spearman(values[:, a], values[:, b]) for a, b in pairs])
    within = np.mean(
        [family_spearman(values[:, a], values[:, b], families, 4, resamples=1).value for a, b in pairs]
    )
    typical = np.median(values.std(1, ddof=1))
    return (
        f"{len(whole)} networks were trained with seeds {', '.join(map(str, SEEDS))}: two trainings agree by ρ = "
        f"{over_all:.3f} over all and {within:.3f} within families of four or more (mean of {len(pairs)} pairs); the "
        f"median standard deviation of a network's accuracy is {typical:.2f} points. No score can agree better with "
        "one training than another training does."
    )


def introduction(population: Population, rows: list[dict[str, Any]]) -> str:
    """What was trained, and what was fixed before."""
    labels = population.label(LABEL)
    middle = ", ".join(f"{value:.1f}" for value in np.quantile(labels, [0, 0.25, 0.5, 0.75, 1]))
    return (
        f"{len(population)} networks of {len(set(population.families or ()))} families, {len(rows)} trainings on "
        "10,000 images of Fashion-MNIST (28×28, or averaged to 14×14), measured on all 10,000 test images; a network's "
        f"accuracy is the mean over its seeds. Accuracies (minimum, quartiles, maximum): {middle} %. Generator "
        "(`fxscore.spaces.wild`) and recipe (`benchmarks.quality.wild_training`) were fixed before any score of these "
        "networks was looked at, and no network is left out for what it reached."
    )


def main() -> None:
    """Score, print the tables, and keep them in RESULTS.md with ``--write``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--without-families", type=names, default=(), metavar="NAME,…")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/wild"))
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    population = read_population("wild", options.table).without_families(options.without_families)
    rows = [row for row in table_rows(options.table) if row["family"] not in options.without_families]
    note = (
        f"95 % intervals by bootstrap over networks. Within families: mean ρ over families of {WITHIN} networks or "
        f"more, weighted by their number. At equal parameters: mean ρ within bins of ±{100 * BINS.tolerance:.0f} % "
        f"that hold {BINS.least} networks or more."
    )
    parts = [
        introduction(population, rows),
        ceiling(rows),
        ranks(population, options),
        note,
        spread(population),
    ]
    body = "\n\n".join(parts)
    print(body)
    if options.write:
        write_section("wild", "Small networks of every kind, really trained", body, command_line())


if __name__ == "__main__":
    main()
