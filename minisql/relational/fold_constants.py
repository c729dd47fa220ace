"""The pass that folds constants in every expression of a relational expression.

A filter of which nothing is left goes; one that is FALSE stays, for the cost model to see. Group keys and aggregates
keep their places.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from minisql.expression.fold import Evaluate, fold, is_true
from minisql.expression.nodes import Expression
from minisql.expression.walk import conjuncts
from minisql.relational.relational_expression import Apply, Filter, Join, RelationalExpression, inputs, with_inputs
from minisql.relational.rewriting import unchanged, with_expressions


def fold_constants(expression: RelationalExpression, evaluate: Evaluate) -> RelationalExpression:
    """The same rows from folded expressions; the expression itself where nothing folds."""
    return _folded(expression, partial(fold, evaluate=evaluate))


def _folded(node: RelationalExpression, change: partial[Expression]) -> RelationalExpression:
    below = tuple([_folded(input_, change) for input_ in inputs(node)])
    node = with_expressions(with_inputs(node, below), change)
    if isinstance(node, Join | Filter | Apply):
        conditions = _without_true(node.conditions)
        if isinstance(node, Filter) and not conditions:
            return node.input
        return node if conditions is node.conditions else replace(node, conditions=conditions)
    return node


def _without_true(conditions: tuple[Expression, ...]) -> tuple[Expression, ...]:
    kept = tuple([part for condition in conditions for part in conjuncts(condition) if not is_true(part)])
    return unchanged(conditions, kept)
