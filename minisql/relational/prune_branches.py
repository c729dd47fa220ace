"""Prunes branches that give no row, and the joins with them.

A filter on FALSE or NULL, LIMIT 0 and VALUES without rows are empty, and so is what is made of something empty:

                  left empty         right empty, or ON is never TRUE
    inner join    empty              empty
    left join     empty              the left rows beside NULLs
    full join     the right rows     the left rows beside NULLs (not where ON is never TRUE: then both sides' rows)
    semi join     empty              empty
    anti join     empty              the left rows
    UNION         the right rows     the left rows
    INTERSECT     empty              empty
    EXCEPT        empty              the left rows

and a subquery without rows is NULL as a value, FALSE as an EXISTS or IN. An aggregate without keys has its row always.

Where a join goes, references to the padded columns become NULL, which may decide conditions above: constants are folded
and branches pruned until nothing changes. The join stays, with an empty input, where its columns are asked for by
number. Joins whose order is prescribed stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import assert_never

from minisql.datatypes import BOOLEAN, SqlType
from minisql.expression.fold import is_never_true
from minisql.expression.nodes import ColumnRef, Expression, Literal, OuterReference
from minisql.expression.walk import transform
from minisql.node_set import EMPTY, NodeSet, members, single
from minisql.relational.columns import operand_columns
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
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
    with_inputs,
)
from minisql.relational.rewriting import nodes_of, rewritten, with_expressions

Fold = Callable[[RelationalExpression], RelationalExpression]


def prune_branches(expression: RelationalExpression, fold: Fold) -> RelationalExpression:
    """The same rows without branches that give none; the expression itself where there is none of them."""
    while True:
        pruned = _Pruner().node(expression, by_number=True)
        if pruned is expression:
            return expression
        expression = fold(pruned)


class _Pruner:
    """One run over a query, inputs first. Columns of the tables in `_null` became NULL, those in `_false` FALSE."""

    def __init__(self) -> None:
        self._null = EMPTY
        self._false = EMPTY

    def node(self, node: RelationalExpression, *, by_number: bool) -> RelationalExpression:
        """The node with everything below it pruned; `by_number` says that its columns are asked for by number."""
        match node:
            case BaseTable() | OneRow() | Values() | SharedScan() | WorkingTable():
                return self._read(node)
            case RecursiveUnion():
                anchor, step = self.node(node.anchor, by_number=True), self.node(node.step, by_number=True)
                return _empty(node) if _is_empty(anchor) else with_inputs(node, (anchor, step))
            case Join():
                return self._join(node, by_number)
            case Apply():
                return self._apply(node, by_number)
            case SetOperation():
                return self._set_operation(node)
            case Project() | Aggregate():
                return self._unary(node, by_number=False)
            case JoinOrder():
                return rewritten(node, self._read_expression) if self._null or self._false else node
            case Filter() | Sort() | Limit() | Window() | SingleRow():
                return self._unary(node, by_number=by_number)
            case _:
                assert_never(node)

    def _unary(
        self,
        old: Filter | Project | Aggregate | Window | Sort | Limit | SingleRow,
        *,
        by_number: bool,
    ) -> RelationalExpression:
        input_ = self.node(old.input, by_number=by_number)
        node = self._read(with_inputs(old, (input_,)))
        lets_none_through = (isinstance(node, Filter) and any(map(is_never_true, node.conditions))) or (
            isinstance(node, Limit) and node.limit == 0
        )
        if not lets_none_through and not _is_empty(input_):
            return node
        has_row_of_none = isinstance(node, SingleRow) or (
            isinstance(node, Aggregate) and (not node.keys or not all(node.sets))
        )
        return node if has_row_of_none else _empty(node)

    def _read(self, node: RelationalExpression) -> RelationalExpression:
        """The node over what columns became."""
        return with_expressions(node, self._read_expression) if self._null or self._false else node

    def _read_expression(self, expression: Expression) -> Expression:
        return transform(expression, self._became)

    def _became(self, part: Expression) -> Expression:
        if isinstance(part, ColumnRef | OuterReference):
            if self._null >> part.column.table & 1:
                return Literal(value=None, type=part.type, span=part.span)
            if self._false >> part.column.table & 1:
                return Literal(value=False, type=BOOLEAN, span=part.span)
        return part

    def _join(self, join: Join, by_number: bool) -> RelationalExpression:
        left, right = self.node(join.left, by_number=by_number), self.node(join.right, by_number=by_number)
        node = self._read(with_inputs(join, (left, right)))
        assert isinstance(node, Join)
        never = any(map(is_never_true, node.conditions))
        no_left, no_right = _is_empty(left), _is_empty(right) or (never and node.type is not JoinType.FULL)
        match node.type:
            case JoinType.INNER | JoinType.SEMI:
                if no_left or no_right:
                    return _empty(node)
                if node.conditions or by_number or not (isinstance(right, SingleRow) and _is_empty(right.input)):
                    return node
                no_right = True  # the value of a subquery without rows
            case JoinType.ANTI:
                return left if no_left or no_right else node
            case JoinType.LEFT:
                if no_left:
                    return _empty(node)
            case JoinType.FULL:
                if no_left and no_right:
                    return _empty(node)
                if no_left and not by_number:
                    self._null = NodeSet(self._null | output_tables(left))
                    return right
            case _:
                assert_never(node.type)
        return self._padded(node, by_number) if no_right else node

    def _padded(self, node: Join | Apply, by_number: bool) -> RelationalExpression:
        """The left rows beside NULLs."""
        if by_number:
            return with_inputs(node, (node.left, _empty(node.right)))
        self._null = NodeSet(self._null | output_tables(node.right))
        return node.left

    def _apply(self, apply: Apply, by_number: bool) -> RelationalExpression:
        left = self.node(apply.left, by_number=by_number)
        right = self.node(apply.right, by_number=True)
        node = self._read(with_inputs(apply, (left, right)))
        assert isinstance(node, Apply)
        if _is_empty(left):
            return _empty(node)
        if not _is_empty(right) and not any(map(is_never_true, node.conditions)):
            return node
        match node.type:
            case ApplyType.INNER:
                return _empty(node)
            case ApplyType.LEFT | ApplyType.SINGLE:
                return self._padded(node, by_number)
            case ApplyType.MARK:
                if by_number:
                    return node
                assert node.mark is not None
                self._false = NodeSet(self._false | single(node.mark))
                return left
            case _:
                assert_never(node.type)

    def _set_operation(self, operation: SetOperation) -> RelationalExpression:
        left, right = self.node(operation.left, by_number=True), self.node(operation.right, by_number=True)
        node = with_inputs(operation, (left, right))
        assert isinstance(node, SetOperation)
        no_left, no_right = _is_empty(left), _is_empty(right)
        if not no_left and not no_right:
            return node
        if (no_left and no_right) or node.operator is SetOperator.INTERSECT:
            return _empty(node)
        if node.operator is SetOperator.EXCEPT and no_left:
            return _empty(node)
        left_columns, right_columns = operand_columns(node)
        input_, columns = (right, right_columns) if no_left else (left, left_columns)
        expressions = tuple(columns.values())
        if node.all:
            return Project(table=node.table, alias="", input=input_, names=node.names, expressions=expressions)
        return Aggregate(table=node.table, input=input_, keys=expressions, aggregates=())


# --- empty relations --------------------------------------------------------------------------------------------------


def _is_empty(node: RelationalExpression) -> bool:
    """Whether the node is what `_empty` makes, or VALUES without rows."""
    match node:
        case Values():
            return not node.rows
        case Join():
            return (
                node.type is JoinType.INNER and not node.conditions and _is_empty(node.left) and _is_empty(node.right)
            )
        case Filter(input=OneRow()):
            return any(map(is_never_true, node.conditions))
        case _:
            return False


def _empty(node: RelationalExpression) -> RelationalExpression:
    """No rows, with the columns of the node: the product of one table without rows for each of its tables."""
    if _is_empty(node):
        return node
    made = {values.table: values for below in nodes_of(node) if (values := _without_rows(below)) is not None}
    result: RelationalExpression | None = None
    for table in members(output_tables(node)):
        values = made[table]
        result = values if result is None else Join(type=JoinType.INNER, left=result, right=values, conditions=())
    if result is None:
        return Filter(input=OneRow(), conditions=(Literal(value=False, type=BOOLEAN),))
    return result


def _without_rows(node: RelationalExpression) -> Values | None:
    """The columns that a node makes, without rows; None where it makes none."""
    match node:
        case BaseTable():
            columns = node.source.columns
            names, types = [column.name for column in columns], [column.type for column in columns]
            return _values(node.table, node.alias, names, types)
        case Values():
            return replace(node, rows=())
        case Project():
            return _values(node.table, node.alias, node.names, [each.type for each in node.expressions])
        case Aggregate():
            types = [each.type for each in (*node.keys, *node.aggregates)]
            return _values(node.table, "", [""] * len(types), types)
        case Window():
            return _values(node.table, "", [""] * len(node.calls), [call.type for call in node.calls])
        case SetOperation() | RecursiveUnion():
            return _values(node.table, "", node.names, node.types)
        case SharedScan():
            return _values(node.table, node.alias, node.shared.names, node.shared.types)
        case WorkingTable():
            return _values(node.table, node.alias, node.names, node.types)
        case Apply():
            return None if node.mark is None else _values(node.mark, "", ("",), (BOOLEAN,))
        case OneRow() | Join() | JoinOrder() | Filter() | Sort() | Limit() | SingleRow():
            return None
        case _:
            assert_never(node)


def _values(table: int, alias: str, names: Iterable[str], types: Iterable[SqlType]) -> Values:
    return Values(table=table, alias=alias, names=tuple(names), types=tuple(types), rows=())
