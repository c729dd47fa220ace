"""Writes a join region over tables of a script as a query in the SQL that minisql, SQLite and DuckDB have in common.

Dates and times are written as strings, which all three compare with a date; SQLite has no other literal. IN has at most
eight items, and several IN where there are more. What has no portable form, as a function that another engine does not
know, is written in the SQL of minisql.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from minisql.datatypes import BOOLEAN, VARCHAR
from minisql.explain.counterexample.script_table import ScriptRegion, ScriptTable, hides_right, visible_scans
from minisql.expression.format import format_conditions, format_expression, format_value
from minisql.expression.nodes import (
    And,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    InList,
    IsDistinctFrom,
    Literal,
    Or,
    Value,
)
from minisql.expression.walk import transform
from minisql.parser.keywords import last_name
from minisql.relational.relational_expression import BaseTable, Filter, Join, JoinType, RelationalExpression

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED_TEXT: Final = """
    all alter analyse analyze and any array as asc between both by case cast check collate column commit constraint
    create cross current current_date current_time current_timestamp database default deferrable delete desc describe
    distinct do drop else end escape except exists false fetch filter for foreign from full glob group having if in
    index indexed initially inner insert intersect interval into is isnull join lambda lateral leading left like limit
    localtime localtimestamp match natural not nothing notnull null offset on only or order outer over partition pivot
    placing primary qualify raise range references returning right row rows select set show some summarize symmetric
    table temp then to trailing transaction true union unique unpivot update using values variadic view when where
    window with
"""
_RESERVED: Final = frozenset(_RESERVED_TEXT.split())
"""Words that are no names in one of the engines at least."""

_MOST_ITEMS: Final = 8
"""The items that `format_expression` prints of an IN."""

_WORDS: Final = {JoinType.INNER: "JOIN", JoinType.LEFT: "LEFT JOIN", JoinType.FULL: "FULL JOIN"}
Names = Mapping[ColumnId, str]


def quoted(name: str) -> str:
    """A name as each of the three engines has to be told it."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def portable_literal(value: Value) -> str:
    """A constant in a script: a string for a date or time, plain digits for a float."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.datetime):
        return f"'{value.isoformat(sep=' ')}'"
    return f"'{value.isoformat()}'" if isinstance(value, datetime.date | datetime.time) else format_value(value)


def write_query(region: ScriptRegion, tree: RelationalExpression) -> str:
    """The region in the form of `tree`: its own tree, or another one over the same tables."""
    text = _Writer().tree(tree)
    names = text.names
    selected = []
    for expression, name in zip(region.expressions, region.names or ("",) * len(region.expressions), strict=True):
        written = format_expression(_named(expression, names))
        selected.append(written if _is_called(written, name) else f"{written} AS {quoted(name)}")
    where = f"\nWHERE {_conjunction(text.waiting)}" if text.waiting else ""
    return f"SELECT {', '.join(selected)}\nFROM {text.text}{where}"


def write_script(tables: Sequence[ScriptTable], rows: Sequence[Sequence[Sequence[Value]]]) -> str:
    """CREATE TABLE and INSERT for tables with these rows, a statement a line."""
    statements = []
    for table, own in zip(tables, rows, strict=True):
        statements.append(f"CREATE TABLE {quoted(table.name)} ({', '.join(_definitions(table))});")
        if own:
            listed = ", ".join(f"({', '.join(map(portable_literal, row))})" for row in own)
            statements.append(f"INSERT INTO {quoted(table.name)} VALUES {listed};")
    return "\n".join(statements)


def _definitions(table: ScriptTable) -> list[str]:
    single = {key.columns[0]: key for key in table.unique if len(key.columns) == 1}
    found = []
    for position, column in enumerate(table.definitions):
        text = f"{quoted(column.name)} {column.type}"
        key = single.get(position)
        # SQLite lets NULL into a primary key that is no INTEGER.
        text += " NOT NULL" if column.not_null else ""
        text += "" if key is None else " PRIMARY KEY" if key.is_primary else " UNIQUE"
        found.append(text)
    for key in table.unique:
        if len(key.columns) > 1:
            names = ", ".join(quoted(table.definitions[position].name) for position in key.columns)
            found.append(f"{'PRIMARY KEY' if key.is_primary else 'UNIQUE'} ({names})")
    return found


def _is_called(written: str, name: str) -> bool:
    """Whether a column goes by this name without being told."""
    return not name or last_name(written) == quoted(name)


@dataclass(frozen=True)
class _Text:
    """A part of FROM.

    Attributes:
        text: the joins.
        names: what its columns are called.
        waiting: conditions that its rows have yet to pass, which may as well be asked further up.
        is_joined: whether there is a join at its top.
    """

    text: str
    names: Names
    waiting: tuple[str, ...] = ()
    is_joined: bool = False


class _Writer:
    """Writes one FROM."""

    def __init__(self) -> None:
        self._derived = 0

    def tree(self, node: RelationalExpression) -> _Text:
        if isinstance(node, Filter):
            below = self.tree(node.input)
            return replace(below, waiting=(*below.waiting, *_written(node.conditions, below.names)))
        if isinstance(node, Join):
            return self._join(node)
        assert isinstance(node, BaseTable)
        alias = quoted(node.alias)
        table = quoted(node.source.name)
        columns = enumerate(node.source.columns[:-1])
        names = {ColumnId(node.table, position): f"{alias}.{quoted(column.name)}" for position, column in columns}
        return _Text(alias if alias == table else f"{table} AS {alias}", names)

    def _join(self, node: Join) -> _Text:
        left, right = self.tree(node.left), self.tree(node.right)
        if hides_right(node.type):
            return self._exists(node, left, right)
        if node.type is JoinType.FULL:
            left, right = self._asked(left, node.left), self._asked(right, node.right)
        names = {**left.names, **right.names}
        on = _written(node.conditions, names)
        waiting = left.waiting
        if node.type is JoinType.LEFT:
            on = (*on, *right.waiting)
        else:
            waiting = (*waiting, *right.waiting)
        right_text = f"({right.text})" if right.is_joined else right.text
        if not on and node.type is JoinType.INNER:
            text = f"{left.text} CROSS JOIN {right_text}"
        else:
            text = f"{left.text} {_WORDS[node.type]} {right_text} ON {_conjunction(on) if on else 'TRUE'}"
        return _Text(text, names, waiting, is_joined=True)

    def _exists(self, node: Join, left: _Text, right: _Text) -> _Text:
        """A semi or anti join is a condition on the left rows."""
        conditions = (*_written(node.conditions, {**left.names, **right.names}), *right.waiting)
        where = f" WHERE {_conjunction(conditions)}" if conditions else ""
        negated = "NOT " if node.type is JoinType.ANTI else ""
        exists = f"{negated}EXISTS (SELECT 1 FROM {right.text}{where})"
        return replace(left, waiting=(*left.waiting, exists))

    def _asked(self, part: _Text, node: RelationalExpression) -> _Text:
        """A part of FROM on which no condition waits: a subquery where one does."""
        if not part.waiting:
            return part
        where = _conjunction(part.waiting)
        if not part.is_joined:
            alias = part.text.rpartition(" AS ")[2]
            return _Text(f"(SELECT * FROM {part.text} WHERE {where}) AS {alias}", part.names)
        self._derived += 1
        alias = f"joined_{self._derived}"
        columns: list[str] = []
        names: dict[ColumnId, str] = {}
        for scan in visible_scans(node):
            for position in range(len(scan.source.columns) - 1):
                column = ColumnId(scan.table, position)
                name = f"c{len(columns) + 1}"
                columns.append(f"{part.names[column]} AS {name}")
                names[column] = f"{alias}.{name}"
        return _Text(f"(SELECT {', '.join(columns)} FROM {part.text} WHERE {where}) AS {alias}", names)


def _written(conditions: Sequence[Expression], names: Names) -> tuple[str, ...]:
    """Conditions as the operands of an AND."""
    return tuple([_operand(_named(condition, names)) for condition in conditions])


def _operand(condition: Expression) -> str:
    """The condition in parentheses where AND would tear it apart."""
    true = Literal(value=True, type=BOOLEAN)
    return format_conditions((condition, true)).removesuffix(f" AND {format_expression(true)}")


def _conjunction(texts: Sequence[str]) -> str:
    return " AND ".join(texts)


def _beside(operand: Expression, other: Expression) -> Expression:
    """A date or time that is compared with something, as a string."""
    if isinstance(operand, Literal) and not isinstance(other, Literal):
        value = operand.value
        if isinstance(value, datetime.date | datetime.time):
            return Literal(value=portable_literal(value)[1:-1], type=VARCHAR)
    return operand


def _named(expression: Expression, names: Names) -> Expression:
    """The expression as it is written: with these names of columns, strings for dates, and lists that are not cut."""

    def change(part: Expression) -> Expression:
        if isinstance(part, ColumnRef):
            return replace(part, name=names[part.column])
        if isinstance(part, Comparison | IsDistinctFrom):
            left, right = _beside(part.left, part.right), _beside(part.right, part.left)
            return replace(part, left=left, right=right)
        if isinstance(part, InList):
            part = replace(part, items=tuple([_beside(item, part.operand) for item in part.items]))
        if isinstance(part, InList) and len(part.items) > _MOST_ITEMS:
            starts = range(0, len(part.items), _MOST_ITEMS)
            lists = tuple([replace(part, items=part.items[start : start + _MOST_ITEMS]) for start in starts])
            return And(operands=lists) if part.negated else Or(operands=lists)
        return part

    return transform(expression, change)
