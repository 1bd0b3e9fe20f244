"""The pipeline as a picture: what it says, that nothing written in it can say more, and that it is laid out well."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.graph import as_data, graph_of, mermaid, svg
from bot.core.graph.layout import lay_out
from bot.core.model import (
    FreightRequest,
    Pipeline,
    PromotionTemplate,
    Stage,
    StageName,
    StepSpec,
    Subscription,
    Verification,
    Warehouse,
    WarehouseName,
)
from tests.core.configurations import EXAMPLE, WATCH, pipeline

FAN = (
    WATCH
    + """\
stages:
  dev: {from: service, auto: true, merge: auto, render: {helm: {chart: c}}}
  a: {from: dev, render: {helm: {chart: c}}, verify: [smoke]}
  b: {from: dev, render: {helm: {chart: c}}}
  gate: {from: [a, b], soak: 90m, availability: All}
  prod: {from: [gate, dev], render: {helm: {chart: c}}}
verifications: {smoke: {metrics: [{name: m, provider: {web: {url: https://x}}}]}}
"""
)
TWO = """\
warehouses:
  app: {image: {repoURL: ghcr.io/acme/app, constraint: ^1.0.0}}
  flags: {git: {repoURL: https://github.com/acme/flags.git, branch: main}}
stages:
  dev: {from: [app, flags], render: {kustomize: {path: env}}}
  us:
    requestedFreight:
    - {origin: {name: app}, sources: {stages: [dev], requiredSoakTime: 1h}}
    - {origin: {name: flags}, sources: {stages: [dev]}}
    render: {kustomize: {path: env}}
  eu: {requestedFreight: [{origin: {name: app}, sources: {stages: [dev]}}], render: {kustomize: {path: env}}}
"""
SVG = "{http://www.w3.org/2000/svg}"


def test_three_stages_in_a_row_as_mermaid() -> None:
    assert mermaid(pipeline(EXAMPLE)).splitlines()[:8] == [
        "flowchart LR",
        '    n0[("<b>service</b><br/>image ghcr.io/acme/service ^1.0.0")]',
        '    n1["<b>test</b><br/>✓ smoke"]',
        '    n2["<b>uat</b><br/>✓ smoke"]',
        '    n3["<b>prod</b>"]',
        '    n0 -->|"auto · merge: auto"| n1',
        "    n1 -.-> n2",
        '    n2 -.->|"soak 1h"| n3',
    ]


def test_a_junction_is_drawn_as_one_and_what_it_asks_for_stands_on_the_ways_to_it() -> None:
    text = mermaid(pipeline(FAN))

    assert '    n4(["<b>gate</b>"])' in text
    assert '    n2 -->|"soak 1h30m · all of these"| n4' in text
    assert "class n4 junction" in text


def test_where_warehouses_part_their_names_stand_on_the_way() -> None:
    text = mermaid(pipeline(TWO))

    assert '    n2 -.->|"app: soak 1h · flags"| n3' in text
    assert '    n2 -.->|"app"| n4' in text
    assert "git github.com/acme/flags main" in text


def test_the_graph_as_data() -> None:
    data = as_data(pipeline(EXAMPLE))

    assert data["stages"][0] == {
        "name": "test",
        "controlFlow": False,
        "auto": True,
        "merge": "auto",
        "verification": ["smoke"],
    }
    assert data["edges"][-1] == {
        "from": {"kind": "stage", "name": "uat"},
        "to": "prod",
        "warehouse": "service",
        "soakSeconds": 3600.0,
        "availability": "OneOf",
        "selection": "NewestFreight",
    }


def texts(picture: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314, our own


def test_the_svg_says_the_same_and_what_all_ways_share_once() -> None:
    said = texts(svg(pipeline(FAN)))

    assert {"service", "dev", "a", "b", "gate", "prod", "✓ smoke", "auto · merge: auto"} <= set(said)
    assert said.count("soak 1h30m · all of these") == 1


def test_the_svg_needs_nothing_from_elsewhere_and_has_a_dark_side() -> None:
    picture = svg(pipeline(FAN))

    assert "prefers-color-scheme:dark" in picture
    assert not re.search(r"href|url\(|@import|<script|<image|<foreignObject", picture)


def test_the_same_pipeline_gives_the_same_picture() -> None:
    assert svg(pipeline(FAN)) == svg(pipeline(FAN))


def named(names: list[str]) -> Pipeline:
    """A row of stages of these names, with them wherever text can stand."""
    origin = WarehouseName(names[0])
    subscription = Subscription("image", {"repoURL": names[-1], "constraint": names[0]})
    stages = {}
    above: StageName | None = None
    for number, name in enumerate(dict.fromkeys(map(StageName, names))):
        request = FreightRequest(origin, direct=above is None, stages=(above,) if above is not None else ())
        template = PromotionTemplate((StepSpec("a", "a"),)) if number % 2 else None
        stages[name] = Stage(name, (request,), template, Verification((name,)))
        above = name
    return Pipeline({origin: Warehouse(origin, (subscription,))}, stages)


HOSTILE = (
    st.text(max_size=30)
    | st.sampled_from(
        [
            'a"]; click n0 "javascript:alert(1)"',
            "<script>alert(1)</script>",
            '%%{init: {"theme": "dark"}}%%',
            "`**md**` #quot; &amp; \n\nend\nsubgraph x",
            "]]>--></svg>",
            "\ud800\x00\x1b[31m\u202e",
            "x" * 2000,
        ]
    )
).filter(bool)
_NODE = r'\["[^"]*"\]|\(\["[^"]*"\]\)|\[\("[^"]*"\)\]'
_MERMAID = re.compile(
    rf'flowchart LR\n(    n\d+({_NODE})\n)+(    n\d+ -(-|\.-)>(\|"[^"]*"\|)? n\d+\n)*'
    r"(    classDef [a-z]+ [^\n]+\n){3}(    class n[0-9n,]+ [a-z]+\n)+"
)


@given(st.lists(HOSTILE, min_size=1, max_size=6))
def test_no_name_means_anything_to_mermaid_or_to_svg(names: list[str]) -> None:
    drawn = named(names)

    text = mermaid(drawn)
    assert _MERMAID.fullmatch(text)
    labels = "".join(re.findall(r'"([^"]*)"', text))
    assert not set(re.sub(r"</?b>|<br/>|#\d+;", "", labels)) & set("<>&%`#;{}[]|\\*$")

    root = ET.fromstring(svg(drawn))  # noqa: S314, our own
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        *("svg", "style", "g", "title", "rect", "path", "text", "tspan")
    }
    svg(drawn).encode()


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[float], list[tuple[int, int]]]:
    count = draw(st.integers(1, 25))
    heights = [float(each) for each in draw(st.lists(st.integers(20, 90), min_size=count, max_size=count))]
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    return heights, draw(st.lists(pairs, unique=True, max_size=40)) if count > 1 else []


@settings(max_examples=150)
@given(graphs())
def test_nodes_never_overlap_and_every_way_leads_from_left_to_right(
    graph: tuple[list[float], list[tuple[int, int]]],
) -> None:
    heights, edges = graph
    layout = lay_out(heights, edges, 20)
    layer_of = {point: index for index, layer in enumerate(layout.layers) for point in layer}

    assert set(range(len(heights))) <= layer_of.keys()
    for (source, target), way in zip(edges, layout.ways, strict=True):
        assert (way[0], way[-1]) == (source, target)
        assert [layer_of[point] for point in way] == list(range(layer_of[source], layer_of[target] + 1))
    for layer in layout.layers:
        for above, below in pairwise(layer):
            room = sum(heights[each] / 2 for each in (above, below) if each < len(heights))
            assert layout.middle[below] - layout.middle[above] >= room + 20 - 1e-6
    assert min(layout.middle[node] - heights[node] / 2 for node in range(len(heights))) >= -1e-6


def test_crossings_that_need_not_be_are_gone() -> None:
    # Drawn in the order of the file these would cross: 0→5, 1→4, 2→3.
    layout = lay_out([40.0] * 6, [(0, 5), (1, 4), (2, 3)], 20)
    left, right = layout.layers

    assert [{0: 5, 1: 4, 2: 3}[each] for each in left] == list(right)


def test_a_row_is_straight_and_a_fan_is_in_the_middle() -> None:
    row = lay_out([40.0, 60.0, 40.0], [(0, 1), (1, 2)], 20).middle
    fan = lay_out([40.0] * 5, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)], 20).middle

    assert max(row) - min(row) < 0.5
    assert abs(fan[0] - fan[2]) < 0.5
    assert abs(fan[4] - fan[2]) < 0.5


def test_thirty_stages_and_hundreds_are_drawn() -> None:
    for count in (30, 300):
        stages = "".join(f"  s{n}: {{from: s{(n - 1) // 3}}}\n" for n in range(1, count))
        drawn = pipeline(f"{WATCH}stages:\n  s0: {{from: service}}\n{stages}")
        assert len(graph_of(drawn).edges) == count
        assert len(texts(svg(drawn))) >= count
