"""The pipeline as a picture: Mermaid for GitHub's own pages, SVG for everywhere else, and plain data."""

from bot.core.graph.mermaid import mermaid
from bot.core.graph.shape import Edge, Graph, Kind, Node, as_data, graph_of
from bot.core.graph.svg import svg

__all__ = ["Edge", "Graph", "Kind", "Node", "as_data", "graph_of", "mermaid", "svg"]
