"""Turns a resolved query into the relational expression that it means, literally: nothing is moved or simplified.

FROM -> WHERE -> GROUP BY and aggregates -> HAVING -> window functions -> QUALIFY -> select list -> DISTINCT -> ORDER BY
-> LIMIT
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from minisql.errors import NotSupportedError
from minisql.expression.nodes import ColumnId, ColumnRef, Expression, OuterReference
from minisql.expression.walk import conjuncts, tables_of, transform, walk
from minisql.node_set import EMPTY, NodeSet, is_subset, node_set, overlaps, single
from minisql.parser.parse_tree import JoinKind
from minisql.query_block import query_block
from minisql.query_block.query_block import (
    Casts,
    CommonQuery,
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
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SetOperator,
    Shared,
    SharedScan,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
)
from minisql.relational.renumber import with_own_number
from minisql.relational.rewriting import has_volatile_expression, nodes_of, outer_columns

Conditions = tuple[Expression, ...]

_JOIN_TYPES = {
    JoinKind.INNER: JoinType.INNER,
    JoinKind.CROSS: JoinType.INNER,
    JoinKind.LEFT: JoinType.LEFT,
    JoinKind.RIGHT: JoinType.LEFT,
    JoinKind.FULL: JoinType.FULL,
}
_APPLY_TYPES = {JoinKind.INNER: ApplyType.INNER, JoinKind.CROSS: ApplyType.INNER, JoinKind.LEFT: ApplyType.LEFT}


def relational_expression(query: QueryExpression, new_table: Callable[[], int]) -> RelationalExpression:
    """The relational expression of a query; the query's columns are `ColumnId(query.table, 0..)` in it.

    `new_table` gives table numbers that the query has not.
    """
    return _query(query, "", _Translation(new_table))


class _Translation:
    """The state of a translation: where new numbers come from, and what common queries became so far."""

    def __init__(self, new_table: Callable[[], int]) -> None:
        self.new_table = new_table
        self.shared: dict[CommonQuery, Shared] = {}


def _query(query: QueryExpression, alias: str, translation: _Translation) -> RelationalExpression:
    result = _term(query.term, alias, translation)
    if query.order_by:
        result = Sort(input=result, keys=query.order_by)
    if query.limit is not None or query.offset:
        result = Limit(input=result, limit=query.limit, offset=query.offset)
    return result


def _term(term: QueryTerm, alias: str, translation: _Translation) -> RelationalExpression:
    match term:
        case QueryBlock():
            return _block(term, alias, translation)
        case query_block.Values():
            return Values(table=term.table, alias=alias, names=term.names, types=term.types, rows=term.rows)
        case query_block.SetOperation():
            return _set_operation(term, translation)
        case query_block.RecursiveUnion():
            return _recursive_union(term, translation)
        case QueryExpression():
            return _query(term, alias, translation)
        case _:
            assert_never(term)


def _block(block: QueryBlock, alias: str, translation: _Translation) -> RelationalExpression:
    result = OneRow() if block.from_ is None else _from(block.from_, translation)
    # Conditions without subqueries come first: no subquery is asked about a row that fails them.
    first, then = _split(block.where, block.input_subqueries)
    result = _filtered(result, first)
    if block.order:
        result = JoinOrder(input=result, joins=block.order, names=table_names(block))
    result = _filtered(_apply(result, block.input_subqueries, translation), then)
    if block.grouping is not None:
        grouping = block.grouping
        result = Aggregate(
            table=grouping.table,
            input=result,
            keys=grouping.keys,
            aggregates=grouping.aggregates,
            sets=grouping.sets,
        )
    first, then = _split(block.having, block.subqueries)
    below, above = _around_windows(block)
    result = _filtered(_apply(_filtered(result, first), below, translation), then)
    if block.windows is not None:
        result = Window(table=block.windows.table, input=result, calls=block.windows.calls)
    result = _filtered(_apply(result, above, translation), conjuncts(block.qualify))
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


def _as_seen_from_right(subquery: Subquery, left: NodeSet) -> Subquery:
    """The subquery with outer references to the left side of a join in its comparison, as they are in its query."""

    def change(part: Expression) -> Expression:
        if isinstance(part, ColumnRef) and left >> part.column.table & 1:
            return OuterReference(column=part.column, name=part.name, type=part.type, span=part.span)
        return part

    if subquery.comparison is None:
        return subquery
    return replace(subquery, comparison=transform(subquery.comparison, change))


def _around_windows(block: QueryBlock) -> tuple[list[Subquery], list[Subquery]]:
    """The subqueries of the select list that windows may read, and those that compare what windows give."""
    below: list[Subquery] = []
    above: list[Subquery] = []
    late = EMPTY if block.windows is None else single(block.windows.table)
    for subquery in block.subqueries:
        if subquery.comparison is not None and overlaps(tables_of(subquery.comparison), late):
            above.append(subquery)
            late = NodeSet(late | single(subquery.table))
        else:
            below.append(subquery)
    return below, above


def _split(condition: Expression | None, subqueries: Sequence[Subquery]) -> tuple[Conditions, Conditions]:
    """The conjuncts that read none of the subqueries, and those that do."""
    conditions = conjuncts(condition)
    if not subqueries:
        return conditions, ()
    values = node_set(subquery.table for subquery in subqueries)
    first = tuple([each for each in conditions if not overlaps(tables_of(each), values)])
    return first, tuple([each for each in conditions if each not in first])


def _filtered(result: RelationalExpression, conditions: Conditions) -> RelationalExpression:
    return Filter(input=result, conditions=conditions) if conditions else result


def _apply(
    result: RelationalExpression, subqueries: Iterable[Subquery], translation: _Translation
) -> RelationalExpression:
    """The rows beside the values of subqueries."""
    for subquery in subqueries:
        is_scalar = subquery.kind is SubqueryKind.SCALAR
        result = Apply(
            type=ApplyType.SINGLE if is_scalar else ApplyType.MARK,
            left=result,
            right=_query(subquery.query, "", translation),
            mark=None if is_scalar else subquery.table,
            comparison=subquery.comparison,
            span=subquery.span,
        )
    return result


def _set_operation(term: query_block.SetOperation, translation: _Translation) -> RelationalExpression:
    left, left_table = _operand(term.left, term.left_casts, translation)
    right, right_table = _operand(term.right, term.right_casts, translation)
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


def _recursive_union(term: query_block.RecursiveUnion, translation: _Translation) -> RelationalExpression:
    anchor, anchor_table = _operand(term.anchor, term.anchor_casts, translation)
    step, step_table = _operand(term.step, term.step_casts, translation)
    width = range(len(term.names))
    return RecursiveUnion(
        table=term.table,
        name=term.name,
        all=term.all,
        anchor=anchor,
        step=step,
        anchor_columns=tuple(ColumnId(anchor_table, position) for position in width),
        step_columns=tuple(ColumnId(step_table, position) for position in width),
        names=term.names,
        types=term.types,
        span=term.span,
    )


def _common(use: query_block.DerivedTable, common: CommonQuery, translation: _Translation) -> RelationalExpression:
    """A use of a common query: the query itself where it is the only one."""
    if common.uses == 1 and common.materialized is not True:
        return with_own_number(_query(common.query, use.alias, translation), common.query.table, use.table)
    if common not in translation.shared:
        input_ = _query(common.query, common.name, translation)
        # Each use is to see the same random numbers.
        is_volatile = any(map(has_volatile_expression, nodes_of(input_)))
        translation.shared[common] = Shared(
            name=common.name,
            input=input_,
            columns=tuple(ColumnId(common.query.table, position) for position in range(len(common.names))),
            names=common.names,
            types=common.query.types,
            materialized=True if is_volatile else common.materialized,
        )
    return SharedScan(table=use.table, alias=use.alias, shared=translation.shared[common])


def _operand(term: QueryTerm, casts: Casts | None, translation: _Translation) -> tuple[RelationalExpression, int]:
    operand = _term(term, "", translation)
    if casts is None:
        return operand, term.table
    names = ("",) * len(casts.expressions)
    project = Project(table=casts.table, alias="", input=operand, names=names, expressions=casts.expressions)
    return project, casts.table


def _from(tree: FromTree, translation: _Translation) -> RelationalExpression:
    match tree:
        case query_block.TableUse():
            return BaseTable(table=tree.table, alias=tree.alias, source=tree.source, span=tree.span)
        case query_block.DerivedTable():
            if tree.common is not None:
                return _common(tree, tree.common, translation)
            return _query(tree.query, tree.alias, translation)
        case query_block.WorkingTable():
            return WorkingTable(
                table=tree.table, alias=tree.alias, recursion=tree.recursion, names=tree.names, types=tree.types
            )
        case query_block.JoinedTable():
            left, right = _from(tree.left, translation), _from(tree.right, translation)
            if tree.subqueries:
                return _join_with_subqueries(tree, left, right, translation)
            if tree.lateral:
                return Apply(type=_APPLY_TYPES[tree.kind], left=left, right=right, conditions=conjuncts(tree.condition))
            if tree.kind is JoinKind.RIGHT:
                left, right = right, left
            return Join(type=_JOIN_TYPES[tree.kind], left=left, right=right, conditions=conjuncts(tree.condition))
        case _:
            assert_never(tree)


def _join_with_subqueries(
    tree: JoinedTable, left: RelationalExpression, right: RelationalExpression, translation: _Translation
) -> RelationalExpression:
    """A join whose condition has subqueries.

    The condition of an inner join is a filter above it. Of an outer join, a subquery is applied to the side that it
    refers to, before the join. Where it refers to both sides of a left join, the right side becomes LATERAL; for a full
    join see `full_join_subqueries`.
    """
    if tree.kind is JoinKind.INNER:
        product: RelationalExpression
        if tree.lateral:
            product = Apply(type=ApplyType.INNER, left=left, right=right)
        else:
            product = Join(type=JoinType.INNER, left=left, right=right, conditions=())
        return Filter(input=_apply(product, tree.subqueries, translation), conditions=conjuncts(tree.condition))
    if tree.kind is JoinKind.RIGHT:
        left, right = right, left
    lateral = tree.lateral
    for subquery in tree.subqueries:
        read = node_set(column.column.table for column in _columns_read(subquery, translation))
        if not overlaps(read, output_tables(left)):
            right = _apply(right, (subquery,), translation)
        elif not overlaps(read, output_tables(right)):
            left = _apply(left, (subquery,), translation)
        elif tree.kind is JoinKind.FULL:
            return _full_join_of_pairs(tree, translation)
        else:
            right = _apply(right, (_as_seen_from_right(subquery, output_tables(left)),), translation)
            lateral = True
    conditions = conjuncts(tree.condition)
    if tree.kind is not JoinKind.FULL:
        # A condition on the side that may be padded is one on its rows.
        right_tables = output_tables(right)
        on_right = tuple([each for each in conditions if tables_of(each) and is_subset(tables_of(each), right_tables)])
        right = _filtered(right, on_right)
        conditions = tuple([each for each in conditions if each not in on_right])
    if lateral:
        return Apply(type=ApplyType.LEFT, left=left, right=right, conditions=conditions)
    return Join(type=_JOIN_TYPES[tree.kind], left=left, right=right, conditions=conditions)


def _full_join_of_pairs(tree: JoinedTable, translation: _Translation) -> RelationalExpression:
    """A full join with a subquery about both sides.

    Raises:
        NotSupportedError: a side is not the same when it is computed twice.
    """
    from minisql.relational.full_join_subqueries import full_join_of_pairs  # which few statements need

    left, right = _from(tree.left, translation), _from(tree.right, translation)
    product = Join(type=JoinType.INNER, left=left, right=right, conditions=())
    if any(map(has_volatile_expression, nodes_of(product))):
        raise NotSupportedError(
            "A side of this FULL JOIN has other values whenever it is computed, and a subquery in ON refers to it.",
            tree.subqueries[0].span,
            hint="Put the side into a common table expression AS MATERIALIZED.",
        )
    first, then = _split(tree.condition, tree.subqueries)
    matches = _filtered(_apply(_filtered(product, first), tree.subqueries, translation), then)
    tables = output_tables(product)
    read = [column for subquery in tree.subqueries for column in _columns_read(subquery, translation)]
    if tree.condition is not None:
        read += [part for part in walk(tree.condition) if isinstance(part, ColumnRef)]
    columns = {column.column: column for column in read if overlaps(single(column.column.table), tables)}
    return full_join_of_pairs(left, right, matches, columns.values(), translation.new_table)


def _columns_read(subquery: Subquery, translation: _Translation) -> list[ColumnRef]:
    """The columns of queries around that a subquery reads, as columns, those of its comparison included."""
    outer = outer_columns(_query(subquery.query, "", _Translation(translation.new_table))).values()
    read = [ColumnRef(column=each.column, name=each.name, type=each.type) for each in outer]
    if subquery.comparison is not None:
        read += [part for part in walk(subquery.comparison) if isinstance(part, ColumnRef)]
    return read
