"""Which conditions on a table a scan may use to read less: comparisons of a column with constants."""

from __future__ import annotations

from collections.abc import Iterable

from minisql.catalog.table import SimpleFilter
from minisql.datatypes import BIGINT, INTEGER, INTEGER_RANGE
from minisql.expression.nodes import MIRRORED, Cast, ColumnRef, Comparison, Expression, InList, Literal, Value


def simple_filters(conditions: Iterable[Expression]) -> tuple[SimpleFilter, ...]:
    """The simple filters among conditions on one table."""
    found = (_simple_filter(condition) for condition in conditions)
    return tuple(filter_ for filter_ in found if filter_ is not None)


def _simple_filter(condition: Expression) -> SimpleFilter | None:
    match condition:
        case Comparison():
            left, operator, right = condition.left, condition.operator, condition.right
            if isinstance(left, Literal):
                left, operator, right = right, MIRRORED[operator], left
            column = _column(left)
            value = None if column is None else _value(right, column)
            return None if column is None or value is None else SimpleFilter(column.column.position, operator, value)
        case InList(negated=False):
            column = _column(condition.operand)
            if column is None:
                return None
            # A NULL among the items lets no row pass.
            items = [item for item in condition.items if not (isinstance(item, Literal) and item.value is None)]
            values = tuple(_value(item, column) for item in items)
            return None if None in values or not values else SimpleFilter(column.column.position, "in", values)
        case _:
            return None


def _column(expression: Expression) -> ColumnRef | None:
    """The column, also below a cast that makes an integer wider."""
    if isinstance(expression, Cast) and expression.type == BIGINT and expression.operand.type == INTEGER:
        expression = expression.operand
    return expression if isinstance(expression, ColumnRef) else None


def _value(expression: Expression, column: ColumnRef) -> Value:
    """The constant as a value of the column's type; None where it is none."""
    if not isinstance(expression, Literal) or expression.value is None:
        return None
    if expression.type == column.type:
        return expression.value
    low, high = INTEGER_RANGE
    fits = column.type == INTEGER and isinstance(expression.value, int) and low <= expression.value <= high
    return expression.value if fits else None
