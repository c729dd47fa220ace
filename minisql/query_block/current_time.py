"""CURRENT_DATE, CURRENT_TIMESTAMP and the like: words without parentheses that stand for the time of the statement.

What reads the time is written as an expression over `now()`, for which `StatementValues.at_time` puts the time itself,
of which the optimizer knows everything.
The time zone of a session is UTC.
"""

from __future__ import annotations

from typing import Final

from minisql.datatypes import DATE, TIME, TIMESTAMP, TIMESTAMPTZ
from minisql.errors import Span
from minisql.expression.nodes import Cast, Expression, FunctionCall
from minisql.expression.walk import walk
from minisql.parser import parse_tree

_TYPES: Final = {
    "current_date": DATE,
    "current_timestamp": TIMESTAMPTZ,
    "current_time": TIME,
    "localtimestamp": TIMESTAMP,
    "localtime": TIME,
}

FUNCTIONS_OF_TIME: Final = frozenset(("now", "today", "age"))
"""The functions that read the time, or may."""


def is_current_time(tree: parse_tree.ColumnName) -> bool:
    """Whether the name is one of these words, if no column has it."""
    return tree.table is None and not tree.column.quoted and tree.column.name in _TYPES


def current_time(word: str, span: Span) -> Expression:
    """What the word stands for, over `now()`."""
    type_ = _TYPES[word]
    return now(span) if type_ == TIMESTAMPTZ else Cast(operand=now(span), type=type_, span=span)


def now(span: Span) -> Expression:
    """The time of a statement, whichever it is."""
    return FunctionCall(name="now", arguments=(), type=TIMESTAMPTZ, span=span)


def reads_time(expression: Expression) -> bool:
    """Whether there is `now()` in an expression that is kept."""
    return any(isinstance(node, FunctionCall) and node.name == "now" for node in walk(expression))
