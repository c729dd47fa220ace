"""Sets of tables as bits of an int.

Bit i stands for table number i. A statement numbers its tables once, over all its query blocks, and every stage uses
these numbers: the same int is a set of tables in an expression, a set of nodes in the hypergraph, and the tables of an
access path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

NodeSet = NewType("NodeSet", int)

EMPTY = NodeSet(0)


def single(node: int) -> NodeSet:
    """The set of one node."""
    return NodeSet(1 << node)


def node_set(nodes: Iterable[int]) -> NodeSet:
    """The set of these nodes."""
    result = 0
    for node in nodes:
        result |= 1 << node
    return NodeSet(result)


def union(sets: Iterable[NodeSet]) -> NodeSet:
    """The union of the sets."""
    result = 0
    for nodes in sets:
        result |= nodes
    return NodeSet(result)


def members(nodes: NodeSet) -> Iterator[int]:
    """The nodes of the set, lowest first."""
    rest = int(nodes)
    while rest:
        lowest = rest & -rest
        yield lowest.bit_length() - 1
        rest ^= lowest


def is_subset(small: NodeSet, large: NodeSet) -> bool:
    """Whether every node of `small` is in `large`."""
    return small & ~large == 0


def overlaps(left: NodeSet, right: NodeSet) -> bool:
    """Whether the sets share a node."""
    return left & right != 0


def lowest(nodes: NodeSet) -> int:
    """The smallest node of a set that is not empty."""
    return (nodes & -nodes).bit_length() - 1


def subsets(nodes: NodeSet) -> Iterator[NodeSet]:
    """The non-empty subsets of `nodes`, each after its own subsets (Vance and Maier, SIGMOD 1996)."""
    subset = nodes & -nodes
    while subset:
        yield NodeSet(subset)
        subset = (subset - nodes) & nodes
