"""Functions that are short for other expressions, and are written out as them.

CASE and COALESCE evaluate an alternative only where it is reached, so that IF, DECODE and their like are lazy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Final

from minisql.datatypes import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTERVAL,
    MAX_DECIMAL_PRECISION,
    VARCHAR,
    SqlType,
    TypeKind,
    decimal,
    temporal_arithmetic,
)
from minisql.errors import InternalError, ProgrammingError, Span
from minisql.expression import nodes
from minisql.expression.date_functions import FIELDS_MISSING
from minisql.expression.interval_functions import INTERVAL_MAKERS
from minisql.expression.nodes import (
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    Comparison,
    Expression,
    FunctionCall,
    IsNull,
    Literal,
)
from minisql.interval import interval_of
from minisql.query_block.coerce import coerce, coerce_to_common, coerce_to_compared, is_untyped_string
from minisql.query_block.current_time import now

Arguments = Sequence[Expression]
Writer = Callable[[Arguments, Span], Expression]

_FIELDS: Final = {
    "dayofweek": "dow",
    "dayofyear": "doy",
    **{
        name: name
        for name in (
            "year", "quarter", "month", "week", "day", "isodow", "isoyear", "hour", "minute", "second", "millisecond",
            "microsecond", "decade", "century",
        )
    },
}  # fmt: skip
_PRINTF: Final = r"%%|%(?P<flags>[-0]*)(?P<width>[0-9]*)(?:\.(?P<precision>[0-9]+))?(?P<kind>[sdifxX])|(?P<bad>%.?)"
_FORMAT: Final = r"%%|%(?:(?P<number>[1-9][0-9]*)\$)?(?P<kind>[sL])|(?P<bad>%.?)"


def write_out(name: str, arguments: Arguments, span: Span) -> Expression:
    """What a call of a function that is written out means; the arguments have the types of the parameters."""
    field = _FIELDS.get(name)
    if field is not None:
        return _extract(field, arguments[0], span)
    unit = INTERVAL_MAKERS.get(name)
    if unit is not None:
        return _interval(arguments[0], unit, span)
    return _WRITERS[name](arguments, span)


def concatenated(parts: Arguments, span: Span) -> Expression:
    """`a || b || ...` of strings: NULL where one is."""
    if len(parts) == 1:
        return parts[0]
    return FunctionCall(name="||", arguments=tuple(parts), type=VARCHAR, span=span)


def _text(value: str, span: Span) -> Literal:
    return Literal(value=value, type=VARCHAR, span=span)


def _or_else(value: Expression, otherwise: Expression, span: Span) -> Expression:
    return Coalesce(operands=(value, otherwise), type=value.type, span=span)


def _coalesce(arguments: Arguments, span: Span) -> Expression:
    return Coalesce(operands=tuple(arguments), type=arguments[0].type, span=span)


def _nullif(arguments: Arguments, span: Span) -> Expression:
    left, right = coerce_to_compared(arguments, "NULLIF", span)
    equal = Comparison(operator="=", left=left, right=right, span=span)
    # What comes out is the first argument, as it is; only the comparison may need another type.
    value = left if arguments[0].type.kind is TypeKind.NULL or is_untyped_string(arguments[0]) else arguments[0]
    null = Literal(value=None, type=value.type, span=span)
    return Case(branches=((equal, null),), otherwise=value, type=value.type, span=span)


def _if(arguments: Arguments, span: Span) -> Expression:
    condition, then, otherwise = arguments
    return Case(branches=((condition, then),), otherwise=otherwise, type=otherwise.type, span=span)


def _nvl2(arguments: Arguments, span: Span) -> Expression:
    value, then, otherwise = arguments
    return _if((IsNull(operand=value, negated=True, span=span), then, otherwise), span)


def _decode(arguments: Arguments, span: Span) -> Expression:
    searches, results = list(arguments[1:-1:2]), list(arguments[2::2])
    otherwise = arguments[-1] if len(arguments) % 2 == 0 else Literal(value=None, type=results[0].type, span=span)
    operand, *searches = coerce_to_compared((arguments[0], *searches), "DECODE", span)
    *results, otherwise = coerce_to_common((*results, otherwise), "DECODE", span)
    conditions = [nodes.IsDistinctFrom(left=operand, right=search, negated=True, span=span) for search in searches]
    branches = tuple(zip(conditions, results, strict=True))
    return Case(branches=branches, otherwise=otherwise, type=otherwise.type, span=span)


def _typeof(arguments: Arguments, span: Span) -> Expression:
    return _text(str(arguments[0].type), span)


def _concat(arguments: Arguments, span: Span) -> Expression:
    return concatenated([_or_else(argument, _text("", span), span) for argument in arguments], span)


def _literal_of(value: Expression, span: Span) -> Expression:
    """The value as a literal of SQL; NULL where it is NULL."""
    as_text = coerce(value, VARCHAR)
    if value.type.is_numeric or value.type.kind is TypeKind.BOOLEAN:
        return as_text
    doubled = (as_text, _text("'", span), _text("''", span))
    escaped = FunctionCall(name="replace", arguments=doubled, type=VARCHAR, span=span)
    return concatenated((_text("'", span), escaped, _text("'", span)), span)


def _quote(arguments: Arguments, span: Span) -> Expression:
    return _or_else(_literal_of(arguments[0], span), _text("NULL", span), span)


def whole_part(quotient: Expression, span: Span) -> Expression:
    """The quotient of `a DIV b`, cut to a whole number where it is not one already."""
    if quotient.type.kind is not TypeKind.DOUBLE:
        return quotient
    return FunctionCall(name="trunc", arguments=(quotient,), type=DOUBLE, span=span)


def _datediff(arguments: Arguments, span: Span) -> Expression:
    return FunctionCall(name="date_diff", arguments=tuple(arguments), type=BIGINT, span=span)


# --- intervals --------------------------------------------------------------------------------------------------------


def _extract(field: str, when: Expression, span: Span) -> Expression:
    if field in FIELDS_MISSING.get(when.type.kind, ()):
        raise ProgrammingError(f"{when.type} has no {field}.", span)
    return FunctionCall(name="extract", arguments=(_text(field, span), when), type=BIGINT, span=span)


def _temporal(operator: str, left: Expression, right: Expression, span: Span) -> Expression:
    types = temporal_arithmetic(operator, left.type, right.type)
    if types is None:
        raise InternalError(f"There is no {left.type} {operator} {right.type}.")
    left, right = coerce(left, types.left), coerce(right, types.right)
    return Arithmetic(operator=operator, left=left, right=right, type=types.result, span=span)


def _interval(count: Expression, unit: str, span: Span) -> Expression:
    return _temporal("*", count, Literal(value=interval_of(1, unit), type=INTERVAL, span=span), span)


def _move(operator: str, arguments: Arguments, span: Span) -> Expression:
    point, distance = arguments
    if distance.type.is_integer and point.type.kind is not TypeKind.DATE:
        distance = _interval(distance, "day", span)
    return _temporal(operator, point, distance, span)


def _make_interval(arguments: Arguments, span: Span) -> Expression:
    units = ("year", "month", "week", "day", "hour", "minute", "second")
    parts = [_interval(count, unit, span) for count, unit in zip(arguments, units, strict=False)]
    return reduce(lambda whole, part: _temporal("+", whole, part, span), parts)


# --- templates --------------------------------------------------------------------------------------------------------


def _template(name: str, arguments: Arguments, span: Span) -> tuple[str, Arguments]:
    template = arguments[0]
    if not isinstance(template, Literal) or not isinstance(template.value, str):
        raise ProgrammingError(f"{name} takes its template as a string literal.", template.span or span)
    return template.value, arguments[1:]


def _argument(name: str, values: Arguments, place: int, span: Span) -> Expression:
    if place >= len(values):
        raise ProgrammingError(f"{name} has a template for {place + 1} values and gets {len(values)}.", span)
    return values[place]


def _filled(
    template: str, pattern: str, put: Callable[[re.Match[str]], Expression], name: str, span: Span
) -> Expression:
    """The template with what `put` gives in place of the codes that the pattern finds."""
    parts: list[Expression] = []
    text, end = "", 0
    for found in re.finditer(pattern, template):
        text += template[end : found.start()]
        end = found.end()
        if found["bad"]:
            raise ProgrammingError(f'{name} does not know the code "{found["bad"]}".', span, hint="A % is written %%.")
        if found[0] == "%%":
            text += "%"
            continue
        parts += [_text(text, span), put(found)] if text else [put(found)]
        text = ""
    text += template[end:]
    if text or not parts:
        parts.append(_text(text, span))
    return concatenated(parts, span)


def _format(arguments: Arguments, span: Span) -> Expression:
    template, values = _template("format", arguments, span)
    place = -1

    def put(found: re.Match[str]) -> Expression:
        nonlocal place
        place = int(found["number"]) - 1 if found["number"] else place + 1
        value = _argument("format", values, place, span)
        if found["kind"] == "L":
            return _or_else(_literal_of(value, span), _text("NULL", span), span)
        return _or_else(coerce(value, VARCHAR), _text("", span), span)

    return _filled(template, _FORMAT, put, "format", span)


def _printf(arguments: Arguments, span: Span) -> Expression:
    template, values = _template("printf", arguments, span)
    place = -1

    def put(found: re.Match[str]) -> Expression:
        nonlocal place
        place += 1
        return _printed(found, _argument("printf", values, place, span), span)

    result = _filled(template, _PRINTF, put, "printf", span)
    if place + 1 < len(values):
        raise ProgrammingError(f"printf has a template for {place + 1} values and gets {len(values)}.", span)
    return result


def _printed(found: re.Match[str], value: Expression, span: Span) -> Expression:
    kind, width, flags = found["kind"], int(found["width"] or 0), found["flags"]
    if kind == "s":
        text = coerce(value, VARCHAR)
    else:
        if not (value.type.is_numeric or value.type.kind is TypeKind.NULL):
            raise ProgrammingError(f'printf takes a number for "{found[0]}", not {value.type}.', value.span or span)
        text = _printed_number(kind, found["precision"], value, span)
    if not width:
        return text
    return _widened(text, width, "-" in flags, "0" in flags and kind != "s", span)


def _widened(text: Expression, width: int, to_left: bool, with_zeros: bool, span: Span) -> Expression:
    """The text filled up to the width, where it is not as wide; zeros come after the sign."""

    def filled(name: str, part: Expression, size: int, fill: str) -> Expression:
        arguments = (part, Literal(value=size, type=BIGINT, span=span), _text(fill, span))
        return FunctionCall(name=name, arguments=arguments, type=VARCHAR, span=span)

    size = FunctionCall(name="length", arguments=(text,), type=BIGINT, span=span)
    is_wide = Comparison(operator=">=", left=size, right=Literal(value=width, type=BIGINT, span=span), span=span)
    branches: list[tuple[Expression, Expression]] = [(is_wide, text)]
    if to_left or not with_zeros:
        otherwise = filled("rpad" if to_left else "lpad", text, width, " ")
    else:
        sign = _text("-", span)
        is_negative = FunctionCall(name="starts_with", arguments=(text, sign), type=BOOLEAN, span=span)
        digits = FunctionCall(name="ltrim", arguments=(text, sign), type=VARCHAR, span=span)
        branches.append((is_negative, concatenated((sign, filled("lpad", digits, width - 1, "0")), span)))
        otherwise = filled("lpad", text, width, "0")
    return Case(branches=tuple(branches), otherwise=otherwise, type=VARCHAR, span=span)


def _printed_number(kind: str, precision: str | None, value: Expression, span: Span) -> Expression:
    if kind == "f":
        scale = 6 if precision is None else int(precision)
        if scale > MAX_DECIMAL_PRECISION // 2:
            raise ProgrammingError(f"printf gives at most {MAX_DECIMAL_PRECISION // 2} digits after the point.", span)
        return coerce(_cast(value, decimal(MAX_DECIMAL_PRECISION, scale), span), VARCHAR)
    whole = _cast(value, BIGINT, span)
    if kind in "di":
        return coerce(whole, VARCHAR)
    digits = FunctionCall(name="hex", arguments=(whole,), type=VARCHAR, span=span)
    return FunctionCall(name="lower", arguments=(digits,), type=VARCHAR, span=span) if kind == "x" else digits


def _cast(value: Expression, type_: SqlType, span: Span) -> Expression:
    return value if value.type == type_ else Cast(operand=value, type=type_, span=span)


# --- constants --------------------------------------------------------------------------------------------------------


def _pi(_: Arguments, span: Span) -> Expression:
    return Literal(value=math.pi, type=DOUBLE, span=span)


def _now(_: Arguments, span: Span) -> Expression:
    return now(span)


def _today(_: Arguments, span: Span) -> Expression:
    return Cast(operand=now(span), type=DATE, span=span)


_WRITERS: Final[dict[str, Writer]] = {
    "coalesce": _coalesce,
    "ifnull": _coalesce,
    "nullif": _nullif,
    "if": _if,
    "nvl2": _nvl2,
    "decode": _decode,
    "typeof": _typeof,
    "concat": _concat,
    "quote": _quote,
    "datediff": _datediff,
    "format": _format,
    "printf": _printf,
    "pi": _pi,
    "now": _now,
    "today": _today,
    "date_add": partial(_move, "+"),
    "subdate": partial(_move, "-"),
    "make_interval": _make_interval,
}
