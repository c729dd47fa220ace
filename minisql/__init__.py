"""minisql: an embeddable SQL engine that reorders every join, FULL OUTER JOIN included.

    >>> import minisql
    >>> connection = minisql.connect()
    >>> connection.execute("SELECT 6 * 7 AS answer").fetchone()
    (42,)

The life of a query: `parser` reads the text, `query_block` finds out what its names mean, `relational` says it as
algebra and rewrites it, `hypergraph` knows which orders of its joins are legal and `optimizer` which of them is
cheapest, `execution` runs the plan. `session.pipeline` has these steps in a row; ARCHITECTURE.md has the picture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minisql.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    QueryWarning,
    Span,
    SqlError,
    Warning,  # noqa: A004  (the name is PEP 249's)
)

if TYPE_CHECKING:
    from minisql.execution.progress import Progress
    from minisql.interval import Interval
    from minisql.session.connection import Connection, connect
    from minisql.session.cursor import Cursor
    from minisql.session.pipeline import PlannedQuery
    from minisql.session.prepared import PreparedStatement
    from minisql.session.result import Result
    from minisql.session.type_objects import (
        BINARY,
        DATETIME,
        LIST,
        NUMBER,
        ROWID,
        STRING,
        Binary,
        Date,
        DateFromTicks,
        Time,
        TimeFromTicks,
        Timestamp,
        TimestampFromTicks,
    )

__version__ = "0.1.0"

apilevel = "2.0"
threadsafety = 2
paramstyle = "qmark"

_TYPE_OBJECTS = "minisql.session.type_objects"
_LOADED_WHEN_USED = {
    "BINARY": _TYPE_OBJECTS,
    "Binary": _TYPE_OBJECTS,
    "Connection": "minisql.session.connection",
    "Cursor": "minisql.session.cursor",
    "DATETIME": _TYPE_OBJECTS,
    "Date": _TYPE_OBJECTS,
    "DateFromTicks": _TYPE_OBJECTS,
    "Interval": "minisql.interval",
    "LIST": _TYPE_OBJECTS,
    "NUMBER": _TYPE_OBJECTS,
    "PlannedQuery": "minisql.session.pipeline",
    "PreparedStatement": "minisql.session.prepared",
    "Progress": "minisql.execution.progress",
    "ROWID": _TYPE_OBJECTS,
    "Result": "minisql.session.result",
    "STRING": _TYPE_OBJECTS,
    "Time": _TYPE_OBJECTS,
    "TimeFromTicks": _TYPE_OBJECTS,
    "Timestamp": _TYPE_OBJECTS,
    "TimestampFromTicks": _TYPE_OBJECTS,
    "connect": "minisql.session.connection",
}


def planner_is_compiled() -> bool:
    """Whether the planner runs as machine code (mypyc), or as the same Python files interpreted."""
    file = import_module("minisql.optimizer.costing_receiver").__file__
    return file is not None and not file.endswith(".py")


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext minisql` calls: gives IPython the magics `%sql` and `%%sql`."""
    import_module("minisql.ipython_extension").load(ipython)


def __getattr__(name: str) -> Any:
    """Loads the engine when it is first asked for, so that `import minisql` takes no time (PEP 562)."""
    if name in _LOADED_WHEN_USED:
        return getattr(import_module(_LOADED_WHEN_USED[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "BINARY",
    "DATETIME",
    "LIST",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interval",
    "NotSupportedError",
    "OperationalError",
    "PlannedQuery",
    "PreparedStatement",
    "ProgrammingError",
    "Progress",
    "QueryWarning",
    "Result",
    "Span",
    "SqlError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "load_ipython_extension",
    "paramstyle",
    "planner_is_compiled",
    "threadsafety",
]
