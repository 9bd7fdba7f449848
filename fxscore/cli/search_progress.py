"""How a search comes along, on stderr: a bar on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from fxscore.cli.progress import SOME, CountedProgress
from fxscore.report import numbers
from fxscore.searching.loop import SearchStanding
from fxscore.types import ModelRef, ScoreRecord


class SearchProgress(CountedProgress):
    """Shows best score, size of the front, cache hits, networks per second and the time left.

    Args:
        budget: How many networks will be scored.
        console: Where to show it; a bar if it is a terminal.
        generations: How many there will be, where they end the search; they are then what is counted, for networks
            that pass a limit are not scored.
    """

    def __init__(self, budget: int, console: Console, generations: int | None = None) -> None:
        super().__init__(generations or budget, console)
        self._by_generation, self._replayed = generations is not None, 0
        self.arrivals = self.cached = 0
        self._in_generation = 0
        self._standing = SearchStanding(0, 0, None, 0, replayed=False)

    def working(self, refs: Sequence[ModelRef]) -> None:
        """These networks are being worked on."""

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """A score is there; `cached` where nothing was computed for it."""
        self.arrivals += 1
        self._in_generation += 1
        self.cached += cached
        self.show()

    def generation(self, progress: SearchStanding) -> None:
        """A generation is done."""
        self._standing, self._in_generation = progress, 0
        self._replayed += progress.replayed
        self.show()

    @property
    def done(self) -> int:
        """Generations, or networks scored; replayed ones included."""
        return (
            self._standing.generation if self._by_generation else self._standing.scored + self._in_generation
        )

    def text(self) -> str:
        """What a glance should tell: ``generation 3, best 0.1234, front 7, 12 % cached, 4.2/s, 40 s left``."""
        standing = self._standing
        parts = [f"generation {standing.generation}", f"best {numbers.score(standing.best)}"]
        parts += [f"front {standing.front}"]
        if self.arrivals:
            seconds = max(time.monotonic() - self.start, 1e-6)
            fresh = standing.generation - self._replayed if self._by_generation else self.arrivals
            parts += [f"{100 * self.cached / self.arrivals:.0f} % cached", f"{self.arrivals / seconds:.2g}/s"]
            if fresh and self.arrivals >= SOME:
                parts.append(f"{numbers.seconds(max(0, self.total - self.done) * seconds / fresh)} left")
        return ", ".join(parts)
