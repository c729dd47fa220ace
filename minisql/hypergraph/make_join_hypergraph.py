"""Makes the hypergraph of a join region: finds its leaves, gives each join its conflicts, and its conditions to edges.

The region is a relational expression whose top is a join, or filters above one. Filters between its joins become
conditions of the join that they can be a part of: `a LEFT JOIN (b JOIN c WHERE p)` has p in the condition of the left
join; those above all joins become filters of the region. Below a full join there is no such place, so a filter over
joins is a leaf there.

Inner joins without a condition between their inputs get an edge only where nothing else connects the two: in `d1, d2, f
WHERE d1.k = f.k1 AND d2.k = f.k2` the product of d1 and d2 is not considered.

Full joins that merge a key become a chain, with an edge for each pair of its members (`key_chain`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from minisql.errors import InternalError
from minisql.expression.equalities import equalities
from minisql.expression.nodes import Expression
from minisql.expression.nulls import null_rejected_tables
from minisql.expression.walk import tables_of
from minisql.hypergraph.conflicts import (
    ConflictRule,
    Eligibility,
    Operator,
    conflict_rules,
    eligibility_under,
    find_eligibility,
)
from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph, KeyChain, RegionFilter
from minisql.hypergraph.key_chain import ChainFinder, KeyedRelation
from minisql.node import record
from minisql.node_set import EMPTY, NodeSet, is_subset, lowest, members, single, union
from minisql.partition import Partition
from minisql.relational.relational_expression import Filter, Join, JoinType, RelationalExpression, inputs, output_tables


def make_join_hypergraph(region: RelationalExpression) -> JoinHypergraph:
    """The hypergraph of a region whose top is a join, or filters above a join."""
    maker = _Maker()
    filters: list[Expression] = []
    top = maker.add(region, filters, inner_above=False)
    return maker.finish(top, filters)


def hypergraphs_inside(expression: RelationalExpression) -> Iterator[JoinHypergraph]:
    """The hypergraphs of all join regions in an expression, those in leaves of others included, the outermost first."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if is_join_region(node):
            graph = make_join_hypergraph(node)
            yield graph
            waiting += reversed(graph.leaves.values())
        else:
            waiting += reversed(inputs(node))


def is_join_region(expression: RelationalExpression) -> bool:
    """Whether the top of the expression is a join, or filters above one."""
    while isinstance(expression, Filter):
        expression = expression.input
    return isinstance(expression, Join)


@record
class _Subtree:
    """A part of the region: its tables, the first of them, and where its operators begin in the maker's lists."""

    tables: NodeSet
    first: NodeSet
    operators: int
    non_inner: int


class _Maker:
    """Collects the parts of the hypergraph, bottom-up."""

    def __init__(self) -> None:
        self._leaves: dict[int, RelationalExpression] = {}
        self._nodes: dict[int, NodeSet] = {}  # the node of each table that is not a node itself
        self._operators: list[Operator] = []
        self._non_inner: list[Operator] = []
        self._edges: list[JoinEdge] = []
        self._products: list[
            tuple[JoinEdge, NodeSet, NodeSet]
        ] = []  # edges for inner joins on TRUE, not yet known to be needed
        self._chains = ChainFinder()

    def add(self, expression: RelationalExpression, filters: list[Expression] | None, *, inner_above: bool) -> _Subtree:
        """Adds a subtree. Filters above joins go to `filters`; where that is None they stay, and make a leaf."""
        if isinstance(expression, Join):
            return self._add_join(expression, filters, inner_above=inner_above)
        if isinstance(expression, Filter) and filters is not None and is_join_region(expression):
            filters += expression.conditions
            return self.add(expression.input, filters, inner_above=inner_above)
        return self._add_leaf(expression)

    def finish(self, top: _Subtree, filters: list[Expression]) -> JoinHypergraph:
        """The hypergraph of what was added; `filters` stand above it."""
        above = Operator(
            type=JoinType.INNER, left_tables=top.tables, right_tables=EMPTY, ses=top.tables, rejected=EMPTY
        )
        region_filters = []
        for ses, conditions in self._by_tables(filters):
            eligibility = find_eligibility(above, ses, self._non_inner, ())
            region_filters.append(RegionFilter(conditions=conditions, nodes=eligibility.left, rules=eligibility.rules))
        self._edges.sort(key=lambda edge: edge.operator)
        return JoinHypergraph(
            graph=Hypergraph(top.tables, (_hyperedge(edge) for edge in self._edges)),
            leaves=self._leaves,
            operators=tuple(self._operators),
            edges=tuple(self._edges),
            filters=tuple(region_filters),
        )

    def _add_leaf(self, expression: RelationalExpression) -> _Subtree:
        tables = output_tables(expression)
        if not tables:
            raise InternalError("An input of a join has no columns.")
        node = single(lowest(tables))
        self._leaves[node] = expression
        for table in members(NodeSet(tables & ~node)):
            self._nodes[table] = node
        return _Subtree(node, node, len(self._operators), len(self._non_inner))

    def _add_join(self, join: Join, filters: list[Expression] | None, *, inner_above: bool) -> _Subtree:
        is_inner = join.type is JoinType.INNER
        chain = self._chains.chain(join)
        if chain:
            return self._add_chain(join, chain)
        conditions = list(join.conditions)
        match join.type:
            case JoinType.INNER:
                left_filters = right_filters = filters
            case JoinType.LEFT | JoinType.SEMI | JoinType.ANTI:
                left_filters, right_filters = filters, conditions
            case JoinType.FULL:
                left_filters = right_filters = None
            case _:
                assert_never(join.type)
        left = self.add(join.left, left_filters, inner_above=is_inner)
        right = self.add(join.right, right_filters, inner_above=is_inner)
        by_tables = self._by_tables(conditions)
        operator = self._operator(join.type, left, right, by_tables)
        index = len(self._operators)
        for ses, conjuncts in by_tables if is_inner else [(operator.ses, tuple(conditions))]:
            eligibility = self._eligibility(operator, ses, left, right)
            self._edges.append(JoinEdge(operator=index, conditions=conjuncts, eligibility=eligibility))
        if is_inner and by_tables:
            # No operator that conflicts with this one may come between its conjuncts.
            together = union(edge.eligibility.tables for edge in self._edges[-len(by_tables) :])
            operator = replace(operator, ses=together)
        elif is_inner:
            eligibility = self._eligibility(operator, NodeSet(left.first | right.first), left, right)
            edge = JoinEdge(operator=index, conditions=(), eligibility=eligibility)
            self._products.append((edge, left.first, right.first))
        self._operators.append(operator)
        if not is_inner:
            self._non_inner.append(operator)
        subtree = _Subtree(operator.tables, left.first, left.operators, left.non_inner)
        if not inner_above:
            self._connect_products(subtree)
        return subtree

    def _add_chain(self, top: Join, members: tuple[KeyedRelation, ...]) -> _Subtree:
        """Adds the joins of a chain: an operator for each, and an edge for each pair of members.

        Any two members may be joined first, so every edge obeys the rules of the operators in all of them.
        """
        first_operator = len(self._operators)
        subtrees: list[_Subtree] = []
        joins: dict[int, tuple[range, range]] = {}  # for each operator of the chain the members in its inputs
        keys: list[NodeSet] = []  # the nodes that the key of each member uses

        def add(relation: RelationalExpression) -> range:
            if len(subtrees) < len(members) and relation is members[len(subtrees)].relation:
                used = union(map(tables_of, members[len(subtrees)].keys))
                subtrees.append(self.add(relation, None, inner_above=False))
                keys.append(self._as_nodes(used))
                return range(len(subtrees) - 1, len(subtrees))
            assert isinstance(relation, Join)
            left, right = add(relation.left), add(relation.right)
            joins[len(self._operators)] = left, right
            used = union(keys[left.start : right.stop])
            left_tables, right_tables = (union(subtrees[i].tables for i in side) for side in (left, right))
            self._operators.append(
                Operator(
                    type=JoinType.FULL, left_tables=left_tables, right_tables=right_tables, ses=used, rejected=used
                )
            )
            return range(left.start, right.stop)

        add(top)
        subtree = _Subtree(self._operators[-1].tables, subtrees[0].first, first_operator, subtrees[0].non_inner)
        below = [i for i in range(first_operator, len(self._operators)) if i not in joins]
        rules = self._rules_of_chain(subtrees, union(keys), [self._operators[i] for i in below])
        chain = KeyChain(
            tables=tuple([member.tables for member in subtrees]), keys=tuple([member.keys for member in members])
        )
        for index, (left, right) in joins.items():
            for pair in itertools.product(left, right):
                self._add_chain_edge(index, chain, pair, NodeSet(keys[pair[0]] | keys[pair[1]]), subtrees, rules)
        self._non_inner += [self._operators[index] for index in joins]
        return subtree

    def _rules_of_chain(self, members: list[_Subtree], keys: NodeSet, below: list[Operator]) -> list[ConflictRule]:
        """The rules of every join of the chain: those that each operator in a member makes for a full join above."""
        rules = []
        everything = union(member.tables for member in members)
        for operator in below:
            tables = next(member.tables for member in members if is_subset(operator.tables, member.tables))
            join = Operator(
                type=JoinType.FULL,
                left_tables=tables,
                right_tables=NodeSet(everything & ~tables),
                ses=keys,
                rejected=keys,
            )
            rules += conflict_rules(join, [operator], ())
        return rules

    def _add_chain_edge(
        self,
        index: int,
        chain: KeyChain,
        pair: tuple[int, int],
        ses: NodeSet,
        members: list[_Subtree],
        rules: list[ConflictRule],
    ) -> None:
        left, right = pair
        join = replace(self._operators[index], left_tables=members[left].tables, right_tables=members[right].tables)
        self._edges.append(
            JoinEdge(
                operator=index,
                conditions=equalities(chain.keys[left], chain.keys[right]),
                eligibility=eligibility_under(rules, join, ses),
                chain=chain,
                members=pair,
            )
        )

    def _by_tables(self, conditions: Iterable[Expression]) -> list[tuple[NodeSet, tuple[Expression, ...]]]:
        """The conditions grouped by the nodes that they use."""
        groups: dict[NodeSet, list[Expression]] = {}
        for condition in conditions:
            groups.setdefault(self._as_nodes(tables_of(condition)), []).append(condition)
        return [(ses, tuple(group)) for ses, group in groups.items()]

    def _as_nodes(self, tables: NodeSet) -> NodeSet:
        """The nodes that the tables belong to."""
        if not self._nodes:
            return tables
        nodes = EMPTY
        for table in members(tables):
            nodes = NodeSet(nodes | self._nodes.get(table, single(table)))
        return nodes

    def _operator(
        self,
        type_: JoinType,
        left: _Subtree,
        right: _Subtree,
        by_tables: Iterable[tuple[NodeSet, tuple[Expression, ...]]],
    ) -> Operator:
        tables = NodeSet(left.tables | right.tables)
        ses = rejected = EMPTY
        for used, conditions in by_tables:
            ses = NodeSet(ses | used)
            # No property of the others depends on where they reject nulls.
            if type_ in (JoinType.LEFT, JoinType.FULL):
                for condition in conditions:
                    rejected = NodeSet(rejected | self._as_nodes(null_rejected_tables(condition, tables_of(condition))))
        if ses & ~tables:
            raise InternalError("A condition of a join uses a table that is not joined.")
        return Operator(type=type_, left_tables=left.tables, right_tables=right.tables, ses=ses, rejected=rejected)

    def _eligibility(self, operator: Operator, ses: NodeSet, left: _Subtree, right: _Subtree) -> Eligibility:
        """When conjuncts of the operator, which is the next to be added, may be applied."""
        if operator.type is JoinType.INNER:
            # Inner joins do not conflict with each other.
            left_below = self._non_inner[left.non_inner : right.non_inner]
            right_below = self._non_inner[right.non_inner :]
        else:
            left_below = self._operators[left.operators : right.operators]
            right_below = self._operators[right.operators :]
        return find_eligibility(operator, ses, left_below, right_below)

    def _connect_products(self, cluster: _Subtree) -> None:
        """Adds the edges that are needed of the inner joins on TRUE in a subtree.

        Nothing but inner joins stands between such a join and the top of the subtree. Its edge connects the first
        tables of its inputs, as a condition on them that is always TRUE would. It is left out where simple edges that
        no rule restricts connect them.
        """
        products = [product for product in self._products if product[0].operator >= cluster.operators]
        if not products:
            return
        del self._products[-len(products) :]
        parts: Partition[NodeSet] = Partition()
        for edge in self._edges:
            if edge.operator >= cluster.operators and _hyperedge(edge).is_simple and not edge.eligibility.rules:
                parts.join(edge.eligibility.left, edge.eligibility.right)
        for edge, left, right in products:
            if parts.join(left, right):
                self._edges.append(edge)


def _hyperedge(edge: JoinEdge) -> Hyperedge:
    return Hyperedge(edge.eligibility.left, edge.eligibility.right)
