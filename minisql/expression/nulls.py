"""Null rejection: on which tables a condition cannot be TRUE once all their columns are NULL.

A condition *rejects nulls on a table* if it is not TRUE in any row in which every column of the table is NULL, whatever
the columns of other tables are: so no row that an outer join padded on that table passes it. It *rejects nulls on a set
of tables* if it does so on at least one of them. (Galindo-Legaria and Rosenthal, TODS 1997, section 2, call such a
predicate strong.) It rejects nulls on several tables *jointly* if it is not TRUE in any row in which all columns of all
of them are NULL, as `COALESCE(a.k, b.k) = 5` does on a and b, and on neither alone.

An abstract evaluation in three-valued logic finds it. For each expression it works out which outcomes, TRUE, FALSE and
NULL, are possible when a table is padded, for all tables in one pass: an outcome is the set of the tables for which it
is possible, an int with a bit for each table, -1 standing for all of them. A value that is not a truth value has the
outcomes NULL and not NULL; the latter counts as both TRUE and FALSE. What is not understood may have any outcome, so it
does not reject.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple, assert_never

from minisql.expression.functions import function_of
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    OuterReference,
    Value,
)
from minisql.expression.walk import transform
from minisql.node_set import NodeSet, lowest, single

_ALL: Final = -1


class _Outcomes(NamedTuple):
    """For each outcome, the tables for which it is possible when all columns of the table are NULL."""

    true: int
    false: int
    null: int

    @property
    def not_null(self) -> int:
        return self.true | self.false


class _Alternative(NamedTuple):
    """`leaf` as the value of a COALESCE or CASE: the tables for which it can be that and TRUE, or that and FALSE."""

    true: int
    false: int
    leaf: Expression


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_ANYTHING: Final = _Outcomes(_ALL, _ALL, _ALL)


def null_rejected_tables(condition: Expression, tables: NodeSet) -> NodeSet:
    """Those of `tables` on which the condition rejects nulls."""
    return NodeSet(tables & ~_outcomes(condition).true)


def rejects_nulls(condition: Expression, tables: NodeSet) -> bool:
    """Whether the condition rejects nulls on the set of tables, that is, on at least one of them."""
    return null_rejected_tables(condition, tables) != 0


def rejects_nulls_jointly(condition: Expression, tables: NodeSet) -> bool:
    """Whether the condition is not TRUE in any row in which all columns of all these tables are NULL."""
    if rejects_nulls(condition, tables):
        return True
    if tables & (tables - 1) == 0:
        return False
    # Tables that are padded together are one table to the evaluation.
    first = lowest(tables)

    def as_one_table(node: Expression) -> Expression:
        if isinstance(node, ColumnRef) and tables >> node.column.table & 1:
            return replace(node, column=ColumnId(first, node.column.position))
        return node

    return rejects_nulls(transform(condition, as_one_table), single(first))


def _outcomes(expression: Expression) -> _Outcomes:
    match expression:
        case Literal():
            return _literal(expression.value)
        case ColumnRef():
            others = ~(1 << expression.column.table)
            return _Outcomes(others, others, _ALL)
        case OuterReference():
            return _ANYTHING
        case Arithmetic() | Negate() | Cast() | Like() | FunctionCall() | Coalesce() | Case():
            return _value(expression)
        case Comparison():
            return _comparison(expression)
        case IsDistinctFrom():
            return _negate_if(expression.negated, _is_distinct(expression))
        case And():
            return _and(_outcomes(operand) for operand in expression.operands)
        case Or():
            return _not(_and(_not(_outcomes(operand)) for operand in expression.operands))
        case Not():
            return _not(_outcomes(expression.operand))
        case IsNull():
            operand = _outcomes(expression.operand)
            return _negate_if(expression.negated, _Outcomes(operand.null, operand.not_null, 0))
        case IsTruth():
            operand = _outcomes(expression.operand)
            is_so, is_not_so = (operand.true, operand.false) if expression.truth else (operand.false, operand.true)
            return _negate_if(expression.negated, _Outcomes(is_so, is_not_so | operand.null, 0))
        case InList():
            return _negate_if(expression.negated, _in_list(expression))
        case _:
            assert_never(expression)


def _value(expression: Arithmetic | Negate | Cast | Like | FunctionCall | Coalesce | Case) -> _Outcomes:
    match expression:
        case Arithmetic():
            return _strict((expression.left, expression.right))
        case Negate() | Cast():
            return _strict((expression.operand,))
        case Like():
            return _strict((expression.operand, expression.pattern))
        case FunctionCall():
            return _strict(expression.arguments) if function_of(expression).strict else _ANYTHING
        case Coalesce() | Case():
            alternatives, null = _alternatives(expression)
            true = false = 0
            for alternative in alternatives:
                true |= alternative.true
                false |= alternative.false
            return _Outcomes(true, false, null)
        case _:
            assert_never(expression)


def _literal(value: Value) -> _Outcomes:
    if value is None:
        return _Outcomes(0, 0, _ALL)
    return _Outcomes(0 if value is False else _ALL, 0 if value is True else _ALL, 0)


def _not(operand: _Outcomes) -> _Outcomes:
    return _Outcomes(operand.false, operand.true, operand.null)


def _negate_if(negated: bool, outcomes: _Outcomes) -> _Outcomes:
    return _not(outcomes) if negated else outcomes


def _and(operands: Iterable[_Outcomes]) -> _Outcomes:
    true, false, null, never_false = _ALL, 0, 0, _ALL
    for operand in operands:
        true &= operand.true
        false |= operand.false
        null |= operand.null
        never_false &= operand.true | operand.null
    return _Outcomes(true, false, null & never_false)


def _strict(operands: tuple[Expression, ...]) -> _Outcomes:
    """NULL where an operand is NULL, and, as far as we know, perhaps elsewhere."""
    not_null = _ALL
    for operand in operands:
        not_null &= _outcomes(operand).not_null
    return _Outcomes(not_null, not_null, _ALL)


def _alternatives(expression: Expression) -> tuple[list[_Alternative], int]:
    """The expressions whose value this one can take, and the tables for which it can be NULL."""
    if isinstance(expression, Coalesce):
        found = []
        reached = _ALL
        for operand in expression.operands:
            inner, null = _alternatives(operand)
            found += [_Alternative(a.true & reached, a.false & reached, a.leaf) for a in inner]
            reached &= null
        return found, reached
    if isinstance(expression, Case):
        found = []
        reached, null = _ALL, 0
        for condition, result in expression.branches:
            outcomes = _outcomes(condition)
            taken = reached & outcomes.true
            reached &= outcomes.false | outcomes.null
            inner, inner_null = _alternatives(result)
            found += [_Alternative(a.true & taken, a.false & taken, a.leaf) for a in inner]
            null |= inner_null & taken
        inner, inner_null = _alternatives(expression.otherwise)
        found += [_Alternative(a.true & reached, a.false & reached, a.leaf) for a in inner]
        return found, null | inner_null & reached
    outcomes = _outcomes(expression)
    return [_Alternative(outcomes.true, outcomes.false, expression)], outcomes.null


def _comparison(expression: Comparison) -> _Outcomes:
    """With a constant on one side, the constants that the other side can be are compared: COALESCE(x, 0) > 5."""
    left, left_null = _alternatives(expression.left)
    right, right_null = _alternatives(expression.right)
    null = left_null | right_null
    true = false = 0
    if len(left) == 1 or len(right) == 1:
        for a in left:
            for b in right:
                both = (a.true | a.false) & (b.true | b.false)
                known = _compare(expression.operator, a.leaf, b.leaf)
                true |= both if known is not False else 0
                false |= both if known is not True else 0
        return _Outcomes(true, false, null)
    not_null = _any_not_null(left) & _any_not_null(right)
    return _Outcomes(not_null, not_null, null)


def _any_not_null(alternatives: Iterable[_Alternative]) -> int:
    not_null = 0
    for alternative in alternatives:
        not_null |= alternative.true | alternative.false
    return not_null


def _compare(symbol: str, left: Expression, right: Expression) -> bool | None:
    """The outcome of comparing two constants that are not NULL; None where it is not known."""
    if not (isinstance(left, Literal) and isinstance(right, Literal)):
        return None
    # A NaN and an interval compare in Python as they do not in SQL.
    if left.type != right.type or not left.type.equals_are_same or left.value is None or right.value is None:
        return None
    return _COMPARE[symbol](left.value, right.value)


def _is_distinct(expression: IsDistinctFrom) -> _Outcomes:
    left, right = _outcomes(expression.left), _outcomes(expression.right)
    both = left.not_null & right.not_null
    one = left.not_null & right.null | left.null & right.not_null
    return _Outcomes(both | one, both | left.null & right.null, 0)


def _in_list(expression: InList) -> _Outcomes:
    alternatives, null = _alternatives(expression.operand)
    constants = {item.value for item in expression.items if isinstance(item, Literal)}
    item_null = _ALL if None in constants else 0
    constants.discard(None)
    some_item_not_null = _ALL if constants else 0
    others_are_constants = True
    every_item_not_null = _ALL if item_null == 0 else 0
    for item in expression.items:
        if not isinstance(item, Literal):
            outcomes = _outcomes(item)
            item_null |= outcomes.null
            some_item_not_null |= outcomes.not_null
            every_item_not_null &= outcomes.not_null
            others_are_constants = False
    true = false = 0
    for alternative in alternatives:
        not_null = alternative.true | alternative.false
        known: bool | None = None
        if isinstance(alternative.leaf, Literal) and alternative.leaf.type.equals_are_same:
            if alternative.leaf.value in constants:
                known = True
            elif others_are_constants:
                known = False
        true |= not_null & some_item_not_null if known is not False else 0
        false |= not_null & every_item_not_null if known is not True else 0
    return _Outcomes(true, false, null | _any_not_null(alternatives) & item_null)
