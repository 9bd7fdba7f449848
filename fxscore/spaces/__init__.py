"""Search spaces: what a genotype means, how to draw one, and what a benchmark measured of it."""

from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.registry import get_space, space_names
from fxscore.spaces.table import BenchmarkTable

__all__ = ["BenchmarkTable", "SearchSpace", "Value", "Variable", "get_space", "space_names"]
