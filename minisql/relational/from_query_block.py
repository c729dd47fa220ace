"""Turns a resolved query into the relational expression that it means, literally: nothing is moved or simplified.

FROM -> WHERE -> GROUP BY and aggregates -> HAVING -> window functions -> QUALIFY -> select list -> DISTINCT -> ORDER BY
-> LIMIT
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from minisql.errors import NotSupportedError
from minisql.expression.nodes import ColumnId, ColumnRef
from minisql.expression.walk import conjuncts, tables_of
from minisql.node_set import NodeSet, overlaps
from minisql.parser.parse_tree import JoinKind
from minisql.query_block import query_block
from minisql.query_block.query_block import (
    Casts,
    FromTree,
    JoinedTable,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    Subquery,
    SubqueryKind,
)
from minisql.query_block.table_names import table_names
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
    RelationalExpression,
    SetOperation,
    SetOperator,
    Sort,
    Values,
    Window,
    output_tables,
)
from minisql.relational.rewriting import tables_of_outer_references

_JOIN_TYPES = {
    JoinKind.INNER: JoinType.INNER,
    JoinKind.CROSS: JoinType.INNER,
    JoinKind.LEFT: JoinType.LEFT,
    JoinKind.RIGHT: JoinType.LEFT,
    JoinKind.FULL: JoinType.FULL,
}
_APPLY_TYPES = {JoinKind.INNER: ApplyType.INNER, JoinKind.CROSS: ApplyType.INNER, JoinKind.LEFT: ApplyType.LEFT}


def relational_expression(query: QueryExpression) -> RelationalExpression:
    """The relational expression of a query; the query's columns are `ColumnId(query.table, 0..)` in it."""
    return _query(query, "")


def _query(query: QueryExpression, alias: str) -> RelationalExpression:
    result = _term(query.term, alias)
    if query.order_by:
        result = Sort(input=result, keys=query.order_by)
    if query.limit is not None or query.offset:
        result = Limit(input=result, limit=query.limit, offset=query.offset)
    return result


def _term(term: QueryTerm, alias: str) -> RelationalExpression:
    match term:
        case QueryBlock():
            return _block(term, alias)
        case query_block.Values():
            return Values(table=term.table, alias=alias, names=term.names, types=term.types, rows=term.rows)
        case query_block.SetOperation():
            return _set_operation(term)
        case QueryExpression():
            return _query(term, alias)
        case _:
            assert_never(term)


def _block(block: QueryBlock, alias: str) -> RelationalExpression:
    result = OneRow() if block.from_ is None else _from(block.from_)
    result = _apply(result, block.input_subqueries)
    if block.where is not None:
        result = Filter(input=result, conditions=conjuncts(block.where))
    if block.order:
        result = JoinOrder(input=result, joins=block.order, names=table_names(block))
    if block.grouping is not None:
        grouping = block.grouping
        result = Aggregate(table=grouping.table, input=result, keys=grouping.keys, aggregates=grouping.aggregates)
    result = _apply(result, block.subqueries)
    if block.having is not None:
        result = Filter(input=result, conditions=conjuncts(block.having))
    if block.windows is not None:
        result = Window(table=block.windows.table, input=result, calls=block.windows.calls)
    if block.qualify is not None:
        result = Filter(input=result, conditions=conjuncts(block.qualify))
    names = block.names + ("",) * (len(block.expressions) - len(block.names))
    project = Project(
        table=block.table if block.distinct_from is None else block.distinct_from,
        alias=alias,
        input=result,
        names=names,
        expressions=block.expressions,
    )
    if block.distinct_from is None:
        return project
    keys = tuple(
        ColumnRef(column=ColumnId(block.distinct_from, position), name=name, type=expression.type)
        for position, (name, expression) in enumerate(zip(block.names, block.expressions, strict=True))
    )
    return Aggregate(table=block.table, input=project, keys=keys, aggregates=())


def _apply(result: RelationalExpression, subqueries: Iterable[Subquery]) -> RelationalExpression:
    """The rows beside the values of subqueries."""
    for subquery in subqueries:
        is_scalar = subquery.kind is SubqueryKind.SCALAR
        result = Apply(
            type=ApplyType.SINGLE if is_scalar else ApplyType.MARK,
            left=result,
            right=_query(subquery.query, ""),
            mark=None if is_scalar else subquery.table,
            comparison=subquery.comparison,
            span=subquery.span,
        )
    return result


def _set_operation(term: query_block.SetOperation) -> RelationalExpression:
    left, left_table = _operand(term.left, term.left_casts)
    right, right_table = _operand(term.right, term.right_casts)
    width = range(len(term.names))
    return SetOperation(
        table=term.table,
        operator=SetOperator[term.operator.name],
        all=term.all,
        left=left,
        right=right,
        left_columns=tuple(ColumnId(left_table, position) for position in width),
        right_columns=tuple(ColumnId(right_table, position) for position in width),
        names=term.names,
        types=term.types,
    )


def _operand(term: QueryTerm, casts: Casts | None) -> tuple[RelationalExpression, int]:
    operand = _term(term, "")
    if casts is None:
        return operand, term.table
    names = ("",) * len(casts.expressions)
    project = Project(table=casts.table, alias="", input=operand, names=names, expressions=casts.expressions)
    return project, casts.table


def _from(tree: FromTree) -> RelationalExpression:
    match tree:
        case query_block.TableUse():
            return BaseTable(table=tree.table, alias=tree.alias, source=tree.source, span=tree.span)
        case query_block.DerivedTable():
            return _query(tree.query, tree.alias)
        case query_block.JoinedTable():
            left, right = _from(tree.left), _from(tree.right)
            if tree.subqueries:
                return _join_with_subqueries(tree, left, right)
            if tree.lateral:
                return Apply(type=_APPLY_TYPES[tree.kind], left=left, right=right, conditions=conjuncts(tree.condition))
            if tree.kind is JoinKind.RIGHT:
                left, right = right, left
            return Join(type=_JOIN_TYPES[tree.kind], left=left, right=right, conditions=conjuncts(tree.condition))
        case _:
            assert_never(tree)


def _join_with_subqueries(
    tree: JoinedTable, left: RelationalExpression, right: RelationalExpression
) -> RelationalExpression:
    """A join whose condition has subqueries.

    The condition of an inner join is a filter above it. Of an outer join, a subquery is applied to the side that it
    refers to, before the join.

    Raises:
        NotSupportedError: a subquery in the condition of an outer join refers to both sides.
    """
    if tree.kind is JoinKind.INNER:
        product: RelationalExpression
        if tree.lateral:
            product = Apply(type=ApplyType.INNER, left=left, right=right)
        else:
            product = Join(type=JoinType.INNER, left=left, right=right, conditions=())
        return Filter(input=_apply(product, tree.subqueries), conditions=conjuncts(tree.condition))
    left_tables, right_tables = output_tables(left), output_tables(right)
    for subquery in tree.subqueries:
        read = tables_of_outer_references(_query(subquery.query, ""))
        if subquery.comparison is not None:
            read = NodeSet(read | tables_of(subquery.comparison))
        if overlaps(read, left_tables) and overlaps(read, right_tables):
            raise NotSupportedError(
                f"A subquery in the condition of a {tree.kind.value} JOIN refers to both sides of it.",
                subquery.span,
                hint="Compute it on one side in a derived table, or let it refer to one side only.",
            )
        if overlaps(read, left_tables):
            left = _apply(left, (subquery,))
            left_tables = output_tables(left)
        else:
            right = _apply(right, (subquery,))
            right_tables = output_tables(right)
    if tree.kind is JoinKind.RIGHT:
        left, right = right, left
    if tree.lateral:
        return Apply(type=ApplyType.LEFT, left=left, right=right, conditions=conjuncts(tree.condition))
    return Join(type=_JOIN_TYPES[tree.kind], left=left, right=right, conditions=conjuncts(tree.condition))
