"""The graph as one SVG that needs nothing else: no program, no font, no script; light or dark as its reader has it."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bot.core.graph.layout import Layout, lay_out
from bot.core.graph.shape import Edge, Graph, Kind, Node, graph_of
from bot.core.model import Pipeline

_TITLE, _LINE, _PILL = 14.0, 11.5, 10.5  # sizes of type
_ROW = 17.0
_GAP = 26.0  # between nodes of one layer
_MARGIN = 24.0
_WAY = 64.0  # between layers, besides what is written there
_ARROW = 16.0
_WIDEST = 250.0
_LEGEND = (("", "starts by itself"), ("hand", "somebody starts it"))

_STYLE = """\
.towpath{--ground:#fff;--ink:#18181b;--quiet:#52525b;--way:#a1a1aa;--box:#fff;--edge:#d4d4d8;--source:#eff6ff;
--source-edge:#93c5fd;--source-ink:#1e3a8a;--good:#059669;--pill:#f4f4f5;
font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media (prefers-color-scheme:dark){.towpath{--ground:#0d1117;--ink:#f0f6fc;--quiet:#9198a1;--way:#6e7681;--box:#161b22;
--edge:#3d444d;--source:#0c2d6b;--source-edge:#1f6feb;--source-ink:#cae8ff;--good:#3fb950;--pill:#21262d}}
.towpath .ground{fill:var(--ground)}
.towpath text{fill:var(--ink)}
.towpath .box{fill:var(--box);stroke:var(--edge);stroke-width:1.25}
.towpath .title{font-size:14px;font-weight:600}
.towpath .line{font-size:11.5px;fill:var(--quiet)}
.towpath .tick{fill:var(--good)}
.towpath .warehouse .box{fill:var(--source);stroke:var(--source-edge)}
.towpath .warehouse .title{fill:var(--source-ink)}
.towpath .junction .box{fill:none;stroke-dasharray:4 3}
.towpath .junction .title{font-size:12px;font-weight:500;fill:var(--quiet)}
.towpath .way{fill:none;stroke:var(--way);stroke-width:1.6}
.towpath .hand{stroke-dasharray:5 4}
.towpath .head{fill:var(--way)}
.towpath .pill{fill:var(--pill);stroke:var(--edge)}
.towpath .said{font-size:10.5px;fill:var(--quiet);font-weight:500}"""


@dataclass(frozen=True, slots=True)
class _Box:
    """What is drawn of a node, before it has a place."""

    node: Node
    title: str
    lines: tuple[str, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Everything with its measures. `left` and `width` are those of layers; `entries` what is said before a node."""

    boxes: Sequence[_Box]
    edges: Sequence[Edge]
    layout: Layout
    left: Sequence[float]
    width: Sequence[float]
    layer_of: Sequence[int]
    entries: Sequence[str]
    own: Sequence[str]


def svg(pipeline: Pipeline) -> str:
    """The pipeline from left to right. A broken line is a way on which somebody must start the promotion."""
    graph = graph_of(pipeline)
    drawing = _measured(graph)
    middle = drawing.layout.middle
    bottom = max((middle[n] + box.height / 2 for n, box in enumerate(drawing.boxes)), default=0.0)
    right = max((x + width for x, width in zip(drawing.left, drawing.width, strict=True)), default=0.0)
    legend = _legend(bottom + 2 * _MARGIN) if any(edge.by_hand for edge in graph.edges) else []
    width = max(right, 300.0 if legend else 120.0) + 2 * _MARGIN
    height = bottom + 2 * _MARGIN + (_MARGIN if legend else 0)
    summary = f"{len(pipeline.warehouses)} warehouses and {len(pipeline.stages)} stages, from left to right"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="towpath" role="img" aria-label="Pipeline: {summary}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{width:.0f}" height="{height:.0f}" rx="10"/>',
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">',
        *_ways(drawing),
        *(_node(drawing, number) for number in range(len(drawing.boxes))),
        *_said(drawing),
        "</g>",
        *legend,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _measured(graph: Graph) -> _Drawing:
    boxes = [_box(node) for node in graph.nodes]
    layout = lay_out([box.height for box in boxes], [(edge.source, edge.target) for edge in graph.edges], _GAP)
    layer_of = [0] * len(boxes)
    for index, layer in enumerate(layout.layers):
        for point in layer:
            if point < len(boxes):
                layer_of[point] = index
    entries, own = _labels(graph)
    widths, lefts = [], []
    right = 0.0
    for index, layer in enumerate(layout.layers):
        nodes = [point for point in layer if point < len(boxes)]
        before = max((_pill_width(entries[node]) for node in nodes if entries[node]), default=0.0)
        ending = [n for n, edge in enumerate(graph.edges) if layer_of[edge.target] == index]
        amid = max((_pill_width(own[n]) for n in ending if own[n]), default=0.0)
        lefts.append(right + (_WAY + before + amid if index else 0.0))
        widths.append(max((boxes[node].width for node in nodes), default=0.0))
        right = lefts[-1] + widths[-1]
    return _Drawing(boxes, graph.edges, layout, lefts, widths, layer_of, entries, own)


def _labels(graph: Graph) -> tuple[list[str], list[str]]:
    """What is said before each node, and on each way alone. What all ways into a node say is said once, before it."""
    into: dict[int, list[Edge]] = {}
    for edge in graph.edges:
        into.setdefault(edge.target, []).append(edge)
    entries = [""] * len(graph.nodes)
    shared: set[int] = set()
    for target, edges in into.items():
        words: tuple[str, ...] = edges[0].entry
        if len({edge.own for edge in edges}) == 1:
            words = (*edges[0].own, *words)
            shared.add(target)
        entries[target] = _shortened(" · ".join(words), _PILL)
    own = ["" if edge.target in shared else _shortened(" · ".join(edge.own), _PILL) for edge in graph.edges]
    return entries, own


def _box(node: Node) -> _Box:
    if node.kind is Kind.JUNCTION:
        title = _shortened(node.name, 12.0)
        return _Box(node, title, (), _text_width(title, 12.0) + 32, 30.0)
    title = _shortened(node.name, _TITLE)
    lines = tuple(_shortened(line, _LINE) for line in node.lines)
    tick = 14.0 if node.kind is Kind.STAGE else 0.0
    widest = max([_text_width(title, _TITLE) * 1.12, *(_text_width(line, _LINE) + tick for line in lines)])
    return _Box(node, title, lines, max(widest + 32, 112.0), 40.0 + _ROW * len(lines))


def _node(drawing: _Drawing, number: int) -> str:
    box, layer = drawing.boxes[number], drawing.layer_of[number]
    width = box.width if box.node.kind is Kind.JUNCTION else drawing.width[layer]
    x = drawing.left[layer]
    y = drawing.layout.middle[number] - box.height / 2
    kind = {Kind.WAREHOUSE: "warehouse", Kind.STAGE: "stage", Kind.JUNCTION: "junction"}[box.node.kind]
    full = "\n".join([box.node.name, *box.node.lines])
    parts = [f'<g class="{kind}"><title>{_escaped(full)}</title>']
    if box.node.kind is Kind.JUNCTION:
        parts.append(f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{box.height}" rx="15"/>')
        at = f'x="{x + width / 2:.1f}" y="{y + 19:.1f}" text-anchor="middle"'
        parts.append(f'<text class="title" {at}>{_escaped(box.title)}</text></g>')
        return "".join(parts)
    parts.append(f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{box.height}" rx="9"/>')
    parts.append(f'<text class="title" x="{x + 16:.1f}" y="{y + 25:.1f}">{_escaped(box.title)}</text>')
    for index, line in enumerate(box.lines):
        tick = '<tspan class="tick">✓ </tspan>' if box.node.kind is Kind.STAGE else ""
        row = y + 25 + _ROW * (index + 1)
        parts.append(f'<text class="line" x="{x + 16:.1f}" y="{row:.1f}">{tick}{_escaped(line)}</text>')
    return "".join(parts) + "</g>"


def _ways(drawing: _Drawing) -> Iterable[str]:
    """The lines between nodes: ways first meet at what is said before a node, then enter it with one arrow."""
    entered: dict[int, bool] = {}
    for edge, way in zip(drawing.edges, drawing.layout.ways, strict=True):
        entered[edge.target] = edge.by_hand
        first = drawing.layer_of[edge.source]
        x, y = _right_of(drawing, edge.source), drawing.layout.middle[edge.source]
        path = [f"M{x:.1f} {y:.1f}"]
        for step, point in enumerate(way[1:], 1):
            layer = first + step
            to_y = drawing.layout.middle[point]
            to_x = _meeting(drawing, point) if step == len(way) - 1 else drawing.left[layer]
            bend = (to_x - x) / 2
            path.append(f"C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
            if step < len(way) - 1:
                to_x += drawing.width[layer]
                path.append(f"H{to_x:.1f}")
            x, y = to_x, to_y
        yield f'<path class="way{" hand" if edge.by_hand else ""}" d="{"".join(path)}"/>'
    for target, by_hand in entered.items():
        x, y = drawing.left[drawing.layer_of[target]], drawing.layout.middle[target]
        start = _meeting(drawing, target)
        yield f'<path class="way{" hand" if by_hand else ""}" d="M{start:.1f} {y:.1f}H{x - 7:.1f}"/>'
        yield f'<path class="head" d="M{x - 1:.1f} {y:.1f}l-8.5-4.6v9.2z"/>'


def _right_of(drawing: _Drawing, number: int) -> float:
    box, layer = drawing.boxes[number], drawing.layer_of[number]
    return drawing.left[layer] + (box.width if box.node.kind is Kind.JUNCTION else drawing.width[layer])


def _meeting(drawing: _Drawing, target: int) -> float:
    """Where the ways into a node come together."""
    entry = drawing.entries[target]
    return drawing.left[drawing.layer_of[target]] - _ARROW - (_pill_width(entry) if entry else 0.0)


def _said(drawing: _Drawing) -> Iterable[str]:
    middle = drawing.layout.middle
    for target, text in enumerate(drawing.entries):
        if text:
            yield _pill(text, _meeting(drawing, target), middle[target])
    for edge, way, text in zip(drawing.edges, drawing.layout.ways, drawing.own, strict=True):
        if text:
            before = way[-2]
            layer = drawing.layer_of[edge.target] - 1
            start = drawing.left[layer] + drawing.width[layer] if len(way) > 2 else _right_of(drawing, before)
            x = (start + _meeting(drawing, edge.target)) / 2
            yield _pill(text, x - _pill_width(text) / 2, (middle[before] + middle[edge.target]) / 2)


def _pill(text: str, x: float, y: float) -> str:
    width = _pill_width(text)
    return (
        f'<rect class="pill" x="{x:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="18" rx="9"/>'
        f'<text class="said" x="{x + width / 2:.1f}" y="{y + 3.7:.1f}" text-anchor="middle">{_escaped(text)}</text>'
    )


def _legend(y: float) -> list[str]:
    parts = []
    x = _MARGIN
    for line, text in _LEGEND:
        parts.append(f'<path class="way {line}" d="M{x:.1f} {y:.1f}h26"/>')
        parts.append(f'<text class="said" x="{x + 33:.1f}" y="{y + 3.7:.1f}">{text}</text>')
        x += 33 + _text_width(text, _PILL) + 20
    return parts


def _pill_width(text: str) -> float:
    return _text_width(text, _PILL) + 18


def _text_width(text: str, size: float) -> float:
    """About how wide a text will be: fonts differ, so rather too wide than too narrow."""
    return sum(map(_em, text)) * size


def _em(character: str) -> float:
    if character in "ijl.,:;'|!":
        return 0.3
    if character in "frtI-/()[]{} ":
        return 0.4
    if character in "mwMW@%…✓":
        return 0.9
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    return 0.7 if character.isupper() else 0.59


def _shortened(text: str, size: float) -> str:
    line = "".join(character if character.isprintable() else " " for character in text[:300])
    if _text_width(line, size) <= _WIDEST and len(text) <= 300:
        return line
    while line and _text_width(line + "…", size) > _WIDEST:
        line = line[:-1]
    return line + "…"


def _escaped(text: str) -> str:
    return escape("".join(each if each.isprintable() or each == "\n" else " " for each in text))
