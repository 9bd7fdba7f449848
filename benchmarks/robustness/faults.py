"""Forty faults that `benchmarks.robustness.mutations` puts in, one at a time, each with the tests of its room.

They are the slips that a reviewer misses: a sign, a bound that is one off, a guard left out, the wrong axis. Each
stands in the sources exactly once, which a test holds, so that the list cannot rot unseen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        file: below `fxscore`.
        right: what stands there.
        wrong: what stands there instead.
        tests: files below `tests`, all of one room, that are run.
    """

    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


KERNEL = ("kernel/test_kernel.py",)
COUNTS = ("costs/test_counts.py",)
SMALL_PASSES = ("passes/test_small_passes.py", "passes/test_guards.py")
HEADS = ("passes/test_heads.py",)
SCALES = ("scorer/test_hybrid.py", "scorer/test_protocol.py")
ENSEMBLE = ("scorer/test_ensemble.py",)
FEATURES = (
    "graph_features/test_degrees.py",
    "graph_features/test_graph_features.py",
    "graph_features/test_paths.py",
)
COEFFICIENTS = ("evaluate/test_coefficients.py", "evaluate/test_estimates.py")
FAMILIES = ("evaluate/test_families.py", "evaluate/test_scoring.py", "evaluate/test_populations.py")
SEARCH = ("searching/test_parts.py",)
TRAINING = (
    "train/test_loss.py",
    "train/test_listwise.py",
    "train/test_csv_table.py",
    "train/test_ensemble.py",
)
STORE = ("run/test_store.py", "run/test_parts.py")
NUMBERS = ("report/test_report.py",)
WORDS = ("cli/test_arguments.py",)
VALUES = ("proxies/test_structure.py", "proxies/test_values.py")
SPACES = ("spaces/test_base.py",)
PATTERNS = ("sources/test_patterns.py",)
INPUTS = ("capture/test_indices.py", "capture/test_inputs.py", "capture/test_in_place.py")

FAULTS = (
    Fault("kernel.py", "if n < k)", "if n > k)", KERNEL),
    Fault("kernel.py", "sqrt(2.0 / prod(shape[1:]))", "sqrt(2.0 / prod(shape))", KERNEL),
    Fault("kernel.py", "popitem(last=False)", "popitem(last=True)", KERNEL),
    Fault("kernel.py", "p.data_ptr(), version_of(p))", "p.data_ptr())", KERNEL),
    Fault("input_like.py", "2.0 if length < before else 0.5", "1.0", ("scorer/test_resample.py",)),
    Fault("input_like.py", " * (length / before)", "", ("scorer/test_resample.py",)),
    Fault("scorer/percentiles.py", "(1 + (low - raw) / reach)", "1", SCALES),
    Fault("scorer/seen_size.py", "side = max(own[-2:])", "side = min(own[-2:])", SCALES),
    Fault(
        "scorer/ensemble.py",
        "(raw - means) / deviations",
        "(raw - means) * deviations",
        ("scorer/test_ensemble.py",),
    ),
    Fault("passes/fold_zeros.py", "if any(user not in zero", "if all(user not in zero", SMALL_PASSES),
    Fault("passes/fold_zeros.py", "or node.args[2] is None", "or node.args[1] is None", SMALL_PASSES),
    Fault("passes/sort_sums.py", "len(operand.users) == 1", "len(operand.users) >= 1", SMALL_PASSES),
    Fault("passes/simplify.py", "torch.div: 1}", "torch.div: 0}", SMALL_PASSES),
    Fault("passes/cut_head.py", "(shape_of(value) or ()) >= 4", "(shape_of(value) or ()) >= 3", HEADS),
    Fault("passes/cut_head.py", "2 if len(shape_of(value) or ()) == 3 else 1", "1", HEADS),
    Fault("costs/contractions.py", "shared = (left & right) - wanted", "shared = left - wanted", COUNTS),
    Fault("costs/contractions.py", "max(sizes.get(index, 1), length)", "length", COUNTS),
    Fault("graph_features/degrees.py", "if number > 1}", "if number > 2}", FEATURES),
    Fault("graph_features/degrees.py", "1 + max((distances[source]", "max((distances[source]", FEATURES),
    Fault(
        "graph_features/paths.py",
        "shares @ (variances + (means - mean) ** 2)",
        "shares @ variances",
        FEATURES,
    ),
    Fault("graph_features/paths.py", "+ edges).min(0)", "+ edges).max(0)", FEATURES),
    Fault("evaluate/coefficients.py", "lost = labels.max() - ", "lost = labels.mean() - ", COEFFICIENTS),
    Fault("evaluate/coefficients.py", "level * ((k - above.sum()) / level.sum())", "level", COEFFICIENTS),
    Fault(
        "evaluate/resampling.py",
        "self.sizes * (self.sizes - 1) / 2",
        "self.sizes * self.sizes / 2",
        COEFFICIENTS,
    ),
    Fault("evaluate/splits.py", "filled.index(min(filled))", "filled.index(max(filled))", FAMILIES),
    Fault(
        "evaluate/matched.py", "if len(members) >= self.least", "if len(members) > self.least", COEFFICIENTS
    ),
    Fault("searching/evaluation.py", "all(a <= b for", "all(a < b for", SEARCH),
    Fault("searching/goals.py", "max(0.0, sizes[name] / limit - 1)", "sizes[name] / limit - 1", SEARCH),
    Fault("searching/regularised_evolution.py", "parent = min((", "parent = max((", SEARCH),
    Fault("train/loss.py", "(equal + 1) / 2", "equal", TRAINING),
    Fault("train/listwise.py", "    weights.backward()\n", "", TRAINING),
    Fault("train/csv_table.py", "if len(cells) != len(header):", "if len(cells) < len(header):", TRAINING),
    Fault("run/store.py", " OR verdicts.score IS NULL", "", STORE),
    Fault("run/messages.py", "len(self._rest) > self._longest", "len(self._rest) > 9 * self._longest", STORE),
    Fault("report/numbers.py", "whole % 60:02d} s", "whole % 60} s", NUMBERS),
    Fault("cli/arguments.py", "return result + words[position + 1 :]", "return result", WORDS),
    Fault("proxies/structure.py", "2 if any(origin.learned", "1 if any(origin.learned", VALUES),
    Fault("spaces/base.py", "if not 0 <= index < len", "if not index < len", SPACES),
    Fault("sources/names.py", 'or ["*"]', "or []", PATTERNS),
    Fault("capture/indices.py", "if largest >= length or", "if largest > length or", INPUTS),
)
