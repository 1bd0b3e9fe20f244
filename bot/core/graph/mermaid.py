"""The graph as Mermaid, which GitHub draws wherever Markdown is shown.

https://mermaid.js.org/syntax/flowchart.html
"""

import re

from bot.core.graph.shape import Edge, Graph, Kind, Node, graph_of
from bot.core.model import Pipeline

_LONGEST = 120
_PLAIN = re.compile(r"[^A-Za-z0-9 .,/:^~=()+\-_]")
_SHAPES = {Kind.WAREHOUSE: ('[("', '")]'), Kind.STAGE: ('["', '"]'), Kind.JUNCTION: ('(["', '"])')}
_STYLE = (
    "classDef warehouse fill:#dbeafe,stroke:#2563eb,color:#172554",
    "classDef stage fill:#ecfdf5,stroke:#059669,color:#022c22",
    "classDef junction fill:#f4f4f5,stroke:#71717a,color:#18181b,stroke-dasharray:4 3",
)


def mermaid(pipeline: Pipeline) -> str:
    """A flowchart from left to right. A dotted way is one on which somebody must start the promotion."""
    graph = graph_of(pipeline)
    lines = ["flowchart LR"]
    lines += [f"    {_id(number)}{_drawn(node)}" for number, node in enumerate(graph.nodes)]
    lines += [f"    {_id(edge.source)} {_arrow(edge)} {_id(edge.target)}" for edge in graph.edges]
    lines += [f"    {line}" for line in _STYLE]
    for kind, name in ((Kind.WAREHOUSE, "warehouse"), (Kind.STAGE, "stage"), (Kind.JUNCTION, "junction")):
        lines += _classed(graph, kind, name)
    return "\n".join(lines) + "\n"


def _id(number: int) -> str:
    return f"n{number}"  # a name of the pipeline might be a word of Mermaid's, such as `end`


def _drawn(node: Node) -> str:
    opening, closing = _SHAPES[node.kind]
    mark = "✓ " if node.kind is Kind.STAGE else ""
    text = "<br/>".join([f"<b>{_escaped(node.name)}</b>", *(f"{mark}{_escaped(line)}" for line in node.lines)])
    return f"{opening}{text}{closing}"


def _arrow(edge: Edge) -> str:
    line = "-.->" if edge.by_hand else "-->"
    said = " · ".join(_escaped(each) for each in (*edge.own, *edge.entry))
    return f'{line}|"{said}"|' if said else line


def _classed(graph: Graph, kind: Kind, name: str) -> list[str]:
    members = [_id(number) for number, node in enumerate(graph.nodes) if node.kind is kind]
    return [f"    class {','.join(members)} {name}"] if members else []


def _escaped(text: str) -> str:
    """Text as Mermaid shows it and nothing more: every odd character by its number, so that none has a meaning."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    line = "".join(character if character.isprintable() else " " for character in short)
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", line)
