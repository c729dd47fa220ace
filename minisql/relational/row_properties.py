"""What is certain of the rows of an expression: how many there are, what tells them apart, where no NULL can be, and
whether they are the same when they are computed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from minisql.catalog.table import Key
from minisql.datatypes import TypeKind
from minisql.expression.equalities import is_equality
from minisql.expression.nodes import (
    AggregateCall,
    And,
    Arithmetic,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Literal,
    Negate,
    Not,
    Or,
)
from minisql.expression.nulls import rejects_nulls
from minisql.expression.walk import children, columns_of, tables_of
from minisql.node_set import single
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    ApplyType,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    JoinType,
    Limit,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
)
from minisql.relational.rewriting import has_volatile_expression


def has_one_row(node: RelationalExpression) -> bool:
    """Whether the node has exactly one row, whatever is in the tables."""
    match node:
        case OneRow() | SingleRow():
            return True
        case Aggregate():
            return not node.keys and len(node.sets) <= 1
        case Values():
            return len(node.rows) == 1
        case Project() | Sort() | JoinOrder() | Window():
            return has_one_row(node.input)
        case Join():
            return node.type in (JoinType.INNER, JoinType.LEFT, JoinType.FULL) and (
                has_one_row(node.left)
                and has_one_row(node.right)
                and not (node.type in (JoinType.INNER, JoinType.FULL) and node.conditions)
            )
        case Apply():
            return node.type in (ApplyType.SINGLE, ApplyType.MARK) and has_one_row(node.left)
        case SharedScan():
            return has_one_row(node.shared.input)
        case BaseTable() | Filter() | SetOperation() | Limit() | WorkingTable() | RecursiveUnion():
            return False
        case _:
            assert_never(node)


def has_at_most_one_row(node: RelationalExpression, conditions: Iterable[Expression]) -> bool:
    """Whether at most one row of the node fulfils the conditions, for any values of what else they read."""
    tables = output_tables(node)
    fixed: set[ColumnId] = set()
    not_null: set[ColumnId] = set()
    for condition in conditions:
        if is_equality(condition) or (isinstance(condition, IsDistinctFrom) and condition.negated):
            for side, other in ((condition.left, condition.right), (condition.right, condition.left)):
                if isinstance(side, ColumnRef) and tables >> side.column.table & 1 and not tables_of(other) & tables:
                    fixed.add(side.column)
                    if is_equality(condition):
                        not_null.add(side.column)
    return _is_unique(node, fixed, not_null)


def is_unique(node: RelationalExpression, columns: Iterable[ColumnId]) -> bool:
    """Whether no two rows of the node agree in all the columns, two NULLs counting as equal."""
    return _is_unique(node, set(columns), set())


def _is_unique(node: RelationalExpression, fixed: set[ColumnId], not_null: set[ColumnId]) -> bool:
    """Whether at most one row of the node has given values in the columns, which are not NULL in some of them."""
    if has_one_row(node):
        return True
    match node:
        case BaseTable():
            return any(_is_fixed(key, node.table, fixed, not_null) for key in node.source.keys)
        case Aggregate():
            return not node.sets and fixed >= {ColumnId(node.table, place) for place in range(len(node.keys))}
        case Project():
            below = {
                ColumnId(node.table, place): expression.column
                for place, expression in enumerate(node.expressions)
                if ColumnId(node.table, place) in fixed and isinstance(expression, ColumnRef)
            }
            known = {old for new, old in below.items() if new in not_null}
            return _is_unique(node.input, set(below.values()), known)
        case Filter(input=Window() as window) if _is_first_of_partition(node, window, fixed):
            return True
        case Filter() | Sort() | JoinOrder() | Window():
            return _is_unique(node.input, fixed, not_null)
        case Limit():
            return (node.limit is not None and node.limit <= 1) or _is_unique(node.input, fixed, not_null)
        case Join():
            return _is_join_unique(node, fixed, not_null)
        case Apply():
            return node.type in (ApplyType.SINGLE, ApplyType.MARK) and _is_unique(node.left, fixed, not_null)
        case SetOperation():
            return not node.all and fixed >= {ColumnId(node.table, place) for place in range(len(node.types))}
        case Values():
            return len(node.rows) <= 1
        case SharedScan():
            of_shared = node.shared.columns
            shared_fixed, shared_not_null = (
                {of_shared[column.position] for column in columns if column.table == node.table}
                for columns in (fixed, not_null)
            )
            return _is_unique(node.shared.input, shared_fixed, shared_not_null)
        case OneRow() | SingleRow() | WorkingTable() | RecursiveUnion():
            return False
        case _:
            assert_never(node)


def _is_fixed(key: Key, table: int, fixed: set[ColumnId], not_null: set[ColumnId]) -> bool:
    """Whether the values identify a row by the key of a table, in which NULLs may stand more than once."""
    columns = {ColumnId(table, place) for place in key.columns}
    return columns <= fixed and (key.not_null or columns <= not_null)


def _is_join_unique(join: Join, fixed: set[ColumnId], not_null: set[ColumnId]) -> bool:
    """One side has at most one row, and that has at most one partner."""
    match join.type:
        case JoinType.SEMI | JoinType.ANTI:
            return _is_unique(join.left, fixed, not_null)
        case JoinType.FULL:
            return False
        case JoinType.LEFT:
            return _is_unique(join.left, fixed, not_null) and has_at_most_one_row(join.right, join.conditions)
        case JoinType.INNER:
            return (_is_unique(join.left, fixed, not_null) and has_at_most_one_row(join.right, join.conditions)) or (
                _is_unique(join.right, fixed, not_null) and has_at_most_one_row(join.left, join.conditions)
            )
        case _:
            assert_never(join.type)


def _is_first_of_partition(node: Filter, window: Window, fixed: set[ColumnId]) -> bool:
    """Whether the filter leaves one row of each partition, and the columns tell the partition."""
    for condition in node.conditions:
        match condition:
            case Comparison(operator="=" | "<=", left=ColumnRef() as number, right=Literal(value=1)):
                if number.column.table != window.table:
                    continue
                call = window.calls[number.column.position]
                keys = {key.column if isinstance(key, ColumnRef) else None for key in call.partition_by}
                if call.function.name == "row_number" and keys <= fixed:
                    return True
    return False


def is_never_null(expression: Expression, left: RelationalExpression, right: RelationalExpression) -> bool:
    """Whether an expression over a row of each node is never NULL."""
    match expression:
        case Literal():
            return expression.value is not None
        case ColumnRef(column=column):
            return column_is_never_null(column, left if output_tables(left) >> column.table & 1 else right)
        case Coalesce():
            return any(is_never_null(operand, left, right) for operand in expression.operands)
        case Comparison() | Arithmetic() | Negate() | Cast() | And() | Or() | Not():
            return all(is_never_null(operand, left, right) for operand in children(expression))
        case IsDistinctFrom() | IsNull() | IsTruth():
            return True
        case _:
            return False  # NULL may come from a CASE, a function, or a query further out


def column_is_never_null(column: ColumnId, node: RelationalExpression) -> bool:
    """Whether no row of the node has NULL in the column: the table has none, or a filter lets none through."""
    match node:
        case BaseTable():
            return node.source.column_statistics(column.position).null_fraction == 0.0
        case Values():
            return False
        case Filter():
            own = single(column.table)
            rejected = any(
                columns_of(condition) == {column} and rejects_nulls(condition, own) for condition in node.conditions
            )
            return rejected or column_is_never_null(column, node.input)
        case Join():
            if not output_tables(node.right) >> column.table & 1:
                return node.type is not JoinType.FULL and column_is_never_null(column, node.left)
            return node.type is JoinType.INNER and column_is_never_null(column, node.right)
        case Apply():
            if output_tables(node.left) >> column.table & 1:
                return column_is_never_null(column, node.left)
            return False
        case Project():
            return is_never_null(node.expressions[column.position], node.input, node.input)
        case Aggregate():
            if column.position >= len(node.keys):
                return node.aggregates[column.position - len(node.keys)].name == "count"
            return not node.sets and is_never_null(node.keys[column.position], node.input, node.input)
        case SetOperation():
            return column_is_never_null(node.left_columns[column.position], node.left) and column_is_never_null(
                node.right_columns[column.position], node.right
            )
        case Window():
            return column.table != node.table and column_is_never_null(column, node.input)
        case JoinOrder() | Sort() | Limit():
            return column_is_never_null(column, node.input)
        case SharedScan():
            return column_is_never_null(node.shared.columns[column.position], node.shared.input)
        case OneRow() | SingleRow() | WorkingTable() | RecursiveUnion():
            return False
        case _:
            assert_never(node)


_EXACT: Final = frozenset(("count", "min", "max", "bool_and", "bool_or"))
_SUMS: Final = frozenset(("sum", "avg"))
_RANKS: Final = frozenset(("rank", "dense_rank", "percent_rank", "cume_dist", "count", "min", "max"))


def is_repeatable(node: RelationalExpression) -> bool:
    """Whether the node gives the same rows when another plan computes them once more.

    LIMIT may let other rows through, ties may be numbered in another way, and a sum of DOUBLEs rounded in another way;
    what is volatile has other values.
    """
    if has_volatile_expression(node):
        return False
    match node:
        case BaseTable() | Values() | OneRow() | WorkingTable():
            return True
        case Limit():
            return False
        case SharedScan():
            return node.shared.materialized is True or is_repeatable(node.shared.input)
        case RecursiveUnion():
            return is_repeatable(node.anchor) and is_repeatable(node.step)
        case Window():
            return all(call.function.name in _RANKS for call in node.calls) and is_repeatable(node.input)
        case Aggregate():
            return all(map(_is_repeatable_aggregate, node.aggregates)) and is_repeatable(node.input)
        case Join() | Apply() | SetOperation():
            return is_repeatable(node.left) and is_repeatable(node.right)
        case JoinOrder() | Filter() | Project() | Sort() | SingleRow():
            return is_repeatable(node.input)
        case _:
            assert_never(node)


def _is_repeatable_aggregate(call: AggregateCall) -> bool:
    return call.name in _EXACT or (call.name in _SUMS and call.type.kind is not TypeKind.DOUBLE)
