"""The names of types: what `CAST(x AS name)` and `CREATE TABLE t (c name)` may say."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    MAX_DECIMAL_PRECISION,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    decimal,
)
from minisql.errors import ProgrammingError, did_you_mean
from minisql.parser.parse_tree import TypeName

_PLAIN: Final = {
    "BOOLEAN": BOOLEAN,
    "BOOL": BOOLEAN,
    "TINYINT": INTEGER,
    "SMALLINT": INTEGER,
    "INT2": INTEGER,
    "INTEGER": INTEGER,
    "INT": INTEGER,
    "INT4": INTEGER,
    "MEDIUMINT": INTEGER,
    "UTINYINT": INTEGER,
    "USMALLINT": INTEGER,
    "BIGINT": BIGINT,
    "INT8": BIGINT,
    "SIGNED": BIGINT,
    "LONG": BIGINT,
    "UINTEGER": BIGINT,
    "UBIGINT": decimal(20, 0),
    "HUGEINT": decimal(MAX_DECIMAL_PRECISION, 0),
    "DOUBLE": DOUBLE,
    "DOUBLE PRECISION": DOUBLE,
    "FLOAT": DOUBLE,
    "FLOAT4": DOUBLE,
    "FLOAT8": DOUBLE,
    "REAL": DOUBLE,
    "DATE": DATE,
    "TIME": TIME,
    "TIME WITHOUT TIME ZONE": TIME,
    "TIMESTAMP": TIMESTAMP,
    "TIMESTAMP WITHOUT TIME ZONE": TIMESTAMP,
    "DATETIME": TIMESTAMP,
    "TIMESTAMPTZ": TIMESTAMPTZ,
    "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ,
    "INTERVAL": INTERVAL,
    "TEXT": VARCHAR,
    "STRING": VARCHAR,
    "BLOB": BLOB,
    "BYTEA": BLOB,
    "BINARY": BLOB,
    "VARBINARY": BLOB,
}
# The most that the one argument of a type may be, which then means what the type is without it.
_ARGUMENT_LIMITS: Final = {"FLOAT": 53, "BINARY": None, "VARBINARY": None}
_WITH_FRACTION: Final = (TIME, TIMESTAMP, TIMESTAMPTZ)
_FRACTION_DIGITS: Final = 6
_STRING: Final = ("VARCHAR", "CHARACTER VARYING", "CHAR", "CHARACTER")
_DECIMAL: Final = ("DECIMAL", "NUMERIC", "DEC")
_COMMON: Final = (
    "BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL(p,s), VARCHAR, BLOB, DATE, TIME, TIMESTAMP, TIMESTAMPTZ and INTERVAL"
)
TYPE_NAMES: Final = (*_PLAIN, *_STRING, *_DECIMAL)
"""All names of types, without arguments."""
_DEFAULT_DECIMAL: Final = (18, 3)


def sql_type(name: TypeName) -> SqlType:
    """The type that a type name means. The length of VARCHAR(n) is read and not enforced, as in DuckDB.

    Raises:
        ProgrammingError: there is no such type, or its arguments are not ones that it takes.
    """
    word = name.name.upper()
    if word in _DECIMAL:
        return _decimal(name)
    if word in _STRING:
        if len(name.arguments) > 1:
            raise ProgrammingError(f"{word} takes one length at most.", name.span)
        return VARCHAR
    type_ = _PLAIN.get(word)
    if type_ is None:
        hint = did_you_mean(name.name, TYPE_NAMES) or f"The types are {_COMMON}."
        raise ProgrammingError(f'There is no type "{name.name}".', name.span, hint=hint)
    _check_arguments(name, word, type_)
    return type_


def _check_arguments(name: TypeName, word: str, type_: SqlType) -> None:
    """Arguments change no type here: they are allowed where they promise no more and no less than the type has."""
    if not name.arguments:
        return
    if type_ in _WITH_FRACTION:
        if name.arguments != (_FRACTION_DIGITS,):
            raise ProgrammingError(f"A {word} has always {_FRACTION_DIGITS} digits behind the second.", name.span)
        return
    if word not in _ARGUMENT_LIMITS:
        raise ProgrammingError(f"{word} takes no arguments.", name.span)
    limit = _ARGUMENT_LIMITS[word]
    if len(name.arguments) > 1 or (limit is not None and not 1 <= name.arguments[0] <= limit):
        wanted = "one length" if limit is None else f"1 to {limit} binary digits"
        raise ProgrammingError(f"{word} takes {wanted}.", name.span)


def _decimal(name: TypeName) -> SqlType:
    if len(name.arguments) > 2:
        raise ProgrammingError("DECIMAL takes a precision and a scale.", name.span)
    if not name.arguments:
        precision, scale = _DEFAULT_DECIMAL
    else:
        precision, scale = name.arguments[0], name.arguments[1] if len(name.arguments) == 2 else 0
    if not 1 <= precision <= MAX_DECIMAL_PRECISION:
        raise ProgrammingError(f"The precision of a DECIMAL is 1 to {MAX_DECIMAL_PRECISION}.", name.span)
    if not 0 <= scale <= precision:
        raise ProgrammingError("The scale of a DECIMAL is 0 up to its precision.", name.span)
    return decimal(precision, scale)
