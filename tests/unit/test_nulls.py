from __future__ import annotations

import time

import pytest

from minisql.datatypes import BIGINT, BOOLEAN, INTEGER
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsTruth,
    Like,
    Negate,
    Not,
    Or,
)
from minisql.expression.nulls import null_rejected_tables, rejects_nulls, rejects_nulls_jointly
from minisql.node_set import EMPTY, NodeSet, node_set, single
from tests.builders import column, compare, equal, is_not_null, is_null, literal, null_safe_equal

A, B = column(0), column(1)
BOTH = node_set([0, 1])


def plus(left: Expression, right: Expression) -> Arithmetic:
    return Arithmetic(operator="+", left=left, right=right, type=INTEGER)


def coalesce(*operands: Expression) -> Coalesce:
    return Coalesce(operands=operands, type=INTEGER)


def case(condition: Expression, result: Expression, otherwise: Expression) -> Case:
    return Case(branches=((condition, result),), otherwise=otherwise, type=INTEGER)


def in_list(operand: Expression, *items: Expression, negated: bool = False) -> InList:
    return InList(operand=operand, items=items, negated=negated)


def function(name: str, *arguments: Expression) -> FunctionCall:
    return FunctionCall(name=name, arguments=arguments, type=INTEGER)


FIVE = literal(5)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equal(A, B), {0, 1}),
        (compare("<>", A, FIVE), {0}),
        (null_safe_equal(A, B), set()),
        (null_safe_equal(A, FIVE), {0}),
        (IsDistinctFrom(left=A, right=B, negated=False), set()),
        (IsDistinctFrom(left=A, right=literal(None), negated=False), {0}),
        (null_safe_equal(A, column(0, 1)), set()),
        (IsDistinctFrom(left=A, right=column(0, 1), negated=False), {0}),
        (equal(plus(A, B), FIVE), {0, 1}),
        (equal(Negate(operand=A, type=INTEGER), FIVE), {0}),
        (equal(Cast(operand=A, type=BIGINT), FIVE), {0}),
        (equal(function("abs", A), FIVE), {0}),
        (equal(function("greatest", A), FIVE), set()),
        (is_null(A), set()),
        (is_not_null(A), {0}),
        (Not(operand=is_null(A)), {0}),
        (is_null(plus(A, B)), set()),
        (is_not_null(plus(A, B)), {0, 1}),
        (And(operands=(is_null(A), equal(B, FIVE))), {1}),
        (Or(operands=(equal(A, B), equal(B, FIVE))), {1}),
        (Or(operands=(is_null(A), equal(A, B))), set()),
        (Not(operand=Or(operands=(equal(A, FIVE), equal(B, FIVE)))), {0, 1}),
        (Not(operand=And(operands=(equal(A, FIVE), equal(B, FIVE)))), set()),
        (IsTruth(operand=equal(A, FIVE), truth=True, negated=False), {0}),
        (IsTruth(operand=equal(A, FIVE), truth=True, negated=True), set()),
        (IsTruth(operand=equal(A, FIVE), truth=False, negated=False), {0}),
        (IsTruth(operand=equal(A, FIVE), truth=False, negated=True), set()),
        (in_list(A, FIVE, B), {0}),
        (in_list(A, B, B), {0, 1}),
        (in_list(A, FIVE, B, negated=True), {0, 1}),
        (in_list(A, FIVE, literal(None), negated=True), {0, 1}),
        (in_list(coalesce(A, literal(0)), FIVE, literal(6)), {0}),
        (in_list(coalesce(A, literal(5)), FIVE, literal(6)), set()),
        (Like(operand=A, pattern=literal("%"), escape=None, negated=True), {0}),
        (equal(coalesce(A, B), FIVE), set()),
        (equal(coalesce(A, column(0, 1)), FIVE), {0}),
        (equal(coalesce(A, literal(0)), FIVE), {0}),
        (equal(coalesce(A, FIVE), FIVE), set()),
        (compare(">", coalesce(A, B, literal(0)), FIVE), set()),
        (is_not_null(coalesce(A, B)), set()),
        (equal(case(is_null(A), FIVE, literal(0)), FIVE), set()),
        (equal(case(is_null(A), literal(0), FIVE), FIVE), {0}),
        (equal(case(equal(A, FIVE), FIVE, literal(None)), FIVE), {0}),
        (equal(case(equal(A, FIVE), B, B), FIVE), {1}),
        (column(0, 0, BOOLEAN), {0}),
        (Not(operand=column(0, 0, BOOLEAN)), {0}),
        (literal(True), set()),
        (literal(False), {0, 1}),
        (literal(None), {0, 1}),
    ],
)
def test_null_rejected_tables(condition: Expression, expected: set[int]) -> None:
    assert null_rejected_tables(condition, BOTH) == node_set(expected)


def test_a_set_is_rejected_if_one_of_its_tables_is() -> None:
    condition = And(operands=(is_null(A), equal(B, FIVE)))
    assert rejects_nulls(condition, BOTH)
    assert rejects_nulls(condition, single(1))
    assert not rejects_nulls(condition, single(0))
    assert not rejects_nulls(literal(False), EMPTY)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equal(coalesce(A, B), FIVE), True),
        (is_not_null(coalesce(A, B)), True),
        (is_null(coalesce(A, B)), False),
        (equal(coalesce(A, B, literal(0)), FIVE), True),
        (equal(coalesce(A, B, FIVE), FIVE), False),
        (equal(coalesce(A, B, column(2)), FIVE), False),
        (in_list(coalesce(A, B), FIVE, literal(6)), True),
        (Like(operand=coalesce(A, B), pattern=literal("%"), escape=None, negated=False), True),
        (Or(operands=(equal(A, FIVE), equal(B, FIVE))), True),
        (Or(operands=(equal(A, FIVE), is_not_null(B))), True),
        (Or(operands=(equal(A, FIVE), equal(column(2), FIVE))), False),
        (IsDistinctFrom(left=A, right=B, negated=False), True),
        (null_safe_equal(A, B), False),
        (equal(case(is_null(A), B, A), FIVE), True),
        (And(operands=(is_null(A), is_null(B))), False),
    ],
)
def test_tables_that_are_padded_together(condition: Expression, expected: bool) -> None:
    assert rejects_nulls_jointly(condition, BOTH) is expected


def test_long_chains_and_lists_take_linear_time() -> None:
    chain = And(operands=tuple(equal(column(i), column(i + 1)) for i in range(10_000)))
    many = Or(operands=(in_list(A, *(literal(i) for i in range(100_000))), equal(A, B)))
    start = time.perf_counter()
    everything = NodeSet((1 << 10_001) - 1)
    assert null_rejected_tables(chain, everything) == everything
    assert null_rejected_tables(many, BOTH) == single(0)
    assert time.perf_counter() - start < 2
