"""`executemany`: one statement with many sets of values, all or nothing.

INSERT INTO t VALUES (?, ?, ...) becomes one INSERT of a query over a table that has a column for each parameter and a
row for each set of values, if the values of each parameter are of one type. Everything else is run set by set.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from minisql.catalog.arrow_table import ArrowTable
from minisql.errors import InterfaceError, ProgrammingError
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.parse import ParsedStatement
from minisql.parser.parse_tree import Identifier, SelectItem, TableName
from minisql.query_block.parameters import Parameters, parameter_name, parameter_value, values_in_order
from minisql.session.result import Result, united
from minisql.session.statements import StatementRunner
from minisql.session.statements.changes import selected
from minisql.session.statements.context import Given

if TYPE_CHECKING:
    import pyarrow as pa

_HIDDEN: Final = "the parameters"


def run_many(runner: StatementRunner, parsed: ParsedStatement, sets: Sequence[Parameters]) -> Result:
    """Runs a statement once for each set of values; see `Connection.executemany`."""
    statement, parameters = parsed
    if isinstance(statement, parse_tree.QueryExpression):
        raise ProgrammingError("executemany() takes a statement that changes something, no query.", statement.span)
    rows = _rows(sets, parameters)
    if isinstance(statement, st.Insert) and parameters and len(rows) > 1:
        items = _plain_row(statement)
        columns = None if items is None else _columns(rows, parameters)
        if items is not None and columns is not None:
            return _insert_all(runner, statement, items, columns)
    return _run_one_by_one(runner, statement, rows)


def _rows(sets: Sequence[Parameters], parameters: Sequence[parse_tree.Parameter]) -> Sequence[Sequence[object]]:
    """The values of each set by number, checked."""
    if sets and parameters and parameters[0].name is None and set(map(type, sets)) <= {tuple, list}:
        # What one set is to be they are all: lists of the one right length.
        first = values_in_order(sets[0], parameters)
        if set(map(len, sets)) == {len(first)}:
            return cast("Sequence[Sequence[object]]", sets)
    return [values_in_order(given, parameters) for given in sets]


def checked_sets(sets: object) -> Iterable[Parameters]:
    """The sets of values of a program, not read yet: that may take its time.

    Raises:
        InterfaceError: they are none.
    """
    if isinstance(sets, (str, bytes)) or not isinstance(sets, Iterable):
        raise InterfaceError("executemany() takes a list of lists, tuples or dicts, one for each run of the statement.")
    return sets


def _run_one_by_one(runner: StatementRunner, statement: st.Statement, rows: Sequence[Sequence[object]]) -> Result:
    with runner.all_or_nothing():
        results = [runner.run(statement, values) for values in rows]
        if results and results[0].names:
            return united(results, statement.span)
    counts = [result.rowcount for result in results]
    return Result(rowcount=-1 if min(counts, default=0) < 0 else sum(counts))


# --- INSERT INTO t VALUES (?, ?) --------------------------------------------------------------------------------------


def _plain_row(statement: st.Insert) -> tuple[parse_tree.Expression, ...] | None:
    """The one row of VALUES, if there is nothing in it but parameters and constants, and nothing comes after it."""
    query = statement.query
    if query is None or statement.on_conflict is not None or statement.returning:
        return None
    if query.with_ or query.order_by or query.limit is not None or query.offset is not None:
        return None
    if not isinstance(query.term, parse_tree.Values) or len(query.term.rows) != 1:
        return None
    (row,) = query.term.rows
    return row if all(isinstance(item, parse_tree.Parameter | parse_tree.Constant) for item in row) else None


def _insert_all(
    runner: StatementRunner,
    statement: st.Insert,
    items: Sequence[parse_tree.Expression],
    columns: Sequence[pa.Array | None],
) -> Result:
    """Runs the INSERT with a query over the columns in the place of its row; a column of NULLs only is none."""
    import pyarrow as pa

    assert statement.query is not None
    known = {str(place): column for place, column in enumerate(columns) if column is not None}
    count = pa.nulls(next((len(column) for column in columns if column is not None), 0))
    table = ArrowTable(_HIDDEN, pa.table({"": count, **known}))
    span = statement.query.span
    selects = []
    for item in items:
        value: parse_tree.Expression = item
        if isinstance(item, parse_tree.Parameter):
            name = Identifier(span=item.span, name=str(item.index), quoted=True)
            value = parse_tree.ColumnName(span=item.span, table=None, column=name)
            if columns[item.index] is None:
                value = parse_tree.Constant(span=item.span, value=None)
        selects.append(SelectItem(span=item.span, expression=value, alias=None))
    hidden = TableName(span=span, name=Identifier(span=span, name=_HIDDEN, quoted=True), alias=None)
    with runner.given(Given({_HIDDEN: table})):
        return runner.run(replace(statement, query=selected(selects, hidden, None, span)), ())


def _columns(
    rows: Sequence[Sequence[object]], parameters: Sequence[parse_tree.Parameter]
) -> list[pa.Array | None] | None:
    """The values of each parameter as an Arrow array, None where all are NULL; no list where a type varies."""
    names = {each.index: parameter_name(each) for each in parameters}
    columns: list[pa.Array | None] = []
    for place in range(len(rows[0])):
        column = _column([row[place] for row in rows], names.get(place, ""))
        if column is None:
            return None
        columns.append(column if len(column) else None)
    # Of NULLs only nothing tells how many there are.
    return columns if any(column is not None for column in columns) else None


def _column(values: Sequence[object], name: str) -> pa.Array | None:
    """The values as an Arrow array, one without rows where all are NULL; None where they are not of one plain type."""
    import pyarrow as pa

    types = _arrow_types()
    classes = set(map(type, values))
    if not classes <= {*types, type(None)}:
        values = [parameter_value(value, name) for value in values]
        classes = set(map(type, values))
    classes.discard(type(None))
    if not classes:
        return pa.array([], pa.null())
    if len(classes) > 1 or not classes <= set(types):
        return None
    (class_,) = classes
    type_ = types[class_]
    if class_ in (datetime.datetime, datetime.time):
        zoned = {value.tzinfo is not None for value in values if isinstance(value, datetime.datetime | datetime.time)}
        if len(zoned) > 1 or (zoned == {True} and class_ is datetime.time):
            return None
        type_ = pa.timestamp("us", "UTC") if zoned == {True} else type_
    try:
        return pa.array(values, type_)
    except (ValueError, OverflowError, pa.ArrowException):
        return None  # what a column of one type cannot hold: one by one the values say what is wrong with them


def _arrow_types() -> dict[type, pa.DataType | None]:
    """The Arrow type for each class of values; None where it is to be found out."""
    import pyarrow as pa

    return {
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        Decimal: None,
        str: pa.large_string(),
        bytes: pa.large_binary(),
        datetime.date: pa.date32(),
        datetime.datetime: pa.timestamp("us"),
        datetime.time: pa.time64("us"),
    }
