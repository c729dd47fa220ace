from __future__ import annotations

import random

import pytest

from minisql.datatypes import BOOLEAN, DOUBLE, INTEGER
from minisql.expression.format import format_expression
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Expression,
    InList,
    IsTruth,
    Literal,
    Not,
    Or,
    Value,
)
from minisql.expression.simplify import implied_conditions, simplify, simplify_conjuncts
from minisql.expression.walk import conjuncts, tables_of
from minisql.node_set import single
from tests.builders import column, compare, equal, is_not_null, is_null, literal, null_safe_equal
from tests.naive import evaluate

A, B, C = column(0), column(0, 1), column(1)
VALUES: tuple[Value, ...] = (None, 0, 1, 2, 3, 4)


def conj(*operands: Expression) -> Expression:
    return And(operands=operands)


def disj(*operands: Expression) -> Expression:
    return Or(operands=operands)


def shown(condition: Expression) -> str:
    return format_expression(simplify(condition, null_is_false=True))


@pytest.mark.parametrize(
    ("condition", "simple"),
    [
        (
            disj(conj(equal(A, C), equal(B, literal(1))), conj(equal(B, literal(2)), equal(A, C))),
            "a.x = b.x AND a.y IN (1, 2)",
        ),
        (disj(equal(A, C), conj(equal(A, C), is_null(B))), "a.x = b.x"),
        (conj(disj(equal(A, C), is_null(B)), equal(A, C)), "a.x = b.x"),
        (disj(conj(equal(A, C), is_null(B)), conj(is_null(B), equal(A, C), is_null(C))), "a.x = b.x AND a.y IS NULL"),
        (Not(operand=conj(compare("<", A, C), Not(operand=is_null(B)))), "a.x >= b.x OR a.y IS NULL"),
        (Not(operand=disj(null_safe_equal(A, B), equal(A, C))), "a.x IS DISTINCT FROM a.y AND a.x <> b.x"),
        (conj(compare(">", A, literal(5)), compare(">=", A, literal(5))), "a.x > 5"),
        (conj(compare(">=", A, literal(5)), compare("<=", A, literal(5))), "a.x = 5"),
        (conj(compare(">", A, literal(5)), compare("<=", A, literal(5))), "FALSE"),
        (conj(equal(A, literal(1)), equal(A, literal(2))), "FALSE"),
        (conj(equal(A, literal(1)), compare("<>", A, literal(1))), "FALSE"),
        (conj(is_null(A), compare("<>", A, literal(1))), "FALSE"),
        (conj(is_not_null(A), compare("<>", A, literal(1))), "a.x <> 1"),
        (disj(compare(">", A, literal(5)), compare(">", A, literal(3)), equal(A, literal(4))), "a.x > 3"),
        (disj(literal(None), equal(A, literal(4))), "a.x = 4"),
        (disj(conj(equal(A, literal(1)), equal(A, literal(2))), equal(B, literal(3))), "a.y = 3"),
    ],
)
def test_conditions_get_simpler(condition: Expression, simple: str) -> None:
    assert shown(condition) == simple


def test_a_nan_is_no_end_of_a_range() -> None:
    x = column(0, 0, DOUBLE)
    nan, five = Literal(value=float("nan"), type=DOUBLE), Literal(value=5.0, type=DOUBLE)
    condition = conj(compare("<", x, nan), compare(">", x, five), compare(">=", x, nan))
    assert simplify(condition, null_is_false=True) is condition


def test_what_may_fail_is_not_moved_forward() -> None:
    fails = equal(Arithmetic(operator="/", left=B, right=A, type=INTEGER), literal(1))
    protects = compare("<>", A, literal(0))
    branches = disj(conj(protects, fails), conj(fails, is_null(C), protects))
    assert shown(branches) == "a.x <> 0 AND a.y / a.x = 1"
    assert shown(conj(disj(protects, is_null(C)), fails, protects)).startswith("(a.x <> 0 OR b.x IS NULL) AND")


def test_an_or_over_several_tables_implies_conditions_on_each() -> None:
    condition = disj(
        conj(equal(A, literal(1)), equal(C, literal(2))),
        conj(equal(A, literal(3)), disj(conj(equal(B, literal(4)), equal(C, literal(5))), equal(C, literal(6)))),
    )
    assert isinstance(condition, Or)
    assert [format_expression(each) for each in implied_conditions(condition)] == ["a.x IN (1, 3)", "b.x IN (2, 5, 6)"]
    conditions = simplify_conjuncts((condition,), with_implied=True)
    assert len(conditions) == 3
    assert simplify_conjuncts(conditions, with_implied=True) is conditions


def random_condition(rng: random.Random, depth: int = 3) -> Expression:
    term = rng.choice((A, A, B, C))
    if depth and rng.random() < 0.6:
        operands = tuple(random_condition(rng, depth - 1) for _ in range(rng.randint(2, 4)))
        kind = rng.choice((And, Or))
        flat = tuple(part for each in operands for part in (each.operands if isinstance(each, kind) else (each,)))
        combined: Expression = kind(operands=flat)
        return Not(operand=combined) if rng.random() < 0.2 else combined
    match rng.randrange(8):
        case 0:
            items = tuple(literal(value) for value in rng.choices(VALUES, k=rng.randint(1, 3)))
            return InList(operand=term, items=items, negated=rng.random() < 0.3)
        case 1:
            return rng.choice((is_null, is_not_null))(term)
        case 2:
            return literal(rng.choice((True, False))) if rng.random() < 0.7 else Literal(value=None, type=BOOLEAN)
        case 3:
            return compare(rng.choice(("=", "<")), A, C)
        case 4 if rng.random() < 0.5:
            return IsTruth(operand=equal(A, C), truth=rng.random() < 0.5, negated=rng.random() < 0.5)
        case _:
            sides = [term, literal(rng.choice(VALUES[1:]))]
            if rng.random() < 0.2:
                sides.reverse()
            return compare(rng.choice(("=", "=", "<>", "<", "<=", ">", ">=")), *sides)


@pytest.mark.parametrize("seed", range(4))
def test_simplified_conditions_have_the_same_value_in_every_row(seed: int) -> None:
    rng = random.Random(seed)
    rows = [{A.column: a, B.column: b, C.column: c} for a in VALUES for b in VALUES for c in VALUES]
    changed = 0
    for _ in range(150):
        condition = random_condition(rng)
        exact = simplify(condition, null_is_false=False)
        changed += exact is not condition
        conditions = simplify_conjuncts(conjuncts(condition), with_implied=True)
        for row in rows:
            value = evaluate(condition, row)
            assert evaluate(exact, row) is value, f"{format_expression(condition)}\n{format_expression(exact)}"
            passes = all(evaluate(each, row) is True for each in conditions)
            assert passes is (value is True), f"{format_expression(condition)}\n{conditions}"
        assert simplify(exact, null_is_false=False) is exact, format_expression(condition)
        assert simplify_conjuncts(conditions, with_implied=True) is conditions, format_expression(condition)
    assert changed > 50


def test_what_is_implied_holds_wherever_the_or_does() -> None:
    rng = random.Random(7)
    rows = [{A.column: a, B.column: b, C.column: c} for a in VALUES for b in VALUES for c in VALUES]
    found = 0
    for _ in range(300):
        branches = [
            And(operands=tuple(random_condition(rng, depth=0) for _ in range(3))) for _ in range(rng.randint(2, 3))
        ]
        condition = Or(operands=tuple(branches))
        for implied in implied_conditions(condition):
            found += 1
            assert tables_of(implied) in (single(0), single(1))
            assert all(evaluate(implied, row) is True for row in rows if evaluate(condition, row) is True)
    assert found > 30
