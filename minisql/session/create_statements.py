"""The statements that would make a table or a view again: what it is, as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minisql.catalog.catalog import Catalog
from minisql.catalog.constraints import CheckConstraint, Constraint, ForeignKey, UniqueConstraint
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition, Table
from minisql.errors import ProgrammingError, did_you_mean
from minisql.expression.format import format_expression
from minisql.parser.keywords import quoted_name
from minisql.query_block.environment import View


def create_statements(catalog: Catalog[View], name: str | None = None) -> list[str]:
    """The statements of one table or view, or of all of them by their names; each ends with a semicolon.

    Raises:
        ProgrammingError: there is no table or view with this name.
    """
    if name is None:
        return [statement for known, table in catalog.tables() for statement in _statements(known, table)]
    found = catalog.find(name)
    if found is None:
        raise ProgrammingError(f'There is no table or view "{name}".', hint=did_you_mean(name, catalog.names()))
    known = next(each for each in catalog.names() if each.lower() == name.lower())
    return list(_statements(known, found))


def _statements(name: str, table: Table | View) -> Iterator[str]:
    if isinstance(table, View):
        columns = _list([alias.name for alias in table.columns]) if table.columns else ""
        yield f"CREATE VIEW {quoted_name(name)}{columns} AS {table.query.span.source};"
        return
    lines = [_column(column) for column in table.columns]
    if not isinstance(table, MemoryTable):
        yield f"-- registered by the program, its rows are not a table of the database\n{_table(name, lines)}"
        return
    names = [column.name for column in table.columns]
    yield _table(name, [*lines, *(_constraint(each, names) for each in table.constraints)])
    for index in table.indexes:
        unique = "UNIQUE " if index.unique else ""
        columns = _list([names[place] for place in index.columns])
        yield f"CREATE {unique}INDEX {quoted_name(index.name)} ON {quoted_name(name)}{columns};"


def _table(name: str, lines: Sequence[str]) -> str:
    inner = ",\n    ".join(lines)
    return f"CREATE TABLE {quoted_name(name)} (\n    {inner}\n);"


def _column(column: ColumnDefinition) -> str:
    default = "" if column.default is None else f" DEFAULT {format_expression(column.default)}"
    return f"{quoted_name(column.name)} {column.type}{default}{' NOT NULL' if column.not_null else ''}"


def _constraint(constraint: Constraint, names: Sequence[str]) -> str:
    start = f"CONSTRAINT {quoted_name(constraint.name)}"
    match constraint:
        case UniqueConstraint():
            return f"{start} {constraint.kind}{_list([names[place] for place in constraint.columns])}"
        case CheckConstraint():
            return f"{start} CHECK ({format_expression(constraint.condition)})"
        case ForeignKey():
            parent = f"{quoted_name(constraint.parent)}{_list(constraint.parent_columns)}"
            return f"{start} FOREIGN KEY{_list([names[place] for place in constraint.columns])} REFERENCES {parent}"


def _list(names: Sequence[str]) -> str:
    return f" ({', '.join(map(quoted_name, names))})"
