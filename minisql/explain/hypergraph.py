"""Prints the hypergraph of each group of joins in a query.

    left join a - b on a.k = b.k
    left join {a, b} - c on coalesce(b.y, 1) = c.k
        with a also b

The sides of an edge are the tables that must be there before the join may be made; *with a also b* is a conflict rule:
where a is joined already, b must be, too.
"""

from __future__ import annotations

from minisql.expression.format import format_conditions
from minisql.hypergraph.conflicts import ConflictRule
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import alias_of
from minisql.hypergraph.make_join_hypergraph import hypergraphs_inside
from minisql.node_set import NodeSet, members, single
from minisql.relational.relational_expression import RelationalExpression


def show_hypergraphs(expression: RelationalExpression) -> str:
    """The hypergraphs of all join regions of a query, the outermost first, with an empty comment line between them."""
    return "\n--\n".join(_show(graph) for graph in hypergraphs_inside(expression))


def _show(graph: JoinHypergraph) -> str:
    leaves = ((table, graph.leaves[single(table)]) for table in members(graph.graph.nodes))
    names = {table: alias_of(leaf) or f"#{table}" for table, leaf in leaves}
    lines = []
    for edge in graph.edges:
        operator = graph.operators[edge.operator]
        left, right = _set(edge.eligibility.left, names), _set(edge.eligibility.right, names)
        lines.append(f"{operator.type.value} join {left} - {right} on {format_conditions(edge.conditions)}")
        lines += [f"    {_rule(rule, names)}" for rule in edge.eligibility.rules]
    for filter_ in graph.filters:
        lines.append(f"filter {_set(filter_.nodes, names)} by {format_conditions(filter_.conditions)}")
        lines += [f"    {_rule(rule, names)}" for rule in filter_.rules]
    return "\n".join(lines)


def _rule(rule: ConflictRule, names: dict[int, str]) -> str:
    return f"with {_set(rule.tables, names)} also {_set(rule.required, names)}"


def _set(nodes: NodeSet, names: dict[int, str]) -> str:
    listed = [names[node] for node in members(nodes)]
    return listed[0] if len(listed) == 1 else "{" + ", ".join(listed) + "}"
