"""Where the nodes of a graph go: in layers from left to right, with few crossings and short ways.

In the manner of Sugiyama, Tagawa and Toda (1981): layers by longest path, ways across several layers by way of
places in between, order within a layer by barycentre, and then heights that are as near to the neighbours' as the
order allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 24  # over the order
_MOVES = 80  # of the heights
_STRAIGHT = 3.0  # how much more a way that only passes insists on its height


@dataclass(frozen=True, slots=True)
class Layout:
    """`layers`: per layer the points in it, from top to bottom. `middle`: the height of each point's middle.

    Points 0 … n-1 are the nodes; those after are where ways pass a layer. `ways`: for each edge its points, in order.
    """

    layers: tuple[tuple[int, ...], ...]
    middle: tuple[float, ...]
    ways: tuple[tuple[int, ...], ...]


def lay_out(heights: Sequence[float], edges: Sequence[tuple[int, int]], gap: float) -> Layout:
    """Place nodes of the given heights. Edges lead from the first to the second; there may be no cycle."""
    layer_of = _layers(len(heights), edges)
    count = max(layer_of, default=-1) + 1
    layers: list[list[int]] = [[] for _ in range(count)]
    for node, layer in enumerate(layer_of):
        layers[layer].append(node)
    extents = list(heights)
    ways = []
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for source, target in edges:
        way = [source]
        for layer in range(layer_of[source] + 1, layer_of[target]):
            way.append(len(extents))
            layers[layer].append(len(extents))
            extents.append(gap / 2)
        way.append(target)
        ways.append(tuple(way))
        for left, right in pairwise(way):
            below.setdefault(left, []).append(right)
            above.setdefault(right, []).append(left)
    ordered = _ordered(layers, above, below)
    placing = _Placing(ordered, extents, above, below, len(heights), gap)
    return Layout(tuple(map(tuple, ordered)), tuple(placing.heights()), tuple(ways))


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """By longest path; then what nothing leads to is drawn next to what it leads to."""
    layer_of = [0] * count
    targets: dict[int, list[int]] = {}
    missing = [0] * count
    for source, target in edges:
        targets.setdefault(source, []).append(target)
        missing[target] += 1
    starts = [node for node in range(count) if not missing[node]]
    ready = list(starts)
    while ready:
        node = ready.pop()
        for target in targets.get(node, ()):
            layer_of[target] = max(layer_of[target], layer_of[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    for node in starts:
        if node in targets:
            layer_of[node] = min(layer_of[target] for target in targets[node]) - 1
    return layer_of


def _ordered(
    layers: Sequence[Sequence[int]], above: Mapping[int, Sequence[int]], below: Mapping[int, Sequence[int]]
) -> list[list[int]]:
    """The best order found in some sweeps to and fro; the first one counts when others are no better."""
    current = [list(layer) for layer in layers]
    best, fewest = [list(layer) for layer in current], _crossings(current, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        neighbours = above if forth else below
        indexes = range(1, len(current)) if forth else range(len(current) - 2, -1, -1)
        for index in indexes:
            position = {point: at for at, point in enumerate(current[index - 1 if forth else index + 1])}
            own = {point: at for at, point in enumerate(current[index])}

            def barycentre(
                point: int,
                position: Mapping[int, int] = position,
                own: Mapping[int, int] = own,
                neighbours: Mapping[int, Sequence[int]] = neighbours,
            ) -> float:
                near = [position[each] for each in neighbours.get(point, ())]
                return sum(near) / len(near) if near else own[point]

            current[index].sort(key=barycentre)
        crossings = _crossings(current, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in current], crossings
    return best


def _crossings(layers: Sequence[Sequence[int]], below: Mapping[int, Sequence[int]]) -> int:
    """How many pairs of ways cross: inversions among their ends, counted with a Fenwick tree."""
    count = 0
    for left, right in pairwise(layers):
        position = {point: at for at, point in enumerate(right)}
        ends = [at for point in left for at in sorted(position[each] for each in below.get(point, ()))]
        tree = [0] * (len(right) + 1)
        for seen, end in enumerate(ends):
            not_after, at = 0, end + 1
            while at:
                not_after += tree[at]
                at -= at & -at
            count += seen - not_after
            at = end + 1
            while at <= len(right):
                tree[at] += 1
                at += at & -at
    return count


@dataclass(frozen=True, slots=True)
class _Placing:
    """Gives every point a height: as near as its order allows to the mean of its neighbours."""

    layers: Sequence[Sequence[int]]
    extents: Sequence[float]
    above: Mapping[int, Sequence[int]]
    below: Mapping[int, Sequence[int]]
    nodes: int  # points from this one on are only passed
    gap: float

    def heights(self) -> list[float]:
        """Layer by layer, to and fro; the top is at 0."""
        middle = [0.0] * len(self.extents)
        for layer in self.layers:
            top = 0.0
            for point in layer:
                middle[point] = top + self.extents[point] / 2
                top += self.extents[point] + self.gap
        for sweep in range(_MOVES):
            forth = sweep % 2 == 0
            both = sweep >= _MOVES // 2  # at first only what has been placed in this sweep counts
            for layer in self.layers if forth else list(reversed(self.layers)):
                wanted = [self._wanted(point, middle, forth or both, both or not forth) for point in layer]
                extents = self.extents
                room = [(extents[a] + extents[b]) / 2 + self.gap for a, b in pairwise(layer)]
                for point, height in zip(layer, _spread(wanted, room), strict=True):
                    middle[point] = height
        lowest = min((middle[point] - self.extents[point] / 2 for layer in self.layers for point in layer), default=0.0)
        return [each - lowest for each in middle]

    def _wanted(self, point: int, middle: Sequence[float], left: bool, right: bool) -> tuple[float, float]:
        """The height a point would have, and its weight. A way that passes several layers should run straight."""
        near = [*(self.above.get(point, ()) if left else ()), *(self.below.get(point, ()) if right else ())]
        if point >= self.nodes:
            passed = [each for each in near if each >= self.nodes]
            near = passed or near
        if not near:
            return middle[point], 1.0
        return sum(middle[each] for each in near) / len(near), _STRAIGHT if point >= self.nodes else 1.0


def _spread(wanted: Sequence[tuple[float, float]], room: Sequence[float]) -> list[float]:
    """The heights nearest to those wanted (weighted least squares) that keep the room between neighbours.

    Without the room between them these must only not fall: isotonic regression, by pooling adjacent violators.
    """
    offsets = [0.0]
    for each in room:
        offsets.append(offsets[-1] + each)
    pools: list[tuple[float, float, int]] = []  # weighted sum, weight and number of those that share one height
    for (height, weight), offset in zip(wanted, offsets, strict=False):
        pools.append(((height - offset) * weight, weight, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            total, weights, count = pools.pop()
            pools[-1] = (pools[-1][0] + total, pools[-1][1] + weights, pools[-1][2] + count)
    levels = [total / weights for total, weights, count in pools for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]
