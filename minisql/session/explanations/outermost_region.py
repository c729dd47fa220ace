"""The outermost join region of a query, whose order may vary while others keep their best, and its order in a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from minisql.errors import InternalError
from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.node_set import NodeSet
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath, HashJoin, NestedLoopJoin
from minisql.optimizer.recursion import EXPECTED_ROUNDS
from minisql.query_block.query_block import OrderedJoin
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    BaseTable,
    Join,
    JoinOrder,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SharedScan,
    Values,
    WorkingTable,
    inputs,
)


class Region:
    """The outermost join region of a query: the first one on the way down, in set operations from the left."""

    def __init__(self, above: Sequence[RelationalExpression], region: RelationalExpression) -> None:
        self.region = region
        self._above = above

    @staticmethod
    def outermost(expression: RelationalExpression) -> Region | None:
        """The region, None where the query joins nothing."""
        waiting: list[tuple[RelationalExpression, tuple[RelationalExpression, ...]]] = [(expression, ())]
        while waiting:
            node, above = waiting.pop()
            if is_join_region(node):
                return Region(above, node)
            waiting += [(input_, (*above, node)) for input_ in reversed(inputs(node))]
        return None

    @property
    def owner(self) -> int | None:
        """The table that is computed of the region: it belongs to the query block that has the joins in its FROM."""
        for node in reversed(self._above):
            if isinstance(node, Project | Aggregate | SetOperation | RecursiveUnion):
                return node.table
        return None

    def ordered(self, joins: tuple[OrderedJoin, ...], names: Mapping[int, str]) -> RelationalExpression:
        """The whole query with this order of the region, whatever a hint says."""
        below = self.region
        result: RelationalExpression = JoinOrder(input=below, joins=joins, names=names)
        for node in reversed(self._above):
            if isinstance(node, JoinOrder):
                below = node
                continue
            if isinstance(node, SetOperation | Apply):
                result = replace(node, left=result) if node.left is below else replace(node, right=result)
            elif isinstance(node, RecursiveUnion):
                result = replace(node, anchor=result) if node.anchor is below else replace(node, step=result)
            else:
                assert not isinstance(node, BaseTable | Values | OneRow | SharedScan | WorkingTable | Join)
                result = replace(node, input=result)
            below = node
        return result


def order_of(path: AccessPath, nodes: NodeSet) -> tuple[OrderedJoin, ...]:
    """The order in which a path joins the nodes of a region, each join after those in its sides.

    Sides are as EXPLAIN prints them: the left one of a hash join probes.
    """
    joins: list[OrderedJoin] = []
    waiting = [path]
    while waiting:
        path = waiting.pop()
        inside = path.nodes & nodes
        if inside & (inside - 1) == 0:
            continue
        if isinstance(path, access_path.Filter):
            waiting.append(path.input)
            continue
        assert isinstance(path, HashJoin | NestedLoopJoin)
        left, right = NodeSet(path.left.nodes & nodes), NodeSet(path.right.nodes & nodes)
        if isinstance(path, HashJoin) and path.build_left:
            left, right = right, left
        joins.append(OrderedJoin(left=left, right=right))
        waiting += [path.left, path.right]
    joins.reverse()
    return tuple(joins)


def path_of_region(path: AccessPath, nodes: NodeSet) -> AccessPath:
    """The part of a path that joins the nodes of a region, with the filters above the joins."""
    return _find_region(path, nodes)[0]


def cost_with(plan: AccessPath, nodes: NodeSet, cost: float) -> float:
    """The cost of a plan if the part of it that joins the nodes of a region cost so much.

    A part that runs several times, in the step of a recursion or for the rows around a subquery, counts as often.
    """
    part, runs = _find_region(plan, nodes)
    return plan.cost + runs * (cost - part.cost)


def _find_region(path: AccessPath, nodes: NodeSet) -> tuple[AccessPath, float]:
    """The part of a path that joins the nodes of a region, and how many times it runs."""
    waiting = [(path, 1.0)]
    while waiting:
        path, runs = waiting.pop()
        if not nodes & ~path.nodes and isinstance(_below_filters(path), HashJoin | NestedLoopJoin):
            return path, runs
        waiting += [(below, runs * times) for below, times in reversed(_inputs_and_runs(path))]
    raise InternalError("The path has no such region.")


def _inputs_and_runs(path: AccessPath) -> list[tuple[AccessPath, float]]:
    """The inputs of a path, and how many times it runs each."""
    match path:
        case access_path.Apply():
            return [(path.left, 1.0), (path.right, path.runs)]
        case access_path.RecursiveUnion():
            return [(path.anchor, 1.0), (path.step, EXPECTED_ROUNDS)]
        case _:
            return [(below, 1.0) for below in access_path.inputs(path)]


def _below_filters(path: AccessPath) -> AccessPath:
    while isinstance(path, access_path.Filter):
        path = path.input
    return path
