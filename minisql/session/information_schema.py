"""The information schema (SQL:2016, part 11), made when it is asked for: tables, columns, constraints, key columns.

A view that cannot be resolved, since a table of it is gone, is a table without columns here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from minisql.catalog.catalog import Catalog
from minisql.catalog.constraints import CheckConstraint, ForeignKey, UniqueConstraint
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition, Table
from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values
from minisql.datatypes import INTEGER, VARCHAR, SqlType, TypeKind
from minisql.errors import SqlError
from minisql.expression.format import format_expression
from minisql.expression.nodes import Value
from minisql.query_block.environment import Environment, View
from minisql.query_block.resolve import resolve_query
from minisql.session.pipeline import evaluate_constant

CATALOG: Final = "minisql"
SCHEMA: Final = "main"

_Line: TypeAlias = tuple[Value, ...]
_Columns: TypeAlias = dict[str, SqlType]


def information_table(name: str, catalog: Catalog[View]) -> Table | None:
    """The table of the information schema with this name, in lower case, as of now; None where there is none."""
    found = INFORMATION_TABLES.get(name)
    if found is None:
        return None
    columns, lines_of = found
    lines = list(lines_of(catalog))
    definitions = [ColumnDefinition(column, type_) for column, type_ in columns.items()]
    values = [
        from_values([line[place] for line in lines], definition.type) for place, definition in enumerate(definitions)
    ]
    return MemoryTable(f"information_schema.{name}", definitions, [Batch(values, len(lines))] if lines else [])


def _tables(catalog: Catalog[View]) -> Iterator[_Line]:
    for name, table in catalog.tables():
        is_view = isinstance(table, View)
        kind = "VIEW" if is_view else "BASE TABLE"
        yield CATALOG, SCHEMA, name, kind, "YES" if isinstance(table, MemoryTable) else "NO"


def _columns(catalog: Catalog[View]) -> Iterator[_Line]:
    for name, table in catalog.tables():
        for place, column in enumerate(_definitions(table, catalog), start=1):
            type_ = column.type
            is_decimal = type_.kind is TypeKind.DECIMAL
            yield (
                CATALOG,
                SCHEMA,
                name,
                column.name,
                place,
                None if column.default is None else format_expression(column.default),
                "NO" if column.not_null else "YES",
                str(type_),
                type_.precision if is_decimal else None,
                type_.scale if is_decimal else None,
            )


def _definitions(table: Table | View, catalog: Catalog[View]) -> tuple[ColumnDefinition, ...]:
    if not isinstance(table, View):
        return table.columns
    from minisql.session.relations import CatalogRelations  # which finds these tables

    try:
        query = resolve_query(table.query, Environment(CatalogRelations(catalog), (), evaluate_constant, [table.name]))
    except SqlError:
        return ()
    names = [*(alias.name for alias in table.columns), *query.names[len(table.columns) :]]
    return tuple(ColumnDefinition(name, type_) for name, type_ in zip(names, query.types, strict=True))


def _constraints(catalog: Catalog[View]) -> Iterator[_Line]:
    for name, table in _stored(catalog):
        for constraint in table.constraints:
            kind = "CHECK" if isinstance(constraint, CheckConstraint) else "FOREIGN KEY"
            if isinstance(constraint, UniqueConstraint):
                kind = constraint.kind
            yield CATALOG, SCHEMA, constraint.name, CATALOG, SCHEMA, name, kind


def _key_columns(catalog: Catalog[View]) -> Iterator[_Line]:
    for name, table in _stored(catalog):
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint | ForeignKey):
                for place, column in enumerate(constraint.columns, start=1):
                    yield CATALOG, SCHEMA, constraint.name, CATALOG, SCHEMA, name, table.columns[column].name, place


def _stored(catalog: Catalog[View]) -> Iterator[tuple[str, MemoryTable]]:
    for name, table in catalog.tables():
        if isinstance(table, MemoryTable):
            yield name, table


def _text(*names: str) -> _Columns:
    return dict.fromkeys(names, VARCHAR)


_CONSTRAINT: Final = _text(
    "constraint_catalog", "constraint_schema", "constraint_name", "table_catalog", "table_schema", "table_name"
)
INFORMATION_TABLES: Final[dict[str, tuple[_Columns, Callable[[Catalog[View]], Iterator[_Line]]]]] = {
    "tables": (
        _text("table_catalog", "table_schema", "table_name", "table_type", "is_insertable_into"),
        _tables,
    ),
    "columns": (
        _text("table_catalog", "table_schema", "table_name", "column_name")
        | {"ordinal_position": INTEGER}
        | _text("column_default", "is_nullable", "data_type")
        | {"numeric_precision": INTEGER, "numeric_scale": INTEGER},
        _columns,
    ),
    "table_constraints": (_CONSTRAINT | _text("constraint_type"), _constraints),
    "key_column_usage": (_CONSTRAINT | _text("column_name") | {"ordinal_position": INTEGER}, _key_columns),
}
