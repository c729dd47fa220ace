"""The scalar functions: what they are called, which arguments they take, and what type they give.

How they are computed stands in `execution.functions`, under the same names. Every function here is strict: it is NULL
where an argument is NULL. (COALESCE, NULLIF and CASE are not, and are nodes of their own.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from minisql.datatypes import BIGINT, DOUBLE, INTEGER, VARCHAR, SqlType, TypeKind, decimal

EXTRACT_FIELDS: Final = (
    "year", "quarter", "month", "week", "day", "dow", "doy", "hour", "minute", "second", "epoch",
)  # fmt: skip
"""The fields of EXTRACT: ISO weeks; `dow` is 0 on Sundays; `epoch` is in whole seconds."""


FIELDS_MISSING: Final = {
    TypeKind.TIME: ("year", "quarter", "month", "week", "day", "dow", "doy"),
    TypeKind.INTERVAL: ("week", "dow", "doy"),
}
"""The fields that only points in time have, and not these types."""


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A function. `result_type` gives None for argument types that the function does not take.

    `parameters` is for messages: what each argument is, the optional ones in square brackets. `argument_types` gives
    the types that arguments are cast to before the call, where these differ from their own.
    """

    name: str
    parameters: tuple[str, ...]
    minimum: int
    result_type: Callable[[tuple[SqlType, ...]], SqlType | None]
    argument_types: Callable[[tuple[SqlType, ...]], tuple[SqlType, ...]] = lambda types: types

    @property
    def signature(self) -> str:
        """For messages: `substring(string, start [, count])`."""
        required = ", ".join(self.parameters[: self.minimum])
        optional = "".join(f" [, {name}]" for name in self.parameters[self.minimum :])
        return f"{self.name}({required}{optional})"


def _is(type_: SqlType, *kinds: TypeKind) -> bool:
    return type_.kind in kinds or type_.kind is TypeKind.NULL


def _abs(types: tuple[SqlType, ...]) -> SqlType | None:
    (operand,) = types
    if operand.kind is TypeKind.NULL:
        return INTEGER
    return operand if operand.is_numeric else None


def _round(types: tuple[SqlType, ...]) -> SqlType | None:
    operand = types[0]
    if len(types) == 2 and not _is(types[1], TypeKind.INTEGER, TypeKind.BIGINT):
        return None
    if operand.kind is TypeKind.DECIMAL:
        # Rounding up may take one digit more in front of the point.
        digits = operand.precision - operand.scale + 1
        return decimal(digits, 0) if len(types) == 1 else decimal(digits + operand.scale, operand.scale)
    if operand.kind is TypeKind.NULL:
        return DOUBLE
    return operand if operand.is_numeric else None


def _string_to_string(types: tuple[SqlType, ...]) -> SqlType | None:
    return VARCHAR if all(_is(type_, TypeKind.VARCHAR) for type_ in types) else None


def _length(types: tuple[SqlType, ...]) -> SqlType | None:
    return BIGINT if _is(types[0], TypeKind.VARCHAR) else None


def _substring(types: tuple[SqlType, ...]) -> SqlType | None:
    if not _is(types[0], TypeKind.VARCHAR):
        return None
    return VARCHAR if all(_is(type_, TypeKind.INTEGER, TypeKind.BIGINT) for type_ in types[1:]) else None


def _all_varchar(types: tuple[SqlType, ...]) -> tuple[SqlType, ...]:
    return (VARCHAR,) * len(types)


def _extract(types: tuple[SqlType, ...]) -> SqlType | None:
    kinds = TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ, TypeKind.TIME, TypeKind.INTERVAL
    return BIGINT if _is(types[1], *kinds) else None


SCALAR_FUNCTIONS: Final[dict[str, ScalarFunction]] = {
    function.name: function
    for function in (
        ScalarFunction("abs", ("number",), 1, _abs),
        # round(x, digits): halves go away from zero; DECIMAL keeps its scale where digits are given.
        ScalarFunction("round", ("number", "digits"), 1, _round),
        ScalarFunction("lower", ("string",), 1, _string_to_string),
        ScalarFunction("upper", ("string",), 1, _string_to_string),
        # In characters, not bytes.
        ScalarFunction("length", ("string",), 1, _length),
        # Positions from 1; the part of the window that lies before the string counts, as in the standard.
        ScalarFunction("substring", ("string", "start", "count"), 2, _substring),
        # trim(string [, characters]) takes away any of the characters, spaces by default.
        ScalarFunction("trim", ("string", "characters"), 1, _string_to_string),
        ScalarFunction("ltrim", ("string", "characters"), 1, _string_to_string),
        ScalarFunction("rtrim", ("string", "characters"), 1, _string_to_string),
        # `a || b`; at least one side is a string, the other is cast to one.
        ScalarFunction("concat", ("string", "string"), 2, lambda _: VARCHAR, _all_varchar),
        # extract('year', date): the field is a literal of EXTRACT_FIELDS.
        ScalarFunction("extract", ("field", "date, time, timestamp or interval"), 2, _extract),
    )
}

ALIASES: Final = {"substr": "substring", "char_length": "length", "character_length": "length"}
"""Other names of functions."""
