"""The parse trees of statements: queries, and everything that is none. See `parse_tree` for what holds of all nodes."""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from minisql.errors import Span
from minisql.node import node
from minisql.parser.parse_tree import (
    Constant,
    Expression,
    Identifier,
    JoinTree,
    Parameter,
    QueryExpression,
    SelectItem,
    TableName,
    TableReference,
    TypeName,
)


@node
class _Node:
    span: Span


# --- definitions ------------------------------------------------------------------------------------------------------


@node
class Constraint(_Node):
    """What all constraints have: the name after CONSTRAINT, None where there is none."""

    name: Identifier | None


@node
class NotNull(Constraint):
    """NOT NULL of a column; `negated` is NULL, which says that there is no NOT NULL."""

    negated: bool = False


@node
class ColumnDefault(Constraint):
    """DEFAULT value of a column."""

    value: Expression


@node
class Key(Constraint):
    """PRIMARY KEY or UNIQUE; `columns` are empty behind a column, which is meant then."""

    is_primary: bool
    columns: tuple[Identifier, ...]


@node
class Check(Constraint):
    """CHECK (condition)."""

    condition: Expression


@node
class ForeignKey(Constraint):
    """[FOREIGN KEY (columns)] REFERENCES parent [(parent_columns)]; `columns` as in `Key`."""

    columns: tuple[Identifier, ...]
    parent: Identifier
    parent_columns: tuple[Identifier, ...]


ColumnConstraint: TypeAlias = NotNull | ColumnDefault | Key | Check | ForeignKey
TableConstraint: TypeAlias = Key | Check | ForeignKey


@node
class ColumnDefinition(_Node):
    """`name type constraints` of CREATE TABLE or ADD COLUMN."""

    name: Identifier
    type: TypeName
    constraints: tuple[ColumnConstraint, ...] = ()


@node
class CreateTable(_Node):
    """CREATE TABLE [IF NOT EXISTS] name (columns) or name AS query: exactly one of `columns` and `query` is given."""

    name: Identifier
    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[TableConstraint, ...]
    query: QueryExpression | None
    if_not_exists: bool
    or_replace: bool


@node
class CreateView(_Node):
    """CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [(columns)] AS query."""

    name: Identifier
    columns: tuple[Identifier, ...]
    query: QueryExpression
    if_not_exists: bool
    or_replace: bool


@node
class CreateIndex(_Node):
    """CREATE [UNIQUE] INDEX [IF NOT EXISTS] [name] ON table (columns)."""

    name: Identifier | None
    table: Identifier
    columns: tuple[Identifier, ...]
    unique: bool
    if_not_exists: bool


@node
class Drop(_Node):
    """DROP TABLE|VIEW|INDEX [IF EXISTS] name; `kind` is TABLE, VIEW or INDEX."""

    kind: str
    name: Identifier
    if_exists: bool


@node
class AddColumn(_Node):
    """ADD [COLUMN] [IF NOT EXISTS] column."""

    column: ColumnDefinition
    if_not_exists: bool


@node
class AddConstraint(_Node):
    """ADD constraint."""

    constraint: TableConstraint


@node
class DropPart(_Node):
    """DROP COLUMN or DROP CONSTRAINT [IF EXISTS] name; `kind` is COLUMN or CONSTRAINT."""

    kind: str
    name: Identifier
    if_exists: bool


@node
class RenameColumn(_Node):
    """RENAME [COLUMN] old TO new."""

    old: Identifier
    new: Identifier


@node
class RenameTable(_Node):
    """RENAME TO new."""

    new: Identifier


@node
class ChangeType(_Node):
    """ALTER [COLUMN] column TYPE type [USING value]."""

    column: Identifier
    type: TypeName
    using: Expression | None


@node
class ChangeDefault(_Node):
    """ALTER [COLUMN] column SET DEFAULT value, or DROP DEFAULT where `value` is None."""

    column: Identifier
    value: Expression | None


@node
class ChangeNotNull(_Node):
    """ALTER [COLUMN] column SET NOT NULL, or DROP NOT NULL where not `not_null`."""

    column: Identifier
    not_null: bool


TableChange: TypeAlias = (
    AddColumn | AddConstraint | DropPart | RenameColumn | RenameTable | ChangeType | ChangeDefault | ChangeNotNull
)


@node
class AlterTable(_Node):
    """ALTER TABLE [IF EXISTS] name change."""

    name: Identifier
    if_exists: bool
    change: TableChange


# --- changes of data --------------------------------------------------------------------------------------------------


@node
class Assignment(_Node):
    """`column = value` of SET."""

    column: Identifier
    value: Expression


@node
class OnConflict(_Node):
    """ON CONFLICT [(columns)] DO NOTHING, or DO UPDATE SET `assignments` [WHERE].

    INSERT OR IGNORE is DO NOTHING, `replaces` is INSERT OR REPLACE.
    """

    columns: tuple[Identifier, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    where: Expression | None = None
    replaces: bool = False


@node
class Insert(_Node):
    """INSERT INTO table [(columns)] query; VALUES is a query, and None is DEFAULT VALUES."""

    table: TableName
    columns: tuple[Identifier, ...]
    query: QueryExpression | None
    on_conflict: OnConflict | None = None
    returning: tuple[SelectItem, ...] = ()


@node
class Update(_Node):
    """UPDATE table SET assignments [FROM from_] [WHERE]."""

    table: TableName
    assignments: tuple[Assignment, ...]
    from_: TableReference | None
    where: Expression | None
    returning: tuple[SelectItem, ...] = ()


@node
class Delete(_Node):
    """DELETE FROM table [USING using] [WHERE]."""

    table: TableName
    using: TableReference | None
    where: Expression | None
    returning: tuple[SelectItem, ...] = ()


@node
class Truncate(_Node):
    """TRUNCATE [TABLE] name."""

    name: Identifier


@node
class CopyOption(_Node):
    """One of `(FORMAT csv, HEADER)`: the name in lower case, and the value if there is one."""

    name: str
    value: Constant | Parameter | None


@node
class CopyTo(_Node):
    """COPY table [(columns)] TO, or COPY (query) TO 'path': the table is the query SELECT columns FROM table."""

    query: QueryExpression
    path: Constant | Parameter
    options: tuple[CopyOption, ...]


@node
class CopyFrom(_Node):
    """COPY table [(columns)] FROM 'path'."""

    table: TableName
    columns: tuple[Identifier, ...]
    path: Constant | Parameter
    options: tuple[CopyOption, ...]


# --- others -----------------------------------------------------------------------------------------------------------


@node
class Describe(_Node):
    """DESCRIBE table or DESCRIBE query, of which the table is the query SELECT * FROM table."""

    query: QueryExpression
    table: Identifier | None


@node
class ShowTables(_Node):
    """SHOW TABLES."""


@node
class Transaction(_Node):
    """BEGIN or START TRANSACTION, COMMIT or END, ROLLBACK; `action` is BEGIN, COMMIT or ROLLBACK."""

    action: str


@node
class SetVariable(_Node):
    """SET name = value (or TO value); a bare word is the string of it. `value` None is SET name = DEFAULT."""

    name: Identifier
    value: Constant | Parameter | None


@node
class Prepare(_Node):
    """PREPARE name AS statement; `parameters` are those of the statement."""

    name: Identifier
    statement: QueryExpression | Insert | Update | Delete
    parameters: tuple[Parameter, ...]


@node
class Execute(_Node):
    """EXECUTE name [(values)]."""

    name: Identifier
    values: tuple[Expression, ...]


@node
class Deallocate(_Node):
    """DEALLOCATE [PREPARE] name."""

    name: Identifier


@node
class Explain(_Node):
    """EXPLAIN [ANALYZE] [FORMAT=word] statement, and what else is asked about it.

    Attributes:
        statement: the statement that is explained.
        analyze: whether it is run.
        format: FORMAT's word in upper case, or the word for what is asked: TREE without any; HTML, HYPERGRAPH, ORDERS,
            TRACE, WHY NOT, ALTERNATIVES.
        format_span: where that stands.
        order: the tree of WHY NOT.
        count: the number of ALTERNATIVES, where one is given.
    """

    statement: Explained
    analyze: bool = False
    format: str = "TREE"
    format_span: Span | None = field(default=None)
    order: JoinTree | None = None
    count: int | None = None


Explained: TypeAlias = QueryExpression | Insert | Update | Delete
Definition: TypeAlias = CreateTable | CreateView | CreateIndex | Drop | AlterTable
DataChange: TypeAlias = Insert | Update | Delete | Truncate | CopyFrom
Preparation: TypeAlias = Prepare | Execute | Deallocate
Statement: TypeAlias = (
    QueryExpression
    | Definition
    | DataChange
    | CopyTo
    | Describe
    | ShowTables
    | Transaction
    | SetVariable
    | Explain
    | Preparation
)
