"""Short hands for bound expressions and relational expressions over small integer tables, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minisql.catalog.table import ColumnDefinition
from minisql.datatypes import BOOLEAN, INTEGER, NULL, VARCHAR, SqlType
from minisql.expression.nodes import (
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    IsDistinctFrom,
    IsNull,
    Literal,
    Value,
)
from minisql.relational.relational_expression import (
    BaseTable,
    Filter,
    Join,
    JoinType,
    Project,
    RelationalExpression,
)
from tests.naive import ListTable


def column(table: int, position: int = 0, type_: SqlType = INTEGER) -> ColumnRef:
    """Column `position` of table `table`: `a.x` is column(0, 0)."""
    return ColumnRef(column=ColumnId(table, position), name=f"{chr(97 + table % 26)}.{'xyzuvw'[position]}", type=type_)


def literal(value: Value) -> Literal:
    match value:
        case None:
            return Literal(value=None, type=NULL)
        case bool():
            return Literal(value=value, type=BOOLEAN)
        case str():
            return Literal(value=value, type=VARCHAR)
        case _:
            return Literal(value=value, type=INTEGER)


def compare(operator: str, left: Expression, right: Expression) -> Comparison:
    return Comparison(operator=operator, left=left, right=right)


def equal(left: Expression, right: Expression) -> Comparison:
    return compare("=", left, right)


def null_safe_equal(left: Expression, right: Expression) -> IsDistinctFrom:
    return IsDistinctFrom(left=left, right=right, negated=True)


def is_null(operand: Expression) -> IsNull:
    return IsNull(operand=operand, negated=False)


def is_not_null(operand: Expression) -> IsNull:
    return IsNull(operand=operand, negated=True)


def table(number: int, rows: Sequence[tuple[Value, ...]] = (), width: int = 2) -> BaseTable:
    """Base table `number` with integer columns x, y, ..."""
    name = chr(97 + number % 26)
    columns = tuple(ColumnDefinition("xyzuvw"[i], INTEGER) for i in range(width))
    return BaseTable(table=number, alias=name, source=ListTable(name, columns, rows))


def join(
    type_: JoinType | str, left: RelationalExpression, right: RelationalExpression, *conditions: Expression
) -> Join:
    return Join(type=JoinType(type_), left=left, right=right, conditions=conditions)


def where(input_: RelationalExpression, *conditions: Expression) -> Filter:
    return Filter(input=input_, conditions=conditions)


def project(number: int, input_: RelationalExpression, expressions: Iterable[Expression]) -> Project:
    """A derived table with number `number`."""
    listed = tuple(expressions)
    names = tuple("xyzuvw"[i] for i in range(len(listed)))
    return Project(table=number, alias=chr(97 + number % 26), input=input_, names=names, expressions=listed)
