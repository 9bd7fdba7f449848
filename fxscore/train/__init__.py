"""Training: differentiable Spearman, listwise in constant memory, over one or several spaces (METHOD.md section 4)."""

from __future__ import annotations
