"""Fitting a scorer to one's own trained networks, and how well it ranks those that it did not see."""

from __future__ import annotations

from fxscore.train.fit.both import fit_both
from fxscore.train.fit.by_kind import fit
from fxscore.train.fit.fitted import Fitted, Kind
from fxscore.train.fit.hybrid import fit_hybrid
from fxscore.train.fit.scorenet import fit_ft_scorenet

__all__ = ["Fitted", "Kind", "fit", "fit_both", "fit_ft_scorenet", "fit_hybrid"]
