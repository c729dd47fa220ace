"""A Pygments lexer for minisql: its keywords are those of the grammar, its functions those that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import ClassVar, Final

from pygments.lexer import Lexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from minisql.expression.aggregates import AGGREGATES_BY_NAME
from minisql.expression.functions import ALIASES, SCALAR_FUNCTIONS
from minisql.expression.window import WINDOW_FUNCTIONS
from minisql.parser.keywords import keywords
from minisql.shell.tokens import Token, tokens_of

_PLAIN: Final = {
    "space": Text.Whitespace,
    "string": String.Single,
    "quoted_name": Name.Quoted,
    "number": Number,
}
_COMMAND: Final = re.compile(r"\s*\.\w*")

STYLE: Final = {
    "pygments.keyword": "bold ansiblue",
    "pygments.keyword.pseudo": "bold ansimagenta",
    "pygments.name.function": "ansicyan",
    "pygments.literal.string": "ansigreen",
    "pygments.literal.number": "ansimagenta",
    "pygments.comment": "italic ansibrightblack",
}
"""The colours, from the sixteen that every terminal has and its user has chosen."""


@cache
def function_names() -> frozenset[str]:
    """The names of all functions, in lower case: scalar ones, aggregates, window functions."""
    return frozenset((*SCALAR_FUNCTIONS, *ALIASES, *AGGREGATES_BY_NAME, *WINDOW_FUNCTIONS))


class MinisqlLexer(Lexer):  # type: ignore[misc]  # Pygments has no types
    """SQL as minisql reads it, and the dot commands of its shell."""

    name = "minisql"
    aliases: ClassVar = ["minisql"]
    filenames: ClassVar = ["*.sql"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, object, str]]:
        """The tokens of the text, each with its place."""
        start = 0
        if (command := _COMMAND.match(text)) is not None:
            yield 0, Keyword.Pseudo, command[0]
            start = command.end()
        tokens = list(tokens_of(text[start:]))
        for place, token in enumerate(tokens):
            yield start + token.start, _type_of(tokens, place), token.text


def _type_of(tokens: list[Token], place: int) -> object:
    token = tokens[place]
    match token.kind:
        case "word":
            return _type_of_word(tokens, place)
        case "comment":
            return Comment.Single if token.text.startswith("--") else Comment.Multiline
        case "symbol":
            return Punctuation if token.text in "(),.;" else Operator
        case kind:
            return _PLAIN[kind]


def _type_of_word(tokens: list[Token], place: int) -> object:
    token = tokens[place]
    if place and tokens[place - 1].text == ".":  # t.key: what follows a dot is a name
        return Name
    is_call = any(following.text == "(" for following in tokens[place + 1 : place + 2])
    if is_call and token.text.lower() in function_names():
        return Name.Function
    return Keyword if token.upper in keywords() else Name
