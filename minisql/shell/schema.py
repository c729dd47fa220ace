"""What the shell knows of the tables, for completion: asked when it is needed, kept until the next statement."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from minisql.catalog.paths import user_path
from minisql.errors import Error
from minisql.shell.tokens import tokens_of

if TYPE_CHECKING:
    from minisql.shell.shell import Shell

LARGE: Final = 4_000_000
"""Bytes of a text file from which on only its first line is read: the user waits for the completion."""
_ALL_OF = ("SELECT", "*", "FROM")
_COLUMN_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}


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
            file = self._large_file(query)
            known = self._columns[query] = self._texts(f"DESCRIBE {query}") if file is None else _first_line(file)
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

    def _large_file(self, query: str) -> Path | None:
        """The large text file that the query, or the view in it, is all of: `SELECT * FROM 'file'`."""
        tokens = [token for token in tokens_of(query) if token.kind != "space" and token.text != ";"]
        if len(tokens) != 4 or tuple(token.upper for token in tokens[:3]) != _ALL_OF:
            return None
        source = tokens[3]
        if source.kind != "string":
            with suppress(Error):
                definition = self._shell.connection.create_statements(source.name)[0]
                _, is_view, inner = definition.partition(" AS ")
                return self._large_file(inner) if is_view and definition.startswith("CREATE VIEW") else None
            return None
        file = user_path(source.name)
        is_text = file.suffix.lower() in (*_COLUMN_SEPARATORS, ".json", ".jsonl", ".ndjson")
        return file if is_text and file.is_file() and file.stat().st_size > LARGE else None


def _first_line(file: Path) -> list[str]:
    """The names in the header of a CSV file; of a JSON file those of the first object, if it is a line."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            separator = _COLUMN_SEPARATORS.get(file.suffix.lower())
            if separator is not None:
                return next(csv.reader(stream, delimiter=separator), [])
            first = json.loads(stream.readline(LARGE))
    except (OSError, ValueError, csv.Error):
        return []
    return list(first) if isinstance(first, dict) else []
