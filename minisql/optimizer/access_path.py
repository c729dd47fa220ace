"""Access paths: how a query is executed, operator by operator, with what the optimizer expects of it.

As in relational expressions, columns are named by `ColumnId`; which columns an operator must produce is worked out when
iterators are built. Every path carries its estimates: `rows` is the number of rows it gives, `cost` the whole work up
to its last row, in the unit of `cost_constants`, `nodes` the tables joined in it.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from minisql.catalog.table import SimpleFilter, Table
from minisql.datatypes import SqlType
from minisql.errors import Span
from minisql.expression.nodes import AggregateCall, ColumnId, Expression, SortKey
from minisql.expression.window import WindowCall
from minisql.node import node
from minisql.node_set import NodeSet
from minisql.relational.relational_expression import ApplyType, JoinType, SetOperator


@node
class _Path:
    nodes: NodeSet
    rows: float
    cost: float


@node
class TableScan(_Path):
    """Reads a table. `filters` are those that the source may use to read less; a Filter above checks them again."""

    table: int
    alias: str
    source: Table
    filters: tuple[SimpleFilter, ...]


@node
class ValuesScan(_Path):
    """Gives the rows of a VALUES list."""

    table: int
    alias: str
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    values: tuple[tuple[Expression, ...], ...]


@node
class OneRow(_Path):
    """Gives one row without columns."""


@node
class Filter(_Path):
    """Passes the rows for which every condition is TRUE."""

    input: AccessPath
    conditions: tuple[Expression, ...]


@node
class JoinKey:
    """`left = right`, or `left IS NOT DISTINCT FROM right` where `null_safe`; each over the columns of its input."""

    left: Expression
    right: Expression
    null_safe: bool


@node
class HashJoin(_Path):
    """Joins by a hash table over one input (the right one, or the left one where `build_left`), probed by the other.

    `left` and `right` are those of the join type: LEFT keeps the rows of `left`, whichever side is built. `residual`
    are the conditions beside the keys. There is at least one key.
    """

    type: JoinType
    left: AccessPath
    right: AccessPath
    build_left: bool
    keys: tuple[JoinKey, ...]
    residual: tuple[Expression, ...]


@node
class NestedLoopJoin(_Path):
    """Joins by looking at every pair of rows; `conditions` may be empty, which is TRUE."""

    type: JoinType
    left: AccessPath
    right: AccessPath
    conditions: tuple[Expression, ...]


@node
class Apply(_Path):
    """Gives the left rows with what the right rows say of them; see `relational.relational_expression.Apply`.

    The right rows are held. `keys` and `residual` are the conditions that have to be TRUE. With `references`, columns
    of the left input to which the right path has outer references, that path is run once for each combination of their
    values: `runs` times, as is estimated.
    """

    type: ApplyType
    left: AccessPath
    right: AccessPath
    runs: float
    references: tuple[ColumnId, ...]
    keys: tuple[JoinKey, ...]
    residual: tuple[Expression, ...]
    mark: int | None
    comparison: Expression | None
    span: Span | None


@node
class Project(_Path):
    """Computes `ColumnId(table, i)` as `expressions[i]`."""

    table: int
    alias: str
    input: AccessPath
    names: tuple[str, ...]
    expressions: tuple[Expression, ...]


@node
class HashAggregate(_Path):
    """Groups by `keys`; `ColumnId(table, i)` is a key, then an aggregate. Without keys it gives one row.

    `sets` are grouping sets; see `relational.relational_expression.Aggregate`.
    """

    table: int
    input: AccessPath
    keys: tuple[Expression, ...]
    aggregates: tuple[AggregateCall, ...]
    sets: tuple[tuple[int, ...], ...] = ()


@node
class Window(_Path):
    """Computes `ColumnId(table, i)` as `calls[i]` beside the columns of the input, whose order it keeps."""

    table: int
    input: AccessPath
    calls: tuple[WindowCall, ...]


@node
class SetOperation(_Path):
    """UNION, INTERSECT or EXCEPT; see `relational.relational_expression.SetOperation`."""

    table: int
    operator: SetOperator
    all: bool
    left: AccessPath
    right: AccessPath
    left_columns: tuple[ColumnId, ...]
    right_columns: tuple[ColumnId, ...]
    names: tuple[str, ...]
    types: tuple[SqlType, ...]


@node
class Shared:
    """What a shared expression becomes: planned once, run once for all `SharedScan`s that refer to this very object.

    Column i of a scan is `columns[i]` of the input. `rows` and `cost` include that its rows are kept.
    """

    name: str
    rows: float
    cost: float
    input: AccessPath
    columns: tuple[ColumnId, ...]
    types: tuple[SqlType, ...]


@node
class SharedScan(_Path):
    """Gives the rows of what is shared. Its cost is that of reading them; the whole plan has that of computing them."""

    table: int
    alias: str
    shared: Shared


@node
class RecursiveUnion(_Path):
    """Runs the step until it gives no row (`all`), or no new one; see `relational.relational_expression`."""

    table: int
    name: str
    all: bool
    anchor: AccessPath
    step: AccessPath
    anchor_columns: tuple[ColumnId, ...]
    step_columns: tuple[ColumnId, ...]
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    span: Span | None


@node
class WorkingTableScan(_Path):
    """Gives the rows of the round before, in the step of the recursion with this number."""

    table: int
    alias: str
    recursion: int
    types: tuple[SqlType, ...]


@node
class Sort(_Path):
    """Sorts; with a `limit`, only the first `limit` rows are kept and given (top-N)."""

    input: AccessPath
    keys: tuple[SortKey, ...]
    limit: int | None


@node
class Limit(_Path):
    """Skips `offset` rows and gives at most `limit` of the rest (None: all)."""

    input: AccessPath
    limit: int | None
    offset: int


@node
class SingleRow(_Path):
    """Gives the one row of its input; NULLs where there is none, an error where there are several."""

    input: AccessPath
    span: Span | None


AccessPath: TypeAlias = (
    TableScan
    | ValuesScan
    | OneRow
    | SharedScan
    | WorkingTableScan
    | Filter
    | HashJoin
    | NestedLoopJoin
    | Apply
    | Project
    | HashAggregate
    | Window
    | SetOperation
    | RecursiveUnion
    | Sort
    | Limit
    | SingleRow
)


def inputs(path: AccessPath) -> tuple[AccessPath, ...]:
    """The inputs of the path, from left to right. What a `SharedScan` reads is none."""
    match path:
        case TableScan() | ValuesScan() | OneRow() | SharedScan() | WorkingTableScan():
            return ()
        case RecursiveUnion():
            return path.anchor, path.step
        case HashJoin() | NestedLoopJoin() | Apply() | SetOperation():
            return path.left, path.right
        case Filter() | Project() | HashAggregate() | Sort() | Limit() | SingleRow() | Window():
            return (path.input,)
        case _:
            assert_never(path)
