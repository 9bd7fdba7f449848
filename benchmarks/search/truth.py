"""Do searches fool the scorer? What they find in the space `wild`, trained, against what needs no search.

``python -m benchmarks.search.truth --write`` searches `wild` under 200,000 parameters and 8 M MACs with the default
scorer, once as cautious as it is by default and once bold (`fxscore.search(cautious=…)`); takes the best by score of as
many networks drawn at random, and the largest of these; and a ResNet, a wide ResNet and a MobileNetV2 whose width is
the largest that keeps the limits. Each is trained with three seeds by the recipe of `benchmarks.quality.wild_training`,
whose table gives the random networks. Trainings are kept in `truth.csv` beside this file,
and none is done twice; scores and
searches are kept in `--folder`, so the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.quality.digits import interval
from benchmarks.quality.wild_training import COLUMNS, LABEL, SEEDS, TABLE, Training, table_rows, trained
from benchmarks.results import command_line, table, write_section
from benchmarks.shared.rows import keep_rows, kept_rows
from fxscore.evaluate import mean_over_runs, score_refs
from fxscore.run import LocalExecutor, Store
from fxscore.scorer.card import card_of
from fxscore.scorer.confidence import standing_of
from fxscore.searching import HISTORY, search
from fxscore.spaces.wild import Wild
from fxscore.types import ModelRef

ROWS = Path(__file__).parent / "truth.csv"
MOST_PARAMS, MOST_MACS = 200_000, 8_000_000
CHOSEN_WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128)
# Usual choices of each family, the width to be scaled; the stem strides, or few parameters would fit the MACs.
USUAL = {
    "ResNet": "resnet:side=28,width={},growth=2.0,depth=6,kernel=3,stem=strided,strides=even,down=stride,norm=batch,"
    "activation=relu,pool=avg,hidden=0,residual=True",
    "wide ResNet": "wide_resnet:side=28,width={},growth=2.0,depth=3,kernel=3,stem=strided,strides=even,down=stride,"
    "norm=batch,activation=relu,pool=avg,hidden=0,residual=True,ratio=2",
    "MobileNetV2": "mobilenet_v2:side=28,width={},growth=1.5,depth=6,kernel=3,stem=strided,strides=even,down=stride,"
    "norm=batch,activation=relu,pool=avg,hidden=0,residual=True,ratio=4",
}


@dataclass(frozen=True)
class Choice:
    """One network and what chose it."""

    by: str
    genotype: str


def fits(genotype: str) -> bool:
    """Whether a network keeps both limits."""
    params, macs = size(genotype)
    return params <= MOST_PARAMS and 0 < macs <= MOST_MACS


def size(genotype: str) -> tuple[int, int]:
    """(parameters, MACs); no MACs where the space's own limit of parameters is passed."""
    space = Wild()
    return space.measure(space.parse(genotype))


def drawn(count: int, seed: int, trained_before: set[str]) -> list[str]:
    """Different networks within the limits, as the space draws them, that no table holds."""
    space, generator, found = Wild(), torch.Generator().manual_seed(seed), dict[str, None]()
    while len(found) < count:
        text = space.format(space.sample(generator))
        if text not in trained_before and fits(text):
            found[text] = None
    return list(found)


def scaled(pattern: str) -> str:
    """The widest network of a pattern within the limits."""
    fitting = [text for width in CHOSEN_WIDTHS if fits(text := _in_order(pattern.format(width)))]
    return max(fitting, key=size)


def _in_order(text: str) -> str:
    """The space's own order of the choices."""
    from fxscore.spaces.wild.registry import FAMILIES

    name, _, rest = text.partition(":")
    given = dict(item.split("=") for item in rest.split(","))
    return f"{name}:" + ",".join(f"{key}={given[key]}" for key in ("side", *FAMILIES[name].uses))


def found(options: argparse.Namespace, *, cautious: bool) -> str:
    """The best of one search."""
    folder = options.folder / f"{Path(options.scorer).stem}-{'cautious' if cautious else 'bold'}"
    result = search(
        "wild",
        scorer=options.scorer,
        objectives=("score",),
        max_params=MOST_PARAMS,
        max_macs=MOST_MACS,
        budget=options.budget,
        population=32,
        algorithm=options.algorithm,
        cautious=cautious,
        seed=options.seed,
        folder=folder,
        resume=(folder / HISTORY).exists(),
        store=options.folder / "store.db",
        workers=1,
    )
    best = result.best()
    print(f"cautious={cautious}: {best.text} {best.values}", flush=True)
    return best.text


@dataclass(frozen=True)
class Scored:
    """What the scorer says of networks."""

    scores: dict[str, float]
    distances: dict[str, float]


def scored(genotypes: Sequence[str], options: argparse.Namespace) -> Scored:
    """Plain scores, and distances from training, of those networks that have a score."""
    refs = [ModelRef("wild", text) for text in genotypes]
    with LocalExecutor(1) as executor, Store(options.folder / "store.db") as store:
        records = score_refs(refs, options.scorer, executor=executor, store=store)
    known = [record for record in records if record.score is not None]
    return Scored(
        {record.ref.name: float(record.score or 0.0) for record in known},
        {
            record.ref.name: standing.distance
            for record in known
            if (standing := standing_of(record)) is not None and standing.distance is not None
        },
    )


def choices(options: argparse.Namespace) -> Iterator[Choice]:
    """Everything that is trained, in this order."""
    random = drawn(options.budget, options.seed, {row["genotype"] for row in table_rows(TABLE)})
    yield Choice("search, cautious", found(options, cautious=True))
    yield Choice("search, bold", found(options, cautious=False))
    scores = scored(random, options).scores
    yield Choice(f"best score of {len(random)} random", max(scores, key=lambda text: scores[text]))
    yield from (Choice(name, scaled(pattern)) for name, pattern in USUAL.items())
    yield Choice(f"largest of {len(random)} random", max(random, key=size))


def accuracies(chosen: Sequence[Choice], options: argparse.Namespace) -> dict[str, dict[int, float]]:
    """Accuracy in percent by network and seed; trains what the file does not hold, the first seed of all first."""
    known = {(row["genotype"], int(row["seed"])): row for row in kept_rows(options.rows)}
    for seed in SEEDS[: options.seeds]:
        for genotype in dict.fromkeys(each.genotype for each in chosen):
            if (genotype, seed) not in known:
                known[genotype, seed] = trained(Training(genotype, seed), options.data)
                keep_rows(options.rows, COLUMNS, known.values())
                print(f"{genotype}, seed {seed}: {known[genotype, seed][LABEL]} %", flush=True)
    by_network: dict[str, dict[int, float]] = {}
    for (genotype, seed), row in known.items():
        by_network.setdefault(genotype, {})[seed] = float(row[LABEL])
    return by_network


def random_accuracies() -> list[float]:
    """Of the table's networks within the limits, the mean over the seeds of each."""
    by_network: dict[str, list[float]] = {}
    for row in table_rows(TABLE):
        if int(row["params"]) <= MOST_PARAMS and int(row["flops"]) <= MOST_MACS:
            by_network.setdefault(row["genotype"], []).append(float(row[LABEL]))
    return [float(np.mean(values)) for values in by_network.values()]


def report(chosen: Sequence[Choice], known: dict[str, dict[int, float]], said: Scored) -> str:
    """The table, and the networks."""
    random = np.array(random_accuracies())
    rows = [_row(each, known[each.genotype], said, random) for each in chosen if each.genotype in known]
    spread = mean_over_runs(random.tolist())
    rows.append(
        (
            "random, of the table",
            len(random),
            "–",
            "–",
            "–",
            "–",
            interval(spread, 2),
            "–",
        )
    )
    heads = (
        "chosen by",
        "trainings",
        "params",
        "MACs",
        "score",
        "distance",
        "accuracy, %",
        "better than random, %",
    )
    networks = "\n".join(f"- {each.by}: `{each.genotype}`" for each in chosen)
    return f"{table(heads, rows)}\n\n{networks}"


def _row(each: Choice, values: dict[int, float], said: Scored, random: Any) -> tuple[object, ...]:
    params, macs = size(each.genotype)
    estimate = mean_over_runs(list(values.values()))
    score, distance = (kind.get(each.genotype) for kind in (said.scores, said.distances))
    return (
        each.by,
        len(values),
        f"{params:,}",
        f"{macs / 1e6:.2f} M",
        "–" if score is None else f"{score:.1f}",
        "–" if distance is None else f"{distance:.2f}",
        interval(estimate, 2, most=100.0),
        f"{100 * float((random < estimate.value).mean()):.0f}",
    )


def introduction(options: argparse.Namespace) -> str:
    """What was done."""
    card = card_of(options.scorer)
    known = "knows" if card.confidence.pairs is not None else "does not know"
    return (
        f"`wild` under {MOST_PARAMS:,} parameters and {MOST_MACS / 1e6:g} M MACs; {options.algorithm}, "
        f"{options.budget} networks scored, populations of 32, seed {options.seed}; scorer `{card.scorer_id}`, which "
        f"{known} how far a network is from its training, and has learned from networks of this space. Each network is "
        f"trained with {options.seeds} seeds on 10,000 images of Fashion-MNIST and measured on the 10,000 test images; "
        "mean and Student's 95 % interval over seeds. *Random*: the networks of the table `wild` within the limits, "
        "mean and interval over networks; *better than random*: the share of them that the mean accuracy exceeds. "
        "*Score* is the plain one; *distance* that from training, up to 1 inside, beyond 2 outside."
    )


def main() -> None:
    """Search, train, print; keep the table in RESULTS.md with ``--write``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scorer", default="general", help="name or file")
    parser.add_argument(
        "--budget", type=int, default=300, help="networks scored in a search, and drawn at random"
    )
    parser.add_argument("--algorithm", default="regularised-evolution")
    parser.add_argument("--seed", type=int, default=0, help="of searches and draws")
    parser.add_argument(
        "--seeds", type=int, default=len(SEEDS), help="trainings of each network, at most three"
    )
    parser.add_argument(
        "--data", type=Path, help="folder of Fashion-MNIST, where the system does not have it"
    )
    parser.add_argument("--rows", type=Path, default=ROWS, help="trainings, kept and gone on with")
    parser.add_argument("--folder", type=Path, default=Path("runs/truth"))
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    chosen = list(choices(options))
    known = accuracies(chosen, options)
    body = f"{introduction(options)}\n\n{report(chosen, known, scored([each.genotype for each in chosen], options))}"
    print(body)
    if options.write:
        write_section("search-truth", "What searches find, trained", body, command_line())


if __name__ == "__main__":
    main()
