"""The pass that folds constants in every expression of a relational expression.

A filter of which nothing is left goes; one that is FALSE stays, for the cost model to see. Group keys and aggregates
keep their places.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, assert_never

from minisql.expression.fold import Evaluate, fold, is_true
from minisql.expression.nodes import AggregateCall, Expression, SortKey
from minisql.expression.walk import conjuncts, map_aggregate
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    Limit,
    OneRow,
    Project,
    RelationalExpression,
    SetOperation,
    Sort,
    Values,
)

T = TypeVar("T")


def fold_constants(expression: RelationalExpression, evaluate: Evaluate) -> RelationalExpression:
    """The same rows from folded expressions; the expression itself where nothing folds."""
    return _Folder(evaluate).node(expression)


class _Folder:
    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate

    def node(self, node: RelationalExpression) -> RelationalExpression:
        match node:
            case BaseTable() | OneRow():
                return node
            case Values():
                rows = tuple([self._expressions(row) for row in node.rows])
                return node if _same(rows, node.rows) else replace(node, rows=rows)
            case Join():
                left, right, conditions = self.node(node.left), self.node(node.right), self._conditions(node.conditions)
                if left is node.left and right is node.right and conditions is node.conditions:
                    return node
                return replace(node, left=left, right=right, conditions=conditions)
            case Filter():
                input_, conditions = self.node(node.input), self._conditions(node.conditions)
                if not conditions:
                    return input_
                if input_ is node.input and conditions is node.conditions:
                    return node
                return replace(node, input=input_, conditions=conditions)
            case Project():
                input_, expressions = self.node(node.input), self._expressions(node.expressions)
                if input_ is node.input and expressions is node.expressions:
                    return node
                return replace(node, input=input_, expressions=expressions)
            case Aggregate():
                return self._aggregate(node)
            case SetOperation():
                left, right = self.node(node.left), self.node(node.right)
                return node if left is node.left and right is node.right else replace(node, left=left, right=right)
            case Sort():
                input_ = self.node(node.input)
                keys = _unchanged(node.keys, tuple([self._sort_key(key) for key in node.keys]))
                return node if input_ is node.input and keys is node.keys else replace(node, input=input_, keys=keys)
            case JoinOrder() | Limit():
                input_ = self.node(node.input)
                return node if input_ is node.input else replace(node, input=input_)
            case _:
                assert_never(node)

    def _aggregate(self, node: Aggregate) -> RelationalExpression:
        input_, keys = self.node(node.input), self._expressions(node.keys)
        aggregates = _unchanged(node.aggregates, tuple([self._call(call) for call in node.aggregates]))
        if input_ is node.input and keys is node.keys and aggregates is node.aggregates:
            return node
        return replace(node, input=input_, keys=keys, aggregates=aggregates)

    def _call(self, call: AggregateCall) -> AggregateCall:
        return map_aggregate(call, lambda expression: fold(expression, self._evaluate))

    def _sort_key(self, key: SortKey) -> SortKey:
        expression = fold(key.expression, self._evaluate)
        return key if expression is key.expression else replace(key, expression=expression)

    def _expressions(self, expressions: tuple[Expression, ...]) -> tuple[Expression, ...]:
        return _unchanged(expressions, tuple([fold(expression, self._evaluate) for expression in expressions]))

    def _conditions(self, conditions: tuple[Expression, ...]) -> tuple[Expression, ...]:
        folded = [fold(condition, self._evaluate) for condition in conditions]
        kept = tuple([part for condition in folded for part in conjuncts(condition) if not is_true(part)])
        return _unchanged(conditions, kept)


def _same(left: tuple[object, ...], right: tuple[object, ...]) -> bool:
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def _unchanged(old: tuple[T, ...], new: tuple[T, ...]) -> tuple[T, ...]:
    """The old tuple where the new one has the very same items."""
    return old if _same(old, new) else new
