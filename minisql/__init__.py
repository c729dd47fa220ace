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
    from minisql.interval import Interval
    from minisql.session.connection import Connection, connect
    from minisql.session.result import Result

__version__ = "0.1.0"

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"

_LOADED_WHEN_USED = {
    "Connection": "minisql.session.connection",
    "Interval": "minisql.interval",
    "Result": "minisql.session.result",
    "connect": "minisql.session.connection",
}


def planner_is_compiled() -> bool:
    """Whether the planner runs as machine code (mypyc), or as the same Python files interpreted."""
    file = import_module("minisql.optimizer.costing_receiver").__file__
    return file is not None and not file.endswith(".py")


def __getattr__(name: str) -> Any:
    """Loads the engine when it is first asked for, so that `import minisql` takes no time (PEP 562)."""
    if name in _LOADED_WHEN_USED:
        return getattr(import_module(_LOADED_WHEN_USED[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Connection",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interval",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "QueryWarning",
    "Result",
    "Span",
    "SqlError",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "planner_is_compiled",
    "threadsafety",
]
