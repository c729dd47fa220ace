"""SQL types: what they are called, how they combine, and which of them a value may become.

A type says what a value means; how a column of it lies in memory stands in `execution.column`. The rules follow
PostgreSQL where the standard leaves a choice, with two exceptions that DuckDB makes too: a quotient of decimals and an
average are DOUBLE.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


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
    TIMESTAMP = "TIMESTAMP"
    LIST = "LIST"


MAX_DECIMAL_PRECISION: Final = 38


@dataclass(frozen=True, slots=True)
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
        return self.kind in (TypeKind.DATE, TypeKind.TIMESTAMP)


NULL: Final = SqlType(TypeKind.NULL)
BOOLEAN: Final = SqlType(TypeKind.BOOLEAN)
INTEGER: Final = SqlType(TypeKind.INTEGER)
BIGINT: Final = SqlType(TypeKind.BIGINT)
DOUBLE: Final = SqlType(TypeKind.DOUBLE)
VARCHAR: Final = SqlType(TypeKind.VARCHAR)
DATE: Final = SqlType(TypeKind.DATE)
TIMESTAMP: Final = SqlType(TypeKind.TIMESTAMP)

INTEGER_RANGE: Final = (-(2**31), 2**31 - 1)
BIGINT_RANGE: Final = (-(2**63), 2**63 - 1)

_NUMERIC_RANK: Final = {TypeKind.INTEGER: 0, TypeKind.BIGINT: 1, TypeKind.DECIMAL: 2, TypeKind.DOUBLE: 3}
_DIGITS: Final = {TypeKind.INTEGER: 10, TypeKind.BIGINT: 19}


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
        return TIMESTAMP
    return None


def arithmetic_type(operator: str, left: SqlType, right: SqlType) -> SqlType | None:
    """The type of `left operator right` for `+ - * / %`; None where the operator does not take these types.

    A date plus or minus an integer is a date, a date minus a date an integer (days). Decimal results have the
    scales of SQL:2016, 6.29.
    """
    if left.kind is TypeKind.DATE:
        if operator == "-" and right.kind is TypeKind.DATE:
            return INTEGER
        if operator in "+-" and right.is_integer:
            return DATE
        return None
    if right.kind is TypeKind.DATE:
        return DATE if operator == "+" and left.is_integer else None
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
    pair = {source.kind, target.kind}
    return TypeKind.BOOLEAN in pair and bool(pair & {TypeKind.INTEGER, TypeKind.BIGINT})
