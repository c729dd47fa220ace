"""Turns subqueries into joins, so that none is run once for each row and all take part in the ordering of joins.

What each `Apply` becomes, once its right input is independent (`pull_up`, or else `domain`):

    WHERE EXISTS (...), x IN (...), x = ANY (...)      a semijoin
    WHERE NOT EXISTS (...), x <> ALL (...)             an antijoin
    WHERE x NOT IN (...)                               an antijoin, where neither side can be NULL; else see below
    a scalar subquery without outer references         an inner join with its one row (`SingleRow`)
    another one that has at most one row               a left join
    LATERAL                                            an inner or a left join

What stays an `Apply`, its right input now independent: a truth value that is used in any other way than as a condition
(EXISTS under OR, in the select list), NOT IN over values that may be NULL, and a scalar subquery of which it is not
known that it has at most one row. The right input stays dependent where the domain would have to hold values that the
query gives once, but perhaps not again, and where it is too large an expression to be computed once more.

Subqueries are unnested from the inside outwards: the conditions that come up from an inner one may refer to a query
further out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from minisql.datatypes import BOOLEAN
from minisql.expression.nodes import (
    ColumnId,
    ColumnRef,
    Expression,
    IsDistinctFrom,
    Literal,
    Not,
    OuterReference,
)
from minisql.expression.walk import columns_of, conjuncts, replace_columns, replace_outer_references, transform
from minisql.node import record
from minisql.relational.new_tables import NewTables
from minisql.relational.relational_expression import (
    Apply,
    ApplyType,
    Filter,
    Join,
    JoinType,
    RelationalExpression,
    SingleRow,
    inputs,
    output_tables,
    with_inputs,
)
from minisql.relational.rewriting import (
    nodes_of,
    outer_columns,
    with_expressions,
)
from minisql.relational.row_properties import has_at_most_one_row, has_one_row, is_never_null, is_repeatable
from minisql.relational.shared import Copies, rewrite_all, shared_users_first
from minisql.relational.unnest.domain import Domain, source_of
from minisql.relational.unnest.pull_up import PullUp

MOST_NEW_TABLES: Final = 2_000
"""When so many tables were added to a query, domains are used no more: subqueries in subqueries multiply them."""

_JOIN_TYPES = {ApplyType.INNER: JoinType.INNER, ApplyType.LEFT: JoinType.LEFT}


def unnest_subqueries(expression: RelationalExpression) -> RelationalExpression:
    """The same rows with joins instead of subqueries; the expression itself where there is none.

    Nothing that is shared has outer references (`copy_correlated`).
    """
    trees = [expression, *[shared.input for shared in shared_users_first(expression)]]
    if not any(isinstance(node, Apply) for tree in trees for node in nodes_of(tree)):
        return expression
    return rewrite_all(expression, _Unnester(NewTables(trees)).node)


def copy_correlated(root: RelationalExpression) -> RelationalExpression:
    """What is shared and has outer references cannot be computed once: copies of it take the place of its scans."""
    while True:
        correlated = [shared for shared in shared_users_first(root) if outer_columns(shared.input)]
        if not correlated:
            return root
        root = Copies(root).instead_of_scans(root, correlated[0])


@record
class _Independent:
    """The right input of an `Apply` without outer references to its left one.

    It matches an outer row where the `conditions` are TRUE; see `pull_up.Pulled` for the rest.
    """

    node: RelationalExpression
    conditions: tuple[Expression, ...]
    columns: Mapping[ColumnId, Expression]
    padded: bool


class _Unnester:
    """One run over a query.

    `_new` is what columns became, and `_new_outer` the same for those who refer to them from inside; table numbers are
    unique, so that one dictionary does for the whole query.
    """

    def __init__(self, new_tables: NewTables) -> None:
        self._new_tables = new_tables
        self._new: dict[ColumnId, Expression] = {}
        self._new_outer: dict[ColumnId, Expression] = {}

    def node(self, node: RelationalExpression, *, padded: bool = False) -> RelationalExpression:
        """The node with everything below it unnested, inputs first.

        `padded` says that the columns of the node are read above a join that pads them.
        """
        match node:
            case Apply():
                right_padded = padded or node.type is not ApplyType.INNER
                left, right = self.node(node.left, padded=padded), self.node(node.right, padded=right_padded)
                return self._apply(node, left, right, padded=padded)
            case Filter(input=Apply()):
                return self._filter(node, padded=padded)
            case Filter():
                return self._read(with_inputs(node, (self.node(node.input, padded=padded),)))
            case Join():
                pads_left = padded or node.type is JoinType.FULL
                pads_right = pads_left or node.type is JoinType.LEFT
                left, right = self.node(node.left, padded=pads_left), self.node(node.right, padded=pads_right)
                return self._read(with_inputs(node, (left, right)))
            case _:
                return self._read(with_inputs(node, tuple([self.node(input_) for input_ in inputs(node)])))

    def _read(self, node: RelationalExpression) -> RelationalExpression:
        """The node over what columns became."""
        return with_expressions(node, self._over_new) if self._new else node

    def _over_new(self, expression: Expression) -> Expression:
        return replace_outer_references(replace_columns(expression, self._new), self._new_outer)

    def _became(self, columns: Mapping[ColumnId, Expression]) -> None:
        self._new.update(columns)
        self._new_outer.update(
            {column: transform(expression, _as_outer_reference) for column, expression in columns.items()}
        )

    def _filter(self, node: Filter, *, padded: bool) -> RelationalExpression:
        """A filter above subqueries: those that are conditions become semijoins and antijoins."""
        applied: list[Apply] = []
        base: RelationalExpression = node.input
        while isinstance(base, Apply):
            applied.append(base)
            base = base.left
        conditions = [part for condition in node.conditions for part in conjuncts(condition)]
        uses: dict[ColumnId, int] = {}
        for expression in (*conditions, *[part for apply in applied for part in _asked(apply)]):
            for column in columns_of(expression):
                uses[column] = uses.get(column, 0) + 1
        result = self.node(base, padded=padded)
        for apply in reversed(applied):
            right = self.node(apply.right, padded=padded or apply.type is not ApplyType.INNER)
            condition = None
            if apply.mark is not None and uses.get(ColumnId(apply.mark, 0)) == 1:
                condition = next((each for each in conditions if _is_mark(each, apply.mark)), None)
            joined = None
            if condition is not None:
                joined = self._semijoin(apply, result, right, negated=_is_negated(condition))
            if joined is None:
                result = self._apply(apply, result, right, padded=padded)
            else:
                result = joined
                conditions = [each for each in conditions if each is not condition]
        conditions = [self._over_new(condition) for condition in conditions]
        return Filter(input=result, conditions=tuple(conditions)) if conditions else result

    def _semijoin(
        self, apply: Apply, left: RelationalExpression, right: RelationalExpression, *, negated: bool
    ) -> RelationalExpression | None:
        """The rows of the left input for which the mark is TRUE or, if negated, FALSE; None if no join gives them."""
        independent = self._independent(apply, left, right, padded=False)
        if independent is None or independent.padded:
            return None
        comparison = self._comparison(apply, independent)
        conditions = independent.conditions
        if comparison is not None:
            parts = conjuncts(comparison)
            if negated and not all(is_never_null(part, left, independent.node) for part in parts):
                return None
            conditions = conditions + parts
        type_ = JoinType.ANTI if negated else JoinType.SEMI
        return Join(type=type_, left=left, right=independent.node, conditions=conditions)

    def _comparison(self, apply: Apply, independent: _Independent) -> Expression | None:
        if apply.comparison is None:
            return None
        return replace_columns(self._over_new(apply.comparison), independent.columns)

    def _apply(
        self, apply: Apply, left: RelationalExpression, right: RelationalExpression, *, padded: bool
    ) -> RelationalExpression:
        independent = self._independent(apply, left, right, padded=padded)
        asked = tuple([self._over_new(condition) for condition in apply.conditions])
        if independent is None:
            comparison = None if apply.comparison is None else self._over_new(apply.comparison)
            return replace(apply, left=left, right=right, conditions=asked, comparison=comparison)
        comparison = self._comparison(apply, independent)
        asked = tuple([replace_columns(condition, independent.columns) for condition in asked])
        if apply.type is ApplyType.MARK:
            return self._marked(apply, left, independent, comparison)
        self._became(independent.columns)
        node, conditions = independent.node, independent.conditions
        if independent.padded:
            joined = Join(type=JoinType.LEFT, left=left, right=node, conditions=conditions)
            return Filter(input=joined, conditions=asked) if asked else joined
        if apply.type is ApplyType.SINGLE:
            if not conditions:
                row = node if has_one_row(node) else SingleRow(input=node, span=apply.span)
                return Join(type=JoinType.INNER, left=left, right=row, conditions=())
            if has_at_most_one_row(node, conditions):
                return Join(type=JoinType.LEFT, left=left, right=node, conditions=conditions)
            return replace(apply, left=left, right=node, conditions=conditions)
        return Join(type=_JOIN_TYPES[apply.type], left=left, right=node, conditions=conditions + asked)

    def _marked(
        self, apply: Apply, left: RelationalExpression, independent: _Independent, comparison: Expression | None
    ) -> RelationalExpression:
        assert apply.mark is not None
        if not independent.padded:
            return replace(
                apply,
                left=left,
                right=independent.node,
                conditions=independent.conditions,
                comparison=comparison,
            )
        # There is one row always.
        self._became({ColumnId(apply.mark, 0): comparison or Literal(value=True, type=BOOLEAN)})
        return Join(type=JoinType.LEFT, left=left, right=independent.node, conditions=independent.conditions)

    def _independent(
        self, apply: Apply, left: RelationalExpression, right: RelationalExpression, *, padded: bool
    ) -> _Independent | None:
        """The right input made independent of the left one; None where that is not possible.

        `padded` says that the columns that it is replaced by are read above a join that pads them.
        """
        left_tables = output_tables(left)
        references = {
            column: reference for column, reference in outer_columns(right).items() if left_tables >> column.table & 1
        }
        if not references:
            return _Independent(right, (), {}, False)
        is_mark = apply.type is ApplyType.MARK
        pull_up = PullUp(
            left_tables,
            self._new_tables,
            pads=padded or apply.type in (ApplyType.LEFT, ApplyType.SINGLE),
            as_set=is_mark,
            only_existence=is_mark and apply.comparison is None,
        )
        pulled = pull_up.pull(right)
        # With conditions of ON, a LEFT JOIN LATERAL has to tell whether the row that stands in for none fulfils them,
        # and above a join that pads, the row that stands in for none has to be told from one that is padded.
        tells_rows = padded or (apply.type is ApplyType.LEFT and apply.conditions)
        if pulled is not None and not (pulled.padded and tells_rows):
            bound = {
                column: ColumnRef(column=column, name=reference.name, type=reference.type)
                for column, reference in references.items()
            }
            conditions = tuple([replace_outer_references(condition, bound) for condition in pulled.conditions])
            columns = {
                column: replace_outer_references(expression, bound)
                for column, expression in (pulled.columns or {}).items()
            }
            return _Independent(pulled.node, conditions, columns, pulled.padded)
        # The domain is computed beside the left input, whose values it has to hold.
        source = source_of(left, references)
        if source is None or not is_repeatable(source) or self._new_tables.given > MOST_NEW_TABLES:
            return None
        dependent = Domain(source, references, self._new_tables).of(right)
        if dependent is None:
            return None
        agree = tuple(
            [
                IsDistinctFrom(
                    left=ColumnRef(column=column, name=reference.name, type=reference.type),
                    right=dependent.columns[column],
                    negated=True,
                )
                for column, reference in references.items()
            ]
        )
        return _Independent(dependent.node, agree, dependent.replaced, False)


def _as_outer_reference(expression: Expression) -> Expression:
    if isinstance(expression, ColumnRef):
        return OuterReference(column=expression.column, name=expression.name, type=expression.type)
    return expression


def _asked(apply: Apply) -> tuple[Expression, ...]:
    return apply.conditions if apply.comparison is None else (*apply.conditions, apply.comparison)


def _is_mark(condition: Expression, mark: int) -> bool:
    """Whether the condition is the mark, or NOT the mark."""
    while isinstance(condition, Not):
        condition = condition.operand
    return isinstance(condition, ColumnRef) and condition.column == ColumnId(mark, 0)


def _is_negated(condition: Expression) -> bool:
    negated = False
    while isinstance(condition, Not):
        condition, negated = condition.operand, not negated
    return negated
