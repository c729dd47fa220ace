"""SQL types: what they are called, how they combine, and which of them a value may become.

A type says what a value means; how a column of it lies in memory stands in `execution.column`. The rules follow
PostgreSQL where the standard leaves a choice, with two exceptions that DuckDB makes too: a quotient of decimals and an
average are DOUBLE.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from minisql.node import record


class TypeKind(Enum):
    """The families of types."""

    NULL = "NULL"  # the type of a bare NULL, before its context gives it one
    BOOLEAN = "BOOLEAN"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    DECIMAL = "DECIMAL"
    DOUBLE = "DOUBLE"
    VARCHAR = "VARCHAR"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"
    INTERVAL = "INTERVAL"
    BLOB = "BLOB"
    LIST = "LIST"


MAX_DECIMAL_PRECISION: Final = 38


@record
class SqlType:
    """A SQL type. `precision` and `scale` are those of a DECIMAL and 0 for every other kind.

    `element` is the type of what a LIST has in it, and None for every other kind.
    """

    kind: TypeKind
    precision: int = 0
    scale: int = 0
    element: SqlType | None = None

    def __str__(self) -> str:
        if self.element is not None:
            return f"{self.element}[]"
        if self.kind is TypeKind.DECIMAL:
            return f"DECIMAL({self.precision},{self.scale})"
        return str(self.kind.value)

    @property
    def is_numeric(self) -> bool:
        return self.kind in _NUMERIC_RANK

    @property
    def is_ordered(self) -> bool:
        """Whether values compare with each other, so that they can be keys: all but lists."""
        return self.kind is not TypeKind.LIST

    @property
    def is_integer(self) -> bool:
        return self.kind in (TypeKind.INTEGER, TypeKind.BIGINT)

    @property
    def is_temporal(self) -> bool:
        """Whether values are points in time: dates and timestamps of both kinds, which compare with each other."""
        return self.kind in _TEMPORAL

    @property
    def is_string(self) -> bool:
        """Whether values are strings of characters or of bytes, which a column has in a pool."""
        return self.kind in (TypeKind.VARCHAR, TypeKind.BLOB)

    @property
    def equals_are_same(self) -> bool:
        """Whether values that `=` calls equal are the same to every expression.

        0.0 and -0.0 are not, nor are 1 month and 30 days.
        """
        return self.kind not in (TypeKind.DOUBLE, TypeKind.INTERVAL)


NULL: Final = SqlType(TypeKind.NULL)
BOOLEAN: Final = SqlType(TypeKind.BOOLEAN)
INTEGER: Final = SqlType(TypeKind.INTEGER)
BIGINT: Final = SqlType(TypeKind.BIGINT)
DOUBLE: Final = SqlType(TypeKind.DOUBLE)
VARCHAR: Final = SqlType(TypeKind.VARCHAR)
DATE: Final = SqlType(TypeKind.DATE)
TIME: Final = SqlType(TypeKind.TIME)
TIMESTAMP: Final = SqlType(TypeKind.TIMESTAMP)
TIMESTAMPTZ: Final = SqlType(TypeKind.TIMESTAMPTZ)
INTERVAL: Final = SqlType(TypeKind.INTERVAL)
BLOB: Final = SqlType(TypeKind.BLOB)

INTEGER_RANGE: Final = (-(2**31), 2**31 - 1)
BIGINT_RANGE: Final = (-(2**63), 2**63 - 1)

_NUMERIC_RANK: Final = {TypeKind.INTEGER: 0, TypeKind.BIGINT: 1, TypeKind.DECIMAL: 2, TypeKind.DOUBLE: 3}
_DIGITS: Final = {TypeKind.INTEGER: 10, TypeKind.BIGINT: 19}
# Of two of them the later one takes part in a comparison: it tells more.
_TEMPORAL: Final = (TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ)


def decimal(precision: int, scale: int) -> SqlType:
    """DECIMAL(precision, scale), with the precision cut to what a DECIMAL can have."""
    return SqlType(TypeKind.DECIMAL, min(precision, MAX_DECIMAL_PRECISION), scale)


def list_of(element: SqlType) -> SqlType:
    """The type of lists of such elements."""
    return SqlType(TypeKind.LIST, element=element)


def as_decimal(type_: SqlType) -> SqlType:
    """The DECIMAL that holds every value of an exact numeric type."""
    if type_.kind is TypeKind.DECIMAL:
        return type_
    return decimal(_DIGITS[type_.kind], 0)


def common_type(left: SqlType, right: SqlType) -> SqlType | None:
    """The type in which values of both types meet without an explicit cast (comparison, CASE, COALESCE, UNION, IN).

    None where there is none: numbers do not meet strings, and so on.
    """
    if left == right or right.kind is TypeKind.NULL:
        return left
    if left.kind is TypeKind.NULL:
        return right
    if left.is_numeric and right.is_numeric:
        if TypeKind.DOUBLE in (left.kind, right.kind):
            return DOUBLE
        if TypeKind.DECIMAL in (left.kind, right.kind):
            left, right = as_decimal(left), as_decimal(right)
            scale = max(left.scale, right.scale)
            return decimal(max(left.precision - left.scale, right.precision - right.scale) + scale, scale)
        return BIGINT
    if left.is_temporal and right.is_temporal:
        return max(left, right, key=lambda type_: _TEMPORAL.index(type_.kind))
    return None


def arithmetic_type(operator: str, left: SqlType, right: SqlType) -> SqlType | None:
    """The type of `left operator right` for `+ - * / %`; None where the operator does not take these types.

    Decimal results have the scales of SQL:2016, 6.29; what there is with dates, times and intervals stands in
    `temporal_arithmetic`.
    """
    temporal = temporal_arithmetic(operator, left, right)
    if temporal is not None:
        return temporal.result
    if left.kind is TypeKind.NULL and right.kind is TypeKind.NULL:
        return INTEGER
    if left.kind is TypeKind.NULL:
        left = right
    elif right.kind is TypeKind.NULL:
        right = left
    if not (left.is_numeric and right.is_numeric):
        return None
    common = common_type(left, right)
    if common is None or common.kind is not TypeKind.DECIMAL:
        return common
    left, right = as_decimal(left), as_decimal(right)
    if operator == "*":
        return decimal(left.precision + right.precision, left.scale + right.scale)
    if operator == "/":
        return DOUBLE
    if operator == "%":
        return common
    return decimal(common.precision + 1, common.scale)


class TemporalArithmetic(NamedTuple):
    """The types that an operator with dates, times or intervals works on, and the type of what it gives."""

    left: SqlType
    right: SqlType
    result: SqlType


def temporal_arithmetic(operator: str, left: SqlType, right: SqlType) -> TemporalArithmetic | None:
    """What the operator does with dates, times and intervals; None where there is nothing.

    As in PostgreSQL: a date plus an integer is a date, plus an interval a timestamp; a date minus a date is an integer
    (days), a timestamp minus a timestamp an interval; an interval is multiplied and divided by numbers. A NULL beside
    them is an integer to a date and an interval to the others, as far as there is a choice.
    """
    if operator not in "+-*/" or (left.kind not in _TEMPORAL_OPERANDS and right.kind not in _TEMPORAL_OPERANDS):
        return None
    if operator in "*/":
        return _interval_scaling(operator, left, right)
    if left.kind is TypeKind.NULL:
        left = right if operator == "-" else _beside(right)
    elif right.kind is TypeKind.NULL:
        right = _beside(left)
    found = _shift(operator, left, right)
    if found is not None or operator == "-":
        return found or _difference(left, right)
    swapped = _shift(operator, right, left)
    return swapped and TemporalArithmetic(swapped.right, swapped.left, swapped.result)


def _beside(type_: SqlType) -> SqlType:
    """The type of a NULL that is added to a value of this type, or taken from it."""
    return INTEGER if type_.kind is TypeKind.DATE else INTERVAL


def _shift(operator: str, point: SqlType, distance: SqlType) -> TemporalArithmetic | None:
    """`point operator distance`, for `+` and `-`."""
    match point.kind, distance.kind:
        case TypeKind.DATE, (TypeKind.INTEGER | TypeKind.BIGINT):
            return TemporalArithmetic(DATE, distance, DATE)
        case TypeKind.DATE, TypeKind.INTERVAL:
            return TemporalArithmetic(TIMESTAMP, INTERVAL, TIMESTAMP)
        case ((TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ | TypeKind.TIME | TypeKind.INTERVAL), TypeKind.INTERVAL):
            return TemporalArithmetic(point, INTERVAL, point)
        case TypeKind.DATE, TypeKind.TIME if operator == "+":
            return TemporalArithmetic(TIMESTAMP, TIME, TIMESTAMP)
        case _:
            return None


def _difference(left: SqlType, right: SqlType) -> TemporalArithmetic | None:
    if left.kind is TypeKind.DATE and right.kind is TypeKind.DATE:
        return TemporalArithmetic(DATE, DATE, INTEGER)
    if left.kind is TypeKind.TIME and right.kind is TypeKind.TIME:
        return TemporalArithmetic(TIME, TIME, INTERVAL)
    if left.is_temporal and right.is_temporal:
        common = max(left, right, key=lambda type_: _TEMPORAL.index(type_.kind))
        return TemporalArithmetic(common, common, INTERVAL)
    return None


def _interval_scaling(operator: str, left: SqlType, right: SqlType) -> TemporalArithmetic | None:
    """An interval times a number, a number times an interval, an interval divided by a number."""
    if operator == "*" and right.kind is TypeKind.INTERVAL:
        left, right, is_swapped = right, left, True
    else:
        is_swapped = False
    if left.kind is not TypeKind.INTERVAL or not (right.is_numeric or right.kind is TypeKind.NULL):
        return None
    factor = BIGINT if operator == "*" and right.is_integer else DOUBLE
    return TemporalArithmetic(*((factor, INTERVAL) if is_swapped else (INTERVAL, factor)), INTERVAL)


_TEMPORAL_OPERANDS: Final = frozenset((*_TEMPORAL, TypeKind.TIME, TypeKind.INTERVAL))


def sum_type(type_: SqlType) -> SqlType:
    """The type of SUM: wider than its argument, so that a sum does not overflow where its values did not."""
    if type_.kind is TypeKind.INTEGER:
        return BIGINT
    if type_.kind is TypeKind.BIGINT:
        return decimal(MAX_DECIMAL_PRECISION, 0)
    if type_.kind is TypeKind.DECIMAL:
        return decimal(MAX_DECIMAL_PRECISION, type_.scale)
    return DOUBLE


def can_cast(source: SqlType, target: SqlType) -> bool:
    """Whether CAST(source AS target) means something; single values may still fail."""
    if source == target or TypeKind.NULL in (source.kind, target.kind):
        return True
    if TypeKind.VARCHAR in (source.kind, target.kind):
        return target.kind is not TypeKind.LIST
    if source.is_numeric and target.is_numeric:
        return True
    if source.is_temporal and target.is_temporal:
        return True
    if target.kind is TypeKind.TIME and source.kind in (TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ, TypeKind.INTERVAL):
        return True
    if source.kind is TypeKind.TIME and target.kind is TypeKind.INTERVAL:
        return True
    pair = {source.kind, target.kind}
    return TypeKind.BOOLEAN in pair and bool(pair & {TypeKind.INTEGER, TypeKind.BIGINT})
