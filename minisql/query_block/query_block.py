"""Query blocks: a query with its names resolved, its types known and its clauses still as written.

The words are MySQL's: a `QueryExpression` is a `QueryTerm` with ORDER BY and LIMIT; a term is a `QueryBlock` (one
SELECT), a VALUES list or a set operation over terms. Every table in a FROM, and every block that makes columns, has its
own number in the statement (see `node_set`); the columns of a term are `ColumnId(term.table, 0..)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from minisql.catalog.table import Table
from minisql.datatypes import SqlType
from minisql.errors import Span
from minisql.expression.nodes import AggregateCall, Expression, SortKey
from minisql.expression.window import WindowCall
from minisql.node import node
from minisql.node_set import NodeSet
from minisql.parser.parse_tree import JoinKind, SetOperator


class SubqueryKind(Enum):
    """What the value of a subquery is."""

    SCALAR = "scalar"  # its one column in its one row, NULL without a row
    EXISTS = "exists"  # whether it has a row
    ANY = "any"  # whether a comparison is TRUE for some row: NULL where it is for none, but NULL for some


@node
class Subquery:
    """A query in an expression, where `ColumnId(table, 0)` stands for its value.

    `comparison` is what ANY asks of its rows, over their columns and those of the place where the subquery stands.
    What the query reads of the queries around it are outer references.
    """

    kind: SubqueryKind
    table: int
    query: QueryExpression
    comparison: Expression | None
    span: Span


@node
class TableUse:
    """A stored table, a file or a table function in FROM."""

    table: int
    alias: str
    source: Table
    span: Span


@dataclass(slots=True, eq=False)
class CommonQuery:
    """The query of a common table expression or a view, which may be used several times.

    Attributes:
        names: those of its columns for who uses it.
        materialized: whether it is [NOT] MATERIALIZED; None where nothing is written.
        uses: how often it is used, as far as the statement is resolved.
    """

    name: str
    query: QueryExpression
    names: tuple[str, ...]
    materialized: bool | None
    uses: int = 0


@node
class DerivedTable:
    """A subquery in FROM, or a view or common table expression named there.

    Its columns are those of its term. Those of a common query have a number of their own, `table`, for each use.
    """

    alias: str
    query: QueryExpression
    table: int
    common: CommonQuery | None = None


@node
class WorkingTable:
    """In the recursive term of a query, the query itself: the rows that the round before has added."""

    table: int
    alias: str
    recursion: int
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    span: Span


@node
class JoinedTable:
    """A join. USING and NATURAL are conditions by now; no condition is TRUE.

    Where it is `lateral`, something on the right side has outer references to the left one. The `subqueries` are those
    in the condition. `merges_keys` tells USING and NATURAL from ON.
    """

    kind: JoinKind
    left: FromTree
    right: FromTree
    condition: Expression | None
    lateral: bool = False
    subqueries: tuple[Subquery, ...] = ()
    merges_keys: bool = False


FromTree: TypeAlias = TableUse | DerivedTable | WorkingTable | JoinedTable


@node
class OrderedJoin:
    """A join of an order that is prescribed: the tables of its left and of its right side, and where a hint says so."""

    left: NodeSet
    right: NodeSet
    span: Span | None = None

    @property
    def tables(self) -> NodeSet:
        """The tables of both sides."""
        return NodeSet(self.left | self.right)


@node
class JoinValidation:
    """How many rows of two tables of a FROM, by their numbers, may meet: `1:1`, `1:m`, `m:1` or `m:n`."""

    left: int
    right: int
    kind: str
    span: Span | None = None


@node
class Grouping:
    """GROUP BY and the aggregates: `ColumnId(table, i)` is key i, and after the keys come the aggregates.

    `sets` are the grouping sets, each the places of its keys, where there are several; else all keys are the one set.
    """

    table: int
    keys: tuple[Expression, ...]
    sets: tuple[tuple[int, ...], ...]
    aggregates: tuple[AggregateCall, ...]


@node
class Windows:
    """The window functions of a block: `ColumnId(table, i)` is `calls[i]`. They read what the select list reads."""

    table: int
    calls: tuple[WindowCall, ...]


@node
class QueryBlock:
    """One SELECT. `where` and the grouping read the tables of `from_`; HAVING and the select list read the grouping
    where there is one. QUALIFY and the select list read the window functions, too.

    `expressions` are the select list and, after the first `len(names)` of them, what only ORDER BY needs.
    With DISTINCT the distinct columns get a number of their own, `table`, and there is nothing after the select list.
    `order` are the joins that a hint asks for, each after those in its sides, `validations` what other hints ask for.
    `input_subqueries` are those in WHERE, in group keys and in aggregates, `subqueries` those in HAVING, in the select
    list and in ORDER BY.
    """

    table: int
    from_: FromTree | None
    where: Expression | None
    grouping: Grouping | None
    having: Expression | None
    windows: Windows | None
    qualify: Expression | None
    names: tuple[str, ...]
    expressions: tuple[Expression, ...]
    distinct_from: int | None
    """With DISTINCT: the number of the columns before duplicates are removed."""
    order: tuple[OrderedJoin, ...] = ()
    input_subqueries: tuple[Subquery, ...] = ()
    subqueries: tuple[Subquery, ...] = ()
    validations: tuple[JoinValidation, ...] = ()


@node
class Values:
    """A VALUES list, its columns cast to common types."""

    table: int
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    rows: tuple[tuple[Expression, ...], ...]


@node
class SetOperation:
    """A set operation. An operand whose types differ from `types` has a list of casts to them, else None."""

    table: int
    operator: SetOperator
    all: bool
    left: QueryTerm
    right: QueryTerm
    left_casts: Casts | None
    right_casts: Casts | None
    names: tuple[str, ...]
    types: tuple[SqlType, ...]


@node
class Casts:
    """The columns of an operand of a set operation, cast; they get the number `table`."""

    table: int
    expressions: tuple[Expression, ...]


@node
class RecursiveUnion:
    """The query of a common table expression that reads itself, in `step` as the `WorkingTable` with its `table`."""

    table: int
    name: str
    all: bool
    anchor: QueryExpression
    step: QueryExpression
    anchor_casts: Casts | None
    step_casts: Casts | None
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    span: Span


QueryTerm: TypeAlias = "QueryBlock | Values | SetOperation | RecursiveUnion | QueryExpression"


@node
class QueryExpression:
    """A whole query. The keys read the columns of the term; `table` is the term's number."""

    table: int
    term: QueryTerm
    order_by: tuple[SortKey, ...]
    limit: int | None
    offset: int
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
