"""Prints results: as a table for people, as CSV or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TextIO

from minisql.errors import counted
from minisql.expression.nodes import Value
from minisql.session.result import Result


def print_result(result: Result, mode: str, stream: TextIO) -> None:
    """Prints a result in one of the `MODES`; nothing for a statement that has no columns."""
    if not result.names:
        return
    if result.is_explanation and mode == "table":
        for (text,) in result:
            stream.write(f"{_text(text)}\n")
        return
    MODES[mode](result, stream)


def print_warnings(result: Result, stream: TextIO) -> None:
    """Prints the warnings of a result."""
    for warning in result.warnings:
        stream.write(f"WARNING: {warning}\n")


def _print_table(result: Result, stream: TextIO) -> None:
    import tabulate

    rows = [[_text(value) for value in row] for row in result]
    align = ["right" if type_.is_numeric else "left" for type_ in result.types]
    tabulate.MIN_PADDING = 0
    table = tabulate.tabulate(rows, list(result.names), tablefmt="presto", disable_numparse=True, colalign=align)
    count = len(rows)
    stream.write(f"{table}\n({counted(count, 'row')})\n")
    if result.notice is not None:
        stream.write(f"{result.notice}\n")


def _text(value: Value) -> str:
    """A value for people."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case bytes():
            return f"\\x{value.hex()}"
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case _:
            return str(value)


def _print_csv(result: Result, stream: TextIO) -> None:
    """RFC 4180, with a header. NULL is an empty field and an empty string a quoted one, so that the two differ."""
    stream.write(",".join(_csv_field(name) for name in result.names) + "\n")
    for row in result:
        stream.write(",".join("" if value is None else _csv_field(_text(value)) for value in row) + "\n")


def _csv_field(text: str) -> str:
    if text and not _CSV_SPECIAL.intersection(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _print_json(result: Result, stream: TextIO) -> None:
    """An array with an object for each row. Where two columns share a name, the later ones get a number."""
    names = _unique(result.names)
    stream.write("[")
    for position, row in enumerate(result):
        record = {name: _json_value(value) for name, value in zip(names, row, strict=True)}
        stream.write(",\n " if position else "\n ")
        stream.write(json.dumps(record, ensure_ascii=False))
    stream.write("\n]\n")


def _json_value(value: Value) -> bool | int | float | str | None:
    """A value in JSON: a DECIMAL is a string, for a JSON number loses digits; so is what JSON has no number for."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, list):
        return [_json_value(element) for element in value]
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return _text(value)


def _unique(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    taken = set(names)
    for name in names:
        candidate, number = name, 1
        while candidate in unique or (candidate != name and candidate in taken):
            candidate, number = f"{name}_{number}", number + 1
        unique.append(candidate)
    return unique


_CSV_SPECIAL: Final = frozenset(',"\r\n')

MODES: Final[dict[str, Callable[[Result, TextIO], None]]] = {
    "table": _print_table,
    "csv": _print_csv,
    "json": _print_json,
}
