"""Relational expressions: the query as a tree of operators, first as written, then rewritten.

A node that makes columns has a `table` number, and its columns are `ColumnId(table, 0..)`. All other nodes pass the
columns of their inputs on; a join gives those of its left and then those of its right input. So a rewrite can move
nodes about without renaming a column, and the tables of an expression say which inputs it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from enum import Enum
from typing import TypeAlias, assert_never

from minisql.catalog.table import Table
from minisql.datatypes import SqlType
from minisql.errors import Span
from minisql.expression.nodes import AggregateCall, ColumnId, Expression, SortKey
from minisql.expression.window import WindowCall
from minisql.node import node
from minisql.node_set import EMPTY, NodeSet, single
from minisql.query_block.query_block import OrderedJoin


class JoinType(Enum):
    """The joins of the algebra. RIGHT is LEFT with its inputs exchanged, CROSS is INNER without a condition."""

    INNER = "inner"
    LEFT = "left"
    FULL = "full"
    SEMI = "semi"
    ANTI = "anti"


@node
class BaseTable:
    """A table, a file or a table function, read under `alias`."""

    table: int
    alias: str
    source: Table
    span: Span | None = None


@node
class Values:
    """Rows written in the query: `rows[i][j]` has no columns in it and the type `types[j]`. There may be no rows."""

    table: int
    alias: str
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    rows: tuple[tuple[Expression, ...], ...]


@node
class OneRow:
    """One row without columns: what SELECT reads where there is no FROM."""


@node
class Join:
    """A join on the conjunction of `conditions`; an empty one is TRUE. Semi and anti joins pass the left only.

    `output_tables` is kept, so that asking for it at each of a thousand joins does not walk the tree each time.
    """

    type: JoinType
    left: RelationalExpression
    right: RelationalExpression
    conditions: tuple[Expression, ...]
    output_tables: NodeSet = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tables = output_tables(self.left)
        if self.type is not JoinType.SEMI and self.type is not JoinType.ANTI:
            tables = NodeSet(tables | output_tables(self.right))
        object.__setattr__(self, "output_tables", tables)


class ApplyType(Enum):
    """What an `Apply` gives for a row of its left input."""

    INNER = "inner"  # it beside each row of the right input that fulfils the conditions
    LEFT = "left"  # the same, or it beside NULLs where there is none
    SINGLE = "single"  # as LEFT, but several rows are an error: the value of a scalar subquery
    MARK = "mark"  # it beside one truth value: whether there is a row


@node
class Apply:
    """For each row of `left` the rows of `right`, which may have outer references to its columns.

    A subquery is applied to the rows of the query around it: Galindo-Legaria and Joshi, "Orthogonal Optimization of
    Subqueries and Aggregation", SIGMOD 2001, section 1.3. `conditions` are over both inputs and have to be TRUE. MARK
    gives the left columns and `ColumnId(mark, 0)`: without a `comparison` whether there is a row, and with one, over
    both inputs, TRUE if it is TRUE for some row, else NULL if it is NULL for some row, else FALSE.

    `span` is the place of the subquery, for the error of SINGLE.
    """

    type: ApplyType
    left: RelationalExpression
    right: RelationalExpression
    conditions: tuple[Expression, ...] = ()
    mark: int | None = None
    comparison: Expression | None = None
    span: Span | None = None
    output_tables: NodeSet = field(init=False, repr=False)

    def __post_init__(self) -> None:
        own = output_tables(self.right) if self.mark is None else single(self.mark)
        object.__setattr__(self, "output_tables", NodeSet(output_tables(self.left) | own))


@node
class JoinOrder:
    """The rows of the input, filters above joins or joins, which are to be joined in this order and no other.

    `joins` have the tables of the leaves as their sides, and come after the joins in their sides. `names` are those of
    the tables, for messages. No table from outside is joined to some of these tables alone.
    """

    input: RelationalExpression
    joins: tuple[OrderedJoin, ...]
    names: Mapping[int, str]


@node
class Filter:
    """The rows for which every condition is TRUE."""

    input: RelationalExpression
    conditions: tuple[Expression, ...]


@node
class Project:
    """`ColumnId(table, i)` is `expressions[i]`. A derived table has an alias, a select list has the alias ''."""

    table: int
    alias: str
    input: RelationalExpression
    names: tuple[str, ...]
    expressions: tuple[Expression, ...]


@node
class Aggregate:
    """Groups by `keys`: the columns are the keys and then the aggregates. No keys: one row, even from no rows.

    With `sets`, the input is grouped by each of them, a set being the places of its keys; keys that are not in the set
    of a row are NULL in it. A set without keys gives one row, even from no rows.

    DISTINCT is an Aggregate without aggregates over all columns. (It has keys, since a query has columns.)
    """

    table: int
    input: RelationalExpression
    keys: tuple[Expression, ...]
    aggregates: tuple[AggregateCall, ...]
    sets: tuple[tuple[int, ...], ...] = ()


@node
class Window:
    """The rows of the input with a column more for each call: `ColumnId(table, i)` is `calls[i]`.

    The rows keep their order. A projection is always above it, under filters or not.
    """

    table: int
    input: RelationalExpression
    calls: tuple[WindowCall, ...]


class SetOperator(Enum):
    """The set operations."""

    UNION = "union"
    INTERSECT = "intersect"
    EXCEPT = "except"


@node
class SetOperation:
    """`operator [ALL]` over inputs that have columns of the same types in the same order; bags where `all`.

    `left_columns[i]` and `right_columns[i]` are the columns of the inputs that become `ColumnId(table, i)`.
    A chain of UNION ALL is deep on the left.
    """

    table: int
    operator: SetOperator
    all: bool
    left: RelationalExpression
    right: RelationalExpression
    left_columns: tuple[ColumnId, ...]
    right_columns: tuple[ColumnId, ...]
    names: tuple[str, ...]
    types: tuple[SqlType, ...]


@node
class Sort:
    """The rows ordered by the keys, the first one first; ties keep the order of the input."""

    input: RelationalExpression
    keys: tuple[SortKey, ...]


@node
class Limit:
    """The rows after the first `offset`, at most `limit` of them (None: all)."""

    input: RelationalExpression
    limit: int | None
    offset: int


@node
class SingleRow:
    """The one row of the input; a row of NULLs where it has none, an error at `span` where it has several."""

    input: RelationalExpression
    span: Span | None


@node
class Shared:
    """An expression that is computed once and read by every `SharedScan` that refers to this very object.

    It is computed when the first of its rows are wanted, and no further than they are. No pass changes the columns of
    its rows; a pass that rewrites it makes one new object for all scans (`map_shared`).

    Attributes:
        name: what EXPLAIN calls it.
        columns: those of the input that the scans read: column i of a scan is `columns[i]`.
        materialized: whether it has to be computed once (True) or for each scan (False); None leaves it to the costs.
    """

    name: str
    input: RelationalExpression
    columns: tuple[ColumnId, ...]
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    materialized: bool | None = None


@node
class SharedScan:
    """The rows of a shared expression, under a table number of its own."""

    table: int
    alias: str
    shared: Shared


@node
class RecursiveUnion:
    """The rows of `anchor`, then again and again those that `step` makes of the rows of the round before.

    Without `all`, a row that was there in any round before is no row of a round. `ColumnId(table, i)` is
    `anchor_columns[i]` and `step_columns[i]`. In the step, and nowhere else, a `WorkingTable` with this `table` as its
    `recursion` gives the rows of the round before.
    """

    table: int
    name: str
    all: bool
    anchor: RelationalExpression
    step: RelationalExpression
    anchor_columns: tuple[ColumnId, ...]
    step_columns: tuple[ColumnId, ...]
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    span: Span | None = None


@node
class WorkingTable:
    """In the step of the `RecursiveUnion` numbered `recursion`: the rows of the round before."""

    table: int
    alias: str
    recursion: int
    names: tuple[str, ...]
    types: tuple[SqlType, ...]


RelationalExpression: TypeAlias = (
    BaseTable
    | Values
    | OneRow
    | Join
    | Apply
    | SharedScan
    | WorkingTable
    | JoinOrder
    | Filter
    | Project
    | Aggregate
    | Window
    | SetOperation
    | Sort
    | Limit
    | SingleRow
    | RecursiveUnion
)


def output_tables(expression: RelationalExpression) -> NodeSet:
    """The tables whose columns the expression gives."""
    while True:
        match expression:
            case Join() | Apply():
                return expression.output_tables
            case BaseTable() | Values() | SharedScan() | WorkingTable() | Project() | Aggregate():
                return single(expression.table)
            case SetOperation() | RecursiveUnion():
                return single(expression.table)
            case Window():
                return NodeSet(single(expression.table) | output_tables(expression.input))
            case OneRow():
                return EMPTY
            case JoinOrder() | Filter() | Sort() | Limit() | SingleRow():
                expression = expression.input
            case _:
                assert_never(expression)


def inputs(expression: RelationalExpression) -> tuple[RelationalExpression, ...]:
    """The inputs of the expression, from left to right. What a `SharedScan` reads is none."""
    match expression:
        case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
            return ()
        case Join() | Apply() | SetOperation():
            return expression.left, expression.right
        case RecursiveUnion():
            return expression.anchor, expression.step
        case JoinOrder() | Filter() | Project() | Aggregate() | Sort() | Limit() | SingleRow() | Window():
            return (expression.input,)
        case _:
            assert_never(expression)


def with_inputs(expression: RelationalExpression, new: tuple[RelationalExpression, ...]) -> RelationalExpression:
    """The expression over other inputs, in the order of `inputs`; itself where none differs."""
    if all(old is new_ for old, new_ in zip(inputs(expression), new, strict=True)):
        return expression
    match expression:
        case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
            return expression
        case Join() | Apply() | SetOperation():
            return replace(expression, left=new[0], right=new[1])
        case RecursiveUnion():
            return replace(expression, anchor=new[0], step=new[1])
        case JoinOrder() | Filter() | Project() | Aggregate() | Window() | Sort() | Limit() | SingleRow():
            return replace(expression, input=new[0])
        case _:
            assert_never(expression)
