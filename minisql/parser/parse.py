"""SQL text in, parse trees out: the entry to the parser.

The `Span`s carry the whole text, so that the line numbers of a script are those of the file. The grammar is loaded at
the first statement.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from minisql.errors import ProgrammingError, Span
from minisql.parser.lalr import LalrParser
from minisql.parser.nesting import MAX_DEPTH, check_nesting
from minisql.parser.parse_tables import END, load_parse_tables
from minisql.parser.parse_tree import Statement
from minisql.parser.scanner import Scanner
from minisql.parser.transform import Transform, callbacks


class ParsedStatement(NamedTuple):
    """A statement, and how many `?` it has."""

    statement: Statement
    parameter_count: int


def parse_statement(text: str) -> ParsedStatement:
    """Parses exactly one statement; empty ones before and after it do not count.

    Raises:
        SqlError: a syntax error, no statement, or more than one.
    """
    found = list(islice(parse_statements(text), 2))
    if not found:
        raise ProgrammingError("There is no statement.", Span(text, len(text), len(text)))
    if len(found) > 1:
        raise ProgrammingError("There is more than one statement.", found[1].statement.span)
    return found[0]


def parse_statements(text: str) -> Iterator[ParsedStatement]:
    """Parses the statements of a script, with semicolons between them; empty ones leave no trace.

    Each is parsed when it is asked for, so that those before a syntax error can be run.

    Raises:
        SqlError: a syntax error in the next statement.
    """
    position = 0
    while position < len(text):
        transform = Transform()
        statement, end, token_count = _parser().parse(text, position, transform)
        position = end.end
        if token_count > MAX_DEPTH:
            # Each level of nesting takes a token at least.
            check_nesting(statement)
        if statement is not None:
            yield ParsedStatement(statement, transform.parameter_count)


def statement_end(text: str, start: int = 0) -> int | None:
    """The position after the semicolon that ends the statement at `start`; None if the statement is not complete.

    Semicolons in strings, quoted names and comments do not count. The cost is that of scanning the statement. Mistakes
    are left to the parser: a character that begins no token does not matter here.
    """
    while True:
        try:
            token = _scanner().next_token(text, start, [0])
        except ProgrammingError as error:
            if error.span is None or error.span.end == len(text):
                return None
            start = error.span.end
        else:
            if token.kind == END:
                return token.end if token.value else None
            start = token.end


@functools.cache
def _scanner() -> Scanner:
    return Scanner(load_parse_tables())


@functools.cache
def _parser() -> LalrParser[Transform]:
    return LalrParser(load_parse_tables(), _scanner(), callbacks())
