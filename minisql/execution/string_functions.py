"""The functions on VARCHAR: LOWER, UPPER, LENGTH, SUBSTRING, TRIM and concatenation, and the calls of all others.

Characters are Unicode code points. Those functions stand here that are computed for rows with different arguments at
once; the others stand in `text_functions` and `regular_expressions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Array, Column, all_null
from minisql.columnar.python_values import to_values
from minisql.columnar.strings import (
    gathered,
    offsets_and_bytes,
    pool_of,
    rows_of_each,
    slices_of,
    string_column,
    strings_of,
)
from minisql.datatypes import BIGINT, TypeKind
from minisql.errors import DataError, InternalError, Span
from minisql.execution.arithmetic import both_valid
from minisql.execution.code_points import from_code_points
from minisql.execution.operand import repeated
from minisql.execution.per_constant import all_valid, group_by_constants, same_for_all, with_span
from minisql.execution.regular_expressions import REGULAR_EXPRESSIONS
from minisql.execution.strings import PerString, joined
from minisql.execution.text_functions import LAST_CODE_POINT, TEXT_FUNCTIONS, hex_of_string, padded
from minisql.expression.nodes import FunctionCall

Kernel: TypeAlias = Callable[..., Column]
Strings: TypeAlias = pa.LargeStringArray
Plain: TypeAlias = Any
"""An argument without its NULLs: `Strings` or an integer array, of all rows or of one for all."""

_TRIMS: Final = {"trim": pc.utf8_trim, "ltrim": pc.utf8_ltrim, "rtrim": pc.utf8_rtrim}
# More characters than a string has; positions are cut to it, so that they do not overflow.
_LONGEST: Final = 2**40


def make_string_function(call: FunctionCall, constants: Sequence[Column | None]) -> Kernel:
    """The kernel of a call, prepared for the arguments that are constants; see `functions.make_function`."""
    scalar = TEXT_FUNCTIONS.get(call.name) or REGULAR_EXPRESSIONS.get(call.name)
    if call.name == "hex" and call.arguments[0].type.is_integer:
        return _hex_of_integers
    if call.name in ("lpad", "rpad") and constants[1] is None and (len(constants) == 2 or constants[2] is not None):
        return partial(_pad_rows, call)
    if scalar is not None:
        return _with_scalars(scalar, 1 if call.name == "locate" else 0, call, constants)
    match call.name:
        case "chr":
            return partial(_chr, call.span)
        case "concat_ws":
            return _concat_with_separator
    function = _plain_function(call.name)
    varying = [place for place, constant in enumerate(constants) if constant is None]
    kernel: Kernel
    if varying == [0] or (len(varying) == 1 and call.name == "||"):
        kernel = _on_one_string(function, varying[0], constants)
    else:
        kernel = partial(_on_rows, function)
    if call.name == "substring" and len(constants) == 3:
        return partial(_with_checked_count, kernel, call.span)
    return kernel


def _plain_function(name: str) -> Callable[..., Column]:
    """The function by name, on plain arguments; it gives no NULLs."""
    match name:
        case "lower":
            return lambda strings: string_column(pc.utf8_lower(strings), None)
        case "upper":
            return lambda strings: string_column(pc.utf8_upper(strings), None)
        case "length":
            return lambda strings: Column(BIGINT, pc.utf8_length(strings).to_numpy())
        case "substring":
            return _substring
        case "trim" | "ltrim" | "rtrim":
            return partial(_trim, _TRIMS[name])
        case "||":
            return _concat
        case _:
            raise InternalError(f"The function {name} has no kernel.")


def _on_one_string(function: Callable[..., Column], place: int, constants: Sequence[Column | None]) -> Kernel:
    """The kernel where one string varies and all else is constant: the function of that string."""
    before = [_plain(constant) for constant in constants[:place] if constant is not None]
    after = [_plain(constant) for constant in constants[place + 1 :] if constant is not None]
    per_string = PerString(lambda strings: function(*before, strings, *after))
    return lambda *arguments: per_string(arguments[place])


def _on_rows(function: Callable[..., Column], *arguments: Column) -> Column:
    length = next((len(argument) for argument in arguments if len(argument) != 1), 1)
    full = [argument if len(argument) == length else repeated(argument, length) for argument in arguments]
    result = function(*map(_plain, full))
    return Column(result.type, result.values, all_valid(full), result.pool, result.bounds)


def _plain(column: Column) -> Plain:
    return gathered(column) if column.type.kind is TypeKind.VARCHAR else column.values


def _concat(*arguments: Strings) -> Column:
    length = max(map(len, arguments))
    parts = [strings[0] if len(strings) == 1 and length > 1 else strings for strings in arguments]
    return string_column(joined(*parts), None)


def _concat_with_separator(separator: Column, *arguments: Column) -> Column:
    """The arguments that are not NULL with separators between them; NULL where the separator is."""
    length = next((len(column) for column in (separator, *arguments) if len(column) != 1), 1)
    full = [column if len(column) == length else repeated(column, length) for column in (separator, *arguments)]
    # pyarrow's own way to skip NULLs loses rows of which every part is one (26.0).
    empty = pa.scalar("", pa.large_string())
    parts: list[Strings] = []
    has_begun = np.zeros(length, np.bool_)
    for column in full[1:]:
        known = np.ones(length, np.bool_) if column.valid is None else column.valid
        parts.append(pc.if_else(pa.array(has_begun & known), gathered(full[0]), empty))
        parts.append(pc.if_else(pa.array(known), gathered(column), empty))
        has_begun = has_begun | known
    return string_column(joined(*parts), full[0].valid)


def _pad_rows(call: FunctionCall, strings: Column, lengths: Column, fill: Column | None = None) -> Column:
    """LPAD and RPAD to a length that varies."""
    rows = len(lengths)
    strings = strings if len(strings) == rows else repeated(strings, rows)
    valid = both_valid(strings, lengths)
    wanted = lengths.values if valid is None else np.where(valid, lengths.values, 0)
    filling = " " if fill is None else str(to_values(fill)[0])
    located = with_span(partial(padded, at_start=call.name == "lpad"), call.span)
    return string_column(pool_of(located(gathered(strings), wanted, filling)).strings, valid)


def _chr(span: Span | None, codes: Column) -> Column:
    """The characters of code points."""
    points = codes.values
    wrong = (points < 0) | (points > LAST_CODE_POINT) | ((points >= 0xD800) & (points < 0xE000))
    rows = np.flatnonzero(wrong if codes.valid is None else wrong & codes.valid)
    if len(rows):
        raise DataError(f"There is no character with the code {points[rows[0]]}.", span)
    offsets = np.arange(len(points) + 1)
    return string_column(from_code_points(offsets, np.where(wrong, 0, points).astype(np.uint32)), codes.valid)


def _hex_of_integers(numbers: Column) -> Column:
    """Of a negative number the 16 digits of its two's complement."""
    data = np.ascontiguousarray(numbers.values.astype(">i8")).view(np.uint8)
    padded = hex_of_string(strings_of(np.arange(len(numbers) + 1, dtype=np.int64) * 8, data))
    trimmed = pc.ascii_ltrim(gathered(padded), characters="0")
    strings = pc.if_else(pc.equal(trimmed, ""), pa.scalar("0", pa.large_string()), trimmed)
    return string_column(strings, numbers.valid)


def _with_scalars(
    function: Callable[..., Column], subject: int, call: FunctionCall, constants: Sequence[Column | None]
) -> Kernel:
    """The kernel of a function of one string, the subject, which takes everything else as a value for all rows."""
    located = with_span(lambda strings, *others: function(strings, *others), call.span)
    same = same_for_all(constants, subject)
    if same is None:
        on_column = lambda column, *others: located(gathered(column), *others)  # noqa: E731
        return partial(group_by_constants, on_column, subject, call.type)
    per_string = PerString(lambda strings: located(strings, *same))

    def kernel(*arguments: Column) -> Column:
        strings = arguments[subject]
        if strings.valid is not None and not strings.valid.any():
            # A bad pattern is an error only for a row that there is.
            return all_null(call.type, len(strings))
        return per_string(strings)

    return kernel


def _trim(trim: Callable[..., Strings], strings: Strings, characters: Strings | None = None) -> Column:
    if characters is None:
        return string_column(trim(strings, characters=" "), None)
    if len(characters) == 1:
        return string_column(trim(strings, characters=characters[0].as_py()), None)
    groups = rows_of_each(characters)
    parts = [trim(strings.take(pa.array(rows)), characters=own) for own, rows in groups]
    places = np.empty(len(strings), np.intp)
    places[np.concatenate([rows for _, rows in groups])] = np.arange(len(strings))
    return string_column(pa.concat_arrays(parts).take(pa.array(places)), None)


def _with_checked_count(kernel: Kernel, span: Span | None, *arguments: Column) -> Column:
    """SUBSTRING after a look at its count, which must not be negative in a row without a NULL."""
    negative = arguments[2].values < 0
    if negative.any():
        for argument in arguments:
            if argument.valid is not None:
                negative = negative & argument.valid
        if negative.any():
            raise DataError("negative substring length not allowed", span)
    return kernel(*arguments)


def _substring(strings: Strings, starts: Array, counts: Array | None = None) -> Column:
    """The characters at the positions from `start` up to `start + count`, counted from 1, that the string has."""
    offsets, data = offsets_and_bytes(strings)
    if (data < 0x80).all():
        character_starts, firsts = None, offsets
    else:
        # A byte that continues a character of UTF-8 has the bits 10 in front.
        character_starts = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
        firsts = np.searchsorted(character_starts, offsets)
    firsts, lengths = firsts[:-1], np.diff(firsts)
    begins = np.clip(starts, -_LONGEST, _LONGEST).astype(np.int64) - 1
    ends = lengths if counts is None else np.clip(begins + np.clip(counts, 0, _LONGEST), 0, lengths)
    begins = firsts + np.minimum(np.clip(begins, 0, lengths), ends)
    ends = firsts + ends
    if character_starts is not None:
        begins, ends = character_starts.take(begins), character_starts.take(ends)
    return string_column(strings_of(*slices_of(data, begins, ends - begins)), None)
