from __future__ import annotations

import pytest

from minisql.catalog.table import SimpleFilter
from minisql.datatypes import BIGINT, DOUBLE, INTEGER, VARCHAR
from minisql.expression.nodes import Cast, Expression, InList, Literal
from minisql.optimizer.scan_filters import simple_filters
from tests.builders import column, compare, equal, is_null, literal

X = column(0, 1)
WIDE = Cast(operand=X, type=BIGINT)


def bigint(value: int) -> Literal:
    return Literal(value=value, type=BIGINT)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equal(X, literal(5)), SimpleFilter(1, "=", 5)),
        (compare("<", literal(5), X), SimpleFilter(1, ">", 5)),
        (compare("<>", X, literal(5)), SimpleFilter(1, "<>", 5)),
        (compare(">=", column(0, 0, VARCHAR), literal("a")), SimpleFilter(0, ">=", "a")),
        (equal(WIDE, bigint(5)), SimpleFilter(1, "=", 5)),
        (
            InList(operand=X, items=(literal(1), literal(None), literal(3)), negated=False),
            SimpleFilter(1, "in", (1, 3)),
        ),
    ],
)
def test_a_comparison_with_constants_is_simple(condition: Expression, expected: SimpleFilter) -> None:
    assert simple_filters([condition]) == (expected,)


@pytest.mark.parametrize(
    "condition",
    [
        equal(X, literal(None)),
        equal(X, column(0, 0)),
        equal(WIDE, bigint(2**40)),
        equal(Cast(operand=column(0, 0, BIGINT), type=INTEGER), literal(5)),
        equal(Cast(operand=X, type=DOUBLE), Literal(value=5.0, type=DOUBLE)),
        InList(operand=X, items=(literal(1), column(0, 0)), negated=False),
        InList(operand=X, items=(literal(1),), negated=True),
        InList(operand=X, items=(literal(None),), negated=False),
        is_null(X),
        literal(False),
    ],
)
def test_other_conditions_are_not(condition: Expression) -> None:
    assert simple_filters([condition]) == ()


def test_simple_ones_are_picked_from_the_rest() -> None:
    assert simple_filters([is_null(X), equal(X, literal(5))]) == (SimpleFilter(1, "=", 5),)
