"""The values that a program gives for the parameters of a statement: `?`, `$1` or `$name`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from minisql.errors import InterfaceError, counted, did_you_mean
from minisql.expression.nodes import Literal, Value
from minisql.interval import MICROSECONDS_PER_SECOND, Interval
from minisql.parser.parse_tree import Constant, Parameter
from minisql.query_block.coerce import literal

Parameters: TypeAlias = Sequence[object] | Mapping[str, object]
"""What a program gives: a list or a tuple for `?` and `$1`, a dict for `$name`."""


def values_in_order(given: Parameters, parameters: Sequence[Parameter]) -> Sequence[object]:
    """The values given for the parameters of a statement, by number.

    Raises:
        InterfaceError: there are too few or too many of them, or they are given in the wrong way.
    """
    named = bool(parameters) and parameters[0].name is not None
    if isinstance(given, Mapping):
        if named:
            return _named_values(given, parameters)
        if given and parameters:
            raise InterfaceError(
                f"The parameters of this statement have no names ({parameters[0].span.source}): "
                "their values are a list or a tuple."
            )
        if given:
            raise InterfaceError(f"The statement has no parameter ${next(iter(given))}.")
        given = ()
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise InterfaceError("Parameters are a list or a tuple of values, or a dict of them where they have names.")
    if named and given:
        raise InterfaceError(
            f"The parameters of this statement have names ({parameters[0].span.source}): their values are a dict."
        )
    if named:
        return _named_values({}, parameters)
    count = max((parameter.index + 1 for parameter in parameters), default=0)
    if len(given) != count:
        what = "?" if not parameters else parameters[0].span.source
        raise InterfaceError(
            f"The statement has {counted(count, 'parameter')} ({what}), and {counted(len(given), 'value')} given."
        )
    return given


def _named_values(given: Mapping[str, object], parameters: Sequence[Parameter]) -> Sequence[object]:
    names = list(dict.fromkeys(parameter.name for parameter in parameters if parameter.name is not None))
    for name in given:
        if name not in names:
            hint = did_you_mean(name, names) if isinstance(name, str) else None
            raise InterfaceError(" ".join(filter(None, (f"The statement has no parameter ${name}.", hint))))
    missing = [name for name in names if name not in given]
    if missing:
        which = ", ".join(f"${name}" for name in missing)
        raise InterfaceError(f"There is no value for {'parameter' if len(missing) == 1 else 'parameters'} {which}.")
    return [given[name] for name in names]


def given_constant(tree: Constant | Parameter, values: Sequence[object]) -> Constant:
    """A constant where only one may stand, such as the path of a file.

    Raises:
        InterfaceError: no SQL type is known for the Python type of the value.
    """
    if isinstance(tree, Constant):
        return tree
    return Constant(span=tree.span, value=parameter_value(values[tree.index], parameter_name(tree)))


def parameter_literal(tree: Parameter, values: Sequence[object]) -> Literal:
    """The literal of the value that is given for a parameter.

    Raises:
        InterfaceError: no SQL type is known for the Python type of the value.
    """
    return literal(parameter_value(values[tree.index], parameter_name(tree)), tree.span)


def parameter_name(tree: Parameter) -> str:
    """How messages call a parameter."""
    return f"Parameter {tree.index + 1}" if tree.name is None else f"Parameter ${tree.name}"


def parameter_value(given: object, name: str) -> Value:
    """A Python value as one of those that stand for SQL values; `name` is for the message.

    Beside these a parameter may be a scalar of numpy, pandas or Arrow, a timedelta, bytearray, memoryview or UUID,
    which is the VARCHAR of its 36 characters.

    Raises:
        InterfaceError: no SQL type is known for the Python type of the value.
    """
    value = _python_value(given, name)
    match value:
        case None | bool() | Decimal():
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return _checked_text(str.__str__(value), name)  # what an Enum of strings says of itself is another text
        case bytes() | bytearray() | memoryview():
            return bytes(value)
        case datetime.datetime():
            return _checked_moment(value, name)
        case datetime.date():
            return value
        case datetime.time() if value.tzinfo is None:
            return value
        case datetime.timedelta():
            value = Interval(0, value.days, value.seconds * MICROSECONDS_PER_SECOND + value.microseconds)
            return _checked_interval(value, name)
        case Interval():
            return _checked_interval(value, name)
        case list() | tuple() | set() | frozenset():
            raise InterfaceError(
                f"{name} is a {type(given).__name__}; give its elements one by one, as in IN (?, ?), or register it."
            )
        case _:
            raise InterfaceError(
                f"{name} is a {type(given).__name__}; a parameter is None, a bool, int, float, Decimal, str, bytes, "
                "date, datetime, time without a time zone, timedelta, Interval or UUID, or a numpy or Arrow scalar of "
                "these."
            )


def _python_value(given: object, name: str) -> object:
    """What a scalar of numpy, pandas or Arrow, or a UUID is in plain Python; anything else as it is."""
    module = type(given).__module__.partition(".")[0]
    if module == "numpy" and getattr(given, "ndim", 1) == 0:
        return _numpy_value(given, name)
    if module == "pyarrow" and hasattr(given, "as_py"):
        value = given.as_py()
        if type(value).__name__ == "MonthDayNano":
            return Interval(value[0], value[1], value[2] // 1000)
        return str(value) if type(value).__module__ == "uuid" else value
    if module == "pandas":
        if type(given).__name__ in ("NAType", "NaTType"):
            return None
        for method in ("to_pydatetime", "to_pytimedelta"):
            if hasattr(given, method):
                return getattr(given, method)(**({"warn": False} if method == "to_pydatetime" else {}))
    return str(given) if module == "uuid" else given


def _numpy_value(given: Any, name: str) -> object:
    """What a scalar of numpy is in plain Python.

    Raises:
        InterfaceError: it is a point in time or a duration that Python does not have.
    """
    value, kind = given.item(), given.dtype.kind
    unit = given.dtype.str[3:].strip("[]0123456789")
    if kind == "m" and unit in ("Y", "M") and value is not None:
        return Interval(int(given.astype("m8[M]").astype("i8")))
    if kind not in "mM" or not isinstance(value, int):
        return value
    # What Python has not becomes an int: parts of a microsecond, and what is too far away.
    if unit in ("ns", "ps", "fs", "as"):
        return given.astype(f"{kind}8[us]").item()
    raise InterfaceError(f"{name} is out of range: {given}.")


def _checked_text(text: str, name: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InterfaceError(f"{name} is a str with half a surrogate pair, which is no text.") from None
    return text


def _checked_moment(moment: datetime.datetime, name: str) -> datetime.datetime:
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError:
        raise InterfaceError(f"{name} is a time out of range in UTC: {moment}.") from None


def _checked_interval(interval: Interval, name: str) -> Interval:
    if not interval.is_in_range:
        raise InterfaceError(f"{name} is an interval out of range: {interval}.")
    return interval
