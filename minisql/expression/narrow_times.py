"""Comparisons of a date that was cast to a timestamp, turned into comparisons of the date itself.

`day <= DATE '1998-12-01' - INTERVAL '90' DAY` compares timestamps, for that is what the difference is. The constant
says as much about the date, and there the statistics, the footers of files and other conditions on the column are.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Final

from minisql.datatypes import SqlType, TypeKind
from minisql.expression.nodes import MIRRORED, Cast, Comparison, Expression, InList, Literal

_MIDNIGHT: Final = datetime.time()
# A date is a midnight: it is before a later time of a day where it is this day or before.
_WITHIN_THE_DAY: Final = {"<": "<=", "<=": "<=", ">": ">", ">=": ">"}


def narrow_times(node: Expression) -> Expression:
    """The same condition on what was cast; the node itself where it is no such comparison, or not to be had exactly."""
    match node:
        case Comparison(left=Cast() as cast, right=Literal() as literal):
            return _narrowed(node, cast, literal, node.operator)
        case Comparison(left=Literal() as literal, right=Cast() as cast):
            return _narrowed(node, cast, literal, MIRRORED[node.operator])
        case InList(operand=Cast(operand=operand)):
            items = [_narrowed_literal(item, operand.type) for item in node.items]
            exact = tuple([item for item in items if item is not None])
            return replace(node, operand=operand, items=exact) if len(exact) == len(items) else node
        case _:
            return node


def _narrowed(node: Comparison, cast: Cast, literal: Literal, operator: str) -> Expression:
    type_ = cast.operand.type
    exact = _narrowed_literal(literal, type_)
    if exact is None:
        value = literal.value
        if type_.kind is not TypeKind.DATE or not isinstance(value, datetime.datetime):
            return node
        if operator not in _WITHIN_THE_DAY:
            return node
        operator = _WITHIN_THE_DAY[operator]
        exact = replace(literal, value=value.date(), type=type_)
    return replace(node, operator=operator, left=cast.operand, right=exact)


def _narrowed_literal(literal: Expression, type_: SqlType) -> Literal | None:
    """The literal as one of the type, which was cast to that of the literal; None where it is none."""
    if not isinstance(literal, Literal) or not isinstance(literal.value, datetime.datetime):
        return None
    value = literal.value
    if type_.kind is TypeKind.TIMESTAMP and value.tzinfo is not None:
        return replace(literal, value=value.replace(tzinfo=None), type=type_)
    if type_.kind is TypeKind.DATE and value.time() == _MIDNIGHT:
        return replace(literal, value=value.date(), type=type_)
    return None
