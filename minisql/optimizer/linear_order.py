"""Puts the inputs of a group of joins in a line: the best order in which to join them one after the other.

IKKBZ (Ibaraki and Kameda, TODS 1984; Krishnamurthy, Boral and Zaniolo, VLDB 1986): where joins make a tree, and each
input multiplies the rows of what was joined before by a number that depends on its neighbor alone, the order with the
smallest sum of intermediate results is found without search. Rooted at its first input, the tree says that each input
comes after its parent. Two runs of inputs that may change places do so by their *rank*, (T - 1) / C, where T is what
the run multiplies the rows by and C the sum of its intermediate results for each row that enters it. A run whose rank
is higher than that of a run that has to follow is made one with it.

Two things are added to this, as in Radke and Neumann, "LinDP++: Generalizing Linearized DP to Crossproducts and
Non-Inner Joins", BTW 2019. A graph that is no tree is cut down to a spanning tree of its most selective edges. And a
hyperedge leads on only from a side that is wholly there, to a side that is kept in one piece: an input that needs two
others comes after both of them, and two inputs that are needed together by a third one stand next to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from minisql.node_set import NodeSet, lowest, members
from minisql.partition import Partition

MOST: Final = 1e150
"""Products stop here, so that no rank is infinity over infinity."""
_LEAST: Final = 1e-150


class LinearEdge(NamedTuple):
    """An edge between two disjoint sets of inputs, by their places.

    Attributes:
        left, right: the sets.
        grows_left: the rows of the join for each row of the right side, which the left side is joined to.
        grows_right: the rows of the join for each row of the left side.
        selectivity: the share of pairs of rows that the edge lets through.
    """

    left: NodeSet
    right: NodeSet
    grows_left: float
    grows_right: float
    selectivity: float


class _Run(NamedTuple):
    """Inputs that stay together in this order; `total` is T and `cost` is C, see the module."""

    rank: float
    total: float
    cost: float
    members: tuple[int, ...]


def linear_order(rows: Sequence[float], edges: Sequence[LinearEdge], most_roots: int) -> list[int]:
    """The order of the inputs 0, 1, ... that has the smallest sum of intermediate results.

    `rows` are those of each input. As the first input, the `most_roots` smallest ones and the one with the most edges
    are tried.
    """
    tree = _spanning_tree(edges)
    roots = sorted(range(len(rows)), key=lambda place: rows[place])[:most_roots]
    if most_roots < len(rows):
        degrees = [sum((edge.left | edge.right) >> place & 1 for edge in tree) for place in range(len(rows))]
        roots.append(degrees.index(max(degrees)))
    at: list[list[tuple[NodeSet, NodeSet, float]]] = [[] for _ in rows]
    for edge in tree:
        for source, target, growth in (
            (edge.left, edge.right, edge.grows_right),
            (edge.right, edge.left, edge.grows_left),
        ):
            for place in members(source):
                at[place].append((source, target, growth))
    best: tuple[float, list[int]] | None = None
    for root in dict.fromkeys(roots):
        cost, order = _rooted_order(root, rows[root], at)
        if best is None or cost < best[0]:
            best = cost, order
    assert best is not None
    return best[1]


def _spanning_tree(edges: Sequence[LinearEdge]) -> list[LinearEdge]:
    """The edges of a spanning tree, the most selective ones first; of a side of several inputs, one stands for all.

    Edges with such a side come first. To leave them out would lose what they ask of the order.
    """
    parts: Partition[int] = Partition()
    by_selectivity = sorted(edges, key=lambda edge: (_is_simple(edge), edge.selectivity))
    return [
        edge for edge in by_selectivity if parts.join(lowest(edge.left), lowest(edge.right)) or not _is_simple(edge)
    ]


def _is_simple(edge: LinearEdge) -> bool:
    return edge.left & (edge.left - 1) == 0 and edge.right & (edge.right - 1) == 0


def _rooted_order(root: int, rows: float, at: list[list[tuple[NodeSet, NodeSet, float]]]) -> tuple[float, list[int]]:
    """The best order that begins with the root, and its cost."""
    tree = _PrecedenceTree(root, at)
    runs: dict[int, list[_Run]] = {}  # of each subtree, the last run first
    for place in reversed(tree.parents_first()):
        below = [runs.pop(child) for child in tree.children[place]]
        following = below[0] if len(below) == 1 else sorted([run for each in below for run in each], reverse=True)
        if place != root:
            growth = tree.growths[place]
            _prepend(_run(growth, growth, (place,)), following, tree.groups.get(place, 0))
        runs[place] = following
    found = [root]
    cost, total = 0.0, rows
    for run in reversed(runs[root]):
        found += run.members
        cost = min(cost + total * run.cost, MOST)
        total = min(total * run.total, MOST)
    return cost, found


class _PrecedenceTree:
    """The tree of a root: an input comes after its parent.

    Attributes:
        children: of each input.
        growths: what each input multiplies the rows by.
        groups: for some inputs, those that have to follow without a gap, itself among them.
    """

    def __init__(self, root: int, at: list[list[tuple[NodeSet, NodeSet, float]]]) -> None:
        self._root = root
        self._parent: dict[int, int] = {}
        self.children: list[list[int]] = [[] for _ in at]
        self.growths = [1.0] * len(at)
        self.groups: dict[int, int] = {}
        there, everything = 1 << root, (1 << len(at)) - 1
        reached = [root]
        for place in reached:
            for source, target, growth in at[place]:
                if source & ~there or target & there:
                    continue
                child = lowest(target)
                self._add(child, self._below_all(source, place), growth)
                if target & (target - 1):
                    self.groups[child] = target
                there |= 1 << child
                reached.append(child)
            if place == reached[-1] and there != everything:
                # No edge leads to the rest, or none that may be followed.
                child = lowest(NodeSet(everything & ~there))
                self._add(child, place, 1.0)
                there |= 1 << child
                reached.append(child)

    def parents_first(self) -> list[int]:
        """The inputs, each after its parent."""
        found = [self._root]
        for place in found:
            found += self.children[place]
        return found

    def _add(self, place: int, parent: int, growth: float) -> None:
        self._parent[place] = parent
        self.children[parent].append(place)
        self.growths[place] = min(max(growth, _LEAST), MOST)

    def _below_all(self, source: NodeSet, last: int) -> int:
        """An input that comes after all of `source`, where they are below each other, which this sees to."""
        if source & (source - 1) == 0:
            return last
        above = self._ancestors(last)
        for place in members(source):
            if place in above:
                continue
            ancestors = self._ancestors(place)
            if last not in ancestors:
                self.children[self._parent[place]].remove(place)
                self._parent[place] = last
                self.children[last].append(place)
            last, above = place, self._ancestors(place)
        return last

    def _ancestors(self, place: int) -> set[int]:
        """The input and all above it."""
        found = {place}
        while place in self._parent:
            place = self._parent[place]
            found.add(place)
        return found


def _prepend(run: _Run, following: list[_Run], group: int) -> None:
    """Puts a run before those that have to follow it, made one with those of them that do not stay behind it.

    The `group` is kept in one piece.
    """
    missing = group
    for place in run.members:
        missing &= ~(1 << place)
    has_rest = missing and any(missing >> place & 1 for each in following for place in each.members)
    while following and (has_rest or following[-1].rank < run.rank):
        after = following.pop()
        for place in after.members:
            missing &= ~(1 << place)
        has_rest = missing and any(missing >> place & 1 for each in following for place in each.members)
        run = _run(
            min(run.total * after.total, MOST),
            min(run.cost + run.total * after.cost, MOST),
            run.members + after.members,
        )
    following.append(run)


def _run(total: float, cost: float, members: tuple[int, ...]) -> _Run:
    total, cost = max(total, _LEAST), max(cost, _LEAST)
    return _Run((total - 1) / cost, total, cost, members)
