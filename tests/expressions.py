"""Expressions over the columns of one batch, and their values, for tests of the evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.columnar.column import Batch, Column
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import SqlType, arithmetic_type
from minisql.errors import Span
from minisql.execution.evaluate import compile_expression, compile_predicate
from minisql.expression.functions import OPERATORS, SCALAR_FUNCTIONS
from minisql.expression.nodes import (
    Arithmetic,
    Cast,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    Literal,
    Value,
)

SPAN = Span("SELECT here FROM t", 7, 11)


def ref(position: int, type_: SqlType) -> ColumnRef:
    return ColumnRef(column=ColumnId(0, position), name=f"t.{position}", type=type_)


def lit(value: Value, type_: SqlType) -> Literal:
    return Literal(value=value, type=type_)


def arith(operator: str, left: Expression, right: Expression) -> Arithmetic:
    type_ = arithmetic_type(operator, left.type, right.type)
    assert type_ is not None
    return Arithmetic(operator=operator, left=left, right=right, type=type_, span=SPAN)


def compare(operator: str, left: Expression, right: Expression) -> Comparison:
    return Comparison(operator=operator, left=left, right=right)


def cast(operand: Expression, type_: SqlType) -> Cast:
    return Cast(operand=operand, type=type_, span=SPAN)


def call(name: str, *arguments: Expression) -> FunctionCall:
    function = {**SCALAR_FUNCTIONS, **OPERATORS}[name]
    type_ = function.result_type(tuple(argument.type for argument in arguments))
    assert type_ is not None
    return FunctionCall(name=name, arguments=arguments, type=type_, span=SPAN)


def column(expression: Expression, *columns: Column) -> Column:
    """The expression over a batch with these columns."""
    ids = [ColumnId(0, position) for position in range(len(columns))]
    return compile_expression(expression, ids)(Batch(columns, len(columns[0]) if columns else 1))


def values(expression: Expression, *columns: Column) -> list[Value]:
    return to_values(column(expression, *columns))


def value(expression: Expression) -> Value:
    """The value of an expression without columns."""
    return values(expression)[0]


def rows(conditions: Sequence[Expression], *columns: Column) -> list[int]:
    ids = [ColumnId(0, position) for position in range(len(columns))]
    found: list[int] = compile_predicate(conditions, ids)(Batch(columns, len(columns[0]))).tolist()
    return found


def varying(constant: Value, type_: SqlType) -> Column:
    """A column of the value in two rows, for what is computed otherwise than for constants."""
    return from_values([constant, constant], type_)
