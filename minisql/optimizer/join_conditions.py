"""Which conditions of a join are keys, that is, equalities between an expression over each input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minisql.expression.equalities import operands_by_side
from minisql.expression.nodes import Comparison, Expression, IsDistinctFrom
from minisql.expression.walk import tables_of
from minisql.node_set import NodeSet
from minisql.optimizer.access_path import JoinKey
from minisql.partition import Partition


def without_implied(conditions: Sequence[Expression], applied: Iterable[Expression]) -> tuple[Expression, ...]:
    """The conditions of an inner join but for equalities that follow from the others and from those applied below it.

    Equalities of one class say that their operands are all equal as soon as they connect them.
    """
    parts: Partition[tuple[int, Expression]] = Partition()

    def connects(condition: Expression) -> bool:
        """Whether the condition says more than those before it."""
        if not isinstance(condition, Comparison) or condition.equality_class is None:
            return True
        return parts.join((condition.equality_class, condition.left), (condition.equality_class, condition.right))

    for condition in applied:
        connects(condition)
    # Those of few tables first, so that what is left out for others that stay is no key.
    by_tables = sorted(conditions, key=lambda condition: tables_of(condition).bit_count())
    implied = {id(condition) for condition in by_tables if not connects(condition)}
    return tuple([condition for condition in conditions if id(condition) not in implied])


def is_of_class(condition: Expression) -> bool:
    """Whether the condition may follow from other equalities, or they from it."""
    return isinstance(condition, Comparison) and condition.equality_class is not None


def split_conditions(
    conditions: Iterable[Expression], left: NodeSet, right: NodeSet
) -> tuple[tuple[JoinKey, ...], tuple[Expression, ...]]:
    """The keys among the conditions of a join of `left` and `right` tables, and the rest of the conditions.

    The operands of a comparison have one type, so any equality whose operands use tables of one input each is a key.
    """
    keys, residual = [], []
    for condition in conditions:
        key = _key(condition, left, right)
        if key is None:
            residual.append(condition)
        else:
            keys.append(key)
    return tuple(keys), tuple(residual)


def _key(condition: Expression, left: NodeSet, right: NodeSet) -> JoinKey | None:
    match condition:
        case Comparison(operator="="):
            null_safe = False
        case IsDistinctFrom(negated=True):
            null_safe = True
        case _:
            return None
    sides = operands_by_side(condition, left, right)
    return None if sides is None else JoinKey(left=sides[0], right=sides[1], null_safe=null_safe)
