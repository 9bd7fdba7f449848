"""Scores against true trainings: small networks of `benchmarks.quality.digits_space`, trained on hand-written digits.

``python -m benchmarks.quality.digits --write`` draws networks at random from the space, trains each with several seeds
on 300 digits and measures it on the other 1,497, and says how well scorers and proxies rank the mean accuracies, over
all networks and among those of about equal size. Then `fxscore.search` picks a network under each budget of parameters,
once a seed, from scores alone; the picks are trained, and compared with random networks under the same budget and with
the largest ones. All of that for each length of training in ``--epochs``. Accuracies stand in
``benchmarks/tables/digits.csv``, and what it holds is not trained again; what is scored is kept in ``runs/digits``, so
the same command goes on. For the figures of another scorer alone, in a minute:
``python -m benchmarks.quality.digits --scorers FILE params --epochs 40 --searches 0``.

One scorer tells of prediction, not of zero-shot scores: `fitted` is a hybrid fitted to the drawn networks themselves,
measured in five folds, and searched with after a fit to all of them.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from benchmarks.quality.digits_space import DigitsNet
from benchmarks.results import command_line, table, write_section
from benchmarks.shared.opponents import BINS, SCORERS
from fxscore.errors import ScorerError
from fxscore.evaluate import (
    Estimate,
    Measures,
    agreement,
    matched_spearman,
    mean_over_runs,
    score_refs,
    scores_of,
    spearman,
)
from fxscore.evaluate.coefficients import Floats
from fxscore.network_training import ClassifierPlan, ClassifierTrainer, build_network, open_data_set
from fxscore.run import LocalExecutor, Store
from fxscore.scorer import Hybrid
from fxscore.scorer.features import NetworkFeatures
from fxscore.scorer.subject import subject_of
from fxscore.searching import search
from fxscore.train.fit.hybrid import Taught
from fxscore.train.fit.parts import FOLDS
from fxscore.types import ModelRef

SPACE = "benchmarks.quality.digits_space"
PICKERS = ("general", "nasbench201", "naswot", "synflow", "zen", "macs")
FITTED = "fitted"
TABLE = Path(__file__).parents[1] / "tables" / "digits.csv"
COLUMNS = ("network", "seed", "epochs", "accuracy")
PICK_SEED = 100  # picks are trained with seeds of their own


def recipe(epochs: int, seed: int) -> ClassifierPlan:
    """SGD, cosine, shifts by a pixel; the warm-up is a tenth of the training."""
    return ClassifierPlan(
        epochs=epochs, warmup=max(1, epochs // 10), batch=32, training_images=300, seed=seed
    )


@dataclass(frozen=True)
class Trainings:
    """Trains networks, each once for every seed, and keeps the accuracies in a table.

    Attributes:
        path: of the table.
        epochs: length of the trainings.
    """

    path: Path
    epochs: int

    def known(self) -> dict[tuple[str, int], float]:
        """Accuracy in percent by (network, seed), of trainings of this length."""
        if not self.path.exists():
            return {}
        with self.path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if int(row["epochs"]) == self.epochs]
        return {(row["network"], int(row["seed"])): float(row["accuracy"]) for row in rows}

    def accuracies(self, networks: Sequence[str], seeds: Sequence[int]) -> Floats:
        """(networks, seeds), in percent; what is not known is trained."""
        known = self.known()
        wanted = [pair for pair in itertools.product(networks, seeds) if pair not in known]
        for done, (network, seed) in enumerate(dict.fromkeys(wanted)):
            known[network, seed] = self._train(network, seed)
            print(f"{done + 1}/{len(wanted)} {network} seed {seed}: {known[network, seed]:.2f} %", flush=True)
        return np.array([[known[network, seed] for seed in seeds] for network in networks])

    def _train(self, network: str, seed: int) -> float:
        digits, plan = open_data_set("digits"), recipe(self.epochs, seed)
        built = build_network(ref(network), digits.classes, seed=seed)
        parts = digits.split(built.input_shape, plan)
        trainer = ClassifierTrainer(built, plan, *parts, measure_every=plan.epochs)
        *_, last = trainer.run()
        assert last.accuracy is not None  # the last epoch is always measured
        self._keep(network, seed, last.accuracy)
        return last.accuracy

    def _keep(self, network: str, seed: int, accuracy: float) -> None:
        """A line of the table, written in one go, so that a kill cuts none."""
        new, line = not self.path.exists(), io.StringIO()
        writer = csv.writer(line, lineterminator="\n")
        writer.writerows([COLUMNS] * new + [(network, seed, self.epochs, round(accuracy, 4))])
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line.getvalue())


def ref(network: str) -> ModelRef:
    """The reference of a genotype's text."""
    return ModelRef(SPACE, f"DigitsNet:{network}")


def drawn(count: int, seed: int) -> list[str]:
    """Different networks, drawn at random."""
    space, generator = DigitsNet(), torch.Generator().manual_seed(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found[space.format(space.sample(generator))] = None
    return list(found)


@cache
def sizes() -> dict[str, int]:
    """The number of parameters of every network of the space."""
    space = DigitsNet()
    with torch.device("meta"):
        return {
            space.format(values): sum(p.numel() for p in space.build(values).parameters())
            for values in itertools.product(*(variable.values for variable in space.variables))
        }


def scored(networks: Sequence[str], scorer: str, folder: Path) -> Floats:
    """The scores of networks, from the store where they are known."""
    with LocalExecutor(1) as executor, Store(folder / "store.db") as store:
        records = score_refs(list(map(ref, networks)), scorer, executor=executor, store=store)
    failed = [record for record in records if record.error]
    if failed:
        raise ScorerError(
            f"{scorer} fails on {len(failed)} networks, such as {failed[0].ref}: {failed[0].error}"
        )
    return scores_of(records)


@dataclass(frozen=True)
class Study:
    """The drawn networks with what their trainings of one length gave."""

    options: argparse.Namespace
    trainings: Trainings
    networks: list[str]

    @property
    def accuracies(self) -> Floats:
        """(networks, seeds), in percent."""
        return self.trainings.accuracies(self.networks, self.options.seeds)

    @property
    def labels(self) -> Floats:
        """Mean accuracy of each network."""
        return np.asarray(self.accuracies.mean(1))

    @property
    def params(self) -> Floats:
        """Parameters of each network."""
        return np.array([float(sizes()[network]) for network in self.networks])

    def scores(self) -> dict[str, Floats]:
        """The networks' scores by scorer."""
        chosen = self.options.scorers
        found = {
            Path(name).stem: scored(self.networks, name, self.options.folder)
            for name in chosen
            if name != FITTED
        }
        return found | ({f"{FITTED}, {FOLDS} folds": self.out_of_fold()} if FITTED in chosen else {})

    def out_of_fold(self) -> Floats:
        """Scores of a hybrid fitted to the other folds' networks."""
        found = Taught(Hybrid(), features(tuple(self.networks)), self.labels, seed=0).in_folds()
        assert found is not None  # no label is in one fold alone
        return found.raw

    def fitted(self) -> str:
        """The file of a hybrid fitted to all networks."""
        path = self.options.folder / f"{FITTED}-{self.trainings.epochs}.safetensors"
        if not path.exists():
            values = np.stack([each.values for each in features(tuple(self.networks))])
            Hybrid().fit_features(values, self.labels).save(path)
        return str(path)


@cache
def features(networks: tuple[str, ...]) -> list[NetworkFeatures]:
    """What an untrained hybrid reads of networks."""
    return [Hybrid().features(subject_of(ref(network))) for network in networks]


def ranks(study: Study) -> str:
    """The table of ρ, and how far the labels themselves agree."""
    accuracies, labels, params = study.accuracies, study.labels, study.params
    rows = [
        (
            name,
            interval(agreement(values, labels, Measures()).figures["spearman"], 3),
            interval(matched_spearman(values, labels, params, BINS), 3),
        )
        for name, values in study.scores().items()
    ]
    bins = BINS.of(params)
    spread = ", ".join(f"{value:.1f}" for value in np.quantile(labels, [0, 0.25, 0.5, 0.75, 1]))
    note = (
        f"Mean accuracies (minimum, quartiles, maximum): {spread} %. {ceiling(accuracies, params)}\n\nρ with "
        "the mean accuracy; 95 % intervals by bootstrap over "
        f"networks. At equal parameters: mean ρ within {len(bins)} bins of ±{100 * BINS.tolerance:.0f} % that hold "
        f"{BINS.least} networks or more, {sum(map(len, bins))} networks in all."
    )
    return f"{note}\n\n" + table(("scorer", "ρ, all", "ρ, equal parameters"), rows)


def ceiling(accuracies: Floats, params: Floats) -> str:
    """How far trainings of one network agree."""
    if accuracies.shape[1] < 2:
        return "Each network was trained once."
    pairs = [spearman(*pair) for pair in itertools.combinations(accuracies.T, 2)]
    reliable = matched_spearman(accuracies[:, 0], accuracies[:, 1:].mean(1), params, BINS)
    return (
        f"One seed agrees with another by ρ = {np.mean(pairs):.3f} (mean of {len(pairs)} pairs); at equal parameters "
        f"the first agrees with the mean of the others by {interval(reliable, 3)}."
    )


def picks(study: Study) -> str:
    """The table of picks by budget."""
    known, rows, options = sizes(), [], study.options
    seeds = range(options.searches)
    pickers = dict(zip(PICKERS, PICKERS, strict=True)) | {FITTED: study.fitted()}
    for budget in options.budgets:
        means = study.labels[study.params <= budget]
        rows.append((f"{budget:,}", "random", len(means), interval(mean_over_runs(means), 2), "–"))
        most = max(size for size in known.values() if size <= budget)
        largest = [network for network, size in known.items() if size == most]
        turns = [largest[seed % len(largest)] for seed in seeds]
        rows.append((f"{budget:,}", "largest", *_outcome(study, turns, means)))
        for name, scorer in pickers.items():
            found = [picked(scorer, budget, seed, options.evaluations, options.folder) for seed in seeds]
            rows.append((f"{budget:,}", f"search, {name}", *_outcome(study, found, means)))
    return table(("parameters ≤", "chosen by", "networks", "accuracy, %", "better than, %"), rows)


@cache
def picked(scorer: str, budget: int, seed: int, evaluations: int, folder: Path) -> str:
    """The best-scored network of one search, whose parameters are within the budget."""
    result = search(
        DigitsNet(),
        scorer=scorer,
        budget=evaluations,
        max_params=budget,
        population=16,
        seed=seed,
        workers=1,
        store=folder / "store.db",
    )
    print(f"{Path(scorer).stem}, at most {budget}, seed {seed}: {result.best().text}", flush=True)
    return result.best().text


def _outcome(study: Study, found: Sequence[str], means: Floats) -> tuple[int, str, str]:
    """(different networks, accuracy, share of random ones that are worse) of one pick a seed."""
    trained = [study.trainings.accuracies([n], [PICK_SEED + place])[0, 0] for place, n in enumerate(found)]
    share = 100 * float((means < np.mean(trained)).mean())
    return len(set(found)), interval(mean_over_runs(trained), 2, most=100.0), f"{share:.0f}"


def interval(estimate: Estimate, decimals: int, most: float = float("inf")) -> str:
    """A figure and its interval, cut at the highest value that there can be."""
    figures = (estimate.value, estimate.low, estimate.high)
    texts = [f"{min(value, most):.{decimals}f}" for value in figures if value is not None]
    if not texts:
        return "–"
    return texts[0] if len(texts) < 3 else f"{texts[0]} ({texts[1]} to {texts[2]})"


def introduction(options: argparse.Namespace, networks: list[str]) -> str:
    """What was done, for all lengths of training."""
    known = [sizes()[network] for network in networks]
    return (
        f"{len(networks)} networks drawn at random from {DigitsNet().size:,}, {min(known):,} to {max(known):,} "
        f"parameters, each trained with {len(options.seeds)} seeds on 300 digits and measured on the other 1,497 "
        "(scikit-learn's digits, 8×8). "
        f"*{FITTED}*: a hybrid scorer fitted to these very networks' accuracies, so no zero-shot score. The short "
        "training leaves many networks far from fitting their 300 digits, and so ranks them by their first steps."
        + (f"\n\n{about_picks(options)}" if options.searches else "")
    )


def about_picks(options: argparse.Namespace) -> str:
    """How networks were picked and judged."""
    return (
        "Picks: the best score of NSGA-II with differential evolution under a budget of parameters, "
        f"{options.evaluations} networks scored, populations of 16; {options.searches} searches of different seeds, "
        "the pick of each trained with a seed of its own, mean and Student's 95 % interval over them. *Random*: all "
        "drawn networks under the budget, mean and interval over networks. *Largest*: the networks of most parameters "
        "under the budget, in turn. *Better than*: share of the random ones that the mean accuracy exceeds."
    )


def main() -> None:
    """Train, score and search; print the tables; keep them in RESULTS.md with ``--write``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=90)
    parser.add_argument("--epochs", type=int, nargs="+", default=[40, 15], help="lengths of training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of trainings")
    parser.add_argument(
        "--scorers", nargs="+", default=[*SCORERS, FITTED], help="names or files, to be ranked"
    )
    parser.add_argument("--table", type=Path, default=TABLE, help="accuracies, kept and gone on with")
    parser.add_argument("--draw", type=int, default=0, help="seed of the networks that are drawn")
    parser.add_argument("--budgets", type=int, nargs="+", default=[2_000, 10_000, 30_000], help="parameters")
    parser.add_argument(
        "--searches", type=int, default=5, help="seeds of the search, for each budget; 0: none"
    )
    parser.add_argument("--evaluations", type=int, default=160, help="networks scored in one search")
    parser.add_argument("--folder", type=Path, default=Path("runs/digits"))
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    networks = drawn(options.networks, options.draw)
    parts = [introduction(options, networks)]
    for epochs in options.epochs:
        study = Study(options, Trainings(options.table, epochs), networks)
        parts += [f"### {epochs} epochs", ranks(study), *([picks(study)] if options.searches else [])]
    body = "\n\n".join(parts)
    print(body)
    if options.write:
        key, what = ("digits", "scores and searches") if options.searches else ("digits-ranks", "scores")
        write_section(key, f"Digits: {what} against true trainings", body, command_line())


if __name__ == "__main__":
    main()
