"""What to say of a syntax error: what was expected, in words, what was found, and a hint where there is a guess.

There may be fifty terminals that could come next. Those that together begin an expression, a table or the like become
one phrase; the rest are cut to the few that a user most likely meant.
"""

from __future__ import annotations

from typing import Final

from minisql.errors import ProgrammingError, Span, nearest_name
from minisql.parser.parse_tables import END, ParseTables
from minisql.parser.scanner import RESERVED, Scanner, Token

_MOST_PHRASES: Final = 6

# A phrase replaces the terminals of both sets where all of the first set are expected. The first match comes first.
_PHRASES: Final[tuple[tuple[str, set[str], set[str]], ...]] = (
    ("a statement", {"SELECT", "CREATE", "INSERT"}, {"VALUES", "WITH", "LPAR", "DROP", "EXPLAIN", "SET"}),
    ("an expression", {"CASE", "CAST", "INTEGER", "NAME"}, {
        "QUOTED_NAME", "STRING", "DECIMAL", "FLOAT", "LPAR", "NULL", "TRUE", "FALSE", "EXISTS", "QMARK", "MINUS",
        "PLUS", "NOT",
    }),
    ("a query", {"SELECT", "VALUES"}, {"WITH", "LPAR"}),
    ("a value", {"INTEGER", "NAME", "DEFAULT"}, {
        "STRING", "DECIMAL", "FLOAT", "TRUE", "FALSE", "ON", "MINUS", "PLUS",
    }),
    ("an operator", {"CONCATENATE", "AND", "OR"}, {
        "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "EQUAL", "COMPARISON", "IS", "IN", "LIKE", "BETWEEN", "NOT",
    }),
    ("an operator", {"CONCATENATE"}, {"PLUS", "MINUS", "STAR", "SLASH", "PERCENT"}),
    ("an alias", {"AS", "NAME"}, {"QUOTED_NAME"}),
    ("a table", {"STRING", "NAME", "LPAR"}, {"QUOTED_NAME"}),
    # What may follow a name goes without saying.
    ("", {"DOT", "LPAR"}, {"STRING"}),
    ("a number", {"INTEGER", "DECIMAL", "FLOAT"}, set()),
    ("a name", {"NAME", "QUOTED_NAME"}, set()),
    ("a type", {"NAME"}, set()),
    ("JOIN", {"JOIN", "NATURAL", "CROSS"}, {"INNER", "LEFT", "RIGHT", "FULL"}),
    ("UNION", {"UNION", "INTERSECT", "EXCEPT"}, set()),
    ("LIMIT", {"LIMIT", "OFFSET"}, {"FETCH"}),
)  # fmt: skip

_SYMBOLS: Final = {
    "COMMA": '","', "LPAR": '"("', "RPAR": '")"', "DOT": '"."', "EQUAL": '"="', "STAR": '"*"', "PLUS": '"+"',
    "MINUS": '"-"', "INTEGER": "an integer", "STRING": "a string", "$END": "the end of the statement",
}  # fmt: skip
"""What the terminals that are no keywords are called."""

# What is most likely missing, and what least likely. Other words come in between, by the alphabet.
_FIRST: Final = (
    "a statement", "an expression", "a table", "a query", "a name", "an operator", "an alias", '","', '")"', "AS", "ON",
    "USING", "JOIN", "FROM",
)  # fmt: skip
_LAST: Final = (
    "INTO", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "the end of the statement", '"."', '"("', "a string",
    "ESCAPE", "FILTER", "PRECISION", "VARYING", "WITH", "WITHOUT",
)  # fmt: skip


def syntax_error(tables: ParseTables, scanner: Scanner, text: str, position: int, found: Token) -> ProgrammingError:
    """The error for the statement at the position, of which `found` is the first token that does not fit."""
    states, last_two = _retrace(tables, scanner, text, position, found)
    expected = _expected(tables, states)
    phrases = _phrases(expected)
    wanted = " or ".join(part for part in (", ".join(phrases[:-1]), phrases[-1]) if part)
    span = Span(text, found.start, found.end)
    if found.kind == END and last_two:
        # The end of the text may be lines away; the mistake is after the last token.
        span = Span(text, last_two[-1][0].end, last_two[-1][0].end)
    hint = _hint(tables, expected, last_two, found, span.source)
    return ProgrammingError(f"Expected {wanted}, found {_describe(tables, found, span.source)}.", span, hint=hint)


def _retrace(
    tables: ParseTables, scanner: Scanner, text: str, position: int, found: Token
) -> tuple[list[int], list[tuple[Token, set[str]]]]:
    """Parses once more, up to the offending token, without making anything.

    The parser itself has made reductions before it found that the token does not fit, and what could have come instead
    is lost by then.

    Returns:
        The states before the offending token; and the last tokens before it, two at most, each with the terminals that
        were expected in its place.
    """
    states = [0]
    tokens: list[Token] = []
    stacks: list[list[int]] = []
    while True:
        token = scanner.next_token(text, position, states)
        if token.start >= found.start:
            expected = [(token, _expected(tables, stack)) for token, stack in zip(tokens, stacks, strict=True)]
            return states, expected
        tokens, stacks = [*tokens[-1:], token], [*stacks[-1:], states.copy()]
        tables.advance(states, token.kind)
        position = token.end


def _expected(tables: ParseTables, states: list[int]) -> set[str]:
    """The terminals that can come next."""
    row = tables.actions[states[-1]]
    return {tables.terminals[terminal] for terminal in row if tables.advance(states.copy(), terminal)}


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


def _describe(tables: ParseTables, token: Token, source: str) -> str:
    if token.kind == END:
        return "the end of the statement"
    name = "" if token.kind == RESERVED else tables.terminals[token.kind]
    if token.kind == RESERVED or token.value == name:
        return source.upper()
    if len(source) > 30:
        source = source[:30] + "..."
    return source if name in ("STRING", "QUOTED_NAME", "INTEGER", "DECIMAL", "FLOAT") else f'"{source}"'


def _hint(
    tables: ParseTables, expected: set[str], last_two: list[tuple[Token, set[str]]], found: Token, source: str
) -> str | None:
    kind = "" if found.kind == RESERVED else tables.terminals[found.kind]
    meant = _misspelt(tables, found, expected)
    previous = ""
    if last_two:
        token, expected_before = last_two[-1]
        previous = token.value
        # `SELECT a FORM t`: what was to be a keyword has been read as an alias.
        meant = meant or _misspelt(tables, token, expected_before)
    if kind == "LPAR" and previous == "over":
        return "Window functions are not supported."
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
    word = source.upper()
    if previous == "," and word in ("FROM", "WHERE", ")"):
        return f"There may be a comma too many before {_SYMBOLS.get(kind, word)}."
    if word.lower() in tables.reserved and "NAME" in expected and word != "SELECT":
        return f'{word} is a reserved word. If it is meant as a name, write "{word.lower()}" in double quotes.'
    if "CREATE" in expected and "INSERT" in expected:
        return "The statements are SELECT, VALUES, WITH, INSERT, CREATE, DROP, SET and EXPLAIN."
    return None


def _misspelt(tables: ParseTables, token: Token, expected: set[str]) -> str | None:
    """The keyword that a name is nearly equal to. Short words are too near to everything."""
    if token.kind == RESERVED or tables.terminals[token.kind] != "NAME" or len(token.value) < 4:
        return None
    keywords = [name for name in expected if name.lower() in tables.literals and len(name) >= 4]
    return nearest_name(token.value, sorted(keywords))
