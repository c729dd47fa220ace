from __future__ import annotations

from minisql.datatypes import BOOLEAN, INTEGER
from minisql.expression.fold import fold
from minisql.expression.format import format_expression
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    Literal,
    Not,
    Or,
)
from minisql.session.pipeline import evaluate_constant

X = ColumnRef(column=ColumnId(0, 0), name="x", type=INTEGER)
TRUE = Literal(value=True, type=BOOLEAN)
FALSE = Literal(value=False, type=BOOLEAN)
UNKNOWN = Literal(value=None, type=BOOLEAN)
X_IS_1 = Comparison(operator="=", left=X, right=Literal(value=1, type=INTEGER))


def _int(value: int) -> Literal:
    return Literal(value=value, type=INTEGER)


def _divide(left: int, right: int) -> Arithmetic:
    return Arithmetic(operator="/", left=_int(left), right=_int(right), type=INTEGER)


def _folded(expression: Expression) -> str:
    return format_expression(fold(expression, evaluate_constant))


def test_arithmetic_and_comparisons_of_constants_are_computed() -> None:
    assert _folded(Comparison(operator=">", left=_divide(7, 2), right=_int(2))) == "TRUE"
    assert _folded(Arithmetic(operator="+", left=X, right=_divide(7, 2), type=INTEGER)) == "x + 3"


def test_true_and_false_decide_logic() -> None:
    assert _folded(And(operands=(TRUE, X_IS_1))) == "x = 1"
    assert _folded(And(operands=(X_IS_1, FALSE))) == "FALSE"
    assert _folded(Or(operands=(FALSE, X_IS_1))) == "x = 1"
    assert _folded(Or(operands=(X_IS_1, TRUE))) == "TRUE"
    assert _folded(And(operands=(TRUE, TRUE))) == "TRUE"
    assert _folded(Not(operand=FALSE)) == "TRUE"


def test_unknown_decides_nothing() -> None:
    assert _folded(And(operands=(UNKNOWN, X_IS_1))) == "NULL AND x = 1"
    assert _folded(Or(operands=(UNKNOWN, FALSE))) == "NULL"
    assert _folded(Not(operand=UNKNOWN)) == "NULL"


def test_case_drops_branches_that_are_never_taken() -> None:
    case = Case(branches=((UNKNOWN, _int(1)), (X_IS_1, _int(2)), (TRUE, _int(3))), otherwise=_int(4), type=INTEGER)
    assert _folded(case) == "CASE WHEN x = 1 THEN 2 ELSE 3 END"


def test_what_fails_stays_for_the_row_that_reaches_it() -> None:
    case = Case(branches=((X_IS_1, _divide(1, 0)),), otherwise=_int(4), type=INTEGER)
    assert fold(case, evaluate_constant) is case
