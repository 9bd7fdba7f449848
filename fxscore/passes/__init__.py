"""Passes: the steps from a captured graph to a constructed architecture, one a file."""

from __future__ import annotations

from fxscore.passes.pipeline import default_pipeline, run_passes

__all__ = ["default_pipeline", "run_passes"]
