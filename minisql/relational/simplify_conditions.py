"""The pass that simplifies the conditions of filters, joins and the FILTER of aggregates (`expression.simplify`).

It runs before subqueries are unnested: an equality with a column of the query around that stands in each branch of an
OR comes out of it, and the subquery can be joined on it. TPC-H 19 and TPC-DS 13, 41 and 48 are written like that.

What an OR over several tables implies for each of them is added in WHERE and in ON of inner joins, where it moves down
to the tables; the OR stays.
"""

from __future__ import annotations

from dataclasses import replace

from minisql.expression.fold import is_true
from minisql.expression.nodes import AggregateCall
from minisql.expression.simplify import simplify, simplify_conjuncts
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    ApplyType,
    Filter,
    Join,
    JoinType,
    RelationalExpression,
    inputs,
    with_inputs,
)
from minisql.relational.rewriting import unchanged


def simplify_conditions(expression: RelationalExpression) -> RelationalExpression:
    """The same rows under simpler conditions; the expression itself where none gets simpler."""
    node = with_inputs(expression, tuple([simplify_conditions(input_) for input_ in inputs(expression)]))
    match node:
        case Filter() | Join() | Apply():
            is_filter = isinstance(node, Filter) or node.type in (JoinType.INNER, ApplyType.INNER)
            conditions = simplify_conjuncts(node.conditions, with_implied=is_filter)
            if isinstance(node, Filter) and not conditions:
                return node.input
            return node if conditions is node.conditions else replace(node, conditions=conditions)
        case Aggregate():
            calls = unchanged(node.aggregates, tuple([_with_simple_filter(call) for call in node.aggregates]))
            return node if calls is node.aggregates else replace(node, aggregates=calls)
        case _:
            return node


def _with_simple_filter(call: AggregateCall) -> AggregateCall:
    if call.filter is None:
        return call
    simple = simplify(call.filter, null_is_false=True)
    if simple is call.filter:
        return call
    return replace(call, filter=None if is_true(simple) else simple)
