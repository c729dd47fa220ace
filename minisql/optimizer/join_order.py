"""Orders of a join region that are prescribed: by a JOIN_TREE hint, or because somebody asks for one plan of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from minisql.errors import ProgrammingError, Span
from minisql.expression.format import format_conditions
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import leaf_names, leaves_of_several_tables, tables_of_region
from minisql.hypergraph.why_not import Obstacle, explain_why_not
from minisql.node_set import NodeSet, is_subset, lowest, members, overlaps, single, union
from minisql.optimizer.costing_receiver import BUILD_LEFT, BUILD_RIGHT, Entry, PlanReceiver
from minisql.query_block.query_block import OrderedJoin
from minisql.query_block.table_names import name_of_whole
from minisql.relational.relational_expression import (
    Filter,
    JoinOrder,
    RelationalExpression,
)

Leaves: TypeAlias = tuple[RelationalExpression, ...]


class ForbiddenJoin(NamedTuple):
    """Why an order may not be followed: a sentence, its place, and what kind of reason it is.

    `named` are the joins that the sentence names, each as the leaves of its two sides.
    """

    reason: str
    span: Span | None
    obstacle: Obstacle
    named: tuple[tuple[Leaves, Leaves], ...] = ()


class SplitOrder(NamedTuple):
    """An order in terms of the nodes of a region, and the orders of the leaves that are regions, by node."""

    joins: tuple[OrderedJoin, ...]
    leaves: dict[int, JoinOrder]


def split_order(order: JoinOrder, graph: JoinHypergraph) -> SplitOrder:
    """Takes apart an order of the tables of a region.

    A leaf of several tables is joined on its own before it is joined to others. Its order is free where the order has
    its node alone.

    Raises:
        ProgrammingError: the order is not one of the tables of this region, or has such a leaf in pieces.
    """
    last = order.joins[-1]
    named = last.left | last.right
    groups = {node: tables for node, tables in leaves_of_several_tables(graph).items() if named & tables != node}
    joins, inner = [], {node: list[OrderedJoin]() for node in groups}
    for join in order.joins:
        owner = next((node for node, tables in groups.items() if is_subset(join.tables, tables)), None)
        if owner is not None:
            inner[owner].append(join)
            continue
        left, right = join.left, join.right
        for node, tables in groups.items():
            if overlaps(tables, join.tables):
                if not is_subset(tables, left) and not is_subset(tables, right):
                    raise _in_pieces(graph.leaves[node], tables, order, join)
                if overlaps(tables, left):
                    left = NodeSet(left & ~tables | node)
                else:
                    right = NodeSet(right & ~tables | node)
        joins.append(replace(join, left=left, right=right))
    joins = complete_order(joins, ((each.left_tables, each.right_tables) for each in graph.operators))
    if joins[-1].tables != graph.graph.nodes:
        raise _other_tables(order, graph)
    leaves = {node: replace(order, input=graph.leaves[node], joins=tuple(inner[node])) for node in groups}
    return SplitOrder(tuple(joins), leaves)


def complete_order(order: Iterable[OrderedJoin], sides: Iterable[tuple[NodeSet, NodeSet]]) -> list[OrderedJoin]:
    """The order with the joins with subqueries in ON, which no hint can name.

    What has no name is joined as written, as soon as all that has one and is written on the other side of its join is
    there: the subquery of `a LEFT JOIN (b JOIN c ON EXISTS (...)) ON ...` in the order (a (b c)) after b and c.

    Args:
        order: joins of tables with names, each after those in its sides; of two tables at least.
        sides: those of the joins as written, each after those in its inputs.
    """
    order = tuple(order)
    named = order[-1].tables
    completed, waiting = list[OrderedJoin](), list[tuple[NodeSet, NodeSet, bool]]()
    for left, right in sides:
        if not overlaps(NodeSet(left | right), named):
            completed.append(OrderedJoin(left=left, right=right))
        elif not overlaps(right, named):
            waiting.append((NodeSet(left & named), right, False))
        elif not overlaps(left, named):
            waiting.append((NodeSet(right & named), left, True))
    if not waiting:
        return list(order)
    grown = {table: table for table in map(single, members(named))}

    def complete(tables: NodeSet) -> None:
        for each in [each for each in waiting if is_subset(each[0], tables)]:
            waiting.remove(each)
            _, unnamed, is_left = each
            left, right = (unnamed, grown[tables]) if is_left else (grown[tables], unnamed)
            completed.append(OrderedJoin(left=left, right=right))
            grown[tables] = completed[-1].tables

    for table in tuple(grown):
        complete(table)
    for join in order:
        completed.append(replace(join, left=grown[join.left], right=grown[join.right]))
        grown[join.tables] = completed[-1].tables
        complete(join.tables)
    return completed


def _in_pieces(leaf: RelationalExpression, tables: NodeSet, order: JoinOrder, join: OrderedJoin) -> ProgrammingError:
    names = ", ".join(order.names.get(table, f"#{table}") for table in members(tables))
    conditions = format_conditions(leaf.conditions) if isinstance(leaf, Filter) else ""
    return ProgrammingError(
        f"The tables {names} can be joined to others only together, because of {conditions} below a full join.",
        join.span,
    )


def follow_order(
    joins: Iterable[OrderedJoin], graph: JoinHypergraph, receiver: PlanReceiver, names: Mapping[int, str]
) -> None:
    """Gives the receiver the pairs of an order of the nodes and no others. `names` are those of the tables.

    The left side of a hash join is to probe and the right one to be hashed, whatever that costs. A nested-loop join has
    no such roles. An order may not make a product that the enumeration does not consider: no rule says whether it would
    be right.

    Raises:
        ProgrammingError: two sides of the order may not be joined.
    """
    forbidden = try_order(joins, graph, receiver, names)
    if forbidden is not None:
        raise ProgrammingError(forbidden.reason, forbidden.span)


def try_order(
    joins: Iterable[OrderedJoin], graph: JoinHypergraph, receiver: PlanReceiver, names: Mapping[int, str]
) -> ForbiddenJoin | None:
    """The same, with an answer in the place of the error."""
    for node in graph.leaves:
        receiver.found_single_node(node)
    for join in joins:
        if graph.graph.connects(join.left, join.right):
            receiver.found_subgraph_pairs(join.left, [join.right])
        if join.tables not in receiver.seen:
            found = explain_why_not(graph, join.left, join.right, leaf_names(graph, names))
            named = [graph.operators[number] for number in found.named]
            sides = [(_leaves(graph, each.left_tables), _leaves(graph, each.right_tables)) for each in named]
            return ForbiddenJoin(found.text, join.span, found.obstacle, tuple(sides))
        _hash_right(receiver.seen[join.tables])
    return None


def _leaves(graph: JoinHypergraph, nodes: NodeSet) -> Leaves:
    return tuple([graph.leaves[single(node)] for node in members(nodes)])


def _hash_right(entry: Entry) -> None:
    """Makes a hash join build the table of its right side."""
    left, right = entry.left, entry.right
    assert left is not None
    assert right is not None
    if entry.method == BUILD_LEFT:
        entry.cost += right.build + right.probe * left.rows - left.build - left.probe * right.rows
        entry.method = BUILD_RIGHT


def has_other_tables(order: JoinOrder, graph: JoinHypergraph) -> bool:
    """Whether the order names tables that are no tables of the region."""
    known = union(tables_of_region(leaf) for leaf in graph.leaves.values())
    return not is_subset(order.joins[-1].tables, known)


def _other_tables(order: JoinOrder, graph: JoinHypergraph) -> ProgrammingError:
    """The hint names tables of a derived table that is not merged into the query."""
    last = order.joins[-1]
    known = union(tables_of_region(leaf) for leaf in graph.leaves.values())
    inner = NodeSet(last.tables & ~known)
    assert inner
    name = order.names.get(lowest(inner), f"#{lowest(inner)}")
    whole = name_of_whole([name], [each for each in order.names.values() if each != name])
    return ProgrammingError(
        f"{name} cannot be joined on its own: {whole or 'what it is part of'} is computed as a whole.",
        last.span,
        hint=f"Name {whole} in its place." if whole else None,
    )
