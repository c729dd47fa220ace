"""Bound expressions: names are resolved to columns, types are known, casts are explicit.

Nodes have value equality; the span, which only errors need, takes no part in it. Children of a comparison, an IN,
a CASE or a COALESCE have one common type, for the resolver puts a `Cast` where they differ.
"""

from __future__ import annotations

import datetime
from dataclasses import field
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from minisql.datatypes import BOOLEAN, SqlType
from minisql.errors import Span
from minisql.expression.user_function import UserFunction
from minisql.interval import Interval
from minisql.node import value_node

Value: TypeAlias = (
    bool
    | int
    | float
    | Decimal
    | str
    | bytes
    | datetime.date
    | datetime.datetime  # with a time zone (UTC) for TIMESTAMP WITH TIME ZONE, without one for TIMESTAMP
    | datetime.time
    | Interval
    | None
)


class ColumnId(NamedTuple):
    """A column of the statement: the number of the table that it comes from, and its place in it, from 0."""

    table: int
    position: int


@value_node
class _Node:
    type: SqlType
    span: Span | None = field(default=None, compare=False, repr=False)


@value_node
class _Predicate:
    type: SqlType = field(default=BOOLEAN, init=False)
    span: Span | None = field(default=None, compare=False, repr=False)


@value_node
class Literal(_Node):
    """A constant. The Python value fits the type: Decimal for DECIMAL, int for integers, None for NULL."""

    value: Value


@value_node
class ColumnRef(_Node):
    """A column. `name` is for people: `alias.column`, or the column alone where it has no alias."""

    column: ColumnId
    name: str = field(compare=False)


@value_node
class OuterReference(_Node):
    """A column of a query around the one that the expression stands in. There it is a constant: it has no table."""

    column: ColumnId
    name: str = field(compare=False)


@value_node
class Arithmetic(_Node):
    """`left operator right` with an operator of `+ - * / %`; NULL where a side is NULL.

    Both sides have the type of the result, with two exceptions: with a DECIMAL result each side is a DECIMAL of its
    own precision and scale, and with dates, times and intervals the sides are those of `datatypes.temporal_arithmetic`.
    """

    operator: str
    left: Expression
    right: Expression


@value_node
class Negate(_Node):
    """`-operand`."""

    operand: Expression


@value_node
class Cast(_Node):
    """CAST(operand AS type), written or implied."""

    operand: Expression


@value_node
class Case(_Node):
    """CASE WHEN condition THEN result ... ELSE otherwise END. The simple form is resolved into this one."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression


@value_node
class Coalesce(_Node):
    """The first operand that is not NULL."""

    operands: tuple[Expression, ...]


@value_node
class FunctionCall(_Node):
    """A call of a scalar function of `expression.functions`, under its canonical name, or of one of the program."""

    name: str
    arguments: tuple[Expression, ...]
    user_function: UserFunction | None = field(default=None, repr=False)


@value_node
class Comparison(_Predicate):
    """`left operator right` with an operator of `= <> < <= > >=`; NULL where a side is NULL.

    `equality_class` is the same number for equalities of a query of which some follow from the others, as the last of
    `a.x = b.x AND b.x = c.x AND a.x = c.x` does. They are not independent: of those that connect some tables, as many
    count as it takes to connect them.
    """

    operator: str
    left: Expression
    right: Expression
    equality_class: int | None = field(default=None, compare=False, repr=False)


MIRRORED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""`a operator b` is `b MIRRORED[operator] a`."""


@value_node
class IsDistinctFrom(_Predicate):
    """`left IS [NOT] DISTINCT FROM right`: never NULL, NULLs are equal to each other."""

    left: Expression
    right: Expression
    negated: bool


@value_node
class And(_Predicate):
    """Two or more operands; no operand is itself an And."""

    operands: tuple[Expression, ...]


@value_node
class Or(_Predicate):
    """Two or more operands; no operand is itself an Or.

    `implied_are_asked` says that what it implies for single tables (`simplify.implied_conditions`) is asked of them.
    """

    operands: tuple[Expression, ...]
    implied_are_asked: bool = field(default=False, compare=False, repr=False)


@value_node
class Not(_Predicate):
    """NOT operand, which is NULL where the operand is."""

    operand: Expression


@value_node
class IsNull(_Predicate):
    """`operand IS [NOT] NULL`, of any type."""

    operand: Expression
    negated: bool


@value_node
class IsTruth(_Predicate):
    """`operand IS [NOT] TRUE` or `IS [NOT] FALSE`, which `truth` tells apart; never NULL."""

    operand: Expression
    truth: bool
    negated: bool


@value_node
class InList(_Predicate):
    """`operand [NOT] IN (items)`; the items are expressions, mostly literals, in any number."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool


@value_node
class Like(_Predicate):
    """`operand [NOT] LIKE pattern`; `escape` is one character, or None where nothing escapes."""

    operand: Expression
    pattern: Expression
    escape: str | None
    negated: bool


Expression: TypeAlias = (
    Literal
    | ColumnRef
    | OuterReference
    | Arithmetic
    | Negate
    | Cast
    | Case
    | Coalesce
    | FunctionCall
    | Comparison
    | IsDistinctFrom
    | And
    | Or
    | Not
    | IsNull
    | IsTruth
    | InList
    | Like
)


@value_node
class SortKey:
    """One key of an ORDER BY."""

    expression: Expression
    descending: bool
    nulls_first: bool


@value_node
class AggregateCall:
    """A call of an aggregate of `expression.aggregates`, under the name that it is computed as.

    `argument` is None for count(*) and `grouping` alone. `others` are the arguments after it: a second value, a
    separator, a fraction. `order` is there only where the order of the rows matters.

    Of `grouping` the others are keys of the grouping, the last one the lowest bit of the number that it gives.

    Aggregates stand in `relational.Aggregate` and nowhere else: above it they are columns.
    """

    name: str
    argument: Expression | None
    distinct: bool
    filter: Expression | None
    type: SqlType
    others: tuple[Expression, ...] = ()
    order: tuple[SortKey, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
