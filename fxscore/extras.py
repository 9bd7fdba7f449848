"""Packages that only some commands need: one of them that is missing is one line with the command that installs it."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import requires

from fxscore.errors import MissingExtraError

PACKAGES = {
    "fit": ("sklearn", "scikit-learn"),
    "train": ("torchsort", "torchsort"),
    "search": ("pymoo", "pymoo"),
    "draw": ("grandalf", "grandalf"),
    "optuna": ("optuna", "optuna"),
    "frames": ("pandas", "pandas"),
    "cluster": ("distributed", "dask[distributed]"),
}
# torchsort is compiled against the torch that is there; an isolated build would fetch another one.
_OPTIONS = {"train": "--no-build-isolation "}


def require(extra: str, what: str) -> None:
    """Import the package of an extra.

    Args:
        extra: as `pyproject.toml` names it.
        what: what needs it, the beginning of a sentence.

    Raises:
        MissingExtraError: it cannot be imported; says how to install it.
    """
    module, package = PACKAGES[extra]
    try:
        import_module(module)
    except ImportError as error:
        command = f"pip install {_OPTIONS.get(extra, '')}'fxscore[{extra}]'"
        raise MissingExtraError(f"{what} needs {package} ({error}): {command}") from None


def missing_requirement(error: ModuleNotFoundError) -> str | None:
    """What to say where a package is missing that every installation has; None where fxscore does not require it."""
    package = (error.name or "").partition(".")[0]
    every = [each for each in requires("fxscore") or () if "extra ==" not in each]
    if package not in {re.split(r"[^\w-]", each)[0] for each in every}:
        return None
    return f"it needs {package} ({error}): pip install fxscore"
