"""The scanner: from text to tokens, one at a time, and to whole statements.

It is built of the terminals of the grammar and looks at the state of the parser: a word is a keyword where the grammar
can go on with that keyword, and a name elsewhere. It knows two things that the grammar does not: that a semicolon ends
a statement, and that block comments nest.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from minisql.errors import ProgrammingError, Span
from minisql.parser.parse_tables import END, ParseTables

RESERVED: Final = -1
"""The terminal of a reserved word that the grammar does not use: no state accepts it."""

_WORD: Final = r"[^\W\d]\w*"
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """The terminal `kind` at `[start, end)`. The value of a keyword is its name, of a name the folded name."""

    kind: int
    value: str
    start: int
    end: int


class Scanner:
    """Finds the tokens of a text. It has no state: the caller keeps the position."""

    def __init__(self, tables: ParseTables) -> None:
        numbers = {name: number for number, name in enumerate(tables.terminals)}
        self._tables = tables
        self._reserved = tables.reserved
        self._keywords = {text: number for text, number in tables.literals.items() if text.isalpha()}
        self._operators = {text: number for text, number in tables.literals.items() if text not in self._keywords}
        self._name = numbers["NAME"]
        self._hint = numbers["HINT"]
        # Words come first because they are the most frequent: no other terminal begins with a letter.
        groups = {"NAME": _WORD}
        groups |= {name: pattern for name, pattern in tables.patterns if name not in ("NAME", "WHITESPACE")}
        groups["OPERATOR"] = "|".join(re.escape(text) for text in sorted(self._operators, key=len, reverse=True))
        groups["END_OF_STATEMENT"] = r";|\Z"
        alternatives = "|".join(f"(?P<{name}>{pattern})" for name, pattern in groups.items())
        token = re.compile(rf"\s*(?:{alternatives})", re.IGNORECASE)
        self._match = token.match
        self._kinds = {group: numbers.get(name, END) for name, group in token.groupindex.items()}
        self._word_group = token.groupindex["NAME"]
        self._operator_group = token.groupindex["OPERATOR"]
        self._comment_groups = (token.groupindex["COMMENT"], token.groupindex["HINT"])

    def next_token(self, text: str, position: int, states: list[int]) -> Token:
        """The first token at or after the position; at the end of the text and at a semicolon it is END.

        Args:
            text: the whole text.
            position: where to start.
            states: the stack of the parser.

        Raises:
            ProgrammingError: an unexpected character, or a string, quoted name or comment that is not closed.
        """
        while True:
            match = self._match(text, position)
            if match is None:
                raise _no_token(text, position)
            group = match.lastindex
            assert group is not None
            value = match[group]
            start = match.start(group)
            end = match.end()
            if group == self._word_group:
                value = value.lower()
                kind = self._keywords.get(value)
                if kind is None:
                    kind = RESERVED if value in self._reserved else self._name
                elif value in self._reserved or self._is_keyword(kind, states):
                    value = self._tables.terminals[kind]
                else:
                    kind = self._name
                return Token(kind, value, start, end)
            if group == self._operator_group:
                return Token(self._operators[value], value, start, end)
            if group not in self._comment_groups:
                return Token(self._kinds[group], value, start, end)
            if value.startswith("/*"):
                if self._kinds[group] == self._hint and self._hint in self._tables.actions[states[-1]]:
                    return Token(self._hint, value, start, end)
                if value.find("/*", 2) >= 0:
                    end = _comment_end(text, start)
            position = end

    def _is_keyword(self, kind: int, states: list[int]) -> bool:
        """Whether a word that is not reserved is the keyword here. Where both fit, it is."""
        row = self._tables.actions[states[-1]]
        return kind in row and (self._name not in row or self._tables.advance(states.copy(), kind))


def _comment_end(text: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise _not_closed(text, start, "comment")


def _no_token(text: str, position: int) -> ProgrammingError:
    while text[position].isspace():
        position += 1
    character = text[position]
    if character == "'":
        return _not_closed(text, position, "string", hint="A single quote in a string is written twice: ''.")
    if character in '"`':
        return _not_closed(text, position, "quoted name")
    if text.startswith("/*", position):
        return _not_closed(text, position, "comment")
    number = re.compile(r"[.\w]+").match(text, position)
    if number is not None:
        return ProgrammingError(f"{number[0]} is neither a number nor a name.", Span(text, position, number.end()))
    return ProgrammingError(f'Unexpected character "{character}".', Span(text, position, position + 1))


def _not_closed(text: str, start: int, what: str, hint: str | None = None) -> ProgrammingError:
    return ProgrammingError(f"The {what} is not closed.", Span(text, start, len(text)), hint=hint)
