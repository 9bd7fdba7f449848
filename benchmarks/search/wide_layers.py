"""Do layers far wider than their neighbours pay? Networks that searches of the Zen-NAS space looked at, trained.

``python -m benchmarks.search.wide_layers --choose runs/search/general runs/search/general-bold`` takes from those
searches (`benchmarks.search.zen_nas`), among networks of at least 900,000 parameters, what each found, the best scored
whose widest step from a layer to the next is at most sixteen times, and `--random` networks on either side of that,
drawn with a seed; they are added to ``wide_layers_chosen.csv``. Without ``--choose``, they are trained with two seeds
on Fashion-MNIST at 32×32 by the recipe of `benchmarks.quality.wild_training`, those that ``wide_layers.csv`` does not
hold (``--only-table``: none); ``--write`` keeps the figures, and ``--gather`` adds the trainings to the table of the
space, from which the general scorer learns. A network of a million parameters has hundreds of millions of
multiply-accumulates here, so an accelerator trains in half precision, which the recipe does not.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import zen_networks
from benchmarks.quality.digits import interval
from benchmarks.quality.wild_training import (
    DEVICE,
    LABEL,
    TABLES,
    Training,
    images,
    network_of,
    outcome,
    pool_of,
    recipe,
    table_rows,
    write_table,
)
from benchmarks.results import command_line, table, write_section
from benchmarks.search.width_steps import WIDEST, factor, widest_step
from benchmarks.shared.rows import keep_rows, kept_rows
from fxscore.evaluate import mean_over_runs, spearman
from fxscore.network_training import ClassifierTrainer
from fxscore.types import ModelRef

HERE = Path(__file__).parent
CHOSEN, TRAINED = HERE / "wide_layers_chosen.csv", HERE / "wide_layers.csv"
SPACE, MIN_PARAMS = "zen_resnet", 9e5
SEEDS = (0, 1)
CHOICE = ("by", "genotype", "score", "params", "step")
COLUMNS = ("genotype", "seed", LABEL, "loss", "seconds", "device", "date", "torch")
Row = dict[str, Any]


def choose(histories: Sequence[Path], random: int, seed: int) -> list[Row]:
    """What is to be trained: found by each search, best without a wide step, and some at random of both kinds."""
    known = {row["genotype"]: row for history in histories for row in looked_at(history)}
    rows = sorted(known.values(), key=lambda row: -row["score"])
    found = [{**max(looked_at(path), key=lambda row: row["score"]), "by": path.name} for path in histories]
    kinds: dict[str, list[Row]] = {f"step ≤ {WIDEST}": [], f"step > {WIDEST}": []}
    for row in rows:
        kinds[f"step {'>' if row['step'] > WIDEST else '≤'} {WIDEST}"].append(row)
    names = ", ".join(path.name for path in histories)
    found.append({**kinds[f"step ≤ {WIDEST}"][0], "by": f"{names}: best, step ≤ {WIDEST}"})
    draw = np.random.default_rng(seed)
    for kind, members in kinds.items():
        places = draw.permutation(len(members))[:random]
        found += [{**members[place], "by": f"random, {kind}"} for place in sorted(places.tolist())]
    return found


def looked_at(history: Path) -> list[Row]:
    """The scored networks of a search that are large enough, with their widest step."""
    from fxscore.searching import HISTORY
    from fxscore.sources import build

    lines = (history / HISTORY).read_text(encoding="utf-8").splitlines()[1:]
    scored = {
        each["text"]: each["values"]
        for line in lines
        for each in json.loads(line)
        if "score" in each["values"]
    }
    large = {text: values for text, values in scored.items() if values["params"] >= MIN_PARAMS}
    steps = {text: factor(widest_step(build(ModelRef(SPACE, text)).module)) for text in large}
    return [
        {
            "genotype": text,
            "score": round(values["score"], 2),
            "params": int(values["params"]),
            "step": round(steps[text], 1),
        }
        for text, values in large.items()
    ]


def trained(genotype: str, seed: int, data: Path | None) -> Row:
    """Train one network on this process's device."""
    network, _ = network_of(Training(genotype, seed, SPACE))
    device = os.environ.get(DEVICE, "cpu")  # that `pool_of` has given this process
    trainer = ClassifierTrainer(
        network,
        replace(recipe(seed), mixed_precision=True),
        *images(data, network.input_shape),
        device=device,
        measure_every=recipe(0).epochs,
    )
    about = {"device": device, "date": date.today().isoformat(), "torch": version("torch")}
    return {"genotype": genotype, "seed": seed, **outcome(trainer), **about}


def train(options: argparse.Namespace) -> None:
    """Train what is missing, a row as each is done."""
    known = {(row["genotype"], int(row["seed"])) for row in kept_rows(options.rows)}
    chosen = dict.fromkeys(row["genotype"] for row in kept_rows(CHOSEN))
    wanted = [(genotype, seed) for seed in SEEDS for genotype in chosen if (genotype, seed) not in known]
    with pool_of(options.workers, options.cuda_workers) as pool:
        for future in as_completed([pool.submit(trained, *each, options.data) for each in wanted]):
            row = future.result()
            keep_rows(options.rows, COLUMNS, [*kept_rows(options.rows), row])
            print(f"{row[LABEL]:6.2f} %  seed {row['seed']}  {row['genotype']}", flush=True)


def gather(rows: Sequence[Row], table: Path) -> None:
    """Add the trainings to the table of those of drawn networks (`wild_training`), each once."""
    added = []
    for row in rows:
        chain = zen_networks.SPACE.parse(row["genotype"])
        sizes = {
            "params": zen_networks.SPACE.count_parameters(chain),
            "flops": zen_networks.macs_of(chain),
            "side": zen_networks.SPACE.input_shape[-1],
        }
        about = {"space": SPACE, "family": SPACE, "group": row["genotype"]}
        device = row["device"] if row["device"] == "cpu" else f"{row['device']}, half precision"
        added.append({**row, **about, **sizes, "device": device})
    known = table_rows(table)
    done = {(row["genotype"], int(row["seed"])) for row in known}
    new = [row for row in added if (row["genotype"], int(row["seed"])) not in done]
    write_table([*known, *new], table)


def report(trained_rows: Path) -> str:
    """Accuracies of each kind, and what width and score say of them."""
    chosen, accuracies = kept_rows(CHOSEN), dict[str, list[float]]()
    for row in kept_rows(trained_rows):
        accuracies.setdefault(row["genotype"], []).append(float(row[LABEL]))
    groups: dict[str, list[Row]] = {}
    for row in chosen:
        if row["genotype"] in accuracies:
            groups.setdefault(row["by"], []).append(
                {**row, "mean": float(np.mean(accuracies[row["genotype"]]))}
            )
    lines = [
        (
            by,
            len(rows),
            span(rows, "step"),
            span(rows, "params"),
            span(rows, "score"),
            interval(mean_over_runs([row["mean"] for row in rows]), 2, most=100.0),
        )
        for by, rows in groups.items()
    ]
    drawn = [row for by, rows in groups.items() if by.startswith("random") for row in rows]
    columns = [[float(row[name]) for row in drawn] for name in ("score", "step", "params", "mean")]
    score, step, params = (spearman(np.array(each), np.array(columns[-1])) for each in columns[:-1])
    heads = ("networks", "n", "widest step", "parameters", "score", "accuracy, %")
    return (
        f"Fashion-MNIST at 32×32, up to {len(SEEDS)} seeds a network; intervals are Student's over networks. *Widest "
        "step*: the largest factor by which a convolution behind the first changes the number of channels. Score: of "
        f"the search that looked at the network.\n\n{table(heads, lines)}\n\nOver the {len(drawn)} random networks, ρ "
        f"with the accuracy: score {score:.2f}, widest step {step:.2f}, parameters {params:.2f}."
    )


def span(rows: Sequence[Row], name: str) -> str:
    """From the least to the most."""
    low, high = (of(float(row[name]) for row in rows) for of in (min, max))
    return f"{low:,.10g}" if low == high else f"{low:,.10g} to {high:,.10g}"


def main() -> None:
    """Choose, or train and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--choose", type=Path, nargs="+", metavar="FOLDER", help="of searches")
    parser.add_argument("--random", type=int, default=12, help="networks of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of that draw")
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each")
    parser.add_argument("--cuda-workers", type=int, default=0, help="further processes, on the accelerator")
    parser.add_argument(
        "--data", type=Path, help="folder of Fashion-MNIST, where the system does not have it"
    )
    parser.add_argument("--rows", type=Path, default=TRAINED, help="trainings, kept and gone on with")
    parser.add_argument("--only-table", action="store_true", help="train nothing")
    parser.add_argument("--gather", action="store_true", help="add the trainings to the table of the space")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    options = parser.parse_args()
    if options.choose:
        keep_rows(CHOSEN, CHOICE, [*kept_rows(CHOSEN), *choose(options.choose, options.random, options.seed)])
        return
    if not options.only_table:
        train(options)
    print(body := report(options.rows))
    if options.write:
        write_section("wide-layers", "Layers far wider than their neighbours, trained", body, command_line())
    if options.gather:
        gather(kept_rows(options.rows), TABLES / f"{SPACE}.csv.gz")


if __name__ == "__main__":
    main()
