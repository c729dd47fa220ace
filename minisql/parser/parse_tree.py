"""The parse tree: what was written, name by name, before anything is looked up.

Every node has the `Span` of its text. Sugar that needs no types is kept here (BETWEEN, simple CASE, USING, NATURAL) and
removed by the resolver, so that errors speak of what was written. Unquoted identifiers are folded to lower case.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from minisql.errors import Span
from minisql.expression import nodes
from minisql.expression.nodes import Value
from minisql.expression.window import BoundKind, Exclusion, FrameUnit
from minisql.node import node


@node
class _Node:
    span: Span


@node
class Identifier(_Node):
    """A name, already folded; `quoted` says whether it was written in quotes."""

    name: str
    quoted: bool = False


# --- expressions ------------------------------------------------------------------------------------------------------


@node
class TypeName(_Node):
    """A type as written: its words in upper case, joined by one space (`DOUBLE PRECISION`), and its arguments."""

    name: str
    arguments: tuple[int, ...]


@node
class Constant(_Node):
    """A literal: int, Decimal for `1.5`, float for `1e3`, str; DATE '...' and the like are already values."""

    value: Value


@node
class Parameter(_Node):
    """`?`, `$1` or `$name`: the number of its value, from 0. The values of names are numbered as the names come."""

    index: int
    name: str | None = None


@node
class ColumnName(_Node):
    """`column` or `table.column`."""

    table: Identifier | None
    column: Identifier


@node
class Star(_Node):
    """`* [EXCLUDE (a, b)] [REPLACE (expression AS c)]` or `table.*` in a select list."""

    table: Identifier | None
    exclude: tuple[Identifier, ...] = ()
    replacements: tuple[SelectItem, ...] = ()


@node
class Unary(_Node):
    """`- x`, `+ x`, `~ x` or `NOT x`; the operator is in upper case."""

    operator: str
    operand: Expression


@node
class Binary(_Node):
    """`+ - * / // % & | << >> || = <> < <= > >= <=> ~ ~* !~ !~*` and SIMILAR TO.

    `!=` is read as `<>`, DIV as `//`. AND and OR are `Logical`.
    """

    operator: str
    left: Expression
    right: Expression


@node
class Logical(_Node):
    """A whole chain `a AND b AND ...` or `a OR b OR ...` of at least two operands, flat."""

    operator: str
    operands: tuple[Expression, ...]


@node
class IsPredicate(_Node):
    """`operand IS [NOT] what`, `what` being NULL, TRUE, FALSE or UNKNOWN."""

    operand: Expression
    what: str
    negated: bool


@node
class DistinctPredicate(_Node):
    """`left IS [NOT] DISTINCT FROM right`."""

    left: Expression
    right: Expression
    negated: bool


@node
class Between(_Node):
    """`operand [NOT] BETWEEN low AND high`."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool


@node
class InPredicate(_Node):
    """`operand [NOT] IN (items)`."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool


@node
class LikePredicate(_Node):
    """`operand [NOT] LIKE pattern [ESCAPE escape]`; ILIKE `ignores_case`."""

    operand: Expression
    pattern: Expression
    escape: Expression | None
    negated: bool
    ignores_case: bool = False


@node
class CaseExpression(_Node):
    """Both forms of CASE; `operand` is None in the searched form."""

    operand: Expression | None
    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None


@node
class CastExpression(_Node):
    """CAST(operand AS type) and `operand::type`."""

    operand: Expression
    type: TypeName


@node
class Call(_Node):
    """A call of a function or an aggregate, COALESCE, NULLIF and the like included; the name is folded.

    `star` marks `count(*)`. EXTRACT(field FROM x) is the call `extract` with the field as a string constant first;
    SUBSTRING(x FROM a FOR b) and TRIM(BOTH c FROM x) become the calls `substring`, `trim`, `ltrim` and `rtrim`,
    OVERLAY(x PLACING y FROM a FOR b) `overlay`, and POSITION(x IN y) becomes `strpos` with the arguments exchanged.
    `order_by` stands in the parentheses of an aggregate, `within_group` behind them. The separator of `SEPARATOR ','`
    is the last argument.
    """

    name: Identifier
    arguments: tuple[Expression, ...]
    star: bool = False
    distinct: bool = False
    filter: Expression | None = None
    order_by: tuple[OrderItem, ...] = ()
    within_group: tuple[OrderItem, ...] = ()


@node
class Row(_Node):
    """`(a, b, ...)`, at least two values; it stands only where rows are compared."""

    items: tuple[Expression, ...]


@node
class ScalarQuery(_Node):
    """`(SELECT ...)` as a value."""

    query: QueryExpression


@node
class Exists(_Node):
    """EXISTS (query)."""

    query: QueryExpression


@node
class QuantifiedComparison(_Node):
    """`operand operator ANY (query)`, or ALL where `all`. `operand [NOT] IN (query)` is `= ANY` and `<> ALL`."""

    operand: Expression
    operator: str
    all: bool
    query: QueryExpression


@node
class DefaultValue(_Node):
    """DEFAULT in the VALUES of an INSERT or behind `column =` in SET; `bound` is what it means there, once known."""

    bound: nodes.Expression | None = None


@node
class FrameBound(_Node):
    """One end of a frame; `offset` is that of PRECEDING and FOLLOWING."""

    kind: BoundKind
    offset: Expression | None = None


@node
class WindowFrame(_Node):
    """`unit BETWEEN start AND end EXCLUDE exclusion`; without BETWEEN the end is CURRENT ROW."""

    unit: FrameUnit
    start: FrameBound
    end: FrameBound
    exclusion: Exclusion = Exclusion.NO_OTHERS


@node
class WindowSpecification(_Node):
    """`(base PARTITION BY ... ORDER BY ... frame)`, each part optional; `base` is the name of another window."""

    base: Identifier | None
    partition_by: tuple[Expression, ...]
    order_by: tuple[OrderItem, ...]
    frame: WindowFrame | None


@node
class NamedWindow(_Node):
    """`name AS (specification)` of a WINDOW clause."""

    name: Identifier
    specification: WindowSpecification


@node
class WindowCall(_Node):
    """`call [IGNORE NULLS] OVER window`, which is a name or a specification. RESPECT NULLS is the default."""

    call: Call
    window: Identifier | WindowSpecification
    ignore_nulls: bool = False


Expression: TypeAlias = (
    Constant
    | DefaultValue
    | Parameter
    | ColumnName
    | Unary
    | Binary
    | Logical
    | IsPredicate
    | DistinctPredicate
    | Between
    | InPredicate
    | LikePredicate
    | CaseExpression
    | CastExpression
    | Call
    | Row
    | ScalarQuery
    | Exists
    | QuantifiedComparison
    | WindowCall
)


# --- queries ----------------------------------------------------------------------------------------------------------


@node
class SelectItem(_Node):
    """One item of a select list; the alias is None where none was written."""

    expression: Expression | Star
    alias: Identifier | None


@node
class TableName(_Node):
    """A table, a view or a CTE by name. `column_aliases` are those of `t AS x(a, b)`."""

    name: Identifier
    alias: Identifier | None
    column_aliases: tuple[Identifier, ...] = ()


@node
class FileTable(_Node):
    """`FROM 'path.parquet'`, a string that may hold `*`, or `FROM ?`."""

    path: Constant | Parameter
    alias: Identifier | None
    column_aliases: tuple[Identifier, ...] = ()


@node
class TableFunction(_Node):
    """`FROM range(10)`."""

    name: Identifier
    arguments: tuple[Expression, ...]
    alias: Identifier | None
    column_aliases: tuple[Identifier, ...] = ()


@node
class DerivedTable(_Node):
    """`FROM (SELECT ...) AS x(a, b)`; VALUES in FROM is a derived table, too. The alias may be missing.

    A `lateral` one sees the tables to its left.
    """

    query: QueryExpression
    alias: Identifier | None
    column_aliases: tuple[Identifier, ...] = ()
    lateral: bool = False


class JoinKind(Enum):
    """The words before JOIN. A comma is CROSS."""

    INNER = "INNER"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    CROSS = "CROSS"


@node
class JoinedTable(_Node):
    """`left kind JOIN right`; at most one of `condition`, `using` and `natural` is given, none with CROSS."""

    kind: JoinKind
    left: TableReference
    right: TableReference
    condition: Expression | None = None
    using: tuple[Identifier, ...] = ()
    natural: bool = False


TableReference: TypeAlias = TableName | FileTable | TableFunction | DerivedTable | JoinedTable


@node
class OrderItem(_Node):
    """One item of ORDER BY; `nulls_first` is None where it is not written."""

    expression: Expression
    descending: bool
    nulls_first: bool | None


@node
class JoinTreeTable(_Node):
    """A table of a JOIN_TREE hint: an alias of the FROM, and for a table in a derived table the way to it."""

    path: tuple[Identifier, ...]


@node
class JoinTreePair(_Node):
    """A join of a JOIN_TREE hint."""

    left: JoinTree
    right: JoinTree


JoinTree: TypeAlias = JoinTreeTable | JoinTreePair


@node
class JoinValidation(_Node):
    """A VALIDATE hint: how many rows of two tables of the FROM may meet, as `1:1` or `1:m`."""

    left: Identifier
    right: Identifier
    kind: str


class GroupingKind(Enum):
    """What stands for several keys, or for several sets of keys, in GROUP BY. SET is `(a, b)` or `()`."""

    SET = "SET"
    ROLLUP = "ROLLUP"
    CUBE = "CUBE"
    GROUPING_SETS = "GROUPING SETS"


@node
class GroupingSets(_Node):
    """`(a, b)`, ROLLUP (...), CUBE (...) or GROUPING SETS (...); the elements of a SET are expressions."""

    kind: GroupingKind
    elements: tuple[GroupingElement, ...]


GroupingElement: TypeAlias = Expression | GroupingSets


@node
class GroupBy(_Node):
    """GROUP BY [DISTINCT] elements, or GROUP BY ALL, which has none."""

    elements: tuple[GroupingElement, ...]
    distinct: bool = False
    all: bool = False


@node
class QueryBlock(_Node):
    """SELECT ... FROM ... WHERE ... GROUP BY ... HAVING ... WINDOW ... QUALIFY.

    `join_tree` and `validations` are what hints after SELECT ask for.
    """

    distinct: bool
    items: tuple[SelectItem, ...]
    from_: TableReference | None
    where: Expression | None
    group_by: GroupBy | None
    having: Expression | None
    windows: tuple[NamedWindow, ...] = ()
    qualify: Expression | None = None
    join_tree: JoinTree | None = None
    validations: tuple[JoinValidation, ...] = ()


@node
class Values(_Node):
    """VALUES (a, b), (c, d). Rows may differ in length here; the resolver complains."""

    rows: tuple[tuple[Expression, ...], ...]


class SetOperator(Enum):
    """The set operations."""

    UNION = "UNION"
    INTERSECT = "INTERSECT"
    EXCEPT = "EXCEPT"


@node
class SetOperation(_Node):
    """`left UNION [ALL] [BY NAME] right`, left-associative, INTERSECT binding tighter.

    A long UNION chain is deep on the left.
    """

    operator: SetOperator
    all: bool
    left: QueryTerm
    right: QueryTerm
    by_name: bool = False


QueryTerm: TypeAlias = "QueryBlock | Values | SetOperation | QueryExpression"


@node
class CommonTable(_Node):
    """One `name(columns) AS [[NOT] MATERIALIZED] (query)` of a WITH; `materialized` is None where nothing is said."""

    name: Identifier
    columns: tuple[Identifier, ...]
    query: QueryExpression
    materialized: bool | None = None


@node
class QueryExpression(_Node):
    """[WITH [RECURSIVE] ...] term [ORDER BY ...] [LIMIT ...] [OFFSET ...].

    A QueryTerm itself where it stands in parentheses.
    """

    with_: tuple[CommonTable, ...]
    term: QueryTerm
    order_by: tuple[OrderItem, ...]
    limit: Expression | None
    offset: Expression | None
    recursive: bool = False
