"""The language of hints, the comments `/*+ ... */` after SELECT. There are two:

    JOIN_TREE(tree)               tree: table | (tree tree)        table: name | name.table
    VALIDATE(name name 'kind')    kind: 1:1, 1:m, m:1 or m:n

A name is an alias of the FROM of this SELECT, quoted where it would be quoted in the query; `d.a` is the table a in the
derived table d. Unlike in MySQL, a hint that cannot be read is an error: misspelt, it would do nothing, and in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.parser.literals import unquoted
from minisql.parser.parse_tree import Identifier, JoinTree, JoinTreePair, JoinTreeTable, JoinValidation

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+) | (?P<word>[^\W\d]\w*) | (?P<quoted>"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`)
      | (?P<string>'[^']*') | (?P<mark>[().]) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_HINTS: Final = ("JOIN_TREE", "VALIDATE")
_VALIDATE_SHAPE: Final = "It is VALIDATE(a b '1:m'): two tables as in FROM, and 1:1, 1:m, m:1 or m:n in quotes."
_SHAPE: Final = "It is JOIN_TREE(((a b) c)): two sides to each pair of parentheses, names as in FROM, no commas."


class _Token(NamedTuple):
    kind: str
    text: str
    span: Span


class Hints(NamedTuple):
    """What the hints of a SELECT ask for: an order of its joins, and how many rows of two tables may meet."""

    join_tree: JoinTree | None
    validations: tuple[JoinValidation, ...]


def parse_hints(comments: list[tuple[str, Span]]) -> Hints:
    """What the hints of a SELECT ask for.

    Args:
        comments: the text between `/*+` and `*/` of each comment, comments inside it blanked out, and its place.

    Raises:
        ProgrammingError: a hint is unknown, is given twice, or cannot be read.
    """
    tree: JoinTree | None = None
    validations: list[JoinValidation] = []
    for text, span in comments:
        reader = _Reader(text, span)
        while (token := reader.next()) is not None:
            if token.kind != "word":
                raise ProgrammingError(
                    f'A hint begins with its name, not with "{token.text}".', token.span, hint=_SHAPE
                )
            if token.text.upper() == "VALIDATE":
                validations.append(reader.validation(token))
                continue
            if token.text.upper() != "JOIN_TREE":
                hint = did_you_mean(token.text.upper(), _HINTS) or "The hints are JOIN_TREE and VALIDATE."
                raise ProgrammingError(f'There is no hint "{token.text}".', token.span, hint=hint)
            if tree is not None:
                raise ProgrammingError("There is more than one JOIN_TREE for this SELECT.", token.span)
            reader.expect("(")
            tree = reader.tree()
            reader.expect(")")
    return Hints(tree, tuple(validations))


class _Reader:
    """The tokens of one comment, and the tree that they make."""

    def __init__(self, text: str, span: Span) -> None:
        self._end = Span(span.text, span.end, span.end)
        self._tokens = self._scan(text, span)
        self._ahead = next(self._tokens, None)
        self._shape = _SHAPE

    def _scan(self, text: str, span: Span) -> Iterator[_Token]:
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            if kind != "space":
                place = Span(span.text, span.start + match.start(), span.start + match.end())
                yield _Token(kind, match.group(), place)

    def next(self) -> _Token | None:
        """The next token, None at the end of the comment."""
        token, self._ahead = self._ahead, next(self._tokens, None)
        return token

    def expect(self, mark: str) -> _Token:
        """The next token, which must be this mark."""
        token = self.next()
        if token is None or token.text != mark:
            raise self._unexpected(token, f'"{mark}"')
        return token

    def validation(self, word: _Token) -> JoinValidation:
        """What stands between the parentheses of VALIDATE."""
        self._shape = _VALIDATE_SHAPE
        self.expect("(")
        left, right = self._name(self.next()), self._name(self.next())
        kind = self.next()
        if kind is None or kind.kind != "string":
            raise self._unexpected(kind, "'1:1', '1:m', 'm:1' or 'm:n'")
        closing = self.expect(")")
        self._shape = _SHAPE
        return JoinValidation(span=word.span.to(closing.span), left=left, right=right, kind=kind.text[1:-1])

    def tree(self) -> JoinTree:
        """The tree that begins here. Not recursive: a tree may be as deep as a query is long."""
        open_pairs: list[tuple[_Token, list[JoinTree]]] = []
        while True:
            token = self.next()
            if token is not None and token.text == "(":
                open_pairs.append((token, []))
                continue
            tree: JoinTree = self._table(token)
            while open_pairs:
                opening, sides = open_pairs[-1]
                sides.append(tree)
                if len(sides) < 2:
                    break
                closing = self.next()
                if closing is None or closing.text != ")":
                    raise self._unexpected(closing, '")" after the two sides of a join')
                open_pairs.pop()
                tree = JoinTreePair(span=opening.span.to(closing.span), left=sides[0], right=sides[1])
            else:
                return tree

    def _table(self, token: _Token | None) -> JoinTreeTable:
        names = [self._name(token)]
        while self._ahead is not None and self._ahead.text == ".":
            self.next()
            names.append(self._name(self.next()))
        return JoinTreeTable(span=names[0].span.to(names[-1].span), path=tuple(names))

    def _name(self, token: _Token | None) -> Identifier:
        if token is not None and token.kind == "word":
            return Identifier(span=token.span, name=token.text.lower())
        if token is not None and token.kind == "quoted" and len(token.text) > 2:
            return Identifier(span=token.span, name=unquoted(token.text), quoted=True)
        raise self._unexpected(token, "the name of a table")

    def _unexpected(self, token: _Token | None, wanted: str) -> ProgrammingError:
        found = "the end of the hint" if token is None else f'"{token.text}"'
        span = self._end if token is None else token.span
        return ProgrammingError(f"In the hint, {wanted} is expected, not {found}.", span, hint=self._shape)
