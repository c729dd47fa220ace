"""Prints results: for people as tables and lists, for programs as CSV, TSV, JSON and HTML."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, TextIO

from minisql.errors import counted
from minisql.expression.nodes import Value
from minisql.printable import printable, printable_lines
from minisql.session.result import Result
from minisql.session.value_text import text_of
from minisql.shell.display import Limits
from minisql.shell.fitting import display_width, shortened

_NO_LIMITS: Final = Limits()
_RECORD_WIDTH: Final = 120
"""How wide a record is where there is no terminal."""
_NARROW: Final = 10
"""The columns that a text of a record has at least."""


def print_result(result: Result, mode: str, stream: TextIO, limits: Limits = _NO_LIMITS) -> None:
    """Prints a result in one of the `MODES`; nothing for a statement that has no columns.

    Where `limits` cut something, a line at the end says what, and how to see it. What programs read is never cut.
    """
    if not result.names:
        return
    if result.layout == "text" and mode in FOR_PEOPLE:
        for (value,) in result:
            text = text_of(value)
            stream.write(f"{printable_lines(text) if limits.on_terminal else text}\n")
        return
    if result.layout == "record" and mode in ("table", "box"):
        _print_record(result, stream, limits)
        return
    MODES[mode](result, stream, limits)


def shown_texts(result: Result, limits: Limits) -> Iterator[list[str]]:
    """The rows for people, as many as are shown."""
    null = "NULL" if limits.null is None else limits.null
    for row in islice(result, limits.rows):
        texts = [text_of(value, null) for value in row]
        yield list(map(printable, texts)) if limits.on_terminal else texts


def print_footer(result: Result, shown: int, cut: Sequence[str], stream: TextIO, limits: Limits) -> None:
    """The lines below a result: how many rows it has, of what types, and what is not shown of it."""
    count = counted_rows(result.rowcount) if limits.on_terminal else counted(result.rowcount, "row")
    left_out = result.rowcount - shown
    first = count if left_out <= 0 else f"{count}, the first {shown:,} shown: .rows all shows them all"
    types = ""
    if limits.on_terminal:
        types = ", ".join(f"{printable(name)} {type_}" for name, type_ in zip(result.names, result.types, strict=True))
    for line in _footer_lines(first, types, cut, limits.width):
        stream.write(f"{line}\n")
    if result.notice is not None:
        stream.write(f"{result.notice}\n")


def counted_rows(count: int) -> str:
    """`1 row`, `12,345 rows`."""
    return "1 row" if count == 1 else f"{count:,} rows"


def _footer_lines(first: str, types: str, cut: Sequence[str], width: int | None) -> Iterator[str]:
    if types and (width is None or len(first) + display_width(types) + 4 <= width):
        yield f"({first}: {types})"
    else:
        yield f"({first})"
        if types:
            yield types if width is None else shortened(types, 2 * width)
    yield from cut


# --- lists ------------------------------------------------------------------------------------------------------------


def _print_vertical(result: Result, stream: TextIO, limits: Limits) -> None:
    """MySQL's: a line for each value, a line of stars before each row."""
    names = _padded_names(result)
    shown = 0
    for texts in shown_texts(result, limits):
        shown += 1
        stars = "*" * (27 if limits.width is None else max(min(27, (limits.width - 10) // 2), 1))
        stream.write(f"{stars} {shown}. row {stars}\n")
        stream.writelines(f"{name}: {text}\n" for name, text in zip(names, texts, strict=True))
    print_footer(result, shown, (), stream, limits)


def _print_record(result: Result, stream: TextIO, limits: Limits) -> None:
    """The names, and beside them the texts, broken at spaces where they have one line and it is too long."""
    names = [name.ljust(max(map(len, result.names))) for name in result.names]
    indent = " " * (len(names[0]) + 2)
    width = max((limits.width or _RECORD_WIDTH) - len(indent), _NARROW)
    null = "NULL" if limits.null is None else limits.null
    for row in islice(result, limits.rows):
        for name, value in zip(names, row, strict=True):
            texts = list(map(printable, text_of(value, null).split("\n")))
            lines = texts if len(texts) > 1 else textwrap.wrap(texts[0], width) or [""]
            stream.write(f"{name}  {lines[0]}\n")
            stream.writelines(f"{indent}{line}\n" for line in lines[1:])


def _print_line(result: Result, stream: TextIO, limits: Limits) -> None:
    """SQLite's: `name = value`, an empty line between rows."""
    names = _padded_names(result)
    shown = 0
    for texts in shown_texts(result, limits):
        stream.write("\n" if shown else "")
        shown += 1
        stream.writelines(f"{name} = {text}\n" for name, text in zip(names, texts, strict=True))
    if limits.on_terminal or result.rowcount > shown:
        print_footer(result, shown, (), stream, limits)


def _padded_names(result: Result) -> list[str]:
    names = [printable(name) for name in result.names]
    widest = max(map(display_width, names))
    return [" " * (widest - display_width(name)) + name for name in names]


# --- for programs -----------------------------------------------------------------------------------------------------


def _print_csv(result: Result, stream: TextIO, limits: Limits) -> None:
    """RFC 4180, with a header. NULL is an empty field and an empty string a quoted one, so that the two differ."""
    null = limits.null or ""
    stream.write(",".join(_csv_field(name, null) for name in result.names) + "\n")
    for row in result:
        fields = (null if value is None else _csv_field(text_of(value), null) for value in row)
        stream.write(",".join(fields) + "\n")


def _csv_field(text: str, null: str) -> str:
    if text and text != null and not _CSV_SPECIAL.intersection(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _print_tsv(result: Result, stream: TextIO, limits: Limits) -> None:
    r"""Tabs between fields, with a header. Tabs, line ends and backslashes in a value are escaped, NULL is `\N`."""
    null = "\\N" if limits.null is None else limits.null
    stream.write("\t".join(map(_tsv_field, result.names)) + "\n")
    for row in result:
        stream.write("\t".join(null if value is None else _tsv_field(text_of(value)) for value in row) + "\n")


def _tsv_field(text: str) -> str:
    return text.translate(_TSV_ESCAPES)


def _print_json(result: Result, stream: TextIO, _: Limits) -> None:
    """An array with an object for each row. Where two columns share a name, the later ones get a number."""
    stream.write("[")
    for position, record in enumerate(_records(result)):
        stream.write(",\n " if position else "\n ")
        stream.write(record)
    stream.write("\n]\n")


def _print_jsonl(result: Result, stream: TextIO, _: Limits) -> None:
    """An object for each row, on a line of its own."""
    stream.writelines(f"{record}\n" for record in _records(result))


def _records(result: Result) -> Iterator[str]:
    names = _unique(result.names)
    for row in result:
        record = {name: _json_value(value) for name, value in zip(names, row, strict=True)}
        yield json.dumps(record, ensure_ascii=False)


def _json_value(value: Value) -> bool | int | float | str | list[object] | None:
    """A value in JSON: a DECIMAL is a string, for a JSON number loses digits; so is what JSON has no number for."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, list):
        return [_json_value(element) for element in value]
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return text_of(value)


def _print_html(result: Result, stream: TextIO, limits: Limits) -> None:
    """A table for a page of HTML, numbers on the right: by hand, since tabulate pads cells with spaces."""
    null = "NULL" if limits.null is None else limits.null
    styles = [' style="text-align: right;"' if type_.is_numeric else "" for type_ in result.types]
    stream.write(f"<table>\n<thead>\n{_html_row('th', styles, result.names)}</thead>\n<tbody>\n")
    stream.writelines(_html_row("td", styles, [text_of(value, null) for value in row]) for row in result)
    stream.write("</tbody>\n</table>\n")


def _html_row(tag: str, styles: Sequence[str], texts: Sequence[str]) -> str:
    from html import escape  # which only this mode needs

    cells = (f"<{tag}{style}>{escape(text)}</{tag}>" for style, text in zip(styles, texts, strict=True))
    return f"<tr>{''.join(cells)}</tr>\n"


def _unique(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    taken = set(names)
    for name in names:
        candidate, number = name, 1
        while candidate in unique or (candidate != name and candidate in taken):
            candidate, number = f"{name}_{number}", number + 1
        unique.append(candidate)
    return unique


def _table_in(mode: str) -> Callable[[Result, TextIO, Limits], None]:
    def print_table(result: Result, stream: TextIO, limits: Limits) -> None:
        from minisql.shell import table

        table.print_table(result, mode, stream, limits)

    return print_table


_CSV_SPECIAL: Final = frozenset(',"\r\n')
_TSV_ESCAPES: Final = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})

MODES: Final[dict[str, Callable[[Result, TextIO, Limits], None]]] = {
    "table": _table_in("table"),
    "box": _table_in("box"),
    "markdown": _table_in("markdown"),
    "csv": _print_csv,
    "tsv": _print_tsv,
    "json": _print_json,
    "jsonl": _print_jsonl,
    "vertical": _print_vertical,
    "line": _print_line,
    "html": _print_html,
}
"""The modes that `.mode` and `--mode` know."""

FOR_PEOPLE: Final[frozenset[str]] = frozenset(("table", "box", "markdown", "vertical", "line"))
"""The modes in which the text of an EXPLAIN is printed as it is, and a result may be cut."""
