"""The names of types: what `CAST(x AS name)` and `CREATE TABLE t (c name)` may say."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_DECIMAL_PRECISION,
    TIMESTAMP,
    VARCHAR,
    SqlType,
    decimal,
)
from minisql.errors import ProgrammingError, did_you_mean
from minisql.parser.parse_tree import TypeName

_PLAIN: Final = {
    "BOOLEAN": BOOLEAN,
    "BOOL": BOOLEAN,
    "SMALLINT": INTEGER,
    "INTEGER": INTEGER,
    "INT": INTEGER,
    "INT4": INTEGER,
    "BIGINT": BIGINT,
    "INT8": BIGINT,
    "SIGNED": BIGINT,
    "DOUBLE": DOUBLE,
    "DOUBLE PRECISION": DOUBLE,
    "FLOAT": DOUBLE,
    "FLOAT8": DOUBLE,
    "REAL": DOUBLE,
    "DATE": DATE,
    "TIMESTAMP": TIMESTAMP,
    "TIMESTAMP WITHOUT TIME ZONE": TIMESTAMP,
    "DATETIME": TIMESTAMP,
    "TEXT": VARCHAR,
    "STRING": VARCHAR,
}
_STRING: Final = ("VARCHAR", "CHARACTER VARYING", "CHAR", "CHARACTER")
_DECIMAL: Final = ("DECIMAL", "NUMERIC", "DEC")
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
        known = (*_PLAIN, *_STRING, *_DECIMAL)
        hint = did_you_mean(name.name, known) or "The types are " + ", ".join(
            ("BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "DECIMAL(p,s)", "VARCHAR", "DATE", "TIMESTAMP.")
        )
        raise ProgrammingError(f'There is no type "{name.name}".', name.span, hint=hint)
    if name.arguments:
        raise ProgrammingError(f"{word} takes no arguments.", name.span)
    return type_


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
