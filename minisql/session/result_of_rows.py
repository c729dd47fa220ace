"""Results that are made of Python values, as those of EXPLAIN and DESCRIBE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values
from minisql.datatypes import VARCHAR, SqlType
from minisql.expression.nodes import Value
from minisql.session.result import Layout, Result


def result_of_rows(
    columns: Mapping[str, SqlType],
    rows: Sequence[Sequence[Value]],
    *,
    layout: Layout = "rows",
    notice: str | None = None,
) -> Result:
    """A result with these columns, each a name and a type, and these rows."""
    values = [from_values([row[place] for row in rows], type_) for place, type_ in enumerate(columns.values())]
    batches = [Batch(values, len(rows))] if rows else []
    return Result(list(columns), list(columns.values()), batches, layout=layout, notice=notice)


def text_of_lines(texts: Sequence[str]) -> Result:
    """A result of one column, EXPLAIN, with a row for each text; a shell prints the texts as they are."""
    return result_of_rows({"EXPLAIN": VARCHAR}, [(text,) for text in texts], layout="text")
