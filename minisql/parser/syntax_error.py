"""What to say of a syntax error: what was expected, in words, what was found, and a hint where there is a guess.

There may be fifty terminals that could come next. Those that together begin an expression, a table or the like become
one phrase; the rest are cut to the few that a user most likely meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from lark import Lark, Token

from minisql.errors import ProgrammingError, Span, enumerated, nearest_name
from minisql.parser.split import Piece
from minisql.parser.token_stream import TokenStream

_MOST_PHRASES: Final = 6

# A phrase replaces the terminals of both sets where all of the first set are expected. The first match comes first.
_PHRASES: Final[tuple[tuple[str, set[str], set[str]], ...]] = (
    ("a statement", {"SELECT", "CREATE", "INSERT"}, {
        "VALUES", "WITH", "LPAR", "DROP", "EXPLAIN", "SET", "ALTER", "BEGIN", "COMMIT", "COPY", "DELETE", "DESC",
        "DESCRIBE", "END", "FROM", "ROLLBACK", "SHOW", "START", "TABLE", "TRUNCATE", "UPDATE", "DEALLOCATE", "EXECUTE",
        "PREPARE",
    }),
    ("an expression", {"CASE", "CAST", "INTEGER", "NAME"}, {
        "QUOTED_NAME", "STRING", "DECIMAL", "FLOAT", "LPAR", "NULL", "TRUE", "FALSE", "EXISTS", "PARAMETER", "MINUS",
        "PLUS", "NOT", "TILDE", "LEFT", "RIGHT",
    }),
    ("a query", {"SELECT"}, {"VALUES", "WITH", "LPAR", "FROM", "TABLE"}),
    ("a value", {"INTEGER", "NAME", "DEFAULT"}, {
        "STRING", "DECIMAL", "FLOAT", "TRUE", "FALSE", "ON", "MINUS", "PLUS", "PARAMETER",
    }),
    ("an operator", {"CONCATENATE", "AND", "OR"}, {
        "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "DOUBLE_COLON", "EQUAL", "COMPARISON", "IS", "IN", "LIKE",
        "BETWEEN", "NOT", "BITWISE", "SLASHES", "DIV", "ILIKE", "MATCH", "SIMILAR", "TILDE",
    }),
    ("an operator", {"CONCATENATE"}, {
        "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "DOUBLE_COLON", "BITWISE", "SLASHES", "DIV",
    }),
    ("an alias", {"AS", "NAME"}, {"QUOTED_NAME"}),
    ("a table", {"STRING", "NAME", "LPAR"}, {"QUOTED_NAME", "PARAMETER"}),
    ('AS or "("', {"AS", "DOT", "LPAR"}, set()),
    ("a constraint", {"CONSTRAINT", "PRIMARY", "UNIQUE"}, {"CHECK", "FOREIGN", "REFERENCES", "NOT", "NULL", "DEFAULT"}),
    # What may follow a name goes without saying.
    ("", {"DOT", "LPAR"}, {"STRING", "INTEGER", "DECIMAL", "PARAMETER", "WITH"}),
    ("a number", {"INTEGER", "DECIMAL", "FLOAT"}, set()),
    ("a name", {"NAME", "QUOTED_NAME"}, set()),
    ("a type", {"NAME"}, set()),
    ("JOIN", {"JOIN", "NATURAL", "CROSS"}, {"INNER", "LEFT", "RIGHT", "FULL"}),
    ("UNION", {"UNION", "INTERSECT", "EXCEPT"}, set()),
    ("LIMIT", {"LIMIT", "OFFSET"}, {"FETCH"}),
)  # fmt: skip

_SYMBOLS: Final = {
    "COMMA": '","', "LPAR": '"("', "RPAR": '")"', "DOT": '"."', "EQUAL": '"="', "STAR": '"*"', "PLUS": '"+"',
    "MINUS": '"-"', "INTEGER": "an integer", "NULL_TREATMENT": "IGNORE NULLS", "LAST_NULL_TREATMENT": "IGNORE NULLS",
    "INTERVAL_UNIT": "a unit such as DAY", "STRING": "a string", "PARAMETER": "a parameter",
    "$END": "the end of the statement",
    "GROUPING_SETS": "GROUPING SETS", "WITHIN_GROUP": "WITHIN GROUP", "WITH_ROLLUP": "WITH ROLLUP",
}  # fmt: skip
"""What the terminals that are no keywords are called."""

# What is most likely missing, and what least likely. Other words come in between, by the alphabet.
_FIRST: Final = (
    "a statement", "an expression", "a table", "a query", "a name", "an operator", "an alias", '","', '")"', "AS", "ON",
    "USING", "JOIN", "FROM",
)  # fmt: skip
_LAST: Final = (
    "INTO", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "the end of the statement", '"."', '"("', "a string",
    "ESCAPE", "FILTER", "IGNORE NULLS", "OVER", "PRECISION", "QUALIFY", "SEPARATOR", "VARYING", "WINDOW", "WITH",
    "WITH ROLLUP", "WITHIN GROUP", "WITHOUT",
)  # fmt: skip


class _Mistake(NamedTuple):
    """A syntax error.

    `found` is the token that does not fit, a NAME also where it is a keyword that may be a name; `expected` are the
    terminals that would have fitted. `previous` is the token before it, and `expected_before` what would have fitted
    there. Where a name is expected, the keywords that may be names are not mentioned. `keywords` are all keywords.
    """

    found: Token
    expected: set[str]
    previous: Token | None
    expected_before: set[str]
    keywords: set[str]


def unexpected_token(lark: Lark, stream: TokenStream, piece: Piece, found: Token) -> ProgrammingError:
    """The error for a piece of text of which `found` is the first token that the parser could not take."""
    span = Span(stream.text, stream.start_of(found), stream.end_of(found))
    if found.type == "$END":
        # The end of the text may be lines away; the mistake is after the last token.
        span = Span(stream.text, stream.end, stream.end)
    mistake = _retrace(lark, stream, piece, found)
    phrases = _phrases(mistake.expected)
    wanted = enumerated(phrases, "or")
    return ProgrammingError(
        f"Expected {wanted}, found {_describe(mistake, span.source)}.", span, hint=_hint(mistake, span.source)
    )


def unexpected_character(text: str, position: int) -> ProgrammingError:
    """The error for a place where no token begins."""
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


def _retrace(lark: Lark, stream: TokenStream, piece: Piece, found: Token) -> _Mistake:
    """Parses once more, up to the token that does not fit.

    What Lark says with the error is too late: the parser made reductions before it found out, after which some of what
    could have come instead is lost.
    """
    count = stream.count
    stream.begin(stream.text, piece)
    parser = lark.parse_interactive(piece.source)
    accepts: Callable[[], set[str]] = parser.accepts
    words = {rule.expansion[0].name for rule in lark.rules if rule.origin.name == "word"}

    def expected() -> set[str]:
        terminals = accepts()
        return terminals - words | {"NAME"} if "NAME" in terminals else terminals

    expected_before: set[str] = set()
    previous: Token | None = None
    if count > 0:
        # A step hands out a token; the parser takes it at the beginning of the next step.
        steps = parser.iter_parse()
        previous = next(islice(steps, count - 1, None))
        expected_before = expected()
        next(steps, None)
    return _Mistake(
        found=found.update(type="NAME") if found.type in words else found,
        expected=expected(),
        previous=previous,
        expected_before=expected_before,
        keywords={terminal.name for terminal in lark.terminals if terminal.pattern.value == terminal.name},
    )


def _phrases(expected: set[str]) -> list[str]:
    """The few phrases for a set of terminals, the most likely first."""
    rest = expected - {"HINT"}
    phrases: set[str] = set()
    for phrase, required, optional in _PHRASES:
        if required <= rest:
            phrases.add(phrase)
            rest -= required | optional
    phrases.discard("")
    phrases |= {_SYMBOLS.get(name, name) for name in rest if not name.startswith("__")}

    def rank(phrase: str) -> tuple[int, str]:
        if phrase in _FIRST:
            return _FIRST.index(phrase) - len(_FIRST), phrase
        return (_LAST.index(phrase) + 1, phrase) if phrase in _LAST else (0, phrase)

    return sorted(phrases, key=rank)[:_MOST_PHRASES]


def _describe(mistake: _Mistake, source: str) -> str:
    kind = mistake.found.type
    if kind == "$END":
        return "the end of the statement"
    if kind == "RESERVED" or kind in mistake.keywords:
        return source.upper()
    if len(source) > 30:
        source = source[:30] + "..."
    return source if kind in ("STRING", "QUOTED_NAME", "INTEGER", "DECIMAL", "FLOAT") else f'"{source}"'


def _hint(mistake: _Mistake, source: str) -> str | None:
    found, expected, previous = mistake.found, mistake.expected, mistake.previous
    kind, word = found.type, source.upper()
    # `SELECT a FORM t`: what was to be a keyword has been read as an alias.
    meant = _misspelt(found, expected, mistake.keywords) or _misspelt(
        previous, mistake.expected_before, mistake.keywords
    )
    if meant is not None:
        return f"Did you mean {meant}?"
    if kind in ("EQUAL", "COMPARISON"):
        if previous == "=":
            return 'Equality is written "=".'
        if "AND" in expected:
            return "Comparisons do not chain: combine them with AND, or use parentheses."
    if {"ON", "USING"} <= expected:
        return "A JOIN needs ON or USING; a join without a condition is a CROSS JOIN."
    if kind == "ON" and "JOIN" in expected:
        return "There is no JOIN for this ON; CROSS and NATURAL joins take none."
    if previous == "," and word in ("FROM", "WHERE", ")"):
        return f"There may be a comma too many before {_SYMBOLS.get(kind, word)}."
    is_reserved = kind == "RESERVED" or kind in mistake.keywords
    if is_reserved and "NAME" in expected and word != "SELECT":
        return f'{word} is a reserved word. If it is meant as a name, write "{word.lower()}" in double quotes.'
    if "CREATE" in expected and "INSERT" in expected:
        return (
            "The statements are SELECT, VALUES, WITH, INSERT, UPDATE, DELETE, TRUNCATE, COPY, CREATE, ALTER, DROP, "
            "BEGIN, COMMIT, ROLLBACK, SET, SHOW, DESCRIBE and EXPLAIN."
        )
    return None


def _misspelt(token: Token | None, expected: set[str], keywords: set[str]) -> str | None:
    """The keyword that a name is nearly equal to. Short words are too near to everything."""
    if token is None or token.type != "NAME" or len(token) < 4:
        return None
    return nearest_name(token, sorted(keyword for keyword in expected & keywords if len(keyword) >= 4))
