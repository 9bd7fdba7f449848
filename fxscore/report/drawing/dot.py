"""A diagram in the language of graphviz, for those who lay it out themselves."""

from __future__ import annotations

from collections.abc import Iterator

from fxscore.report import numbers
from fxscore.report.drawing.captions import FAMILIES
from fxscore.report.drawing.diagram import Block, Diagram


def dot_of(diagram: Diagram) -> str:
    """A `digraph`: a node for each block, a cluster for each run of blocks, shapes on the edges."""
    lines = [f"digraph {_quoted(diagram.name)} {{", *(f"  {line}" for line in _lines(diagram)), "}"]
    return "\n".join(lines) + "\n"


def _lines(diagram: Diagram) -> Iterator[str]:
    yield 'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=10];'
    yield 'edge [fontname="sans-serif", fontsize=8];'
    for place, block in enumerate(diagram.blocks):
        colour = FAMILIES.get(block.family, "#ffffff")
        yield f"b{place} [label={_quoted(_label(block))}, color={_quoted(colour)}, fillcolor={_quoted(colour + '44')}];"
    for number, frame in enumerate(diagram.frames):
        inside = " ".join(f"b{place};" for place in frame.blocks)
        yield f'subgraph cluster_{number} {{ style=dashed; label="×{frame.times}"; {inside} }}'
    for edge in diagram.edges:
        yield f"b{edge.source} -> b{edge.target} [label={_quoted(', '.join(edge.shapes))}];"


def _label(block: Block) -> str:
    title = block.title + (f" ×{block.times}" if block.times > 1 else "")
    sizes = f"{numbers.count(block.params)} params, {numbers.count(block.macs)} MACs"
    lines = [title, block.detail, sizes if block.params or block.macs else ""]
    return "\n".join(line for line in lines if line)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
