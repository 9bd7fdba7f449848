"""Reports as single HTML files, for `--report`."""

from __future__ import annotations

from fxscore.report.html.page import Axis, Cell, Listing, Page, Panel, Plot, Table

__all__ = ["Axis", "Cell", "Listing", "Page", "Panel", "Plot", "Table"]
