"""Results and plans for people: as text at a Python prompt, as HTML in a notebook. Long ones are cut, and say so."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import islice
from typing import Final

from minisql.columnar.column import Batch, Column
from minisql.columnar.python_values import to_values
from minisql.datatypes import SqlType
from minisql.errors import DataError, QueryWarning, counted
from minisql.printable import cut, printable
from minisql.session.value_text import text_of

TEXT_ROWS: Final = 10
HTML_ROWS: Final = 40
TEXT_COLUMNS: Final = 12
HTML_COLUMNS: Final = 40
"""How many rows and columns are shown."""
_TEXT_WIDTH: Final = 40
_HTML_WIDTH: Final = 300


def result_as_text(names: Sequence[str], types: Sequence[SqlType], batches: Sequence[Batch]) -> str:
    """A table of the first rows with the types of the columns, and the number of rows."""
    shown = min(len(names), TEXT_COLUMNS)
    rows = _first_rows(batches, TEXT_ROWS, shown)
    columns = [
        [_cell(names[place], _TEXT_WIDTH), str(types[place]), *[_cell(row[place], _TEXT_WIDTH) for row in rows]]
        for place in range(shown)
    ]
    if shown < len(names):
        columns.append(["...", "", *["..." for _ in rows]])
    widths = [max(map(len, column)) for column in columns]
    right = [place < shown and types[place].is_numeric for place in range(len(columns))]
    lines = [
        " | ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in zip(*columns, strict=True)
    ]
    lines.insert(2, "-+-".join("-" * width for width in widths))
    return "\n".join([*lines, f"({_sizes(batches, len(rows), names, shown)})"])


def result_as_html(names: Sequence[str], types: Sequence[SqlType], batches: Sequence[Batch]) -> str:
    """The same as an HTML table. Nothing of it is markup of the data's."""
    shown = min(len(names), HTML_COLUMNS)
    rows = _first_rows(batches, HTML_ROWS, shown)
    more = "<th>&hellip;</th>" if shown < len(names) else ""
    head = "".join(
        f"<th>{escape(names[place])}<br><small>{escape(str(types[place]))}</small></th>" for place in range(shown)
    )
    body = []
    for row in rows:
        cells = "".join(
            f'<td style="text-align: {"right" if types[place].is_numeric else "left"}">{_html_cell(row[place])}</td>'
            for place in range(shown)
        )
        body.append(f"<tr>{cells}{'<td>&hellip;</td>' if more else ''}</tr>")
    return (
        f"<table><thead><tr>{head}{more}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        f"<p>{_sizes(batches, len(rows), names, shown)}</p>"
    )


def warning_as_html(warning: QueryWarning) -> str:
    """What a query most likely does that is not meant, and what to write if so."""
    hint = f"<br>{escape(warning.hint)}" if warning.hint else ""
    return f"<p><b>Warning</b> {escape(warning.message)}{hint}</p>"


def text_as_html(text: str) -> str:
    """Text whose lines and spaces count, as the tree of a plan."""
    return f"<pre>{escape(text)}</pre>"


def _first_rows(batches: Sequence[Batch], count: int, width: int) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for batch in batches:
        part = batch.slice(0, min(count - len(rows), batch.length))
        columns = [_values(part.column(place)) for place in range(width)]
        rows += islice(zip(*columns, strict=True), count - len(rows))
        if len(rows) >= count:
            break
    return rows


def _values(column: Column) -> Sequence[object]:
    """The values of a column, or their texts where one of them is a date that Python does not have."""
    try:
        return to_values(column)
    except DataError:
        from minisql.columnar.to_arrow import to_arrow

        texts: list[object] = to_arrow(column).cast("string").to_pylist()
        return texts


def _sizes(batches: Sequence[Batch], rows: int, names: Sequence[str], columns: int) -> str:
    count = sum(batch.length for batch in batches)
    parts = [f"{count:,} row{'' if count == 1 else 's'}"]
    if rows < count:
        parts[0] += f", the first {rows} shown"
    if columns < len(names):
        parts.append(f"{counted(len(names), 'column')}, the first {columns} shown")
    return "; ".join(parts)


def _cell(value: object, width: int) -> str:
    text = printable(text_of(value))
    return text if len(text) <= width else text[: width - 3] + "..."


def _html_cell(value: object) -> str:
    if value is None:
        return "<i>NULL</i>"
    return escape(cut(text_of(value), _HTML_WIDTH))
