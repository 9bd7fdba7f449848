"""Elementwise functions, known by what they do: expressions, the grid that they are evaluated on, what follows."""

from __future__ import annotations
