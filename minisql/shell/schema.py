"""What the shell knows of the tables, for completion: asked when it is needed, kept until the next statement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from minisql.errors import Error
from minisql.shell.tokens import tokens_of

if TYPE_CHECKING:
    from minisql.shell.shell import Shell

_LARGEST_TEXT_FILE: Final = 16_000_000
"""Bytes; the columns of larger CSV and JSON files are not completed, for they would have to be read as a whole."""


class Schema:
    """The names of tables and columns in the shell's database."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._generation = -1
        self._tables: list[str] | None = None
        self._columns: dict[str, list[str]] = {}

    def tables(self) -> list[str]:
        """The names of all tables and views."""
        self._forget_old()
        if self._tables is None:
            self._tables = self._texts("SHOW TABLES")
        return self._tables

    def columns(self, query: str) -> list[str]:
        """The names of the columns of a query; none where it is wrong."""
        self._forget_old()
        known = self._columns.get(query)
        if known is None:
            known = self._columns[query] = [] if _reads_large_text(query) else self._texts(f"DESCRIBE {query}")
        return known

    def _forget_old(self) -> None:
        if self._generation != self._shell.generation:
            self._generation = self._shell.generation
            self._tables = None
            self._columns.clear()

    def _texts(self, sql: str) -> list[str]:
        try:
            return [str(row[0]) for row in self._shell.connection.execute(sql)]
        except Error:
            return []


def _reads_large_text(query: str) -> bool:
    for token in tokens_of(query):
        if token.kind == "string" and not token.name.lower().endswith((".parquet", ".parq", ".pq")):
            file = Path(token.name).expanduser()
            if file.is_file() and file.stat().st_size > _LARGEST_TEXT_FILE:
                return True
    return False
