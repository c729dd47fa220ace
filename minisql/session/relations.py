"""Where the resolver finds tables: the catalog, and files by their path."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.catalog.catalog import Catalog
from minisql.catalog.table import Table
from minisql.query_block.environment import View


class CatalogRelations:
    """The tables and views of a catalog, and files. `opened` are the files so far, each with its path."""

    def __init__(self, catalog: Catalog[View]) -> None:
        self._catalog = catalog
        self.opened: list[tuple[str, Table]] = []

    def find(self, name: str) -> Table | View | None:
        """The table or view with this name."""
        return self._catalog.find(name)

    def names(self) -> Sequence[str]:
        """The names of all tables and views."""
        return self._catalog.names()

    def open_file(self, path: str) -> Table:
        """The file, or the files where the path holds `*`, as a table."""
        table = self._catalog.files.open(path)
        self.opened.append((path, table))
        return table
