"""Simplifies outer joins: FULL becomes LEFT and LEFT becomes INNER where a condition rejects the padded rows.

`SELECT ... FROM a FULL JOIN b ON ... WHERE b.x > 5` keeps no row in which b is padded, so the join may as well be the
LEFT JOIN of b with a. All tables of a side are padded at once: `WHERE COALESCE(a.k, b.k) = 5` makes an inner join of
`c LEFT JOIN (a FULL JOIN b ON ...) ON ...`, though a row that passes may lack a or b. Galindo-Legaria and Rosenthal,
"Outerjoin Simplification and Reordering for Query Optimization", TODS 1997, section 3.

A condition travels down the tree from where it is written, as long as no row of an input that fails it can contribute
to the result: through inner joins to both inputs, through outer joins to the preserved one. The conditions of a left
join itself go to its right input. On the way they are rewritten over what columns stand for: the expressions of a
select list (a merged USING key is a COALESCE), the keys of a grouping, the columns of the operands of a set operation.
Nothing passes a LIMIT, which would let other rows through, or an aggregate. What passes window functions are conditions
on columns that all of these partition by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias, assert_never

from minisql.expression.format import format_expression
from minisql.expression.nodes import ColumnId, Expression
from minisql.expression.nulls import null_rejected_tables, rejects_nulls_jointly
from minisql.expression.walk import columns_of, replace_columns, tables_of
from minisql.expression.window import common_partition_columns
from minisql.node import node as node_class
from minisql.node_set import NodeSet, overlaps
from minisql.relational.columns import group_keys, operand_columns, projected
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
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


@node_class
class Simplification:
    """One step by which an outer join became simpler, and why.

    Attributes:
        join: the join before any step.
        before: its type before this step.
        after: its type after it.
        flipped: whether the step exchanged the inputs: FULL became RIGHT, which is LEFT with the inputs exchanged.
        condition: the condition that rejects nulls, as it is written.
        clause: where it is written: WHERE, HAVING, QUALIFY or ON.
    """

    join: Join
    before: JoinType
    after: JoinType
    flipped: bool
    condition: Expression
    clause: str

    def __str__(self) -> str:
        after = "RIGHT" if self.flipped else self.after.name
        return f"{self.before.name} became {after} because of {self.clause} {format_expression(self.condition)}"


def simplify_outer_joins(
    expression: RelationalExpression,
) -> tuple[RelationalExpression, tuple[Simplification, ...]]:
    """The same rows from simpler joins, and each step; the expression itself where there is none."""
    simplifier = _Simplifier()
    simplified = simplifier.node(expression, ())
    return simplified, tuple(simplifier.steps)


@node_class
class _Condition:
    """A condition that no row of a node may fail, over the columns that the node gives and others.

    `tables` are those it uses, `rejected` those of them on which it rejects nulls.
    """

    expression: Expression
    written: Expression
    clause: str
    tables: NodeSet
    rejected: NodeSet


_Conditions: TypeAlias = tuple[_Condition, ...]


def _condition(expression: Expression, written: Expression, clause: str) -> _Condition:
    tables = tables_of(expression)
    rejected = null_rejected_tables(expression, tables)
    return _Condition(expression=expression, written=written, clause=clause, tables=tables, rejected=rejected)


def _written(conditions: Iterable[Expression], clause: str) -> _Conditions:
    return tuple([_condition(condition, condition, clause) for condition in conditions])


def _clause(node: Filter) -> str:
    """Where the conditions of a filter are written."""
    if isinstance(node.input, Window):
        return "QUALIFY"
    return "HAVING" if isinstance(node.input, Aggregate) and node.input.aggregates else "WHERE"


class _Simplifier:
    """One run over a query, which collects its steps from the top down."""

    def __init__(self) -> None:
        self.steps: list[Simplification] = []

    def node(self, node: RelationalExpression, conditions: _Conditions) -> RelationalExpression:
        """The node simplified, given conditions that its rows must not fail."""
        match node:
            case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
                return node
            case Join():
                return self._join(node, conditions)
            case Filter():
                conditions += _written(node.conditions, _clause(node))
            case Project():
                conditions = _translated(conditions, node.table, projected(node))
            case Aggregate():
                conditions = _translated(conditions, node.table, group_keys(node)) if node.keys else ()
            case Window():
                keys = {key.column for key in common_partition_columns(node.calls)}
                conditions = tuple([each for each in conditions if columns_of(each.expression) <= keys])
            case SetOperation():
                return self._set_operation(node, conditions)
            case Apply():
                left = self.node(node.left, _about(conditions, output_tables(node.left)))
                right = self.node(node.right, ())
                return node if left is node.left and right is node.right else replace(node, left=left, right=right)
            case RecursiveUnion():
                anchor, step = self.node(node.anchor, ()), self.node(node.step, ())
                return node if anchor is node.anchor and step is node.step else replace(node, anchor=anchor, step=step)
            case JoinOrder() | Sort():
                pass
            case Limit() | SingleRow():
                conditions = ()
            case _:
                assert_never(node)
        input_ = self.node(node.input, conditions)
        return node if input_ is node.input else replace(node, input=input_)

    def _set_operation(self, node: SetOperation, conditions: _Conditions) -> RelationalExpression:
        # EXCEPT, too: a row of the right operand that fails a condition equals no row of the left one that passes it.
        left_columns, right_columns = operand_columns(node)
        left = self.node(node.left, _translated(conditions, node.table, left_columns))
        right = self.node(node.right, _translated(conditions, node.table, right_columns))
        return node if left is node.left and right is node.right else replace(node, left=left, right=right)

    def _join(self, node: Join, conditions: _Conditions) -> RelationalExpression:
        written = node
        node = self._simpler(written, conditions)
        on = _written(node.conditions, "ON")
        match node.type:
            case JoinType.INNER:
                to_left = to_right = conditions + on
            case JoinType.LEFT | JoinType.ANTI:
                to_left, to_right = conditions, on
            case JoinType.FULL:
                to_left = to_right = ()
            case JoinType.SEMI:
                to_left, to_right = conditions + on, on
            case _:
                assert_never(node.type)
        left = self.node(node.left, _about(to_left, output_tables(node.left)))
        right = self.node(node.right, _about(to_right, output_tables(node.right)))
        if left is node.left and right is node.right:
            return node
        return replace(node, left=left, right=right)

    def _simpler(self, written: Join, conditions: _Conditions) -> Join:
        """The join with the simplest type that the conditions allow."""
        node = written
        if node.type is JoinType.FULL:
            if reason := _rejecting(conditions, output_tables(node.left)):
                node = self._step(written, replace(node, type=JoinType.LEFT), reason, flipped=False)
            elif reason := _rejecting(conditions, output_tables(node.right)):
                flipped = replace(node, type=JoinType.LEFT, left=node.right, right=node.left)
                node = self._step(written, flipped, reason, flipped=True)
        if node.type is JoinType.LEFT and (reason := _rejecting(conditions, output_tables(node.right))):
            node = self._step(written, replace(node, type=JoinType.INNER), reason, flipped=False)
        return node

    def _step(self, written: Join, after: Join, reason: _Condition, *, flipped: bool) -> Join:
        before = JoinType.LEFT if after.type is JoinType.INNER else written.type
        self.steps.append(
            Simplification(
                join=written,
                before=before,
                after=after.type,
                flipped=flipped,
                condition=reason.written,
                clause=reason.clause,
            )
        )
        return after


def _rejecting(conditions: _Conditions, side: NodeSet) -> _Condition | None:
    """The first condition that no row passes in which all tables of the side are padded."""
    return next((condition for condition in conditions if _rejects(condition, side)), None)


def _rejects(condition: _Condition, side: NodeSet) -> bool:
    if overlaps(condition.rejected, side):
        return True
    padded = NodeSet(condition.tables & side)
    return padded & (padded - 1) != 0 and rejects_nulls_jointly(condition.expression, padded)


def _about(conditions: _Conditions, tables: NodeSet) -> _Conditions:
    """The conditions that use one of the tables."""
    return tuple([condition for condition in conditions if overlaps(condition.tables, tables)])


def _translated(conditions: _Conditions, table: int, new: Mapping[ColumnId, Expression]) -> _Conditions:
    """The conditions over what the columns of a table stand for, those that use another column of it left out."""
    found = []
    for condition in conditions:
        own = [column for column in columns_of(condition.expression) if column.table == table]
        if own and all(column in new for column in own):
            found.append(_condition(replace_columns(condition.expression, new), condition.written, condition.clause))
    return tuple(found)
