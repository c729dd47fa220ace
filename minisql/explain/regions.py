"""The join regions of a planned query as data for people and pages: what EXPLAIN HYPERGRAPH shows.

A node is an input of the joins and has the number of its table, which is unique in the whole statement; sets of nodes
are ascending tuples of these numbers. Conditions and rules are text. All of it is JSON as `to_dict` gives it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from minisql.explain import rewrites
from minisql.expression.nodes import Expression
from minisql.expression.walk import tables_of
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import leaf_names
from minisql.hypergraph.make_join_hypergraph import hypergraphs_inside
from minisql.hypergraph.sentences import Wording, format_written
from minisql.node import node as node_class
from minisql.node import value_node
from minisql.node_set import NodeSet, is_subset, members, single, union
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.parser.keywords import quoted_name
from minisql.relational.derive_conditions import Derivation
from minisql.relational.relational_expression import (
    BaseTable,
    Filter,
    RelationalExpression,
    output_tables,
)
from minisql.relational.rewriting import nodes_of
from minisql.relational.shared import shared_users_first
from minisql.relational.simplify_outer import Simplification

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
        chain: the number of the chain of full joins that the edge is of, from 1; an edge for each two members, and
            any of them may come first. 0 where it is of none.
    """

    number: int
    join_type: str
    left: Nodes
    right: Nodes
    ses: Nodes
    tes: Nodes
    conditions: tuple[str, ...]
    rules: tuple[str, ...]
    chain: int = 0


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


@node_class
class QueryToDescribe:
    """What is known of a planned query: its stages, and what the passes have recorded.

    `names` are what hints call its tables, by their numbers.
    """

    as_written: RelationalExpression
    rewritten: RelationalExpression
    path: AccessPath
    simplifications: tuple[Simplification, ...]
    derivations: tuple[Derivation, ...]
    names: Mapping[int, str]


def describe_regions(query: QueryToDescribe) -> list[RegionDescription]:
    """The regions of a query, the outermost first.

    What was done to tables that no region joins any more is told with the outermost one; see also `describe_rewrites`.
    """
    rows = _expected_rows(query.path)
    aliases = rewrites.aliases(query.as_written) | rewrites.aliases(query.rewritten)
    derivations = rewrites.derivations_in_use(query.derivations, query.rewritten)
    graphs = list(_regions(query.rewritten))
    steps = _by_region(graphs, query.simplifications, lambda step: rewrites.base_tables(step.join))
    derived = _by_region(graphs, derivations, lambda each: tables_of(each.condition))
    regions = []
    for number, graph in enumerate(graphs):
        words = Wording(graph, _node_names(graph, aliases, query.names))
        done = [rewrites.describe_simplification(step, aliases) for step in steps[number]]
        done += rewrites.describe_new_joins(graph, words, query.as_written, aliases)
        if number == 0:
            done += rewrites.describe_dropped(query.as_written, query.rewritten)
        regions.append(
            RegionDescription(
                nodes=_nodes(graph, rows, words),
                edges=_edges(graph, words),
                filters=_filters(graph, words),
                simplifications=tuple(dict.fromkeys(done)),
                derived=tuple(dict.fromkeys(map(rewrites.describe_derivation, derived[number]))),
            )
        )
    return regions


def describe_rewrites(query: QueryToDescribe) -> list[str]:
    """What became of the joins of a query that joins nothing any more."""
    aliases = rewrites.aliases(query.as_written)
    steps = [rewrites.describe_simplification(step, aliases) for step in query.simplifications]
    return steps + rewrites.describe_dropped(query.as_written, query.rewritten)


def _regions(expression: RelationalExpression) -> Iterator[JoinHypergraph]:
    for tree in (expression, *(shared.input for shared in shared_users_first(expression))):
        yield from hypergraphs_inside(tree)


T = TypeVar("T")


def _by_region(
    graphs: Sequence[JoinHypergraph], items: Iterable[T], tables_in: Callable[[T], NodeSet]
) -> list[list[T]]:
    """Each item at the innermost region that joins all of its tables, or else at the outermost."""
    below = [_all_tables(graph) for graph in graphs]
    found: list[list[T]] = [[] for _ in graphs]
    for item in items:
        around = [number for number, tables in enumerate(below) if is_subset(tables_in(item), tables)]
        if graphs:
            found[min(around, key=lambda number: below[number].bit_count(), default=0)].append(item)
    return found


def _all_tables(graph: JoinHypergraph) -> NodeSet:
    """All tables in the leaves of a region, and those that are computed of them."""
    nodes = (node for leaf in graph.leaves.values() for node in nodes_of(leaf))
    return NodeSet(graph.graph.nodes | union(map(output_tables, nodes)))


def _node_names(graph: JoinHypergraph, aliases: Mapping[int, str], names: Mapping[int, str]) -> dict[int, str]:
    """What the query calls the nodes; by the longer names of hints, or counted, where two are called the same."""
    called = leaf_names(graph, {**names, **aliases})
    times = Counter(called.values())
    called = {node: name if times[name] == 1 else names.get(node, name) for node, name in called.items()}
    times = Counter(called.values())
    seen = Counter[str]()
    found = {}
    for node, name in called.items():
        seen[name] += 1
        found[node] = name if times[name] == 1 else f"{name}:{seen[name]}"
    return found


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


def _nodes(graph: JoinHypergraph, rows: Mapping[NodeSet, float], words: Wording) -> tuple[NodeDescription, ...]:
    found = []
    for number in members(graph.graph.nodes):
        leaf = graph.leaves[single(number)]
        name, table = words.tables(single(number)), _table_name(leaf)
        found.append(
            NodeDescription(
                number=number,
                name=name,
                table=name if quoted_name(table) == name else table,
                rows=rows.get(single(number), rows.get(output_tables(leaf), 0.0)),
                conditions=_conditions(leaf.conditions) if isinstance(leaf, Filter) else (),
            )
        )
    return tuple(found)


def _edges(graph: JoinHypergraph, words: Wording) -> tuple[EdgeDescription, ...]:
    chains = list(dict.fromkeys(edge.chain for edge in graph.edges if edge.chain is not None))
    return tuple(
        [
            EdgeDescription(
                number=number,
                join_type=graph.operators[edge.operator].type.value,
                left=tuple(members(edge.eligibility.left)),
                right=tuple(members(edge.eligibility.right)),
                ses=tuple(members(words.reasons.derivation(edge).ses)),
                tes=tuple(members(edge.eligibility.tables)),
                conditions=_conditions(edge.conditions),
                rules=tuple(words.rules(edge)),
                chain=0 if edge.chain is None else 1 + chains.index(edge.chain),
            )
            for number, edge in enumerate(graph.edges, 1)
        ]
    )


def _filters(graph: JoinHypergraph, words: Wording) -> tuple[FilterDescription, ...]:
    return tuple(
        [
            FilterDescription(
                nodes=tuple(members(filter_.nodes)),
                conditions=_conditions(filter_.conditions),
                rules=tuple(words.rules(filter_)),
            )
            for filter_ in graph.filters
        ]
    )


def _table_name(leaf: RelationalExpression) -> str:
    while isinstance(leaf, Filter):
        leaf = leaf.input
    return leaf.source.name if isinstance(leaf, BaseTable) else ""


def _conditions(conditions: Sequence[Expression]) -> tuple[str, ...]:
    return tuple([format_written([condition]) for condition in conditions])
