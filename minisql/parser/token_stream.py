"""Between Lark's lexer and its parser: where in the text the parser is, which comments are hints, which names units.

A name is a unit where it follows what is counted in it: `INTERVAL '3' MONTH`, `INTERVAL 3 MONTH`, `INTERVAL (a) MONTH`,
and in `INTERVAL '1-2' YEAR TO MONTH`. Everywhere else INTERVAL, MONTH and the like are names like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lark import Token
from lark.lark import PostLex

from minisql.interval import INTERVAL_UNITS
from minisql.parser.split import Piece

_COUNTS = ("STRING", "INTEGER", "DECIMAL", "PARAMETER")


class _IntervalCounts:
    """Follows the tokens from the word INTERVAL on, up to the end of what a unit may come after."""

    def __init__(self) -> None:
        self.is_awaited = False
        """Whether the last token was the word INTERVAL."""
        self.is_complete = False
        """Whether the last token ended a count."""
        self.opened: list[bool] = []
        """The parentheses that are open, the outermost one after the word INTERVAL; True for those after the word."""

    def add(self, type_: str) -> None:
        """Takes a token that is no name."""
        self.is_complete = False
        if type_ == "LPAR":
            if self.is_awaited or self.opened:
                self.opened.append(self.is_awaited)
        elif type_ == "RPAR":
            self.is_complete = bool(self.opened) and self.opened.pop()
        elif self.is_awaited:
            self.is_complete = type_ in _COUNTS
        self.is_awaited = False


class TokenStream(PostLex):
    """The tokens of one statement after the other, and the position up to which the parser has taken them."""

    always_accept: Iterable[str] = ("RESERVED",)
    """The terminals that no rule mentions."""

    def __init__(self) -> None:
        self.begin("", Piece("", 0, 0, has_semicolon=False))

    def begin(self, text: str, piece: Piece) -> None:
        """Makes the stream ready for a piece of a text."""
        self.text = text
        self.start = piece.start
        self.end = piece.start
        """The end of the last token that the parser has taken: while it reduces by a rule, the end of that rule."""
        self.count = 0
        """The number of tokens that the parser has taken."""

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Hands the tokens to the parser, hints only where they belong: after SELECT."""
        last = before = ""
        intervals = _IntervalCounts()
        for token in stream:
            if token.type == "HINT" and last not in ("SELECT", "HINT"):
                continue
            if token.type == "NAME":
                if (intervals.is_complete or (last == "TO" and before == "INTERVAL_UNIT")) and (
                    token.lower() in INTERVAL_UNITS
                ):
                    token = token.update(type="INTERVAL_UNIT")
                intervals.is_complete = False
                intervals.is_awaited = token.lower() == "interval"
            elif intervals.is_awaited or intervals.is_complete or intervals.opened:
                intervals.add(token.type)
            before, last = last, token.type
            # On the token that is handed over here the parser first makes the reductions that were due before it.
            yield token
            self.end = self.end_of(token)
            self.count += 1

    def start_of(self, token: Token) -> int:
        """Where in the text a token starts."""
        assert token.start_pos is not None
        return self.start + token.start_pos

    def end_of(self, token: Token) -> int:
        """Where in the text a token ends."""
        assert token.end_pos is not None
        return self.start + token.end_pos
