"""Orders as binary trees: that of a query as written, and those that are near one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TypeAlias

from minisql.node_set import NodeSet, single
from minisql.optimizer.search_space import Order
from minisql.query_block.query_block import FromTree, JoinedTable, OrderedJoin

OrderTree: TypeAlias = "int | tuple[OrderTree, OrderTree]"
"""A table, or the trees of two sides."""


def written_tree(tree: FromTree | None) -> OrderTree | None:
    """The order as written of the tables that have a name; None where there is none."""
    if not isinstance(tree, JoinedTable):
        return tree.table if tree is not None and tree.alias else None
    left, right = written_tree(tree.left), written_tree(tree.right)
    if left is None or right is None:
        return right if left is None else left
    return left, right


def orders_near(tree: OrderTree, steps: int) -> Iterator[list[Order]]:
    """The orders that are one step from a tree, those that are two steps away, and so on.

    A step exchanges two joins next to each other: ((a b) c) is next to (a (b c)) and to ((a c) b).
    """
    seen = {_shape(tree)}
    ring = [tree]
    for _ in range(steps):
        found = []
        for near in (each for old in ring for each in _neighbors(old)):
            shape = _shape(near)
            if shape not in seen:
                seen.add(shape)
                found.append(near)
        ring = found
        yield [tuple(_joins(each)) for each in ring]


def _neighbors(tree: OrderTree) -> Iterator[OrderTree]:
    if isinstance(tree, int):
        return
    left, right = tree
    if not isinstance(left, int):
        yield left[0], (left[1], right)
        yield (left[0], right), left[1]
    if not isinstance(right, int):
        yield (left, right[0]), right[1]
        yield right[0], (left, right[1])
    yield from ((near, right) for near in _neighbors(left))
    yield from ((left, near) for near in _neighbors(right))


def _shape(tree: OrderTree) -> Hashable:
    """What is the same for two trees exactly if they differ in the sides of joins alone."""
    return tree if isinstance(tree, int) else frozenset(map(_shape, tree))


def _joins(tree: OrderTree) -> Iterator[OrderedJoin]:
    """The joins of a tree, each after those in its sides."""
    if not isinstance(tree, int):
        yield from _joins(tree[0])
        yield from _joins(tree[1])
        yield OrderedJoin(left=_tables(tree[0]), right=_tables(tree[1]))


def _tables(tree: OrderTree) -> NodeSet:
    return single(tree) if isinstance(tree, int) else NodeSet(_tables(tree[0]) | _tables(tree[1]))
