"""Places for the nodes of a hypergraph, so that what is joined is near: stress majorization.

Gansner, Koren and North, "Graph Drawing by Stress Majorization", GD 2004: the distance of two nodes in the drawing
should be that in the graph. Nothing is random, so that the same query always gives the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
Edge: TypeAlias = tuple[Sequence[int], Sequence[int]]

_MOST_MAJORIZED: Final = 40
"""Larger graphs stand in rows: the time is quadratic, and no shape is left to see."""
_ROUNDS: Final = 80
_SAME_SIDE: Final = 0.9
_APART: Final = 0.95
"""What two nodes are apart at least, where an edge is 1 long."""


def place_nodes(nodes: Sequence[int], edges: Sequence[Edge]) -> dict[int, Point]:
    """A place for each node; an edge is about 1 long. Nodes on one side of a hyperedge are near each other."""
    order = _walk(nodes, edges)
    if len(order) == 1:
        return {order[0]: (0.0, 0.0)}
    if len(order) > _MOST_MAJORIZED:
        return _in_rows(order)
    places, distances = _on_circle(order), _distances(order, edges)
    for _ in range(_ROUNDS):
        places = _majorized(order, places, distances)
    places = _apart(_turned(places))
    return {node: (round(x, 3), round(y, 3)) for node, (x, y) in places.items()}


def _neighbors(nodes: Sequence[int], edges: Sequence[Edge]) -> dict[int, dict[int, float]]:
    """How far from each node those are that share an edge with it."""
    near: dict[int, dict[int, float]] = {node: {} for node in nodes}
    for left, right in edges:
        wide = math.sqrt(max(len(left), len(right)))  # there must be room for a hull
        pairs = [(a, b, wide) for a in left for b in right]
        pairs += [(a, b, _SAME_SIDE) for side in (left, right) for a, b in combinations(side, 2)]
        for a, b, distance in pairs:
            near[a][b] = near[b][a] = min(distance, near[a].get(b, math.inf))
    return near


def _walk(nodes: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """The nodes in an order in which neighbours follow each other where that is possible, depth first."""
    near = _neighbors(nodes, edges)
    ends = sorted(nodes, key=lambda node: (len(near[node]), node))
    found: dict[int, None] = {}
    for start in ends:
        stack = [start]
        while stack:
            node = stack.pop()
            if node not in found:
                found[node] = None
                stack += sorted(near[node], key=lambda other: (-len(near[other]), -other))
    return list(found)


def _on_circle(order: Sequence[int]) -> dict[int, Point]:
    radius = max(0.6, len(order) / (2 * math.pi))
    angles = {node: 2 * math.pi * place / len(order) - math.pi / 2 for place, node in enumerate(order)}
    return {node: (radius * math.cos(angle), radius * math.sin(angle)) for node, angle in angles.items()}


def _in_rows(order: Sequence[int]) -> dict[int, Point]:
    """Rows that go to and fro, so that neighbours in the order stay neighbours."""
    columns = math.ceil(math.sqrt(1.5 * len(order)))
    places = {}
    for place, node in enumerate(order):
        row, column = divmod(place, columns)
        places[node] = (float(columns - 1 - column if row % 2 else column), row * 0.9)
    return places


def _distances(nodes: Sequence[int], edges: Sequence[Edge]) -> dict[tuple[int, int], float]:
    """The shortest ways in the graph (Floyd and Warshall), long ones shortened: a chain bends and needs less room."""
    near = _neighbors(nodes, edges)
    far = {(a, b): near[a].get(b, math.inf) for a in nodes for b in nodes}
    for middle in nodes:
        for a in nodes:
            first = far[a, middle]
            for b in nodes:
                far[a, b] = min(far[a, b], first + far[middle, b])
    longest = max((each for each in far.values() if each < math.inf), default=1.0)
    bent = 1.0 if longest <= 4 else 0.72
    return {pair: (longest + 1 if way == math.inf else way) ** bent for pair, way in far.items() if pair[0] != pair[1]}


def _majorized(
    nodes: Sequence[int], places: Mapping[int, Point], distances: Mapping[tuple[int, int], float]
) -> dict[int, Point]:
    """One round: each node to the mean of where the others want it, weighted by the squares of the distances."""
    moved = {}
    for node in nodes:
        x, y = places[node]
        sum_x = sum_y = weights = 0.0
        for other in nodes:
            if other == node:
                continue
            wanted = distances[node, other]
            other_x, other_y = places[other]
            weight = 1 / (wanted * wanted)
            apart = math.hypot(x - other_x, y - other_y) or 1e-9
            sum_x += weight * (other_x + wanted * (x - other_x) / apart)
            sum_y += weight * (other_y + wanted * (y - other_y) / apart)
            weights += weight
        moved[node] = (sum_x / weights, sum_y / weights)
    return moved


def _turned(places: Mapping[int, Point]) -> dict[int, Point]:
    """The same with its longest extent from left to right, and its first node on the left."""
    count = len(places)
    middle_x = sum(x for x, _ in places.values()) / count
    middle_y = sum(y for _, y in places.values()) / count
    xx = sum((x - middle_x) ** 2 for x, _ in places.values())
    yy = sum((y - middle_y) ** 2 for _, y in places.values())
    xy = sum((x - middle_x) * (y - middle_y) for x, y in places.values())
    angle = math.atan2(2 * xy, xx - yy) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    turned = {
        node: ((x - middle_x) * cos + (y - middle_y) * sin, (y - middle_y) * cos - (x - middle_x) * sin)
        for node, (x, y) in places.items()
    }
    first = min(turned)
    flip_x = -1 if turned[first][0] > 0 else 1
    flip_y = -1 if turned[first][1] > 0 else 1
    return {node: (x * flip_x, y * flip_y) for node, (x, y) in turned.items()}


def _apart(places: Mapping[int, Point]) -> dict[int, Point]:
    """The same larger, where nodes would touch."""
    nearest = min(math.dist(a, b) for a, b in combinations(places.values(), 2))
    scale = min(2.5, max(1.0, _APART / max(nearest, 1e-9)))
    return {node: (x * scale, y * scale) for node, (x, y) in places.items()}
