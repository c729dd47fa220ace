"""Which expressions can fail on a value: overflow, division by zero, a cast of a string that is no number.

A condition that can fail is not evaluated on rows that the query as written keeps from it.
"""

from __future__ import annotations

from minisql.datatypes import BIGINT, DOUBLE, INTEGER, VARCHAR, SqlType, TypeKind
from minisql.expression.functions import function_of
from minisql.expression.nodes import Arithmetic, Cast, Expression, FunctionCall, Like, Literal, Negate
from minisql.expression.walk import walk


def may_fail(expression: Expression) -> bool:
    """Whether evaluating the expression may raise an error; what is not known to be safe may."""
    return any(_node_may_fail(node) for node in walk(expression))


def _node_may_fail(node: Expression) -> bool:
    match node:
        case Arithmetic() | Negate():
            return True
        case Cast():
            return not _never_fails(node.operand.type, node.type)
        case FunctionCall():
            return node.user_function is not None or not function_of(node).total
        case Like():
            return node.escape is not None or not isinstance(node.pattern, Literal)
        case _:
            return False


def _never_fails(source: SqlType, target: SqlType) -> bool:
    if source == target or (source == INTEGER and target in (BIGINT, DOUBLE)) or source.kind is TypeKind.NULL:
        return True
    return (source.is_temporal and target.is_temporal) or target == VARCHAR
