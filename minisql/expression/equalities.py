"""The parts of equalities between two inputs of a join, and of the COALESCE that merges what they make equal."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeGuard

from minisql.expression.nodes import Coalesce, Comparison, Expression, IsDistinctFrom
from minisql.expression.walk import tables_of
from minisql.node_set import NodeSet, is_subset


def is_equality(condition: Expression) -> TypeGuard[Comparison]:
    """Whether the condition is `l = r`."""
    return isinstance(condition, Comparison) and condition.operator == "="


def operands_by_side(
    condition: Comparison | IsDistinctFrom, left: NodeSet, right: NodeSet
) -> tuple[Expression, Expression] | None:
    """The operand over the tables on the left and that over those on the right; None where it is not between the two.

    An operand without columns is on neither side.
    """
    first, second = tables_of(condition.left), tables_of(condition.right)
    if not first or not second:
        return None
    if is_subset(first, left) and is_subset(second, right):
        return condition.left, condition.right
    if is_subset(first, right) and is_subset(second, left):
        return condition.right, condition.left
    return None


def coalesced(term: Expression, whole: Container[Expression] = ()) -> list[Expression]:
    """The operands of a COALESCE, those of one in it in its place; the term itself where it is none.

    Terms that are in `whole` are not taken apart.
    """
    if not isinstance(term, Coalesce) or term in whole:
        return [term]
    return [operand for part in term.operands for operand in coalesced(part, whole)]


def equalities(left: Iterable[Expression], right: Iterable[Expression]) -> tuple[Expression, ...]:
    """`l = r` for each two of them."""
    return tuple([Comparison(operator="=", left=x, right=y) for x, y in zip(left, right, strict=True)])
