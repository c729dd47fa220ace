"""Casts from and to VARCHAR; those of BLOB and INTERVAL are in `text_forms`.

Texts are read strictly, once the spaces around them are taken away: numbers in SQL's notation, dates as YYYY-MM-DD,
timestamps as YYYY-MM-DD HH:MM[:SS[.fraction]], with a T for the space if one likes and a zone as +HH[:MM] or Z, which
is turned into UTC, times as HH:MM[:SS[.fraction]]. All texts of a pool may be read, but only one that a row alive has
may raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import PHYSICAL_DTYPE, Array, BoolArray, Column, StringPool, concat_columns
from minisql.columnar.from_arrow import from_arrow
from minisql.columnar.strings import gathered, string_column
from minisql.columnar.to_arrow import arrow_type
from minisql.datatypes import BOOLEAN, DATE, DOUBLE, TIME, TIMESTAMP, VARCHAR, SqlType, TypeKind
from minisql.errors import DataError, InternalError, Span
from minisql.execution import exact, text_forms
from minisql.execution.kernels.segments import Segments, joined_strings
from minisql.execution.months import first_days_of
from minisql.execution.strings import PerString, bools, joined
from minisql.interval import MICROSECONDS_PER_DAY
from minisql.printable import cut

Strings: TypeAlias = pa.LargeStringArray

_MOST_CHARACTERS: Final = 81
"""Of a text in a message, with what says that it was cut."""
_INTEGER: Final = r"^[+-]?[0-9]+$"
_POINT: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
_NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_INFINITE: Final = r"(?i)^([+-]?inf(inity)?|nan)$"
_ARROW_DAYS: Final = (-12_687_428, 11_248_738)
"""The first day that Arrow prints, in the year -32767, and the first that it does not, in the year 32768."""
_DATE_TIME: Final = (
    r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:[ T](?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?:Z|(?P<zone_sign>[+-])(?P<zone_hour>[0-9]{2})(?::?(?P<zone_minute>[0-9]{2}))?)?)?$"
)
_TIME: Final = r"^(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?$"
_TRUE: Final = ("true", "t", "yes", "y", "on", "1")
_FALSE: Final = ("false", "f", "no", "n", "off", "0")

_SAFE_DIGITS: Final = 18
"""Every number of so many digits is an int64."""
# Wide enough for the 38 digits of a DECIMAL and a carry.
_WIDE: Final = Context(prec=60)


# --- from VARCHAR -----------------------------------------------------------------------------------------------------


def make_parser(target: SqlType, span: Span | None) -> Callable[[Column], Column]:
    """The kernel of CAST(string AS target).

    Raises (the kernel):
        DataError: a text of a row means no value of the target.
    """
    return partial(_parse, PerString(_parser(target)), target, span)


def _parse(per_string: PerString, target: SqlType, span: Span | None, column: Column) -> Column:
    parsed = per_string(column)
    if parsed.valid is not None and parsed.valid is not column.valid:
        failed = np.flatnonzero(~parsed.valid if column.valid is None else column.valid & ~parsed.valid)
        if len(failed):
            text = gathered(column.take(failed[:1]))[0].as_py()
            shown = cut(text, _MOST_CHARACTERS)
            if (
                target.is_numeric
                and re.match(_NUMBER, text.strip())
                and not (target.is_integer and not re.match(_INTEGER, text.strip()))
            ):
                raise DataError(f"value out of range for {target}: {shown}", span)
            raise DataError(f"invalid input for {target}: {shown!r}", span)
    return Column(target, parsed.values, column.valid, parsed.pool, parsed.bounds)


def _parser(target: SqlType) -> Callable[[Strings], Column]:
    """The function that reads texts; NULL where a text means no value of the target."""
    match target.kind:
        case TypeKind.INTEGER | TypeKind.BIGINT:
            return partial(_integers, target)
        case TypeKind.DECIMAL:
            return partial(_decimals, target)
        case TypeKind.DOUBLE:
            return _doubles
        case TypeKind.BOOLEAN:
            return _booleans
        case TypeKind.DATE:
            return _dates
        case TypeKind.TIME:
            return _times
        case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
            return partial(_timestamps, target)
        case TypeKind.INTERVAL:
            return text_forms.parse_intervals
        case TypeKind.BLOB:
            return text_forms.parse_blobs
        case _:
            raise InternalError(f"There is no cast from VARCHAR to {target}.")


def _all_plain(strings: Strings, type_: pa.DataType) -> Array | None:
    """The physical values of texts that Arrow reads all of, which takes a tenth of the time; else None.

    Arrow reads a part of what we do: no fraction longer than the type's, no day or month of one digit, no zone.
    """
    try:
        return from_arrow(pc.cast(strings, type_), "").values
    except pa.ArrowInvalid:
        return None


def _matches(strings: Strings, pattern: str) -> BoolArray:
    return bools(pc.match_substring_regex(strings, pattern))


def _only(strings: Strings, wanted: BoolArray, otherwise: str) -> Strings:
    return strings if wanted.all() else pc.if_else(pa.array(wanted), strings, otherwise)


def _as_int64(strings: Strings) -> Array:
    """The values of texts of at most 18 digits, with a minus or without."""
    values: Array = pc.cast(strings, pa.int64()).to_numpy()
    return values


def _without_plus(strings: Strings) -> Strings:
    return pc.replace_substring_regex(strings, r"^\+", "")


def _integers(target: SqlType, strings: Strings) -> Column:
    strings = pc.ascii_trim_whitespace(strings)
    valid = _matches(strings, _INTEGER)
    short = valid & (pc.binary_length(strings).to_numpy() <= _SAFE_DIGITS)
    values = _as_int64(_without_plus(_only(strings, short, "0"))).copy()
    low, high = exact.value_range(target)
    for row in np.flatnonzero(valid & ~short):
        number = Decimal(strings[int(row)].as_py())
        valid[row] = low <= number <= high
        values[row] = int(number) if valid[row] else 0
    valid &= (low <= values) & (values <= high)
    return Column(target, values.astype(PHYSICAL_DTYPE[target.kind]), valid)


def _decimals(target: SqlType, strings: Strings) -> Column:
    strings = pc.ascii_trim_whitespace(strings)
    plain_values = _all_plain(strings, arrow_type(target))
    if plain_values is not None:
        return Column(target, plain_values)
    valid = _matches(strings, _NUMBER)
    plain = valid & _matches(strings, _POINT)
    parts = pc.extract_regex(_only(strings, plain, "0"), r"^(?P<sign>[+-]?)(?P<whole>[0-9]*)\.?(?P<fraction>[0-9]*)$")
    sign, whole, fraction = parts.flatten()
    scale = target.scale
    short = plain & (pc.binary_length(whole).to_numpy() + scale + 1 <= _SAFE_DIGITS)
    values = np.zeros(len(strings), np.int64)
    if scale + 1 < _SAFE_DIGITS:
        # One digit more than the scale decides about rounding; those behind it cannot change the answer.
        digits = pc.utf8_slice_codeunits(pc.ascii_rpad(fraction, scale + 1, "0"), 0, scale + 1)
        number = joined(_only(whole, short, ""), _only(digits, short, "0"))
        values = (_as_int64(number) + 5) // 10
        values = np.where(pc.equal(sign, "-").to_numpy(zero_copy_only=False), -values, values)
    else:
        short = np.zeros(len(strings), np.bool_)
    rows = np.flatnonzero(valid & ~short)
    limit = 10**target.precision
    if len(rows):
        values = values.astype(np.object_)
        for row in rows:
            values[row] = _scaled(Decimal(strings[int(row)].as_py()), scale)
        valid &= (-limit < values) & (values < limit)
        values, _ = exact.narrowed(values, valid)
    else:
        valid &= (-limit < values) & (values < limit)
    return Column(target, values, valid)


def _scaled(number: Decimal, scale: int) -> int:
    """The number times 10^scale, rounded; 10^60 for one that is far too large for a DECIMAL."""
    if number and number.adjusted() > 50:
        return 10**60
    return int(number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE).scaleb(scale, _WIDE))


def _doubles(strings: Strings) -> Column:
    strings = pc.ascii_trim_whitespace(strings)
    infinite = _matches(strings, _INFINITE)
    valid = _matches(strings, _NUMBER) | infinite
    values: Array = pc.cast(_without_plus(_only(strings, valid, "0")), pa.float64()).to_numpy()
    valid &= np.isfinite(values) | infinite
    return Column(DOUBLE, values, valid)


def _booleans(strings: Strings) -> Column:
    words = pc.ascii_lower(pc.ascii_trim_whitespace(strings))
    true = bools(pc.is_in(words, value_set=pa.array(_TRUE, pa.large_string())))
    false = bools(pc.is_in(words, value_set=pa.array(_FALSE, pa.large_string())))
    return Column(BOOLEAN, true, true | false)


def _dates(strings: Strings) -> Column:
    values = _all_plain(strings, pa.date32())
    if values is not None:
        return Column(DATE, values, values >= exact.DATE_RANGE[0])
    days, _, valid = _date_times(strings)
    return Column(DATE, days.astype(np.int32), valid)


def _times(strings: Strings) -> Column:
    strings = pc.ascii_trim_whitespace(strings)
    valid = _matches(strings, _TIME)
    struct = pc.extract_regex(_only(strings, valid, "00:00"), _TIME)
    hour, minute, second = (_as_int64(joined("0", struct.field(part))) for part in ("hour", "minute", "second"))
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    values = ((hour * 60 + minute) * 60 + second) * 1_000_000 + _fraction(struct)
    # What is rounded up to midnight is no time of the day.
    valid &= values < MICROSECONDS_PER_DAY
    return Column(TIME, values, valid)


def _fraction(struct: pa.StructArray) -> Array:
    """The microseconds of the digits behind the point, rounded."""
    return (_as_int64(pc.ascii_rpad(struct.field("fraction"), 9, "0")) + 500) // 1000


def _timestamps(target: SqlType, strings: Strings) -> Column:
    low, high = exact.value_range(target)
    values = _all_plain(strings, arrow_type(TIMESTAMP))
    if values is not None:
        return Column(target, values, values >= low)
    days, microseconds, valid = _date_times(strings)
    values = days * MICROSECONDS_PER_DAY + microseconds
    return Column(target, values, valid & (low <= values) & (values <= high))


def _date_times(strings: Strings) -> tuple[Array, Array, BoolArray]:
    """Days since 1970-01-01 and microseconds since midnight, which a zone may carry into another day."""
    strings = pc.ascii_trim_whitespace(strings)
    valid = _matches(strings, _DATE_TIME)
    struct = pc.extract_regex(_only(strings, valid, "2000-01-01"), _DATE_TIME)

    def number(part: str) -> Array:
        return _as_int64(joined("0", struct.field(part)))

    month = number("year") * 12 + number("month") - 1 - 1970 * 12
    first = first_days_of(month)
    day, hour, minute, second = number("day"), number("hour"), number("minute"), number("second")
    valid &= (number("year") >= 1) & (number("month") >= 1) & (number("month") <= 12)
    valid &= (day >= 1) & (day <= first_days_of(month + 1) - first) & (hour < 24) & (minute < 60) & (second < 60)
    minutes = number("zone_hour") * 60 + number("zone_minute")
    east = np.where(pc.equal(struct.field("zone_sign"), "-").to_numpy(zero_copy_only=False), -minutes, minutes)
    time = ((hour * 60 + minute - east) * 60 + second) * 1_000_000 + _fraction(struct)
    return first + day - 1, time, valid


# --- to VARCHAR -------------------------------------------------------------------------------------------------------


def format_column(column: Column) -> Column:
    """CAST(column AS VARCHAR). A number is written so that reading it gives it back, a DOUBLE as Python writes it."""
    if column.type.kind is TypeKind.BOOLEAN:
        pool = StringPool(pa.array(["false", "true"], pa.large_string()), distinct=True)
        return Column(VARCHAR, column.values.astype(np.int32), column.valid, pool)
    if column.type.kind is TypeKind.LIST:
        return _format_lists(column)
    return string_column(_format(column), column.valid)


def _format(column: Column) -> Strings:
    values = column.values
    match column.type.kind:
        case TypeKind.INTEGER | TypeKind.BIGINT:
            return pc.cast(pa.array(values), pa.large_string())
        case TypeKind.DOUBLE:
            return _format_doubles(values)
        case TypeKind.DECIMAL:
            return _format_decimals(values, column.type.scale)
        case TypeKind.DATE:
            return _format_moments(values, pa.date32(), "D", 1)
        case TypeKind.TIMESTAMP:
            # Six digits behind the point, of which zeros at the end go away.
            text = _format_moments(values, pa.timestamp("us"), "us", MICROSECONDS_PER_DAY)
            return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
        case TypeKind.TIMESTAMPTZ:
            return joined(_format(Column(TIMESTAMP, values)), "+00")
        case TypeKind.TIME:
            # The time of the first day of all.
            return pc.utf8_slice_codeunits(_format(Column(TIMESTAMP, values)), 11)
        case TypeKind.INTERVAL:
            return text_forms.format_intervals(values)
        case TypeKind.BLOB:
            return text_forms.format_blobs(gathered(column).view(pa.large_binary()))
        case _:
            raise InternalError(f"There is no cast from {column.type} to VARCHAR.")


def _format_moments(values: Array, type_: pa.DataType, unit: str, per_day: int) -> Strings:
    """Dates or timestamps, of which there are `per_day` a day. What Arrow does not print, numpy does, and slowly."""
    far = (values < _ARROW_DAYS[0] * per_day) | (values >= _ARROW_DAYS[1] * per_day)
    text = pc.cast(pa.array(values).view(type_), pa.large_string())
    if not far.any():
        return text
    far_text = np.char.replace(np.datetime_as_string(values[far].astype(f"M8[{unit}]")), "T", " ")
    return pc.replace_with_mask(text, pa.array(far), pa.array(far_text.tolist(), pa.large_string()))


def _format_lists(column: Column) -> Column:
    """Lists as `[1, 2, NULL]`, strings in them without quotes."""
    lists = gathered(column)
    offsets = lists.offsets.to_numpy()
    element = from_arrow(lists.values, "a list")
    texts = element if element.type == VARCHAR else format_column(element)
    if texts.valid is not None:
        null = string_column(pa.array(["NULL"], pa.large_string()), None)
        both = concat_columns([texts, null])
        texts = Column(VARCHAR, np.where(texts.valid, both.values[:-1], both.values[-1]), None, both.pool)
    groups = np.repeat(np.arange(len(lists)), np.diff(offsets))
    inside = joined_strings(Segments(groups, len(lists)), texts.slice(int(offsets[0]), int(offsets[-1])), ", ")
    return string_column(joined("[", gathered(inside), "]"), column.valid)


def _format_decimals(values: Array, scale: int) -> Strings:
    if values.dtype.hasobject:
        digits = pa.array([str(abs(number)) for number in values.tolist()], pa.large_string())
    else:
        digits = pc.cast(pa.array(np.abs(values).view(np.uint64)), pa.large_string())
    if scale > 0:
        digits = pc.ascii_lpad(digits, scale + 1, "0")
        whole = pc.utf8_slice_codeunits(digits, 0, -scale)
        digits = joined(whole, pc.utf8_slice_codeunits(digits, -scale), separator=".")
    sign = pc.if_else(pa.array((values < 0).astype(np.bool_)), pa.scalar("-", pa.large_string()), "")
    return joined(sign, digits)


def _format_doubles(values: Array) -> Strings:
    text = pc.cast(pa.array(values), pa.large_string())
    # Arrow leaves out the point of whole numbers ...
    whole = pc.match_substring_regex(text, "^-?[0-9]+$")
    text = pc.if_else(whole, joined(text, ".0"), text)
    # ... and changes to the notation with an exponent elsewhere.
    magnitude = np.abs(values)
    with np.errstate(invalid="ignore"):
        differs = ((magnitude < 1e-4) & (magnitude > 0)) | ((magnitude >= 1e10) & (magnitude < 1e16))
    if differs.any():
        replacement = pa.array([repr(number) for number in values[differs].tolist()], pa.large_string())
        text = pc.replace_with_mask(text, pa.array(differs), replacement)
    return text
