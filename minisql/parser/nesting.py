"""A limit to the depth of parse trees, so that what walks them by recursion knows how deep it can get."""

from __future__ import annotations

from typing import Any, Final

from minisql.errors import ProgrammingError
from minisql.parser.parse_tree import JoinedTable, JoinTreePair, SetOperation
from minisql.parser.statement_tree import Statement

MAX_DEPTH: Final = 1_000
"""The most levels of nodes, those of MAX_CHAIN not counted."""
MAX_CHAIN: Final = 5_000
"""The most joins, or set operations, each of which is the left side of the next: long queries, not deep ones."""


def check_nesting(statement: Statement) -> None:
    """Refuses a statement that is nested too deeply. It has to be as deep as it pleases until then: no recursion.

    Raises:
        ProgrammingError: at the first node below the limit.
    """
    fields: dict[type, tuple[str, ...]] = {}
    stack: list[tuple[Any, int, int]] = [(statement, 1, 0)]
    while stack:
        node, depth, chain = stack.pop()
        if isinstance(node, tuple):
            stack.extend([(item, depth, chain) for item in reversed(node)])
            continue
        names = fields.get(type(node))
        if names is None:
            names = fields[type(node)] = _fields_with_nodes(type(node))
        if not names:
            continue
        if depth > MAX_DEPTH:
            raise ProgrammingError(f"The statement is nested too deeply: more than {MAX_DEPTH:,} levels.", node.span)
        if chain > MAX_CHAIN:
            raise ProgrammingError(f"There are more than {MAX_CHAIN:,} joins or set operations in a row.", node.span)
        in_chain = isinstance(node, JoinedTable | SetOperation | JoinTreePair)
        for name in reversed(names):
            if in_chain and name == "left":
                stack.append((node.left, depth, chain + 1))
            else:
                stack.append((getattr(node, name), depth + 1, chain))


def _fields_with_nodes(type_: type) -> tuple[str, ...]:
    """The fields of a node other than its spans; none for what is no node."""
    fields = getattr(type_, "__dataclass_fields__", {})
    return tuple(name for name in fields if "span" not in name) if "span" in fields else ()
