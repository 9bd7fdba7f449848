"""The page of a package index is README without the repository around it: its links there become the names of files.

All else about the package is in pyproject.toml.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

_RELATIVE = re.compile(r"\[([^\]]+)\]\((?!\w+://|#)([^)\s]+)\)")

setup(
    long_description=_RELATIVE.sub(r"\1 (`\2`)", Path("README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
)
