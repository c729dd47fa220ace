"""Cuts what the user typed, or a script, into statements and dot commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from minisql.parser.parse import statement_end
from minisql.parser.split import statement_start

_GO: Final = re.compile(r"\\[gG](?!\w)")
_COMMAND: Final = re.compile(r"\.|\\(?!\\|[gG](?!\w))\S")
"""What a command begins with; the shell has none with a backslash, but who knows psql may think so."""


class Part(NamedTuple):
    """A statement or a dot command: `text` begins at `start` of the whole and goes on at `end`."""

    text: str
    start: int
    end: int
    is_command: bool = False
    is_vertical: bool = False
    """Whether the statement ends with `\\G`, which `text` is without, as it is without a `\\g`."""
    is_complete: bool = True
    """Whether its end is written, and not just that of the whole."""


def parts(text: str) -> Iterator[Part]:
    r"""The statements and dot commands of a text, in their order. Comments and space between them are left out.

    A dot command begins with a dot where a statement could begin, and ends with its line. A statement ends with `;`, or
    as in psql and MySQL with `\g`, which is the same, or `\G`.
    """
    position = statement_start(text, 0)
    while position < len(text):
        part = _command(text, position) if _COMMAND.match(text, position) else _statement(text, position)
        yield part
        position = statement_start(text, part.end)


def is_complete(text: str) -> bool:
    """Whether nothing is missing at the end of the text: Enter runs it."""
    if is_farewell(text):
        return True
    end = 0
    for part in parts(text):
        if not part.is_complete:
            return False
        end = part.end
    # What is left is space and comments; one that is not closed goes on.
    return statement_end(text[end:] + "\n;") is not None


def is_farewell(text: str) -> bool:
    """Whether the user, who may know other shells, leaves with a word that is no statement."""
    return text.strip().removesuffix(";").lower() in ("quit", "exit", ".exit", "\\q")


def _command(text: str, start: int) -> Part:
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return Part(text[start:end].rstrip().removesuffix(";"), start, end, is_command=True)


def _statement(text: str, start: int) -> Part:
    end = statement_end(text, start)
    limit = len(text) if end is None else end
    for found in _GO.finditer(text, start, limit):
        # It is outside of strings, quoted names and comments if a semicolon in its place would end the statement.
        if statement_end(text[start : found.start()] + ";", 0) is not None:
            after = found.end() + (text[found.end() : found.end() + 1] == ";")
            return Part(text[start : found.start()], start, after, is_vertical=found[0] == "\\G")
    if end is None:
        return Part(text[start:], start, limit, is_complete=False)
    return Part(text[start:end], start, end)
