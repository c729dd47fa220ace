"""Folds constants: what has no columns in it is computed once, and what AND, OR and CASE then decide is decided.

What is compared with a constant timestamp is compared as a date where it is one (`narrow_times`).

An operation that fails, as in `CASE WHEN x <> 0 THEN 1 / 0 END`, stays as it is: it is an error only if a row reaches
it. The one implementation of what operations mean is that of `execution.evaluate`, which the caller passes in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from minisql.errors import DataError
from minisql.expression.functions import function_of
from minisql.expression.narrow_times import narrow_times
from minisql.expression.nodes import (
    And,
    Case,
    ColumnRef,
    Expression,
    FunctionCall,
    Literal,
    Not,
    Or,
    OuterReference,
    Value,
)
from minisql.expression.walk import children, transform

Evaluate = Callable[[Expression], Value]


def fold(expression: Expression, evaluate: Evaluate) -> Expression:
    """The expression with its constant parts computed; itself where there are none.

    `evaluate` computes an expression that has no columns.
    """
    return transform(expression, partial(_fold_node, evaluate=evaluate))


def is_true(expression: Expression) -> bool:
    """Whether this is the literal TRUE."""
    return isinstance(expression, Literal) and expression.value is True


def is_never_true(expression: Expression) -> bool:
    """Whether this is the literal FALSE, or NULL, which no filter passes either."""
    return isinstance(expression, Literal) and (expression.value is False or expression.value is None)


def _fold_node(node: Expression, evaluate: Evaluate) -> Expression:
    match node:
        case Literal() | ColumnRef() | OuterReference():
            return node
        case And() | Or():
            return _fold_logic(node)
        case Case():
            return _fold_case(node)
        case Not(operand=Literal(value=bool() as truth)):
            return _boolean(not truth, node)
        case FunctionCall() if function_of(node).volatile:
            return node
    if not all(isinstance(child, Literal) for child in children(node)):
        return narrow_times(node)
    try:
        value = evaluate(node)
    except DataError:
        return node
    return Literal(value=value, type=node.type, span=node.span)


def _boolean(value: bool, node: Expression) -> Literal:
    return Literal(value=value, type=node.type, span=node.span)


def _fold_logic(node: And | Or) -> Expression:
    """Drops TRUE from AND and FALSE from OR; one FALSE decides an AND, one TRUE an OR."""
    neutral = isinstance(node, And)
    kept = []
    for operand in node.operands:
        if isinstance(operand, Literal) and operand.value is not None:
            if operand.value is not neutral:
                return _boolean(not neutral, node)
            continue
        kept.append(operand)
    if len(kept) == len(node.operands):
        return node
    if not kept:
        return _boolean(neutral, node)
    return kept[0] if len(kept) == 1 else replace(node, operands=tuple(kept))


def _fold_case(node: Case) -> Expression:
    """Drops branches that are never taken, and all after one that always is."""
    branches = []
    otherwise = node.otherwise
    for condition, result in node.branches:
        if is_never_true(condition):
            continue
        if is_true(condition):
            otherwise = result
            break
        branches.append((condition, result))
    if len(branches) == len(node.branches):
        return node
    return replace(node, branches=tuple(branches), otherwise=otherwise) if branches else otherwise
