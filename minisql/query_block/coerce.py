"""Literals, and the casts that a query leaves unwritten.

A string literal takes the type that its context wants, as in PostgreSQL: `day = '2013-01-01'` compares dates. Numbers
widen. Everything else needs a CAST, and saying so is this module's business.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from minisql.datatypes import (
    BIGINT,
    BIGINT_RANGE,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTEGER_RANGE,
    INTERVAL,
    MAX_DECIMAL_PRECISION,
    NULL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    TypeKind,
    common_type,
    decimal,
)
from minisql.errors import ProgrammingError, Span
from minisql.expression.nodes import Cast, Expression, Literal, Value
from minisql.interval import Interval


def literal(value: Value, span: Span | None) -> Literal:
    """The literal of a Python value, with the narrowest type for it."""
    return Literal(value=value, type=_type_of_value(value, span), span=span)


def _type_of_value(value: Value, span: Span | None) -> SqlType:
    match value:
        case None:
            return NULL
        case bool():
            return BOOLEAN
        case int():
            if INTEGER_RANGE[0] <= value <= INTEGER_RANGE[1]:
                return INTEGER
            return BIGINT if BIGINT_RANGE[0] <= value <= BIGINT_RANGE[1] else _decimal_type(Decimal(value), span)
        case float():
            return DOUBLE
        case Decimal():
            return _decimal_type(value, span)
        case str():
            return VARCHAR
        case bytes():
            return BLOB
        case datetime.datetime():
            return TIMESTAMP if value.tzinfo is None else TIMESTAMPTZ
        case datetime.date():
            return DATE
        case datetime.time():
            return TIME
        case Interval():
            return INTERVAL
        case _:
            assert_never(value)


def _decimal_type(value: Decimal, span: Span | None) -> SqlType:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ProgrammingError(f"{value} is no DECIMAL.", span)
    scale = max(0, -exponent)
    precision = max(len(digits) + max(0, exponent), scale, 1)
    if precision > MAX_DECIMAL_PRECISION:
        raise ProgrammingError(
            f"A DECIMAL has at most {MAX_DECIMAL_PRECISION} digits.", span, hint="Write it as a DOUBLE, as in 1e40."
        )
    return decimal(precision, scale)


def coerce(expression: Expression, target: SqlType) -> Expression:
    """The expression cast to the type, unless it has it. Numbers in literals are converted here if that is exact."""
    if expression.type == target:
        return expression
    if isinstance(expression, Literal):
        value = expression.value
        if value is None:
            return replace(expression, type=target)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            converted = _convert_number(value, target)
            if converted is not None:
                return replace(expression, value=converted, type=target)
    return Cast(operand=expression, type=target, span=expression.span)


def _convert_number(value: int | Decimal, target: SqlType) -> Value:
    """The number in a wider type; None where it does not fit as it is."""
    if target.kind is TypeKind.DOUBLE:
        return float(value)
    if target.kind is TypeKind.DECIMAL:
        needed = _decimal_type(Decimal(value), None)
        if needed.scale <= target.scale and needed.precision - needed.scale <= target.precision - target.scale:
            return Decimal(value)
    if isinstance(value, int) and target.is_integer:
        low, high = INTEGER_RANGE if target.kind is TypeKind.INTEGER else BIGINT_RANGE
        return value if low <= value <= high else None
    return None


def is_untyped_string(expression: Expression) -> bool:
    """Whether this is a string literal, which takes the type of its context."""
    return isinstance(expression, Literal) and expression.type.kind is TypeKind.VARCHAR


def type_beside(operator: str, other: SqlType) -> SqlType:
    """The type of a string literal beside an operand of a type, in `+ - * / %`.

    It is the same type where there is such an operation, as in PostgreSQL; what is added to a point in time is an
    interval, and what an interval is multiplied by or divided by a number.
    """
    if other.kind is TypeKind.INTERVAL:
        return INTERVAL if operator in "+-" else DOUBLE
    if operator == "+" and (other.is_temporal or other.kind is TypeKind.TIME):
        return INTERVAL
    return other


def coerce_to_common(expressions: Sequence[Expression], what: str, span: Span) -> tuple[Expression, ...]:
    """The expressions cast to their common type. `what` names the construct for the message: `CASE`, `=`.

    Raises:
        ProgrammingError: there is no such type.
    """
    common = NULL
    for expression in expressions:
        if is_untyped_string(expression):
            continue
        merged = common_type(common, expression.type)
        if merged is None:
            raise mismatch(what, common, expression.type, expression.span or span)
        common = merged
    if common.kind in (TypeKind.NULL, TypeKind.VARCHAR) and any(is_untyped_string(e) for e in expressions):
        common = VARCHAR
    return tuple([coerce(expression, common) for expression in expressions])


def coerce_to_compared(expressions: Sequence[Expression], what: str, span: Span) -> tuple[Expression, ...]:
    """The same for expressions that are compared with each other, which lists cannot be."""
    coerced = coerce_to_common(expressions, what, span)
    if not coerced[0].type.is_ordered:
        raise ProgrammingError(f"{what} takes no {coerced[0].type}: lists do not compare.", span)
    return coerced


def mismatch(what: str, left: SqlType, right: SqlType, span: Span) -> ProgrammingError:
    """The error that two types do not meet."""
    return ProgrammingError(
        f"{what} does not take {left} and {right} together.", span, hint="Add a CAST to say which of them you mean."
    )


def require_boolean(expression: Expression, what: str) -> Expression:
    """The expression, which must be a condition; a bare NULL is one."""
    if expression.type.kind is TypeKind.NULL or is_untyped_string(expression):
        return coerce(expression, BOOLEAN)
    if expression.type.kind is not TypeKind.BOOLEAN:
        raise ProgrammingError(f"{what} takes a BOOLEAN, not {expression.type}.", expression.span)
    return expression
