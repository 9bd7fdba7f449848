"""A ranking as JSON and CSV: the same fields in both, in the order shown."""

from __future__ import annotations

import csv
import io
import json

from fxscore.report.rows import rows
from fxscore.types import Ranking

FIELDS = (
    *("rank", "name", "score", "error", "params", "macs", "seconds", "fingerprint", "scorer", "note"),
    *("group", "support", "low", "high", "published", "band", "front"),
)


def ranking_json(ranking: Ranking, *, sort: str = "score", top: int | None = None) -> str:
    """A list of objects with the keys of `FIELDS`; what is not known is ``null``."""
    objects = [row.as_dict() for row in rows(ranking, sort, top)]
    # Strict JSON: a record holds an error instead of a score that is not finite.
    return json.dumps(objects, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def ranking_csv(ranking: Ranking, *, sort: str = "score", top: int | None = None) -> str:
    """A header of `FIELDS` and one line per network; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.as_dict() for row in rows(ranking, sort, top))
    return text.getvalue()
