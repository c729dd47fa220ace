"""Between Lark's lexer and its parser: where in the text the parser is, and which comments are hints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lark import Token
from lark.lark import PostLex

from minisql.parser.split import Piece


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
        last = ""
        for token in stream:
            if token.type == "HINT" and last not in ("SELECT", "HINT"):
                continue
            last = token.type
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
