"""Makes functions of SQL from Python functions: see `Connection.create_function`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTERVAL,
    TIME,
    TIMESTAMP,
    VARCHAR,
    SqlType,
    TypeKind,
    decimal,
)
from minisql.errors import InterfaceError, ProgrammingError
from minisql.expression.aggregates import AGGREGATES_BY_NAME, GROUPING_NAMES
from minisql.expression.functions import ALIASES, SCALAR_FUNCTIONS
from minisql.expression.user_function import UserFunction
from minisql.expression.window import WINDOW_FUNCTIONS
from minisql.parser import parse_tree
from minisql.parser.parse import parse_statement
from minisql.query_block.resolve_expression import OPERATORS_OF_FUNCTIONS
from minisql.query_block.type_names import sql_type

_NAME: Final = re.compile(r"[^\W\d]\w*")
_OF_PYTHON: Final[dict[object, SqlType]] = {
    bool: BOOLEAN,
    int: BIGINT,
    float: DOUBLE,
    str: VARCHAR,
    bytes: BLOB,
    Decimal: decimal(38, 10),
    datetime.date: DATE,
    datetime.datetime: TIMESTAMP,
    datetime.time: TIME,
    datetime.timedelta: INTERVAL,
}


def make_function(
    name: str,
    compute: Callable[..., object],
    arguments: Sequence[object],
    result: object,
    *,
    vectorized: bool,
    null_handling: str,
    deterministic: bool,
) -> UserFunction:
    """A function as the catalog takes it; the arguments are those of `Connection.create_function`.

    Raises:
        InterfaceError: one of them is not what it should be, or the name is that of a function that there is.
        ProgrammingError: there is no such SQL type.
    """
    if not callable(compute):
        raise InterfaceError(f"A {type(compute).__name__} is no function.")
    if isinstance(arguments, str) or not isinstance(arguments, Sequence) or not arguments:
        raise InterfaceError(
            "The types of the arguments are a list with one at least: the arguments say how many rows there are."
        )
    if null_handling not in ("default", "special"):
        raise InterfaceError(f'null_handling is "default" or "special", not {null_handling!r}.')
    return UserFunction(
        name=_checked_name(name),
        compute=compute,
        arguments=tuple(function_type(each) for each in arguments),
        result=function_type(result),
        vectorized=vectorized,
        strict=null_handling == "default",
        volatile=not deterministic,
    )


def function_type(given: object) -> SqlType:
    """The SQL type of an argument or a result: the name of one, an Arrow type or a Python type.

    Raises:
        InterfaceError: it is none of these, or there is no SQL type for it.
        ProgrammingError: there is no SQL type of that name.
    """
    if isinstance(given, str):
        return _named_type(given)
    known = _OF_PYTHON.get(given) if isinstance(given, type) else None
    if known is not None:
        return known
    import pyarrow as pa

    if isinstance(given, pa.DataType):
        from minisql.columnar.from_arrow import sql_type as type_of_arrow

        type_ = type_of_arrow(given, "of the function")
        if type_.kind is not TypeKind.LIST and not pa.types.is_null(given):
            return type_
    what = given.__name__ if isinstance(given, type) else repr(given)
    raise InterfaceError(f"{what} is no type of SQL: give a name such as 'BIGINT', an Arrow type or a Python type.")


def _named_type(name: str) -> SqlType:
    try:
        statement = parse_statement(f"SELECT CAST(NULL AS {name})").statement
        match statement:
            case parse_tree.QueryExpression(
                term=parse_tree.QueryBlock(
                    items=(parse_tree.SelectItem(expression=parse_tree.CastExpression(type=type_), alias=None),)
                )
            ):
                return sql_type(type_)
    except ProgrammingError as error:
        raise ProgrammingError(f"'{name}' is no type: {error.message}", hint=error.hint) from None
    raise ProgrammingError(f"'{name}' is no type.")


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InterfaceError(f"The name of a function is a word, not {name!r}.")
    folded = name.lower()
    for known in (
        SCALAR_FUNCTIONS,
        ALIASES,
        AGGREGATES_BY_NAME,
        GROUPING_NAMES,
        WINDOW_FUNCTIONS,
        OPERATORS_OF_FUNCTIONS,
    ):
        if folded in known:
            raise InterfaceError(f"{folded} is a function already.")
    try:
        statement = parse_statement(f"SELECT {folded}(0)").statement
    except ProgrammingError:
        statement = None
    match statement:
        case parse_tree.QueryExpression(
            term=parse_tree.QueryBlock(items=(parse_tree.SelectItem(expression=parse_tree.Call()),))
        ):
            return folded
    raise InterfaceError(f"{folded} is a word of SQL, and cannot be the name of a function.")
