"""Conditions on one value, taken off the expression that has the value and put on another that is equal to it.

`a.k > 3 AND a.k <> 7` is a *predicate* on `a.k`: `? > 3 AND ? <> 7`. The value stands in it as a column of no table, so
that predicates on different terms are compared as expressions are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from minisql.datatypes import BIGINT, INTEGER, SqlType
from minisql.expression.nodes import (
    Cast,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    InList,
    IsDistinctFrom,
    IsNull,
    Literal,
)
from minisql.expression.walk import children, columns_of, replace_columns, transform, walk

_VALUE: Final = ColumnId(-1, 0)
_COMPARES: Final = (Comparison, InList, IsDistinctFrom, IsNull)


def as_predicate(condition: Expression, term: Expression) -> Expression | None:
    """The condition as a predicate on the value of the term; None where it is not about this value alone.

    Values that are equal fulfil the predicate or do not, all of them.
    """
    if isinstance(term, Cast) and term.type == BIGINT and term.operand.type == INTEGER:
        condition = _widened(condition, term)
    return as_predicate_where(condition, lambda node: node == term, term.type)


def as_predicate_where(
    condition: Expression, is_term: Callable[[Expression], bool], type_: SqlType
) -> Expression | None:
    """The same for all terms of a type that are known to have one value."""
    value = ColumnRef(column=_VALUE, name="?", type=type_)
    predicate = transform(condition, lambda node: value if is_term(node) else node)
    if columns_of(predicate) != {_VALUE}:
        return None
    if not type_.equals_are_same:
        # 0.0 = -0.0, which only comparisons do not tell apart.
        for node in walk(predicate):
            if value in children(node) and not isinstance(node, _COMPARES):
                return None
    return predicate


def apply_predicate(predicate: Expression, term: Expression) -> Expression:
    """The condition that the term fulfils the predicate."""
    return replace_columns(predicate, {_VALUE: term})


def _widened(condition: Expression, cast: Cast) -> Expression:
    """The condition with what it says of an INTEGER said of the INTEGER cast to BIGINT, as far as that is possible."""

    def change(node: Expression) -> Expression:
        match node:
            case Comparison(left=operand, right=Literal() as item) if operand == cast.operand:
                return replace(node, left=cast, right=replace(item, type=BIGINT))
            case Comparison(left=Literal() as item, right=operand) if operand == cast.operand:
                return replace(node, left=replace(item, type=BIGINT), right=cast)
            case InList(operand=operand, items=items) if operand == cast.operand:
                if all(isinstance(item, Literal) for item in items):
                    return replace(node, operand=cast, items=tuple([replace(item, type=BIGINT) for item in items]))
            case IsNull(operand=operand) if operand == cast.operand:
                return replace(node, operand=cast)
        return node

    return transform(condition, change)
