from __future__ import annotations

import pytest

from minisql.datatypes import BIGINT, DOUBLE, INTEGER, VARCHAR
from minisql.expression.format import format_expression
from minisql.expression.nodes import And, Arithmetic, Cast, Coalesce, Expression, InList, Literal
from minisql.expression.predicates import apply_predicate, as_predicate
from tests.builders import column, compare, equal, is_null, literal

X, Y = column(0), column(1)
NEXT = Arithmetic(operator="+", left=X, right=literal(1), type=INTEGER)
WIDE = Cast(operand=X, type=BIGINT)
Z = column(0, 0, DOUBLE)
ZERO = Literal(value=0.0, type=DOUBLE)


def in_list(operand: Expression, *items: int) -> InList:
    return InList(operand=operand, items=tuple(literal(item) for item in items), negated=False)


@pytest.mark.parametrize(
    ("condition", "term", "expected"),
    [
        (compare(">", X, literal(5)), X, "b.x > 5"),
        (And(operands=(compare(">", literal(5), X), is_null(X))), X, "5 > b.x AND b.x IS NULL"),
        (compare(">", NEXT, literal(5)), X, "b.x + 1 > 5"),
        (compare(">", NEXT, literal(5)), NEXT, "b.x > 5"),
        (compare(">", NEXT, X), NEXT, None),
        (equal(X, Y), X, None),
        (equal(X, column(0, 1)), X, None),
        (literal(False), X, None),
        (equal(Coalesce(operands=(X, literal(0)), type=INTEGER), X), X, "coalesce(b.x, 0) = b.x"),
        # An INTEGER is as large as the BIGINT that it is cast to.
        (compare(">", X, literal(5)), WIDE, "b.x > 5"),
        (in_list(X, 5, 6), WIDE, "b.x IN (5, 6)"),
        (is_null(X), WIDE, "b.x IS NULL"),
        (compare(">", NEXT, literal(5)), WIDE, None),
        # Only comparisons do not tell 0.0 and -0.0 apart.
        (equal(Z, ZERO), Z, "b.x = 0.0e0"),
        (is_null(Z), Z, "b.x IS NULL"),
        (equal(Cast(operand=Z, type=VARCHAR), literal("0.0")), Z, None),
        (equal(Arithmetic(operator="*", left=Z, right=Z, type=DOUBLE), ZERO), Z, None),
    ],
)
def test_the_condition_on_a_term_is_put_on_another(condition: Expression, term: Expression, expected: str) -> None:
    predicate = as_predicate(condition, term)
    shown = None if predicate is None else format_expression(apply_predicate(predicate, column(1, 0, term.type)))
    assert shown == expected


def test_conditions_on_different_terms_are_the_same_predicate() -> None:
    assert as_predicate(in_list(X, 5), X) == as_predicate(in_list(Y, 5), Y)
    assert as_predicate(in_list(X, 5), X) != as_predicate(in_list(Y, 6), Y)
