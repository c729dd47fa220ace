"""Conditions on the merged key of a join, which hold of a row of the result if and only if they hold of its parts.

Where `l = r` is a conjunct of ON, with l over the left and r over the right input, every row that the join gives has
one value of `COALESCE(l, r)`, be it joined or padded, and in every part of it that is there the key is this value. So
a condition on the merged key alone may be asked of the keys of both inputs instead: rows with equal keys stay or go
together, and whatever else ON says, no row loses a partner. `WHERE k = 5` above `a FULL JOIN b USING (k)` is
`a.k = 5` below on the left and `b.k = 5` on the right. Above a left or an inner join the merged key is l.

This takes that l is NULL in a row in which the left input is padded, and r on the other side. The operands of COALESCE
may be mixed as they like, as long as those of l and those of r keep their order, for l or r may be a COALESCE itself.
"""

from __future__ import annotations

from minisql.expression.equalities import coalesced, is_equality, operands_by_side
from minisql.expression.nodes import Coalesce, ColumnRef, Expression, IsNull
from minisql.expression.nulls import rejects_nulls_jointly
from minisql.expression.predicates import apply_predicate, as_predicate_where
from minisql.expression.walk import tables_of, walk
from minisql.node import node as node_class
from minisql.relational.relational_expression import Join, JoinType, output_tables


@node_class
class MergedKeyCondition:
    """What a condition on a merged key says of the key of the left input, and of the right one where it must."""

    on_left: Expression
    on_right: Expression | None


def on_merged_key(condition: Expression, join: Join) -> MergedKeyCondition | None:
    """The condition, given above the join, as conditions on its inputs; None where it is not on a merged key alone."""
    if not any(isinstance(node, Coalesce) for node in walk(condition)):
        return None
    if join.type not in (JoinType.INNER, JoinType.LEFT, JoinType.FULL):
        return None
    left_tables, right_tables = output_tables(join.left), output_tables(join.right)
    for equality in filter(is_equality, join.conditions):
        sides = operands_by_side(equality, left_tables, right_tables)
        if sides is None:
            continue
        left, right = sides
        predicate = _predicate(condition, left, right)
        if predicate is None:
            continue
        if join.type is JoinType.FULL and is_null_if_padded(left) and is_null_if_padded(right):
            return MergedKeyCondition(
                on_left=apply_predicate(predicate, left), on_right=apply_predicate(predicate, right)
            )
        if join.type is JoinType.INNER or (join.type is JoinType.LEFT and is_null_if_padded(right)):
            return MergedKeyCondition(on_left=apply_predicate(predicate, left), on_right=None)
    return None


def is_null_if_padded(term: Expression) -> bool:
    """Whether the term is NULL in a row in which all its tables are padded."""
    if isinstance(term, ColumnRef):
        return True
    return rejects_nulls_jointly(IsNull(operand=term, negated=True), tables_of(term))


def _predicate(condition: Expression, left: Expression, right: Expression) -> Expression | None:
    lefts, rights = coalesced(left), coalesced(right)

    def is_merged_key(node: Expression) -> bool:
        if not isinstance(node, Coalesce):
            return False
        operands = coalesced(node)
        return len(operands) == len(lefts) + len(rights) and (
            [operand for operand in operands if operand in lefts] == lefts
            and [operand for operand in operands if operand in rights] == rights
        )

    return as_predicate_where(condition, is_merged_key, left.type)
