"""Mistakes and warnings as the shell tells them: with their place in what was typed, or in the script."""

from __future__ import annotations

import dataclasses
from typing import Final, TypeVar

from minisql.errors import QueryWarning, Span, SqlError
from minisql.shell.script import Part

_RED, _BOLD_RED, _PLAIN = "\x1b[31m", "\x1b[1;31m", "\x1b[0m"
_SQL_QUOTES: Final = "'\""
Told = TypeVar("Told", SqlError, QueryWarning)


def in_the_whole(told: Told, part: Part, text: str, *, last_query: str | None, is_script: bool) -> Told:
    """The mistake or warning with its place in the whole text, for the line and its number.

    Where a command made the SQL that is wrong, the place is what of it stands in the command, or else the command. A
    query that was run before has its places in itself.
    """
    span = told.span
    if span is not None and span.text == part.text:
        start, end = span.start, span.end
    elif not part.is_command or (span is not None and _is_of_last_query(span, part.text, last_query)):
        return told
    else:
        found = None if span is None else _place_in_command(span, part.text)
        if found is None and not is_script:
            return told if span is None else _placed(told, None)
        start, end = found or (0, len(part.text))
    return _placed(told, Span(text, start + part.start, end + part.start))


def _is_of_last_query(span: Span, command: str, last_query: str | None) -> bool:
    query = (last_query or "").removesuffix(";")
    return bool(query) and query in span.text and query not in command


def _place_in_command(span: Span, command: str) -> tuple[int, int] | None:
    """Where the words of a command are that became the place in its SQL: at the end of both, or else there once."""
    if command.endswith(span.text[span.start :]):
        start = len(command) - len(span.text) + span.start
        return start, min(start + span.end - span.start, len(command))
    for words in (span.source, span.source.strip(_SQL_QUOTES)):
        if words and command.count(words) == 1:
            return command.index(words), command.index(words) + len(words)
    return None


def _placed(told: Told, span: Span | None) -> Told:
    if isinstance(told, QueryWarning):
        return dataclasses.replace(told, span=span)
    told.span = span
    return told


def coloured(text: str) -> str:
    """A mistake in colour: what it says, and the carets."""
    message, *lines = text.split("\n")
    shown = [f"{_RED}{line}{_PLAIN}" if line.strip() and not line.strip(" ^") else line for line in lines]
    return "\n".join([f"{_BOLD_RED}{message}{_PLAIN}", *shown])
