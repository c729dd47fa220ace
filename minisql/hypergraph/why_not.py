"""Why two sets of nodes may not be joined, in words, for a user who asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from minisql.expression.format import format_conditions
from minisql.expression.nodes import Expression
from minisql.expression.walk import tables_of
from minisql.hypergraph.conflicts import ConflictRule
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import leaves_of_several_tables
from minisql.node_set import NodeSet, is_subset, members, overlaps, union


def why_not(graph: JoinHypergraph, left: NodeSet, right: NodeSet, names: Mapping[int, str]) -> str:
    """The reason, as a sentence. `names` are those of the nodes."""
    both = NodeSet(left | right)
    first, second = _listed(left, names), _listed(right, names)
    due = [condition for condition in _conditions(graph) if is_subset(condition.tables, both)]
    due = [condition for condition in due if not is_subset(condition.tables, left)]
    due = [condition for condition in due if not is_subset(condition.tables, right)]
    for condition in due:
        for rule in condition.rules:
            if not rule.allows(both):
                needed = _listed(NodeSet(rule.required & ~both), names)
                return f"{second} can be joined to {first} only after {needed}, because of {condition.text}."
    for condition in due:
        sides = (condition.left, condition.right)
        if condition.is_edge and not any(is_subset(sides[i], left) and is_subset(sides[1 - i], right) for i in (0, 1)):
            wanted = f"{_listed(condition.left, names)} on one side and {_listed(condition.right, names)} on the other"
            return f"{second} cannot be joined to {first}: {condition.text} needs {wanted}."
    for condition in _conditions(graph):
        used = condition.used or condition.tables
        if condition.is_edge and overlaps(used, left) and overlaps(used, right):
            needed = _listed(NodeSet(condition.tables & ~both), names)
            return f"{second} can be joined to {first} only after {needed}, because of {condition.text}."
    return f"Nothing joins {second} to {first}: no condition connects them."


@dataclass(frozen=True, slots=True)
class _Condition:
    """An edge or a filter of the region; `used` are the tables that its expressions use."""

    is_edge: bool
    left: NodeSet
    right: NodeSet
    used: NodeSet
    rules: tuple[ConflictRule, ...]
    text: str

    @property
    def tables(self) -> NodeSet:
        """The tables that have to be there before it is applied."""
        return NodeSet(self.left | self.right)


def _conditions(graph: JoinHypergraph) -> Iterator[_Condition]:
    groups = leaves_of_several_tables(graph)

    def used(conditions: tuple[Expression, ...]) -> NodeSet:
        tables = union(tables_of(condition) for condition in conditions)
        return NodeSet(tables | union(NodeSet(node) for node, group in groups.items() if overlaps(group, tables)))

    for edge in graph.edges:
        sides = edge.eligibility
        text = f"the {graph.operators[edge.operator].type.value} join on {format_conditions(edge.conditions)}"
        yield _Condition(True, sides.left, sides.right, used(edge.conditions), sides.rules, text)
    for filter_ in graph.filters:
        text = f"the condition {format_conditions(filter_.conditions)}"
        nodes = filter_.nodes
        yield _Condition(False, nodes, nodes, used(filter_.conditions), filter_.rules, text)


def _listed(nodes: NodeSet, names: Mapping[int, str]) -> str:
    listed = [names.get(node, f"#{node}") for node in members(nodes)]
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)
