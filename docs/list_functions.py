"""Writes docs/functions.md, the table of all functions, from what the code says of them.

python docs/list_functions.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from minisql.datatypes import SqlType
from minisql.expression.aggregates import AGGREGATES
from minisql.expression.function import Function
from minisql.expression.functions import THEMES
from minisql.expression.window import WINDOW_FUNCTIONS

TARGET = Path(__file__).with_name("functions.md")

HEAD = """\
# Functions

Every function of minisql. This page is made from the code by `python docs/list_functions.py`; each example is run as a
test, and what stands behind its arrow is the value as text.

A function is NULL where an argument is NULL, unless its line says otherwise. Optional arguments stand in square
brackets; `...` means any number of arguments. A string literal takes the type that the parameter wants.
"""


def page() -> str:
    """The text of docs/functions.md."""
    parts = [HEAD]
    for theme, functions in THEMES.items():
        parts.append(f"## {theme}\n")
        parts.append(_table(("Function", "Result", "Meaning", "Example"), map(_scalar_row, functions)))
    parts.append(
        "## Aggregates\n\nThe examples are over a column `x` of 1, 2, 2 and NULL. Each takes `FILTER (WHERE ...)`.\n"
    )
    rows = (
        (
            _code(function.signature) + _others(function.aliases),
            function.meaning,
            _example(function.example, function.value),
        )
        for function in AGGREGATES
    )
    parts.append(_table(("Function", "Meaning", "Example"), rows))
    parts.append(
        "## Window functions\n\nEvery aggregate is one, too. The examples are over a column `x` of 10, 20, 20, 30, and "
        "have these values in its order. `lag`, `lead` and those that read a frame take `IGNORE NULLS`.\n"
    )
    rows = (
        (_code(function.signature), function.meaning, _example(function.example, function.values))
        for function in WINDOW_FUNCTIONS.values()
    )
    parts.append(_table(("Function", "Meaning", "Example"), rows))
    return "\n".join(parts)


def _scalar_row(function: Function) -> tuple[str, ...]:
    result = str(function.result) if isinstance(function.result, SqlType) else "as its arguments"
    return (
        _code(function.signature) + _others(function.aliases.split()),
        result,
        function.meaning,
        _example(function.example, function.value),
    )


def _others(aliases: Iterable[str]) -> str:
    return "".join(f", {_code(alias)}" for alias in aliases)


def _example(expression: str, value: str | None) -> str:
    return f"{_code(expression)} → {_code('NULL' if value is None else value)}"


def _code(text: str) -> str:
    return f"`{text}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
