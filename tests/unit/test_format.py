from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from minisql.datatypes import BIGINT, BOOLEAN, INTEGER, VARCHAR
from minisql.expression.format import format_aggregate, format_expression, format_sort_key, format_value
from minisql.expression.nodes import (
    AggregateCall,
    And,
    Arithmetic,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    SortKey,
    Value,
)

X = ColumnRef(column=ColumnId(0, 0), name="t.x", type=INTEGER)
S = ColumnRef(column=ColumnId(0, 1), name="t.s", type=VARCHAR)
ONE = Literal(value=1, type=INTEGER)
EQUAL = Comparison(operator="=", left=X, right=ONE)


def _arithmetic(operator: str, left: Expression, right: Expression) -> Arithmetic:
    return Arithmetic(operator=operator, left=left, right=right, type=INTEGER)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        ("it's", "'it''s'"),
        (1.5, "1.5e0"),
        (1e300, "1e+300"),
        (Decimal("1.50"), "1.50"),
        (datetime.date(2013, 1, 2), "DATE '2013-01-02'"),
        (datetime.datetime(2013, 1, 2, 3, 4, 5), "TIMESTAMP '2013-01-02 03:04:05'"),
    ],
)
def test_values(value: Value, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (_arithmetic("*", _arithmetic("+", X, ONE), X), "(t.x + 1) * t.x"),
        (_arithmetic("+", _arithmetic("*", X, ONE), X), "t.x * 1 + t.x"),
        (_arithmetic("-", X, _arithmetic("-", X, ONE)), "t.x - (t.x - 1)"),
        (_arithmetic("-", _arithmetic("-", X, ONE), X), "t.x - 1 - t.x"),
        (Negate(operand=Negate(operand=X, type=INTEGER), type=INTEGER), "-(-t.x)"),
        (_arithmetic("-", X, Literal(value=-1, type=INTEGER)), "t.x - -1"),
        (And(operands=(Or(operands=(EQUAL, EQUAL)), EQUAL)), "(t.x = 1 OR t.x = 1) AND t.x = 1"),
        (Or(operands=(And(operands=(EQUAL, EQUAL)), EQUAL)), "t.x = 1 AND t.x = 1 OR t.x = 1"),
        (Not(operand=And(operands=(EQUAL, EQUAL))), "NOT (t.x = 1 AND t.x = 1)"),
        (Not(operand=EQUAL), "NOT t.x = 1"),
        (IsNull(operand=EQUAL, negated=True), "t.x = 1 IS NOT NULL"),
        (IsTruth(operand=Or(operands=(EQUAL, EQUAL)), truth=True, negated=False), "(t.x = 1 OR t.x = 1) IS TRUE"),
        (Comparison(operator="=", left=IsNull(operand=X, negated=False), right=EQUAL), "(t.x IS NULL) = (t.x = 1)"),
        (InList(operand=X, items=(ONE,) * 10, negated=True), "t.x NOT IN (1, 1, 1, 1, 1, 1, 1, ... 10 in all)"),
        (
            Like(operand=S, pattern=Literal(value="a%", type=VARCHAR), escape="!", negated=False),
            "t.s LIKE 'a%' ESCAPE '!'",
        ),
        (FunctionCall(name="||", arguments=(S, S), type=VARCHAR), "t.s || t.s"),
        (
            FunctionCall(name="extract", arguments=(Literal(value="year", type=VARCHAR), X), type=BIGINT),
            "extract(year FROM t.x)",
        ),
        (FunctionCall(name="abs", arguments=(X,), type=INTEGER), "abs(t.x)"),
    ],
)
def test_parentheses_are_those_that_are_needed(expression: Expression, text: str) -> None:
    assert format_expression(expression) == text


def test_aggregates_and_sort_keys() -> None:
    call = AggregateCall(name="count", argument=X, distinct=True, filter=EQUAL, type=BIGINT)
    assert format_aggregate(call) == "count(DISTINCT t.x) FILTER (WHERE t.x = 1)"
    assert format_sort_key(SortKey(expression=X, descending=True, nulls_first=False)) == "t.x DESC NULLS LAST"
    assert format_sort_key(SortKey(expression=X, descending=True, nulls_first=True)) == "t.x DESC"
    assert format_sort_key(SortKey(expression=X, descending=False, nulls_first=False)) == "t.x"


def test_a_boolean_literal_is_an_atom() -> None:
    assert format_expression(Not(operand=Literal(value=True, type=BOOLEAN))) == "NOT TRUE"
