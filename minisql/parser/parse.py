"""SQL text in, parse trees out: the entry to the parser.

The `Span`s carry the whole text, so that the line numbers of a script are those of the file. The grammar is loaded at
the first statement.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple, cast

from lark import Lark, UnexpectedCharacters, UnexpectedToken

from minisql.errors import ProgrammingError, Span
from minisql.parser.lark_parser import make_parser
from minisql.parser.nesting import MAX_DEPTH, check_nesting
from minisql.parser.parse_tree import Parameter
from minisql.parser.split import Piece, next_piece
from minisql.parser.statement_tree import Statement
from minisql.parser.syntax_error import unexpected_character, unexpected_token
from minisql.parser.token_stream import TokenStream
from minisql.parser.transform import Transform


class ParsedStatement(NamedTuple):
    """A statement, and its parameters as they are written."""

    statement: Statement
    parameters: tuple[Parameter, ...]


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
        piece = next_piece(text, position)
        position = piece.end + 1
        with _lock:
            parsed = _parser().parse(text, piece)
        if parsed is not None:
            yield parsed


def statement_end(text: str, start: int = 0) -> int | None:
    """The position after the semicolon that ends the statement at `start`; None if the statement is not complete.

    Semicolons in strings, quoted names and comments do not count. The cost is that of scanning the statement. Mistakes
    are left to the parser: a character that begins no token does not matter here.
    """
    piece = next_piece(text, start)
    return piece.end + 1 if piece.has_semicolon else None


def loaded_parser() -> Lark:
    """Lark with the grammar loaded: its terminals and rules."""
    return _parser().lark


class _Parser:
    """Lark, and what it works with: one statement at a time."""

    def __init__(self) -> None:
        self._stream = TokenStream()
        self._transform = Transform(self._stream)
        self.lark: Lark = make_parser(self._transform, self._stream)

    def parse(self, text: str, piece: Piece) -> ParsedStatement | None:
        """Parses a piece of a text; None where it has nothing but space and comments."""
        self._stream.begin(text, piece)
        self._transform.begin()
        try:
            # Lark's type is that of trees; with a transformer it gives what the transformer makes of the start rule.
            statement = cast("Statement", self.lark.parse(piece.source))
        except UnexpectedToken as error:
            if error.token.type == "$END" and self._stream.count == 0:
                return None
            raise unexpected_token(self.lark, self._stream, piece, error.token) from None
        except UnexpectedCharacters as error:
            raise unexpected_character(text, piece.start + cast("int", error.pos_in_stream)) from None
        if self._stream.count > MAX_DEPTH:
            # Each level of nesting takes a token at least.
            check_nesting(statement)
        return ParsedStatement(statement, tuple(self._transform.parameters))


_lock: Final = threading.Lock()
"""Held while a statement is parsed."""


@functools.cache
def _parser() -> _Parser:
    return _Parser()
