"""Which tables the leaves of a join region stand for.

A leaf is one table mostly, whatever it is computed of. Below a full join it may be joins with a filter above them;
these are a region of their own, and the leaf stands for all of its tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.node_set import NodeSet, lowest, members, single, union
from minisql.parser.keywords import quoted_name
from minisql.relational.relational_expression import (
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    Limit,
    Project,
    RelationalExpression,
    SharedScan,
    Sort,
    Values,
    WorkingTable,
    inputs,
    output_tables,
)


def leaves_of(region: RelationalExpression) -> Iterator[RelationalExpression]:
    """What a region joins, from left to right, regions in its leaves looked into; what is no region itself."""
    waiting = [region]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Join):
            waiting += [node.right, node.left]
        elif isinstance(node, Filter) and is_join_region(node):
            waiting.append(node.input)
        else:
            yield node


def tables_of_region(expression: RelationalExpression) -> NodeSet:
    """The tables that a region joins, those of regions in its leaves included; the one table of what is no region."""
    return union(single(lowest(output_tables(leaf))) for leaf in leaves_of(expression))


def leaves_of_several_tables(graph: JoinHypergraph) -> dict[int, NodeSet]:
    """The tables of each leaf that is a region, by its node."""
    return {node: tables_of_region(leaf) for node, leaf in graph.leaves.items() if is_join_region(leaf)}


def tables_of_nodes(nodes: NodeSet, groups: Mapping[int, NodeSet]) -> NodeSet:
    """All tables of these nodes. `groups` are those of the leaves that are several tables."""
    return NodeSet(nodes | union(tables for node, tables in groups.items() if nodes & node))


def alias_of(leaf: RelationalExpression) -> str:
    """What the leaf is called in the query, whatever is done to its rows; '' where it has no name of its own."""
    while isinstance(leaf, JoinOrder | Filter | Sort | Limit):
        leaf = leaf.input
    return leaf.alias if isinstance(leaf, BaseTable | Values | SharedScan | WorkingTable | Project) else ""


def _quoted_alias(leaf: RelationalExpression) -> str:
    return quoted_name(alias) if (alias := alias_of(leaf)) else ""


def leaf_names(graph: JoinHypergraph, names: Mapping[int, str]) -> dict[int, str]:
    """The names of the nodes: those given of their tables, or else what the leaves are called."""
    found = {}
    for table in members(graph.graph.nodes):
        leaf = graph.leaves[single(table)]
        name = names.get(table)
        if is_join_region(leaf):
            name = f"({' '.join(names.get(each, f'#{each}') for each in members(tables_of_region(leaf)))})"
        elif name is None:
            name = _quoted_alias(leaf)
        found[table] = name or called_after_tables(leaf)
    return found


def called_after_tables(expression: RelationalExpression) -> str:
    """A name for an expression without one, after the tables that it is computed of."""
    waiting, inside = [expression], []
    while waiting:
        node = waiting.pop()
        waiting += reversed(inputs(node))
        if not inputs(node) and (alias := _quoted_alias(node)):
            inside.append(alias)
    return f"(subquery on {', '.join(dict.fromkeys(inside))})" if inside else "(subquery)"
