"""The hash of a labelled directed graph that NAS-Bench-101 files its cells under.

As many rounds as there are vertices: each vertex's hash becomes that of its predecessors' and successors'
sorted hashes and its own (Ying et al., ICML 2019, supplement S1, algorithm 1). Equal for isomorphic graphs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def graph_hash(matrix: Sequence[Sequence[int]], labels: Sequence[int]) -> str:
    """The hexadecimal MD5 of a graph.

    Args:
        matrix: adjacency, `matrix[i][j]` is 1 where an edge leads from i to j.
        labels: one number per vertex; NAS-Bench-101 gives the input −1, the output −2.
    """
    return _md5(str(sorted(vertex_hashes(matrix, labels))))


def vertex_hashes(matrix: Sequence[Sequence[int]], labels: Sequence[int]) -> list[str]:
    """A hash per vertex that does not depend on how the vertices are numbered."""
    span = range(len(labels))
    into = [[i for i in span if matrix[i][j]] for j in span]
    out_of = [[j for j in span if matrix[i][j]] for i in span]
    hashes = [_md5(str((len(out_of[v]), len(into[v]), labels[v]))) for v in span]
    for _ in span:
        hashes = [
            _md5("|".join((_joined(hashes, into[v]), _joined(hashes, out_of[v]), hashes[v]))) for v in span
        ]
    return hashes


def _joined(hashes: Sequence[str], vertices: Sequence[int]) -> str:
    return "".join(sorted(hashes[vertex] for vertex in vertices))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
