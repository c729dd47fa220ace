"""The join regions of a planned query as data for people and pages: what EXPLAIN HYPERGRAPH shows.

A node is an input of the joins and has the number of its table, which is unique in the whole statement; sets of nodes
are ascending tuples of these numbers. Conditions and rules are text. All of it is JSON as `to_dict` gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from minisql.expression.format import format_expression
from minisql.expression.nodes import Expression
from minisql.expression.walk import tables_of
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import leaf_names
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.node import value_node
from minisql.node_set import NodeSet, members, single, union
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.relational.relational_expression import (
    BaseTable,
    Filter,
    RelationalExpression,
    inputs,
)
from minisql.relational.shared import shared_users_first

Nodes = tuple[int, ...]


@value_node
class NodeDescription:
    """An input of the joins.

    Attributes:
        number: the number of its table in the statement.
        name: what the query calls it.
        table: the table that it reads; '' where it is computed.
        rows: how many rows the optimizer expects of it, under its conditions.
        conditions: those that were pushed down to it.
    """

    number: int
    name: str
    table: str
    rows: float
    conditions: tuple[str, ...]


@value_node
class EdgeDescription:
    """Conditions that join two sets of nodes.

    Attributes:
        number: counts the edges of the region from 1.
        join_type: 'inner', 'left', 'full', 'semi' or 'anti'.
        left: the nodes that must be in the one input of the join.
        right: those that must be in the other.
        ses: the syntactic eligibility set: the nodes that the conditions use.
        tes: the total eligibility set: all of `left` and `right`.
        conditions: the conjuncts; none where it is a product.
        rules: a sentence for each reason why the join may not be made as soon as its `ses` is there.
    """

    number: int
    join_type: str
    left: Nodes
    right: Nodes
    ses: Nodes
    tes: Nodes
    conditions: tuple[str, ...]
    rules: tuple[str, ...]


@value_node
class FilterDescription:
    """Conditions above outer joins that no join could take up; applied once `nodes` are joined, where `rules` allow."""

    nodes: Nodes
    conditions: tuple[str, ...]
    rules: tuple[str, ...]


@value_node
class RegionDescription:
    """A group of joins that are ordered together, and what was done to it before."""

    nodes: tuple[NodeDescription, ...]
    edges: tuple[EdgeDescription, ...]
    filters: tuple[FilterDescription, ...]
    simplifications: tuple[str, ...]
    derived: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as dictionaries, lists, strings and numbers, for JSON."""
        return asdict(self)


def describe_regions(
    expression: RelationalExpression, path: AccessPath, names: Mapping[int, str]
) -> list[RegionDescription]:
    """The regions of a query, the outermost first; `names` are what hints call its tables."""
    rows = _expected_rows(path)
    return [_describe(graph, rows, names) for graph in _regions(expression)]


def _regions(expression: RelationalExpression) -> Iterator[JoinHypergraph]:
    waiting = [*(shared.input for shared in reversed(shared_users_first(expression))), expression]
    while waiting:
        node = waiting.pop()
        if is_join_region(node):
            graph = make_join_hypergraph(node)
            yield graph
            waiting += reversed(graph.leaves.values())
        else:
            waiting += reversed(inputs(node))


def _expected_rows(path: AccessPath) -> dict[NodeSet, float]:
    """The rows of the topmost path for each set of nodes."""
    rows: dict[NodeSet, float] = {}
    waiting = [path]
    seen = set[access_path.Shared]()
    while waiting:
        path = waiting.pop()
        rows.setdefault(path.nodes, path.rows)
        waiting += access_path.inputs(path)
        if isinstance(path, access_path.SharedScan) and path.shared not in seen:
            seen.add(path.shared)
            waiting.append(path.shared.input)
    return rows


def _describe(graph: JoinHypergraph, rows: Mapping[NodeSet, float], names: Mapping[int, str]) -> RegionDescription:
    called = leaf_names(graph, names)
    nodes = []
    for number in members(graph.graph.nodes):
        leaf = graph.leaves[single(number)]
        nodes.append(
            NodeDescription(
                number=number,
                name=called[number],
                table=_table_name(leaf),
                rows=rows.get(single(number), 0.0),
                conditions=_conditions(leaf.conditions) if isinstance(leaf, Filter) else (),
            )
        )
    edges = [
        EdgeDescription(
            number=number,
            join_type=graph.operators[edge.operator].type.value,
            left=tuple(members(edge.eligibility.left)),
            right=tuple(members(edge.eligibility.right)),
            ses=tuple(members(union(map(tables_of, edge.conditions)))),
            tes=tuple(members(edge.eligibility.tables)),
            conditions=_conditions(edge.conditions),
            rules=(),
        )
        for number, edge in enumerate(graph.edges, 1)
    ]
    return RegionDescription(nodes=tuple(nodes), edges=tuple(edges), filters=(), simplifications=(), derived=())


def _table_name(leaf: RelationalExpression) -> str:
    while isinstance(leaf, Filter):
        leaf = leaf.input
    return leaf.source.name if isinstance(leaf, BaseTable) else ""


def _conditions(conditions: tuple[Expression, ...]) -> tuple[str, ...]:
    return tuple([format_expression(condition) for condition in conditions])
