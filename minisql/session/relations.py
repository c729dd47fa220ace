"""Where the resolver finds tables: those of the statement, the catalog, the information schema, files by their path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from minisql.catalog.catalog import Catalog
from minisql.catalog.table import Table
from minisql.expression.user_function import UserFunction
from minisql.query_block.environment import View

INFORMATION_SCHEMA: Final = "information_schema."
"""What the names of its tables begin with."""


class CatalogRelations:
    """The tables and views of a catalog, and files. `opened` are the files so far, each with its path."""

    def __init__(
        self,
        catalog: Catalog[View],
        tables: Mapping[str, Table] | None = None,
        variables: Callable[[str], Table | None] | None = None,
    ) -> None:
        """`tables`, by names in lower case, hide those of the catalog, which hide variables of the program."""
        self._catalog = catalog
        self._tables = tables or {}
        self._variables = variables
        self.is_of_this_moment = bool(tables)
        """Whether what was found is not in the catalog."""
        self.opened: list[tuple[str, Table]] = []

    def find(self, name: str) -> Table | View | None:
        """The table or view with this name."""
        own = self._tables.get(name.lower())
        if own is not None:
            return own
        found = self._catalog.find(name)
        if found is None and name.lower().startswith(INFORMATION_SCHEMA):
            from minisql.session.information_schema import information_table  # which few statements need

            return information_table(name.lower().removeprefix(INFORMATION_SCHEMA), self._catalog)
        if found is None and self._variables is not None:
            found = self._variables(name)
            self.is_of_this_moment |= found is not None
        return found

    def names(self) -> Sequence[str]:
        """The names of all tables and views."""
        return [*self._tables, *self._catalog.names()]

    @property
    def functions(self) -> Mapping[str, UserFunction]:
        """The functions of the program."""
        return self._catalog.functions

    def open_file(self, path: str) -> Table:
        """The file, or the files where the path holds `*`, as a table."""
        table = self._catalog.files.open(path)
        self.opened.append((path, table))
        return table
