from __future__ import annotations

import itertools
import random

import pytest

from minisql.catalog.table import ColumnStatistics
from minisql.datatypes import BIGINT, INTEGER, VARCHAR
from minisql.expression.nodes import Arithmetic, Case, Cast, Coalesce, Expression, FunctionCall, InList, Like, Or
from minisql.optimizer.predicate_rank import by_rank, expression_cost, measured, measured_cost
from minisql.optimizer.statistics import Statistics
from tests.builders import column, compare, equal, is_null, literal

X, KEY = column(0, 0), column(0, 1)  # 100 values, and 1,000 of 1,000 rows
NAME, STATE = column(0, 2, VARCHAR), column(0, 3, VARCHAR)  # 1,000 strings, and 5


@pytest.fixture
def statistics() -> Statistics:
    known = Statistics()
    columns = [
        ColumnStatistics(100, 0.1, 0, 99),
        ColumnStatistics(1000, 0.0, 0, 999),
        ColumnStatistics(1000, 0.0, "a", "z"),
        ColumnStatistics(5, 0.0, "a", "z"),
    ]
    known.add_table(0, 1000, columns.__getitem__)
    return known


def like(operand: Expression, pattern: str) -> Like:
    return Like(operand=operand, pattern=literal(pattern), escape=None, negated=False)


def lower(operand: Expression) -> FunctionCall:
    return FunctionCall(name="lower", arguments=(operand,), type=VARCHAR)


def divided(operand: Expression) -> Arithmetic:
    return Arithmetic(operator="/", left=literal(100), right=operand, type=INTEGER)


FREE: list[Expression] = [
    compare("<", X, literal(90)),
    compare("<", X, literal(10)),
    equal(KEY, literal(5)),
    is_null(X),
    like(NAME, "%a%b%"),
    like(NAME, "a%"),
    like(STATE, "%a%b%"),
    equal(lower(NAME), literal("a")),
    InList(operand=STATE, items=(literal("a"), literal("b")), negated=False),
    Or(operands=(equal(X, literal(1)), equal(KEY, literal(1)))),
    equal(Case(branches=((is_null(X), KEY),), otherwise=X, type=INTEGER), literal(4)),
    equal(Cast(operand=X, type=BIGINT), literal(7)),
    compare("<", Coalesce(operands=(X, KEY), type=INTEGER), literal(500)),
    literal(True),
]


def test_no_other_order_costs_less(statistics: Statistics) -> None:
    rng = random.Random(1)
    for _ in range(60):
        # Two ends of one range are not independent, so a column has one comparison at most.
        conditions = [c for c in rng.sample(FREE, 4) if c is not FREE[1]]
        ordered = by_rank(tuple(conditions), statistics)
        assert sorted(map(id, ordered)) == sorted(map(id, conditions))
        least = min(measured_cost(measured(order, statistics)) for order in itertools.permutations(conditions))
        assert measured_cost(measured(ordered, statistics)) == pytest.approx(least)


def test_expensive_conditions_come_late(statistics: Statistics) -> None:
    cheap, expensive = compare("<", X, literal(50)), like(NAME, "%a%b%")
    assert by_rank((expensive, cheap), statistics) == (cheap, expensive)
    # Unless they reject so much more: one row of a thousand passes the first.
    weak = compare("<>", KEY, literal(5))
    prefix = equal(NAME, literal("a"))
    assert by_rank((weak, prefix), statistics) == (prefix, weak)


def test_what_may_fail_stays_behind_what_is_written_before_it(statistics: Statistics) -> None:
    guard, division, cheap = like(NAME, "%a%b%"), equal(divided(X), literal(5)), equal(KEY, literal(5))
    other = compare(">", divided(KEY), literal(99))
    assert by_rank((guard, division), statistics) == (guard, division)
    assert by_rank((division, guard), statistics) == (division, guard)
    assert by_rank((guard, division, cheap), statistics) == (cheap, guard, division)
    assert by_rank((other, division), statistics) == (other, division)
    assert by_rank((division, other), statistics) == (division, other)


def test_strings_that_rows_share_cost_less(statistics: Statistics) -> None:
    assert expression_cost(like(STATE, "%a%b%"), statistics) < expression_cost(like(NAME, "%a%b%"), statistics) / 50
    assert expression_cost(like(NAME, "%a%"), statistics) < expression_cost(like(NAME, "%a_%"), statistics)


def test_what_is_in_order_stays_the_same_object(statistics: Statistics) -> None:
    conditions = (equal(KEY, literal(5)), compare("<", X, literal(90)), like(NAME, "%a%b%"))
    assert by_rank(conditions, statistics) is conditions
    assert by_rank((), statistics) == ()
