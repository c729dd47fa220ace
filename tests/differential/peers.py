"""The engines that answers are compared with. A case counts where SQLite and DuckDB agree."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb

Rows = list[tuple[Any, ...]]


def bag(rows: Iterable[tuple[Any, ...]]) -> Rows:
    """The rows in an order of their own, so that lists of them compare as bags."""
    return sorted((tuple(_plain(value) for value in row) for row in rows), key=_sort_key)


def _plain(value: Any) -> Any:
    """Numbers of every type compare by value; a DECIMAL without a fraction is an integer, a date is its text."""
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, date):
        return value.isoformat()
    as_int = int(value)
    return as_int if as_int == value else float(value)


def _sort_key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is not None, isinstance(value, str), str(value)) for value in row)


def _for_sqlite(sql: str) -> str:
    """A date is a text there, which compares as a date does."""
    return sql.replace("DATE '", "'").replace("TIMESTAMP '", "'")


def known_bug(engine: str, query: str) -> str:
    """A bug of a peer that the query is known to meet, in a few words; '' where none is known."""
    outer = re.search(r"\b(FULL|RIGHT) JOIN\b", query)
    if engine == "SQLite" and outer and re.search(r"\bFALSE\b", query):
        return "SQLite 3.40 lets FALSE in ON of an inner join empty the FULL and RIGHT joins after it"
    return ""


class Peers:
    """A fresh database in SQLite and DuckDB."""

    def __init__(self, script: Iterable[str]) -> None:
        self._sqlite = sqlite3.connect(":memory:")
        self._duckdb = duckdb.connect(":memory:")
        self._duckdb.execute("SET threads = 1")
        self._refusal = ""
        for statement in script:
            self.execute(statement)

    def execute(self, statement: str) -> None:
        """Runs a statement that is no query."""
        self._sqlite.execute(_for_sqlite(statement))
        self._duckdb.execute(statement)

    def rows(self, query: str) -> Rows | None:
        """The rows both agree on, as a bag; None where they do not or where one of them refuses."""
        from_sqlite, from_duckdb = self._rows_of_both(query)
        return from_sqlite if from_sqlite == from_duckdb else None

    def rows_of_either(self, query: str) -> Rows | None:
        """The rows both agree on, or those of the one that does not refuse: SQLite has no LATERAL, no ANY and no ALL.

        One engine alone may be wrong: what differs from it is to be looked at, and is a bug of it where minisql gives
        the same rows with and without unnesting and SQLite gives them for the query without ANY and ALL.

        None, too, where DuckDB finds several rows in a scalar subquery: SQLite takes the first one.
        """
        from_sqlite, from_duckdb = self._rows_of_both(query)
        if from_sqlite is None or from_duckdb == from_sqlite:
            return from_duckdb
        return from_sqlite if from_duckdb is None and "More than one row" not in self._refusal else None

    def _rows_of_both(self, query: str) -> tuple[Rows | None, Rows | None]:
        from_sqlite = from_duckdb = None
        self._refusal = ""
        with contextlib.suppress(sqlite3.Error):
            from_sqlite = bag(self._sqlite.execute(_for_sqlite(query)).fetchall())
        try:
            from_duckdb = bag(self._duckdb.execute(query).fetchall())
        except duckdb.Error as error:
            self._refusal = str(error)
        return from_sqlite, from_duckdb

    def rows_of_each(self, query: str) -> dict[str, Rows | None]:
        """The rows by engine; None where one refuses."""
        from_sqlite, from_duckdb = self._rows_of_both(query)
        return {"SQLite": from_sqlite, "DuckDB": from_duckdb}

    def close(self) -> None:
        self._sqlite.close()
        self._duckdb.close()
