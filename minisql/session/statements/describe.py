"""DESCRIBE, SHOW TABLES and SHOW COLUMNS: what there is."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.catalog.memory_table import MemoryTable
from minisql.datatypes import VARCHAR
from minisql.expression.format import format_expression
from minisql.expression.nodes import Value
from minisql.parser import statement_tree as st
from minisql.query_block.resolve import resolve_query
from minisql.session.result import Result
from minisql.session.result_of_rows import result_of_rows
from minisql.session.statements.context import Context


def describe(context: Context, statement: st.Describe, parameters: Sequence[object]) -> Result:
    """The columns of a table or of a query: name, type, whether there may be NULLs, keys (PRI, UNI), default."""
    query = resolve_query(statement.query, context.environment(parameters))
    table = None if statement.table is None else context.catalog.find(statement.table.name)
    lines: list[tuple[Value, ...]] = []
    for place, (name, type_) in enumerate(zip(query.names, query.types, strict=True)):
        not_null, key, default = False, None, None
        if isinstance(table, MemoryTable):
            column = table.columns[place]
            not_null = column.not_null
            default = None if column.default is None else format_expression(column.default)
            key = key_word(table, place)
        lines.append((name, str(type_), "NO" if not_null else "YES", key, default))
    names = ("column_name", "column_type", "null", "key", "default")
    return result_of_rows(dict.fromkeys(names, VARCHAR), lines)


def show_tables(context: Context) -> Result:
    """The names of all tables and views."""
    return result_of_rows({"name": VARCHAR}, [(name,) for name in context.catalog.names()])


def key_word(table: MemoryTable, place: int) -> str | None:
    """PRI for a column of the primary key, UNI for one that is a key by itself."""
    for constraint in table.unique_constraints:
        if constraint.is_primary and place in constraint.columns:
            return "PRI"
    return "UNI" if any(each.columns == (place,) for each in table.unique_constraints) else None
