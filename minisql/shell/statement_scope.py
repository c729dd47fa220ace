"""Which tables a statement names, also one that is not finished yet: for the completion of columns and aliases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from minisql.parser.keywords import reserved_words
from minisql.shell.tokens import Token, tokens_of

TABLE_FOLLOWS: Final = frozenset(("FROM", "JOIN", "INTO", "UPDATE", "TABLE", "VIEW", "DESCRIBE", "TRUNCATE", "COPY"))
"""The words before a table."""
_FROM_ENDS: Final = frozenset(
    ("SELECT", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION",
     "INTERSECT", "EXCEPT", "SET", "VALUES", "RETURNING")
)  # fmt: skip
_SET_OPERATIONS: Final = frozenset(("UNION", "INTERSECT", "EXCEPT"))
_OF_ALL_INSERT: Final = frozenset(("RETURNING", "CONFLICT"))
"""The words behind the query of an INSERT that are about the table again."""
_BEFORE_COLUMNS: Final = frozenset(("INTO", "COPY"))
"""The words before a table whose columns, in parentheses, make it no call of a function."""
_QUERY_BEGINS: Final = frozenset(("SELECT", "WITH", "FROM", "VALUES", "TABLE"))


class NamedTable(NamedTuple):
    """A table of a statement: the name that its columns have before their dot, and a query for its rows."""

    name: str
    query: str


class StatementScope(NamedTuple):
    """The tables of a statement that a place in it sees, and its common table expressions."""

    tables: tuple[NamedTable, ...]
    common_tables: tuple[NamedTable, ...]


@dataclass
class _Block:
    """A query, or a statement that is none, with its tables; it sees those of `outer`, too."""

    outer: _Block | None = None
    tables: list[NamedTable] = field(default_factory=list)


@dataclass
class _Level:
    """What is inside of one pair of parentheses, or outside of all."""

    block: _Block
    start: int = 0
    is_table: bool = False
    """Whether the parentheses stand where a table does."""
    awaits_table: bool = False
    in_from: bool = False


def scope_of(text: str, cursor: int) -> StatementScope:
    """The tables of a statement that are in scope at the cursor: of its own query and of those around it."""
    tokens = significant_tokens(text)
    common = _common_tables(tokens, text)
    queries = {table.name.lower(): table.query for table in common}
    statement = _Block()
    levels = [_Level(statement)]
    seen_from = None
    is_insert = bool(tokens) and tokens[0].upper == "INSERT"
    for place, token in enumerate(tokens):
        if seen_from is None and token.end > cursor:
            seen_from = levels[-1].block
        level = levels[-1]
        if token.upper == "(":
            levels.append(_inner_level(level, tokens, place))
            level.awaits_table = False
        elif token.upper == ")":
            if len(levels) > 1:
                _add_derived_table(levels.pop(), tokens, place, text, levels[-1].block.tables)
        elif token.upper in _SET_OPERATIONS:
            level.block = _Block(level.block.outer)
            level.awaits_table = level.in_from = False
        elif is_insert and len(levels) == 1 and token.upper in ("SELECT", *_OF_ALL_INSERT):
            level.block = statement if token.upper in _OF_ALL_INSERT else _Block()
            level.awaits_table = level.in_from = False
        elif level.awaits_table and token.kind in ("word", "quoted_name", "string") and not _is_reserved(token):
            level.awaits_table = False
            _add_table(tokens, place, queries, level.block.tables)
        elif token.upper in TABLE_FOLLOWS and not _is_value(tokens, place):
            level.awaits_table, level.in_from = True, token.upper in ("FROM", "JOIN")
        elif token.upper == "," and level.in_from:
            level.awaits_table = True
        elif token.upper in _FROM_ENDS:
            level.awaits_table = level.in_from = False
    block: _Block | None = seen_from or levels[-1].block
    tables: list[NamedTable] = []
    while block is not None:
        tables += block.tables
        block = block.outer
    return StatementScope(tuple(dict.fromkeys(tables)), common)


def _inner_level(level: _Level, tokens: Sequence[Token], place: int) -> _Level:
    """What begins with the parenthesis at `place`: a query has tables of its own."""
    block = level.block
    if place + 1 < len(tokens) and tokens[place + 1].upper in _QUERY_BEGINS:
        before = tokens[place - 1].upper if place else ""
        # What stands in FROM sees nothing beside it, nor does a common table expression.
        is_alone = (level.awaits_table and before != "LATERAL") or before in ("AS", "MATERIALIZED")
        block = _Block(None if is_alone else block)
    return _Level(block, place, level.awaits_table, level.awaits_table, level.awaits_table)


def significant_tokens(text: str) -> list[Token]:
    """The tokens without space and comments."""
    return [token for token in tokens_of(text) if token.kind not in ("space", "comment")]


def awaits_table(tokens: Sequence[Token]) -> bool:
    """Whether a table may follow: behind FROM and the like, and behind a comma in the list of FROM."""
    if not tokens:
        return False
    if tokens[-1].upper in TABLE_FOLLOWS:
        return True
    if tokens[-1].upper != ",":
        return False
    depth = 0
    for token in reversed(tokens):
        depth += {")": 1, "(": -1}.get(token.upper, 0)
        if depth < 0:
            return False
        if depth == 0 and token.upper in ("FROM", "JOIN"):
            return True
        if depth == 0 and token.upper in _FROM_ENDS:
            return False
    return False


def awaits_type(tokens: Sequence[Token]) -> bool:
    """Whether the name of a type may follow: behind `::`, in a CAST behind AS, and behind the name of a new column."""
    if not tokens or tokens[-1].text == "::":
        return bool(tokens)
    depth = 0
    for place in range(len(tokens) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[place].upper, 0)
        if depth < 0:
            is_cast = tokens[-1].upper == "AS" and tokens[place - 1].upper in ("CAST", "TRY_CAST")
            return is_cast or (_creates_table(tokens[:place]) and tokens[-2].text in ("(", ","))
    return False


def _creates_table(tokens: Sequence[Token]) -> bool:
    """Whether columns are declared in the parentheses behind these tokens."""
    words = [token.upper for token in tokens]
    return words[:1] == ["CREATE"] and "TABLE" in words and "AS" not in words and "(" not in words


def _is_reserved(token: Token) -> bool:
    return token.kind == "word" and token.upper in reserved_words()


def _is_value(tokens: Sequence[Token], place: int) -> bool:
    """Whether the word, as `table` in `t.table`, is a name, or FROM is that of IS DISTINCT FROM."""
    before = tokens[place - 1].upper if place else ""
    is_qualified = before == "." and not _is_reserved(tokens[place])
    return is_qualified or (before == "DISTINCT" and place > 1 and tokens[place - 2].upper in ("IS", "NOT"))


def _add_table(tokens: Sequence[Token], place: int, common: dict[str, str], tables: list[NamedTable]) -> None:
    """Adds the table whose name or file is the token at `place`."""
    token, last = tokens[place], place
    written = token.text
    while last + 2 < len(tokens) and tokens[last + 1].text == "." and tokens[last + 2].kind in ("word", "quoted_name"):
        written += f".{tokens[last + 2].text}"
        last += 2
    if last + 1 < len(tokens) and tokens[last + 1].text == "(" and tokens[place - 1].upper not in _BEFORE_COLUMNS:
        return  # a function, whose columns depend on what is in it
    name = _alias(tokens, last + 1) or ("" if token.kind == "string" else tokens[last].name)
    query = common.get(written.lower(), f"SELECT * FROM {written}")
    tables.append(NamedTable(name, query))


def _add_derived_table(level: _Level, tokens: Sequence[Token], end: int, text: str, tables: list[NamedTable]) -> None:
    """Adds the query in parentheses that ends at `end`, if it stands where a table does."""
    inside = tokens[level.start + 1 : end]
    if level.is_table and inside and inside[0].upper in _QUERY_BEGINS:
        name = _alias(tokens, end + 1)
        if name:
            tables.append(NamedTable(name, text[inside[0].start : inside[-1].end]))


def _alias(tokens: Sequence[Token], place: int) -> str:
    """The alias at `place`, with AS or without."""
    rest = list(tokens[place : place + 2])
    if rest and rest[0].upper == "AS":
        rest = rest[1:]
    if rest and rest[0].kind in ("word", "quoted_name") and not _is_reserved(rest[0]) and rest[0].upper != "SET":
        return rest[0].name
    return ""


def _common_tables(tokens: Sequence[Token], text: str) -> tuple[NamedTable, ...]:
    """The common table expressions that are complete, each with all before it, which it may read."""
    found: list[NamedTable] = []
    start = next((place for place, token in enumerate(tokens) if token.upper == "WITH"), None)
    if start is None:
        return ()
    place = start + 1
    if place < len(tokens) and tokens[place].upper == "RECURSIVE":
        place += 1
    while place < len(tokens) and tokens[place].kind in ("word", "quoted_name"):
        name, place = tokens[place], place + 1
        while place < len(tokens) and tokens[place].upper != "AS":
            place += 1
        while place < len(tokens) and tokens[place].text != "(":
            place += 1
        end = _closing(tokens, place)
        if end is None:
            break
        query = f"{text[tokens[start].start : tokens[end].end]} SELECT * FROM {name.text}"
        found.append(NamedTable(name.name, query))
        if end + 1 >= len(tokens) or tokens[end + 1].text != ",":
            break
        place = end + 2
    return tuple(found)


def _closing(tokens: Sequence[Token], place: int) -> int | None:
    """The place of the parenthesis that closes the one at `place`."""
    depth = 0
    for position in range(place, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[position].upper, 0)
        if depth == 0:
            return position
    return None
