"""Timestamps as texts by a format, and back: STRFTIME, TO_CHAR, DATE_FORMAT, STRPTIME.

A format is split into codes and the text between them once. Each code is then computed for all rows at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Array, Column, StringPool
from minisql.columnar.strings import gathered, string_column
from minisql.datatypes import DATE, TIMESTAMP, VARCHAR
from minisql.errors import DataError, Span
from minisql.execution import exact
from minisql.execution.date_fields import Field
from minisql.execution.date_functions import DAY_NAMES, MONTH_NAMES
from minisql.execution.per_constant import group_by_constants, same_for_all, with_span
from minisql.execution.strings import PerString, joined
from minisql.expression.nodes import FunctionCall
from minisql.interval import MICROSECONDS_PER_DAY

Strings: TypeAlias = pa.LargeStringArray

# The field of a code, how many digits it has, and what fills them; a code in C's notation, as strftime has it.
_NUMBERS: Final[dict[str, tuple[str, int, str]]] = {
    "Y": ("year", 4, "0"), "m": ("month", 2, "0"), "d": ("day", 2, "0"), "e": ("day", 2, " "), "H": ("hour", 2, "0"),
    "M": ("minute", 2, "0"), "S": ("second", 2, "0"), "j": ("doy", 3, "0"), "u": ("isodow", 1, "0"),
    "w": ("dow", 1, "0"), "V": ("week", 2, "0"), "G": ("isoyear", 4, "0"), "s": ("epoch", 1, "0"),
    "Q": ("quarter", 1, "0"),
}  # fmt: skip
_NAMES: Final[dict[str, tuple[str, Sequence[str]]]] = {
    "a": ("isodow", [name[:3] for name in DAY_NAMES]),
    "A": ("isodow", DAY_NAMES),
    "b": ("month", [name[:3] for name in MONTH_NAMES]),
    "B": ("month", MONTH_NAMES),
}
_OF_TIME: Final = ("H", "I", "M", "S", "f", "L", "p", "s")
_COMPOUND: Final = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "X": "%H:%M:%S", "x": "%Y-%m-%d", "D": "%m/%d/%y", "h": "%b"}
_STRFTIME: Final = re.compile(r"%(-?[A-Za-z%])?")
_MYSQL: Final = {
    "i": "M", "s": "S", "M": "B", "W": "A", "c": "-m", "e": "-d", "k": "-H", "l": "-I", "h": "I", "v": "V", "x": "G",
}  # fmt: skip
_POSTGRESQL: Final = {
    "YYYY": "Y", "IYYY": "G", "HH24": "H", "HH12": "I", "Month": "B", "DDD": "j", "Day": "A", "Mon": "b", "YY": "y",
    "MM": "m", "DD": "d", "HH": "I", "MI": "M", "SS": "S", "MS": "L", "US": "f", "AM": "p", "PM": "p", "Dy": "a",
    "IW": "V", "ID": "u", "Q": "Q",
}  # fmt: skip
_TO_CHAR: Final = re.compile(f'"([^"]*)"|(?:FM)?({"|".join(_POSTGRESQL)})|[A-Za-z]+')

Parts = Sequence[tuple[str, str]]
"""A format: texts with no code, and codes with no text."""


def make_text_function(call: FunctionCall, constants: Sequence[Column | None]) -> Callable[..., Column]:
    """The kernel of a function between timestamps and texts; see `functions.make_function`."""
    if call.name == "strptime":
        return _make_strptime(call, constants)
    read = {"strftime": _strftime_parts, "to_char": _to_char_parts, "date_format": _date_format_parts}[call.name]
    function = with_span(lambda when, format_: _formatted(read(format_), when), call.span)
    return partial(_with_format, function)


def _with_format(function: Callable[..., Column], when: Column, formats: Column) -> Column:
    """Timestamps without their NULLs through `group_by_constants`, so that a bad format raises only in a row."""
    return group_by_constants(function, 0, VARCHAR, when, formats)


# --- formats ----------------------------------------------------------------------------------------------------------


def _strftime_parts(format_: str) -> Parts:
    parts: list[tuple[str, str]] = []
    end = 0
    for found in _STRFTIME.finditer(format_):
        parts.append((format_[end : found.start()], ""))
        end = found.end()
        code = found[1]
        if code is None:
            raise DataError(f'The format "{format_}" ends with a %.')
        parts += _strftime_parts(_COMPOUND[code]) if code in _COMPOUND else [("%", "") if code == "%" else ("", code)]
    return [*parts, (format_[end:], "")]


def _date_format_parts(format_: str) -> Parts:
    format_ = format_.replace("%r", "%I:%i:%s %p").replace("%T", "%H:%i:%s").replace("%D", "%e")
    return [(text, _MYSQL.get(code, code)) for text, code in _strftime_parts(format_)]


def _to_char_parts(format_: str) -> Parts:
    parts: list[tuple[str, str]] = []
    end = 0
    for found in _TO_CHAR.finditer(format_):
        parts.append((format_[end : found.start()], ""))
        end = found.end()
        if found[2]:
            code = _POSTGRESQL[found[2]]
            parts.append(("", f"-{code}" if found[0].startswith("FM") and code in _NUMBERS else code))
        elif found[1] is not None:
            parts.append((found[1], ""))
        else:
            known = ", ".join(_POSTGRESQL)
            raise DataError(f'to_char does not know "{found[0]}"', hint=f'The codes are {known}; quote text as "Text".')
    return [*parts, (format_[end:], "")]


# --- texts ------------------------------------------------------------------------------------------------------------


def _formatted(parts: Parts, when: Column) -> Column:
    """The texts; those of days, where there are more rows than days from the first to the last one, once for each."""
    low, high = (bound // MICROSECONDS_PER_DAY for bound in exact.bounds_of(when))
    if high - low >= len(when) or any(code.lstrip("-") in _OF_TIME for _, code in parts):
        return string_column(_text(parts, when), None)
    days = Column(DATE, np.arange(low, high + 1, dtype=np.int32), None, None, (low, high))
    codes = np.clip(when.values // MICROSECONDS_PER_DAY - low, 0, high - low).astype(np.int32)
    return Column(VARCHAR, codes, None, StringPool(_text(parts, days), distinct=False))


def _text(parts: Parts, when: Column) -> Strings:
    pieces: list[Strings | str] = [_piece(code, when) if code else text for text, code in parts if text or code]
    # There is at least one piece with a row for each row.
    return joined(pa.array([""] * len(when), pa.large_string()), *pieces)


def _piece(code: str, when: Column) -> Strings:
    unpadded = code.startswith("-")
    code = code.lstrip("-")
    if code in _NUMBERS:
        field, width, fill = _NUMBERS[code]
        return _digits(Field(field)(when).values, 1 if unpadded else width, fill)
    if code in _NAMES and not unpadded:
        field, names = _NAMES[code]
        return pa.array(names, pa.large_string()).take(pa.array(Field(field)(when).values - 1))
    match code:
        case "y":
            return _digits(Field("year")(when).values % 100, 1 if unpadded else 2)
        case "I":
            return _digits((Field("hour")(when).values + 11) % 12 + 1, 1 if unpadded else 2)
        case "f":
            return _digits(Field("microsecond")(when).values % 1_000_000, 6)
        case "L":
            return _digits(Field("millisecond")(when).values % 1_000, 3)
        case "p":
            return pa.array(["AM", "PM"], pa.large_string()).take(pa.array(Field("hour")(when).values // 12))
    raise DataError(f'There is no code "%{code}" in formats of dates.')


def _digits(values: Array, width: int, fill: str = "0") -> Strings:
    return pc.utf8_lpad(pc.cast(pa.array(values), pa.large_string()), width=width, padding=fill)


# --- and back ---------------------------------------------------------------------------------------------------------


def _make_strptime(call: FunctionCall, constants: Sequence[Column | None]) -> Callable[..., Column]:
    same = same_for_all(constants, 0)
    if same is not None:
        per_string = PerString(lambda strings: _parsed(strings, same[0]))
        return lambda strings, formats: _checked(per_string(strings), strings, formats, call.span)

    def kernel(strings: Column, formats: Column) -> Column:
        function = with_span(lambda own, format_: _parsed(gathered(own), format_), call.span)
        return _checked(group_by_constants(function, 0, TIMESTAMP, strings, formats), strings, formats, call.span)

    return kernel


def _parsed(strings: Strings, format_: str) -> Column:
    """The timestamps of texts; NULL where the text does not fit the format."""
    found = pc.strptime(strings, format=format_, unit="us", error_is_null=True)
    valid = found.is_valid().to_numpy(zero_copy_only=False)
    values = found.cast(pa.int64()).fill_null(0).to_numpy()
    return Column(TIMESTAMP, values, None if valid.all() else valid)


def _checked(parsed: Column, strings: Column, formats: Column, span: Span | None) -> Column:
    """The timestamps, none of which is NULL where text and format are not."""
    if parsed.valid is None:
        return parsed
    wrong = ~parsed.valid
    for argument in (strings, formats):
        if argument.valid is not None:
            wrong = wrong & argument.valid
    rows = np.flatnonzero(wrong)
    if len(rows):
        texts = [gathered(column.take(rows[:1] % len(column)))[0].as_py() for column in (strings, formats)]
        raise DataError(f'"{texts[0]}" does not fit the format "{texts[1]}"', span)
    return parsed
