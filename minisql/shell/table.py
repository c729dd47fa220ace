"""Tables of all rows, drawn by tabulate and made to fit the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TextIO

from minisql.datatypes import TypeKind
from minisql.errors import counted
from minisql.printable import printable
from minisql.session.result import Result
from minisql.shell.display import Limits
from minisql.shell.fitting import ELLIPSIS, LEAST_WIDTH, Fitted, display_width, fit, shortened
from minisql.shell.output import print_footer, shown_texts

_FORMATS: Final = {"table": "presto", "box": "rounded_outline", "markdown": "pipe"}
"""What tabulate calls the modes."""
_OF_USE_IN_PARTS: Final = frozenset((TypeKind.VARCHAR, TypeKind.BLOB, TypeKind.LIST))
"""Half a number or a date says something wrong."""


def print_table(result: Result, mode: str, stream: TextIO, limits: Limits) -> None:
    """Prints a result as a table in one of the modes table, box, markdown."""
    headers = [printable(name) for name in result.names] if limits.on_terminal else list(result.names)
    rows = list(shown_texts(result, limits))
    is_number = [type_.is_numeric for type_ in result.types]
    if mode == "markdown":
        headers, rows = _markdown_cells(headers), [_markdown_cells(row) for row in rows]
    cut: list[str] = []
    if limits.width is not None:
        headers, rows = list(map(printable, headers)), [list(map(printable, row)) for row in rows]
        can_be_cut = [type_.kind in _OF_USE_IN_PARTS for type_ in result.types]
        fitted = _fit(headers, rows, can_be_cut, mode, limits.width)
        whole = [headers, *rows]
        headers, *rows = (_cut_row(row, fitted) for row in whole)
        cut = _what_was_cut(fitted, whole, [headers, *rows], limits.width)
        is_number = [place is not None and is_number[place] for place in fitted.columns]
    stream.write(_drawn(headers, rows, is_number, _FORMATS[mode]))
    stream.write("\n")
    if mode != "markdown" or limits.on_terminal:
        print_footer(result, len(rows), cut, stream, limits)


def _frame(mode: str) -> Callable[[int], int]:
    """The width of the lines and spaces around so many columns."""
    return lambda count: 3 * count - 1 if mode == "table" else 3 * count + 1


def _fit(
    headers: Sequence[str], rows: Sequence[Sequence[str]], can_be_cut: Sequence[bool], mode: str, width: int
) -> Fitted:
    fewest = 3 if mode == "markdown" else 1  # the line below the header is ":--" at least
    natural, least = [], []
    for place, header in enumerate(headers):
        cells = max((display_width(row[place]) for row in rows), default=0)
        natural.append(max(fewest, display_width(header), cells))
        of_cells = min(cells, LEAST_WIDTH) if can_be_cut[place] else cells  # the name of numbers can be cut
        least.append(max(fewest, min(display_width(header), LEAST_WIDTH), of_cells))
    return fit(natural, least, width, _frame(mode))


def _cut_row(texts: Sequence[str], fitted: Fitted) -> list[str]:
    return [
        ELLIPSIS if place is None else shortened(texts[place], width)
        for place, width in zip(fitted.columns, fitted.widths, strict=True)
    ]


def _what_was_cut(
    fitted: Fitted, whole: Sequence[Sequence[str]], cut: Sequence[Sequence[str]], width: int
) -> list[str]:
    """The lines that say what does not fit, and how to see it."""
    said = []
    if None in fitted.columns:
        shown = len(fitted.columns) - 1
        said.append(f"{shown} of {counted(len(whole[0]), 'column')} shown")
    characters = cells = 0
    for row, cut_row in zip(whole, cut, strict=True):
        for place, cut_text in zip(fitted.columns, cut_row, strict=True):
            if place is not None and row[place] != cut_text:
                cells += 1
                characters += len(row[place]) - len(cut_text) + len(ELLIPSIS)
    if cells:
        said.append(f"{counted(cells, 'value')} cut by {counted(characters, 'character')}")
    return [f"{', '.join(said)} to fit {width}: \\G or .width 0 shows all"] if said else []


def _markdown_cells(texts: Sequence[str]) -> list[str]:
    return [text.replace("|", "\\|").replace("\r\n", "<br>").replace("\n", "<br>") for text in texts]


def _drawn(headers: list[str], rows: list[list[str]], is_number: Sequence[bool], table_format: str) -> str:
    is_ascii = all(text.isascii() for row in (headers, *rows) for text in row)
    tabulate = _load_tabulate(is_ascii)
    align = ["right" if number else "left" for number in is_number]
    padding, tabulate.MIN_PADDING = tabulate.MIN_PADDING, 0  # which is not only ours
    try:
        text: str = tabulate.tabulate(
            rows, headers, tablefmt=table_format, disable_numparse=True, colalign=align, preserve_whitespace=True
        )
    finally:
        tabulate.MIN_PADDING = padding
    return text


def _load_tabulate(is_ascii: bool) -> Any:
    """tabulate; it measures texts with wcwidth, which takes as long to load as tabulate, so ASCII is left to `len`."""
    if is_ascii and "wcwidth" not in sys.modules:
        sys.modules["wcwidth"] = None  # type: ignore[assignment]  # which makes the import fail, and tabulate knows that
        try:
            import tabulate
        finally:
            del sys.modules["wcwidth"]
    else:
        import tabulate
        import wcwidth

        tabulate.wcwidth = wcwidth  # type: ignore[attr-defined]
        tabulate.WIDE_CHARS_MODE = True
    return tabulate
