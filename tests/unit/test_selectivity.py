from __future__ import annotations

import datetime

import pytest

from minisql.catalog.table import ColumnStatistics
from minisql.datatypes import BOOLEAN, DATE, INTEGER, VARCHAR
from minisql.expression.nodes import (
    And,
    Cast,
    Coalesce,
    Expression,
    FunctionCall,
    InList,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
)
from minisql.optimizer.access_path import JoinKey
from minisql.optimizer.selectivity import conjunction_selectivity, key_estimate, narrow_columns, selectivity
from minisql.optimizer.statistics import Statistics
from tests.builders import column, compare, equal, is_not_null, is_null, literal, null_safe_equal

X = column(0, 0)  # 1,000 rows: 100 values from 0 to 200, a tenth NULL
Y = column(1, 0)  # 50 rows: a key, from 0 to 49
DAY = column(0, 1, DATE)  # 2013
S = column(0, 2, VARCHAR)
UNKNOWN = column(2, 0)  # 500 rows


@pytest.fixture
def statistics() -> Statistics:
    known = Statistics()
    columns = [
        ColumnStatistics(100, 0.1, 0, 200),
        ColumnStatistics(365, 0.0, datetime.date(2013, 1, 1), datetime.date(2014, 1, 1)),
        ColumnStatistics(20, 0.0, "a", "z"),
    ]
    known.add_table(0, 1000, columns.__getitem__)
    known.add_table(1, 50, lambda _: ColumnStatistics(50, 0.0, 0, 49))
    known.add_table(2, 500, lambda _: ColumnStatistics())
    return known


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equal(X, literal(5)), 0.9 / 100),
        (equal(literal(5), X), 0.9 / 100),
        (equal(X, literal(500)), 0.9 / 1000),
        (compare("<>", X, literal(5)), 0.9 * 0.99),
        (compare("<", X, literal(50)), 0.9 * 0.25),
        (compare(">", literal(50), X), 0.9 * 0.25),
        (compare(">=", X, literal(50)), 0.9 * 0.75),
        (compare(">", X, literal(1000)), 0.9 * 0.001),
        (compare("<", X, literal(1000)), 0.9),
        (compare("<", DAY, Literal(value=datetime.date(2013, 7, 2), type=DATE)), 182 / 365),
        (compare("<", X, Y), 0.9 / 3),
        (equal(X, Y), 0.9 / 100),
        (null_safe_equal(X, column(0, 0)), 0.81 / 100 + 0.01),
        (is_null(X), 0.1),
        (is_not_null(X), 0.9),
        (And(operands=(is_null(X), equal(Y, literal(1)))), 0.1 / 50),
        (Or(operands=(is_null(X), equal(Y, literal(1)))), 1 - 0.9 * 0.98),
        (Not(operand=is_null(X)), 0.9),
        (IsTruth(operand=is_null(X), truth=True, negated=True), 0.9),
        (InList(operand=X, items=(literal(1), literal(2), literal(2)), negated=False), 0.9 * 0.02),
        (InList(operand=Y, items=tuple(literal(i) for i in range(80)), negated=False), 1.0),
        (InList(operand=X, items=(literal(1),), negated=True), 0.9 * 0.99),
        (Like(operand=S, pattern=literal("abc"), escape=None, negated=False), 1 / 20),
        (Like(operand=S, pattern=literal("a%"), escape=None, negated=True), 0.9),
        (literal(True), 1.0),
        (literal(False), 0.0),
        (literal(None), 0.0),
        (column(1, 0, BOOLEAN), 0.5),
        (equal(UNKNOWN, literal(1)), 1 / 50),
        (equal(Cast(operand=X, type=INTEGER), literal(5)), 0.9 / 100),
        (compare("<", Negate(operand=X, type=INTEGER), literal(-150)), 0.9 * 0.25),
        (equal(Coalesce(operands=(X, Y), type=INTEGER), literal(1)), 1 / 150),
        (equal(FunctionCall(name="extract", arguments=(literal("month"), DAY), type=INTEGER), literal(1)), 1 / 12),
    ],
)
def test_selectivity(condition: Expression, expected: float, statistics: Statistics) -> None:
    assert selectivity(condition, statistics) == pytest.approx(expected)


def test_the_ends_of_a_range_are_not_independent(statistics: Statistics) -> None:
    low, high = compare(">=", X, literal(50)), compare("<", X, literal(60))
    for conditions in ([low, high], [high, low]):
        assert conjunction_selectivity(conditions, statistics) == pytest.approx(0.9 * 0.05)
    never = compare(">", X, literal(70))
    assert 0 < conjunction_selectivity([high, never], statistics) < 0.02


def test_several_keys_have_no_more_values_than_there_are_rows(statistics: Statistics) -> None:
    one = JoinKey(left=X, right=Y, null_safe=False)
    other = JoinKey(left=DAY, right=UNKNOWN, null_safe=False)
    alone = key_estimate([one], statistics)
    assert (alone.selectivity, alone.left_distinct, alone.right_distinct) == pytest.approx((0.009, 100, 50))
    both = key_estimate([one, other], statistics)
    assert both.left_distinct == 1000
    assert both.selectivity == pytest.approx(0.9 / max(1000, 50 * 50))


def test_padding_adds_nulls(statistics: Statistics) -> None:
    statistics.padding[1] = 0.25
    assert selectivity(is_null(Y), statistics) == 0.25
    assert selectivity(equal(Y, literal(1)), statistics) == pytest.approx(0.75 / 50)


def test_a_derived_table_knows_what_its_expressions_know(statistics: Statistics) -> None:
    statistics.add_derived(7, 30, (X, None))
    assert selectivity(equal(column(7, 0), literal(1)), statistics) == pytest.approx(0.9 / 30)
    assert selectivity(equal(column(7, 1), literal(1)), statistics) == pytest.approx(1 / 3)


def test_a_filter_leaves_fewer_values(statistics: Statistics) -> None:
    key = JoinKey(left=X, right=Y, null_safe=False)
    assert key_estimate([key], statistics).selectivity == pytest.approx(0.9 / 100)
    # Each of the 9 rows that are left on one side matches each of those on the other, of which there is one.
    narrow_columns([equal(X, literal(5))], statistics)
    narrow_columns([equal(Y, literal(5))], statistics)
    assert statistics.of(X).distinct_count == 1
    assert statistics.of(X).null_fraction == 0
    assert key_estimate([key], statistics).selectivity == pytest.approx(1)


def test_a_filter_that_lets_nulls_through_or_reads_two_columns_is_not_taken_for_one_on_values(
    statistics: Statistics,
) -> None:
    before = statistics.of(X)
    narrow_columns([is_null(X), equal(X, Y), Or(operands=(is_null(X), equal(X, literal(5))))], statistics)
    assert statistics.of(X) == before
    narrow_columns([compare("<", X, literal(50))], statistics)
    assert statistics.of(X).distinct_count == pytest.approx(25)
