"""CURRENT_DATE, CURRENT_TIMESTAMP and the like: words without parentheses that stand for the time of the statement.

The time zone of a session is UTC.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

from minisql.expression.nodes import Value
from minisql.parser import parse_tree

_VALUES: Final[dict[str, Callable[[datetime.datetime], Value]]] = {
    "current_date": lambda now: now.date(),
    "current_timestamp": lambda now: now,
    "current_time": lambda now: now.time(),
    "localtimestamp": lambda now: now.replace(tzinfo=None),
    "localtime": lambda now: now.time(),
}


def is_current_time(tree: parse_tree.ColumnName) -> bool:
    """Whether the name is one of these words, if no column has it."""
    return tree.table is None and not tree.column.quoted and tree.column.name in _VALUES


def current_time(word: str, now: datetime.datetime) -> Value:
    """What the word stands for in a statement of this time (in UTC)."""
    return _VALUES[word](now)
