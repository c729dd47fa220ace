"""What is known of the values of columns and expressions: how many distinct ones, how many NULLs, which range.

The tables of a statement are added as they are planned, inputs before what is made of them, and a column is looked at
when somebody asks for it. Numbers, times and intervals have a range, as floats.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final, assert_never

from minisql.catalog.table import ColumnStatistics
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    OuterReference,
    Value,
)
from minisql.interval import MICROSECONDS_PER_DAY, Interval
from minisql.node import record

DEFAULT_DISTINCT: Final = 200.0
"""Distinct values of a column of a query around, where that is not planned together with this one."""
DEFAULT_DISTINCT_SHARE: Final = 0.1
"""Distinct values of a column as a share of its rows, where nothing is known."""
DISTINCT_OF_FIELD: Final = {
    "quarter": 4.0, "month": 12.0, "week": 53.0, "day": 31.0, "dow": 7.0, "doy": 366.0,
    "hour": 24.0, "minute": 60.0, "second": 60.0, "isodow": 7.0,
}  # fmt: skip
"""The values that a field of EXTRACT can have; the others have as many as their argument."""


@record
class ValueStatistics:
    """Statistics of a column or an expression; `distinct_count` is at least 1 and leaves NULL out."""

    distinct_count: float
    null_fraction: float = 0.0
    low: float | None = None
    high: float | None = None


def as_number(value: Value | tuple[Value, ...]) -> float | None:
    """A value on a scale where differences mean something; None for strings, truth values and NULL."""
    match value:
        case bool() | str() | bytes() | None | tuple():
            return None
        case int() | float() | Decimal():
            return float(value)
        case datetime.datetime():
            return value.toordinal() + (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
        case datetime.date():
            return float(value.toordinal())
        case datetime.time():
            return (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
        case Interval():
            return value.length / MICROSECONDS_PER_DAY
        case _:
            assert_never(value)


class Statistics:
    """The statistics of the tables of a statement.

    Attributes:
        padding: for tables that an outer join may pad with NULLs, the share of the rows in which it does.
    """

    def __init__(self) -> None:
        self.padding: dict[int, float] = {}
        self._rows: dict[int, float] = {}
        self._columns: dict[int, Callable[[int], ValueStatistics]] = {}
        self._known: dict[ColumnId, ValueStatistics] = {}

    def add_table(self, table: int, rows: float, column: Callable[[int], ColumnStatistics]) -> None:
        """Adds a table of the catalog."""

        def statistics_of(position: int) -> ValueStatistics:
            known = column(position)
            distinct = known.distinct_count
            return ValueStatistics(
                max(1.0, rows * DEFAULT_DISTINCT_SHARE if distinct is None else distinct),
                known.null_fraction or 0.0,
                as_number(known.low),
                as_number(known.high),
            )

        self._rows[table] = rows
        self._columns[table] = statistics_of

    def add_derived(self, table: int, rows: float, columns: tuple[Expression | None, ...]) -> None:
        """Adds a table that is computed: each column by an expression over other tables, or by what is None here."""

        def statistics_of(position: int) -> ValueStatistics:
            expression = columns[position]
            if expression is None:
                return ValueStatistics(max(1.0, rows * DEFAULT_DISTINCT_SHARE))
            known = self.of(expression)
            return replace(known, distinct_count=max(1.0, min(known.distinct_count, rows)))

        self._rows[table] = rows
        self._columns[table] = statistics_of

    def rows(self, tables: Iterable[int]) -> float:
        """The number of rows of the product of these tables, no condition applied."""
        product = 1.0
        for table in tables:
            product = min(product * self._rows.get(table, 1.0), 1e150)
        return product

    def of_column(self, column: ColumnId) -> ValueStatistics:
        """The statistics of a column of an added table."""
        known = self._known.get(column)
        if known is None:
            known = self._known[column] = self._columns[column.table](column.position)
        padding = self.padding.get(column.table)
        if padding is None:
            return known
        return replace(known, null_fraction=known.null_fraction + (1 - known.null_fraction) * padding)

    def narrow(self, column: ColumnId, values: ValueStatistics) -> None:
        """Says what the column has from here on, where a filter let only some of its values through."""
        self._known[column] = values

    def of(self, expression: Expression) -> ValueStatistics:
        """The statistics of an expression over the added tables."""
        match expression:
            case ColumnRef():
                return self.of_column(expression.column)
            case OuterReference(column=column):
                # The joins of a subquery are looked at without the query around it, too.
                is_known = column.table in self._columns
                return self.of_column(column) if is_known else ValueStatistics(DEFAULT_DISTINCT)
            case Literal():
                number = as_number(expression.value)
                return ValueStatistics(1.0, 1.0 if expression.value is None else 0.0, number, number)
            case Cast():
                operand = self.of(expression.operand)
                keeps_scale = expression.type.is_numeric and expression.operand.type.is_numeric
                if keeps_scale or (expression.type.is_temporal and expression.operand.type.is_temporal):
                    return operand
                return replace(operand, low=None, high=None)
            case Negate():
                operand = self.of(expression.operand)
                low = None if operand.high is None else -operand.high
                high = None if operand.low is None else -operand.low
                return replace(operand, low=low, high=high)
            case Arithmetic():
                return self._strict((expression.left, expression.right))
            case FunctionCall():
                computed = self._strict(expression.arguments)
                field = expression.arguments[0] if expression.name == "extract" else None
                if isinstance(field, Literal) and isinstance(field.value, str) and field.value in DISTINCT_OF_FIELD:
                    distinct = min(computed.distinct_count, DISTINCT_OF_FIELD[field.value])
                    return replace(computed, distinct_count=distinct)
                return computed
            case Coalesce():
                return self._one_of(expression.operands, all_null=True)
            case Case():
                results = (*(result for _, result in expression.branches), expression.otherwise)
                return self._one_of(results, all_null=False)
            case Comparison() | IsDistinctFrom() | And() | Or() | Not() | IsNull() | IsTruth() | InList() | Like():
                return ValueStatistics(2.0)
            case _:
                assert_never(expression)

    def _strict(self, operands: tuple[Expression, ...]) -> ValueStatistics:
        """Every combination of the operands' values may give another value; NULL where one is."""
        distinct, not_null = 1.0, 1.0
        for operand in operands:
            known = self.of(operand)
            distinct = min(distinct * known.distinct_count, 1e150)
            not_null *= 1 - known.null_fraction
        return ValueStatistics(distinct, 1 - not_null)

    def _one_of(self, operands: tuple[Expression, ...], *, all_null: bool) -> ValueStatistics:
        """Any of the operands; NULL where all are, or where it is the turn of one that is."""
        known = [self.of(operand) for operand in operands]
        distinct = min(sum(operand.distinct_count for operand in known), 1e150)
        null = 1.0 if all_null else 0.0
        for operand in known:
            null = null * operand.null_fraction if all_null else null + operand.null_fraction / len(known)
        return ValueStatistics(distinct, min(null, 1.0))  # a sum of shares may be a rounding error above 1
