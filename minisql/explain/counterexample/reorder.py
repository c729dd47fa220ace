"""A query in an order that the rules forbid: what somebody would write who asks for the joins in that order.

An order is a binary tree over the tables. Each join of the query is made at the lowest node of it at which its
condition has what it uses, and where several come to one node, that node is one join:

- An outer, semi or anti join needs all tables that its ON uses; where ON uses no table of one of its sides, it needs
  all tables of that side. `(a LEFT JOIN b ON a.x = b.x) JOIN c ON b.y = c.y` in the order (a (b c)) is
  `a LEFT JOIN (b JOIN c ON b.y = c.y) ON a.x = b.x`.
- The conjuncts of an inner join go their own ways: each is applied where the tables that it uses are together.
- A merged key (USING, or COALESCE of columns that joins make equal) is that of the tables that are there, of one at
  least:
  `a FULL JOIN b USING (k) LEFT JOIN c USING (k)` in the order ((a c) b) is
  `a LEFT JOIN c ON a.k = c.k FULL JOIN b ON a.k = b.k`. Full joins that merge one key (`hypergraph.key_chain`) compare
  the merged keys of both sides: ((a c) b) of `a FULL JOIN b USING (k) FULL JOIN c USING (k)` is
  `(a FULL JOIN c ON a.k = c.k) FULL JOIN b ON coalesce(a.k, c.k) = b.k`.
- Where no condition comes to a node, it is a cross product. Where several joins do, it has the type of the last of
  them, in the order of the query, whose two sides are the two sides of the node, or just of the last one; ON has the
  conditions of all that are not inner, and those that are inner are asked of the result.
- The side that keeps its rows is that with the tables of the preserved side that ON uses. In `(a JOIN b ON a.x = b.x)
  LEFT JOIN c ON a.y + b.y = c.y`, in the order ((a c) b), the tables of the two sides are mixed. There the side with c
  is padded: `b LEFT JOIN (a CROSS JOIN c) ON a.y + b.y = c.y WHERE a.x = b.x`.
- A condition of WHERE is asked of the result. One between joins, of a derived table, is asked as soon as all tables
  below it are together.

All of this is as the query is after outer joins became simpler and conditions were pushed down, and the order of one
that is allowed gives the rows of the query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from minisql.expression.equalities import coalesced, equalities, is_equality, operands_by_side
from minisql.expression.nodes import Coalesce, ColumnRef, Comparison, Expression
from minisql.expression.walk import tables_of, with_children
from minisql.hypergraph.key_chain import ChainFinder, KeyedRelation, merged_key
from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.node_set import EMPTY, NodeSet, is_subset, overlaps, union
from minisql.optimizer.join_order import complete_order
from minisql.partition import Partition
from minisql.query_block.query_block import OrderedJoin
from minisql.relational.relational_expression import Filter, Join, JoinType, RelationalExpression, output_tables


def reordered(region: RelationalExpression, order: Sequence[OrderedJoin]) -> RelationalExpression:
    """The region with its joins in an order of its tables; what no hint can name is joined as
    `complete_order` has it.

    Args:
        region: a region of which every leaf is one table.
        order: its joins, each after those in its sides.
    """
    parts = _Parts(region)
    trees: dict[NodeSet, RelationalExpression] = dict(parts.leaves)
    for left, right in parts.completed(order):
        trees[NodeSet(left | right)] = parts.joined(trees[left], left, trees[right], right)
    return trees[parts.tables]


@dataclass(frozen=True)
class _Operator:
    """A join of the region with all tables of its sides, those that a semi or anti join hides included."""

    type: JoinType
    conditions: tuple[Expression, ...]
    left: NodeSet
    right: NodeSet


class _Condition:
    """A condition of an operator: what it uses on each side, and what of that may be missing."""

    def __init__(self, operator: _Operator, expression: Expression, equal: Partition[Expression]) -> None:
        """`equal` are the terms that joins make equal."""
        self.expression = expression
        self.merged = list(_merged_keys(expression, operator, equal)) if is_equality(expression) else []
        used = tables_of(expression)
        self.left = NodeSet(used & operator.left) or operator.left
        self.right = NodeSet(used & operator.right) or operator.right
        self._needed = NodeSet((self.left | self.right) & ~union(tables_of(key) for key in self.merged))

    def is_due(self, nodes: NodeSet) -> bool:
        """Whether these tables are enough for it."""
        return is_subset(self._needed, nodes) and all(overlaps(tables_of(key), nodes) for key in self.merged)

    def over(self, nodes: NodeSet) -> Expression:
        """The condition with merged keys of these tables only."""
        if not self.merged:
            return self.expression

        def change(part: Expression) -> Expression:
            if not isinstance(part, Coalesce) or part not in self.merged:
                return part
            there = tuple([each for each in part.operands if is_subset(tables_of(each), nodes)])
            return there[0] if len(there) == 1 else Coalesce(operands=there, type=part.type)

        assert is_equality(self.expression)
        return with_children(self.expression, (change(self.expression.left), change(self.expression.right)))


def _merged_keys(equality: Comparison, operator: _Operator, equal: Partition[Expression]) -> Iterator[Coalesce]:
    """The operands of an equality between the sides of a join that are COALESCE of columns which joins make equal."""
    sides = operands_by_side(equality, operator.left, operator.right)
    for key in sides or ():
        if isinstance(key, Coalesce) and all(isinstance(each, ColumnRef) for each in key.operands):
            tables = tables_of(key)
            if tables & (tables - 1) and len({equal.find(each) for each in key.operands}) == 1:
                yield key


def _made_equal(operators: Iterable[_Operator]) -> Partition[Expression]:
    """The terms between which there are equalities in joins; COALESCE of equal terms is equal to them.

    The operators come after those in their inputs.
    """
    equal: Partition[Expression] = Partition()
    for operator in operators:
        for condition in filter(is_equality, operator.conditions):
            sides = [coalesced(condition.left), coalesced(condition.right)]
            if all(len({equal.find(term) for term in terms}) == 1 for terms in sides):
                equal.join(sides[0][0], sides[1][0])
    return equal


class _Parts:
    """The leaves, joins and filters of a region, to be put together again; what is used is used once."""

    def __init__(self, region: RelationalExpression) -> None:
        self.leaves: dict[NodeSet, RelationalExpression] = {}
        self._operators: list[_Operator] = []
        self._written: list[_Operator] = []
        self._filters: list[tuple[tuple[Expression, ...], NodeSet]] = []
        self._chains: list[tuple[KeyedRelation, ...]] = []
        self._finder = ChainFinder()
        self.tables = self._add(region, ())
        equal = _made_equal(self._written)
        self._waiting = [
            (operator, [_Condition(operator, condition, equal) for condition in operator.conditions])
            for operator in self._operators
            if operator.type is not JoinType.INNER
        ]
        self._inner = [
            _Condition(operator, condition, equal)
            for operator in self._operators
            if operator.type is JoinType.INNER
            for condition in operator.conditions
        ]

    def _add(self, node: RelationalExpression, chain: tuple[KeyedRelation, ...]) -> NodeSet:
        """Takes apart what stands in a join of the chain, or in none."""
        if any(node is member.relation for member in chain):
            chain = ()
        if isinstance(node, Filter) and is_join_region(node):
            tables = self._add(node.input, ())
            self._filters.append((node.conditions, tables))
            return tables
        if not isinstance(node, Join):
            tables = output_tables(node)
            self.leaves[tables] = node
            return tables
        if not chain:
            chain = self._finder.chain(node)
            if chain:
                self._chains.append(chain)
        left, right = self._add(node.left, chain), self._add(node.right, chain)
        operator = _Operator(node.type, node.conditions, left, right)
        self._written.append(operator)
        if not chain:
            self._operators.append(operator)
        return NodeSet(left | right)

    def completed(self, order: Sequence[OrderedJoin]) -> Iterator[tuple[NodeSet, NodeSet]]:
        """The sides of all joins, those with what the order does not name among them."""
        for join in complete_order(order, ((each.left, each.right) for each in self._written)):
            yield join.left, join.right

    def joined(
        self, left: RelationalExpression, left_tables: NodeSet, right: RelationalExpression, right_tables: NodeSet
    ) -> RelationalExpression:
        """The two joined by all that is due."""
        nodes = NodeSet(left_tables | right_tables)
        due = [
            (operator, conditions) for operator, conditions in self._waiting if _are_due(operator, conditions, nodes)
        ]
        self._waiting = [each for each in self._waiting if each not in due]
        inner = tuple([each.over(nodes) for each in self._inner if each.is_due(nodes)])
        self._inner = [each for each in self._inner if not each.is_due(nodes)]
        filters = [conditions for conditions, tables in self._filters if is_subset(tables, nodes)]
        self._filters = [each for each in self._filters if not is_subset(each[1], nodes)]
        merged = [condition for chain in self._chains for condition in _merging(chain, left_tables, right_tables)]
        type_, flips = _type_of_join(due, left_tables, right_tables)
        if merged and type_ is JoinType.INNER:
            type_ = JoinType.FULL
        on = tuple(merged) + tuple([each.over(nodes) for _, conditions in due for each in conditions])
        if flips:
            left, right = right, left
        result: RelationalExpression
        if type_ is JoinType.INNER:
            result = Join(type=type_, left=left, right=right, conditions=inner)
        else:
            result = Join(type=type_, left=left, right=right, conditions=on)
            filters = [inner, *filters] if inner else filters
        for conditions in filters:
            result = Filter(input=result, conditions=conditions)
        return result


def _are_due(operator: _Operator, conditions: Sequence[_Condition], nodes: NodeSet) -> bool:
    if not conditions:
        return is_subset(NodeSet(operator.left | operator.right), nodes)
    needed = EMPTY  # a conjunct on one side alone needs nothing of the other that another one does not need
    used = union(tables_of(condition.expression) for condition in conditions)
    if not overlaps(used, operator.left):
        needed = NodeSet(needed | operator.left)
    if not overlaps(used, operator.right):
        needed = NodeSet(needed | operator.right)
    if not is_subset(needed, nodes):
        return False
    return all(
        is_subset(tables_of(each.expression), nodes) if not each.merged else each.is_due(nodes) for each in conditions
    )


def _type_of_join(
    due: Sequence[tuple[_Operator, Sequence[_Condition]]], left: NodeSet, right: NodeSet
) -> tuple[JoinType, bool]:
    """The type of a node at which these joins are made, and whether its sides are exchanged for it."""
    if not due:
        return JoinType.INNER, False
    both = NodeSet(left | right)
    sides = []
    for operator, conditions in due:
        used = union(tables_of(condition.expression) for condition in conditions)
        preserved = NodeSet(used & operator.left & both) or NodeSet(operator.left & both)
        padded = NodeSet(used & operator.right & both) or NodeSet(operator.right & both)
        sides.append((operator.type, preserved, padded))
    for type_, preserved, padded in reversed(sides):
        if is_subset(preserved, left) and is_subset(padded, right):
            return type_, False
        if is_subset(preserved, right) and is_subset(padded, left):
            return type_, True
    type_, preserved, padded = sides[-1]
    if is_subset(padded, left) or is_subset(padded, right):
        return type_, is_subset(padded, left)
    return type_, is_subset(preserved, right)


def _merging(chain: Sequence[KeyedRelation], left: NodeSet, right: NodeSet) -> Iterable[Expression]:
    """What compares the merged keys of the members of a chain on both sides; nothing where a side has none."""
    there = [
        [each.keys for each in chain if is_subset(union(map(tables_of, each.keys)), nodes)] for nodes in (left, right)
    ]
    if not there[0] or not there[1]:
        return ()
    return equalities(merged_key(there[0]), merged_key(there[1]))
