"""Warns of the two mistakes that are made with outer joins.

- A condition above an outer join drops the rows that this join is there to keep: `FROM a LEFT JOIN b ON ... WHERE
  b.x > 5`. That is a step of `simplify_outer`, and worth a warning where the user wrote both, in one query block.
- After a FULL JOIN the key of one side is read and the other one's never: `a FULL JOIN b ON a.k = b.k FULL JOIN c ON
  b.k = c.k` finds no c for a row of a alone, and `SELECT a.k` shows NULL for the rows of b alone.

What says that it is meant gives no warning: IS NOT NULL in the first case; in the second a read of both keys anywhere
in the block, USING and NATURAL, and a condition that asks for the rows of one side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from minisql.errors import QueryWarning, Span, enumerated
from minisql.expression.format import format_expression
from minisql.expression.nodes import Cast, ColumnId, ColumnRef, Comparison, Expression, IsNull
from minisql.expression.walk import (
    aggregate_inputs,
    column_references,
    columns_of,
    conjuncts,
    tables_of,
    walk,
)
from minisql.expression.window import window_inputs
from minisql.node_set import NodeSet, is_subset, node_set, overlaps, single
from minisql.parser.keywords import last_name, quoted_name
from minisql.parser.parse_tree import JoinKind
from minisql.query_block.query_block import FromTree, JoinedTable, QueryBlock
from minisql.query_block.table_names import from_items, joins_of
from minisql.relational.relational_expression import JoinType, output_tables
from minisql.relational.simplify_outer import Simplification


def outer_join_warnings(blocks: Sequence[QueryBlock], steps: Sequence[Simplification]) -> list[QueryWarning]:
    """The warnings for blocks that join.

    Args:
        blocks: all blocks of a query that have joins.
        steps: what became of its outer joins.
    """
    warnings: list[QueryWarning] = []
    for block in blocks:
        if any(join.kind in (JoinKind.LEFT, JoinKind.RIGHT, JoinKind.FULL) for join in joins_of(block.from_)):
            warnings += _Block(block, steps).warnings()
    return warnings


class _FullJoin(NamedTuple):
    """A FULL JOIN and the columns that it equates: those of its left side, and of its right side in the same places.

    `place` is that of the join among those of its block.
    """

    place: int
    join: JoinedTable
    left: tuple[ColumnRef, ...]
    right: tuple[ColumnRef, ...]


class _Clause(NamedTuple):
    """An ON or the WHERE; `drops` says that a row that does not fulfil it is not in the result."""

    name: str
    conditions: Sequence[Expression]
    drops: bool


class _Use(NamedTuple):
    """A condition in which the key of one side of a full join looks for a partner in another table.

    `drops` says that a row without one is not in the result.
    """

    condition: Expression
    clause: str
    key: ColumnRef
    other: Expression
    drops: bool


class _Block:
    """One query block."""

    def __init__(self, block: QueryBlock, steps: Sequence[Simplification]) -> None:
        self._block = block
        self._joins = joins_of(block.from_)
        self._names = {item.table: item.alias and quoted_name(item.alias) for item in from_items(block.from_)}
        self._tables = node_set(self._names)
        self._sides = _sides_of(self._joins)
        self._steps = self._own_steps(steps)
        self._simplified = _by_sides(steps)
        # The clause of a join has its place.
        self._clauses = [
            *[_Clause("ON", conjuncts(join.condition), join.kind is JoinKind.INNER) for join in self._joins],
            _Clause("WHERE", conjuncts(block.where), drops=True),
        ]
        self._readers: dict[ColumnId, set[int]] = {}
        """The places of the clauses that read a column."""
        for place, clause in enumerate(self._clauses):
            for condition in clause.conditions:
                for column in columns_of(condition):
                    self._readers.setdefault(column, set()).add(place)

    def warnings(self) -> Iterator[QueryWarning]:
        told = set[Expression]()
        for full in self._full_joins():
            uses = [use for use in self._uses(full) if self._is_all_that_simplifies(full.join, use.condition)]
            for use in uses:
                told.add(use.condition)
                yield self._one_key_joined(full, use)
            if not uses:
                yield from self._one_key_read(full)
        yield from self._undone(told)

    # --- outer joins that a condition undoes --------------------------------------------------------------------------

    def _own_steps(self, steps: Sequence[Simplification]) -> dict[int, list[Simplification]]:
        """The steps of the joins of this block because of conditions in it, by the identity of the join."""
        by_sides = _by_sides(
            step
            for step in steps
            if is_subset(tables_of(step.condition), self._tables) or self._is_after_grouping(step.condition)
        )
        return {id(join): by_sides.get(frozenset(self._sides[id(join)]), []) for join in self._joins}

    def _is_after_grouping(self, condition: Expression) -> bool:
        """Whether it is one of HAVING or QUALIFY."""
        numbers = [each.table for each in (self._block.grouping, self._block.windows) if each is not None]
        own = tables_of(condition)
        return bool(numbers) and overlaps(own, node_set(numbers)) and is_subset(own, node_set([*numbers, *self._names]))

    def _undone(self, told: set[Expression]) -> Iterator[QueryWarning]:
        for join in self._joins:
            steps = self._steps.get(id(join), ())
            shown = [step for step in steps if step.condition not in told and self._loses_unnoticed(step)]
            if shown:
                yield self._undone_join(join, shown)

    def _loses_unnoticed(self, step: Simplification) -> bool:
        """Not where the condition says itself that rows with a partner are wanted, or where it is none of this block's
        WHERE or inner joins: what does not fulfil the condition of another outer join is not lost.
        """
        if isinstance(step.condition, IsNull) and step.condition.negated:
            return False
        inner = [join.condition for join in self._joins if join.kind is JoinKind.INNER]
        return step.clause != "ON" or any(step.condition in conjuncts(condition) for condition in inner)

    def _undone_join(self, join: JoinedTable, steps: Sequence[Simplification]) -> QueryWarning:
        """About one join: which rows go, and what is left of the join."""
        conditions = list(dict.fromkeys(f"{step.clause} {format_expression(step.condition)}" for step in steps))
        verb = "drops" if len(conditions) == 1 else "drop"
        lost = [tuple(map(self._listed, self._lost(step))) for step in steps]
        if len(lost) == 1:
            what = f"the rows of {lost[0][0]} without a partner in {lost[0][1]}"
        else:
            what = f"the rows without a partner of {lost[0][0]} and of {lost[1][0]}"
        after = _kind_after(steps[-1])
        became = f"the {join.kind.name} JOIN became {'an' if after == 'INNER' else 'a'} {after} JOIN"
        return QueryWarning(
            "outer_join_undone",
            f"{' and '.join(conditions)} {verb} {what}: {became}.",
            _place(steps[0].condition) or _place(join.condition),
            self._hint_to_keep(steps),
        )

    def _lost(self, step: Simplification) -> tuple[NodeSet, NodeSet]:
        """The tables of which rows go, and those in which they have no partner."""
        left, right = output_tables(step.join.left), output_tables(step.join.right)
        if step.before is JoinType.FULL:
            return (left, right) if step.flipped else (right, left)
        # The join that became inner kept the left rows, or, where it was flipped before, the right ones.
        was_flipped = any(
            other.join is step.join and other.flipped for steps in self._steps.values() for other in steps
        )
        return (right, left) if was_flipped else (left, right)

    def _hint_to_keep(self, steps: Sequence[Simplification]) -> str:
        if any(step.clause == "ON" for step in steps):
            return "If they are to stay, make the join with that condition a LEFT JOIN, too."
        padded: dict[Expression, list[str]] = {}
        for step in steps:
            partner = self._lost(step)[1]
            names = [each.name for each in column_references(step.condition) if partner & single(each.column.table)]
            if not names:
                return "If they are to stay, let the condition pass NULL, too."
            padded.setdefault(step.condition, []).append(f"{names[0]} IS NULL")
        texts = [f"({' OR '.join([format_expression(each), *nulls])})" for each, nulls in padded.items()]
        on = "put the condition into ON, or " if steps[0].before is JoinType.LEFT and steps[0].clause == "WHERE" else ""
        return f"If they are to stay, {on}write {' AND '.join(texts)}."

    # --- keys of one side of a full join ------------------------------------------------------------------------------

    def _full_joins(self) -> Iterator[_FullJoin]:
        for place, join in enumerate(self._joins):
            if join.kind is not JoinKind.FULL or join.merges_keys:
                continue
            left_tables, right_tables = self._sides[id(join)]
            pairs = []
            for condition in self._clauses[place].conditions:
                if isinstance(condition, Comparison) and condition.operator == "=":
                    one, other = _column(condition.left), _column(condition.right)
                    if one is None or other is None:
                        continue
                    if single(one.column.table) & left_tables and single(other.column.table) & right_tables:
                        pairs.append((one, other))
                    elif single(one.column.table) & right_tables and single(other.column.table) & left_tables:
                        pairs.append((other, one))
            if pairs:
                yield _FullJoin(place, join, tuple([left for left, _ in pairs]), tuple([right for _, right in pairs]))

    def _uses(self, full: _FullJoin) -> list[_Use]:
        """The equalities with other tables that read the key of one side, where none of their clause reads both."""
        left_tables, right_tables = self._sides[id(full.join)]
        inside = NodeSet(left_tables | right_tables)
        found: list[tuple[int, _Use]] = []
        for left, right in zip(full.left, full.right, strict=True):
            of_left = self._readers_of(left)
            for place in (of_left ^ self._readers_of(right)) - {full.place}:
                clause, key = self._clauses[place], left if place in of_left else right
                found += [(place, use) for each in clause.conditions if (use := _use(each, clause, key, inside))]
        return [use for _, use in sorted(found, key=itemgetter(0))]

    def _readers_of(self, key: ColumnRef) -> set[int]:
        return self._readers.get(key.column, set())

    def _is_all_that_simplifies(self, join: JoinedTable, condition: Expression) -> bool:
        """Whether no other condition makes the full join one-sided: then the key that is there is the right one."""
        steps = self._simplified.get(frozenset(self._sides[id(join)]), ())
        return all(step.condition == condition for step in steps)

    def _one_key_joined(self, full: _FullJoin, use: _Use) -> QueryWarning:
        left, right = self._sides[id(full.join)]
        own, lost = (left, right) if single(use.key.column.table) & left else (right, left)
        partner = self._listed(tables_of(use.other)) or "the other side"
        own_names, lost_names = self._listed(own), self._listed(lost)
        dropped = ", and is dropped" if use.drops else ""
        return QueryWarning(
            "full_join_key",
            f"{use.clause} {format_expression(use.condition)} reads the key of {own_names} only: "
            f"a row of {lost_names} without a partner in {own_names} has none in {partner} either{dropped}.",
            _place(use.condition),
            self._hint_to_merge(full, use.key),
        )

    def _hint_to_merge(self, full: _FullJoin, key: ColumnRef) -> str:
        place = next(
            number for number, pair in enumerate(zip(full.left, full.right, strict=True)) if key.column in _ids(pair)
        )
        left, right = full.left[place], full.right[place]
        text = f"COALESCE({left.name}, {right.name}) is the key of either side"
        name = last_name(left.name)
        return f"{text}, as is {name} after USING ({name})." if name == last_name(right.name) else f"{text}."

    def _one_key_read(self, full: _FullJoin) -> Iterator[QueryWarning]:
        """About the select list, GROUP BY and ORDER BY."""
        block = self._block
        if frozenset(self._sides[id(full.join)]) in self._simplified or self._has_more_readers:
            return
        lists = [("The select list", block.expressions[: len(block.names)])]
        if block.grouping is not None:
            lists = [("GROUP BY", block.grouping.keys)]
        lists.append(("ORDER BY", block.expressions[len(block.names) :]))
        for own, others in ((full.left, full.right), (full.right, full.left)):
            if any(self._is_read_elsewhere(other, full) for other in others) or self._asks_for_rows_without(others):
                continue
            for clause, expressions in lists:
                key = next(
                    (each for each in expressions if isinstance(each, ColumnRef) and each.column in _ids(own)), None
                )
                if key is not None:
                    yield self._one_key_shown(full, key, clause)
                    return

    def _one_key_shown(self, full: _FullJoin, key: ColumnRef, clause: str) -> QueryWarning:
        left, right = self._sides[id(full.join)]
        own, lost = (left, right) if single(key.column.table) & left else (right, left)
        where = f"the rows of {self._listed(lost)} without a partner in {self._listed(own)}"
        pairs = [*zip(full.left, full.right, strict=True), *zip(full.right, full.left, strict=True)]
        other = next(other.name for each, other in pairs if each.column == key.column)
        effect = "all of them are one group" if clause == "GROUP BY" else f"their key is {other}"
        return QueryWarning(
            "full_join_key",
            f"{clause} reads {key.name}, which is NULL in {where}: {effect}.",
            _place(key) or _place(full.join.condition),
            self._hint_to_merge(full, key),
        )

    @cached_property
    def _has_more_readers(self) -> bool:
        """Whether there are queries in the block that may read its columns, too."""
        block = self._block
        return bool(block.input_subqueries or block.subqueries) or any(
            join.lateral or join.subqueries for join in self._joins
        )

    def _is_read_elsewhere(self, key: ColumnRef, full: _FullJoin) -> bool:
        """Whether the block reads the column anywhere but in the condition of this join."""
        return key.column in self._read_behind_joins or not self._readers_of(key) <= {full.place}

    @cached_property
    def _read_behind_joins(self) -> set[ColumnId]:
        """The columns that are read in other places than ON and WHERE."""
        block = self._block
        expressions = [*block.expressions, *conjuncts(block.having), *conjuncts(block.qualify)]
        if block.grouping is not None:
            expressions += block.grouping.keys
            expressions += [each for call in block.grouping.aggregates for each in aggregate_inputs(call)]
        if block.windows is not None:
            expressions += [each for call in block.windows.calls for each in window_inputs(call)]
        return {column for each in expressions for column in columns_of(each)}

    def _asks_for_rows_without(self, keys: Sequence[ColumnRef]) -> bool:
        """Whether WHERE asks for rows in which a column of this side is NULL."""
        tables = node_set(key.column.table for key in keys)
        return any(
            isinstance(node, IsNull) and not node.negated and overlaps(tables_of(node), tables)
            for condition in conjuncts(self._block.where)
            for node in walk(condition)
        )

    def _listed(self, tables: NodeSet) -> str:
        return enumerated([name or "a subquery" for table, name in self._names.items() if tables & single(table)])


def _by_sides(steps: Iterable[Simplification]) -> dict[frozenset[int], list[Simplification]]:
    """The steps by the tables of the two sides of their joins."""
    found: dict[frozenset[int], list[Simplification]] = {}
    for step in steps:
        sides = frozenset((output_tables(step.join.left), output_tables(step.join.right)))
        found.setdefault(sides, []).append(step)
    return found


def _sides_of(joins: Sequence[JoinedTable]) -> dict[int, tuple[NodeSet, NodeSet]]:
    """The tables of the two sides of each join, by its identity. Each join comes before those in its sides."""
    sides: dict[int, tuple[NodeSet, NodeSet]] = {}

    def tables(tree: FromTree) -> NodeSet:
        if isinstance(tree, JoinedTable):
            left, right = sides[id(tree)]
            return NodeSet(left | right)
        return single(tree.table)

    for join in reversed(joins):
        sides[id(join)] = tables(join.left), tables(join.right)
    return sides


def _ids(columns: Sequence[ColumnRef]) -> set[ColumnId]:
    return {column.column for column in columns}


def _column(expression: Expression) -> ColumnRef | None:
    """The column that an expression is, perhaps cast."""
    while isinstance(expression, Cast):
        expression = expression.operand
    return expression if isinstance(expression, ColumnRef) else None


def _use(condition: Expression, clause: _Clause, key: ColumnRef, inside: NodeSet) -> _Use | None:
    """The condition if it equates the key with something of a table outside of the join."""
    if not isinstance(condition, Comparison) or condition.operator != "=":
        return None
    for own, other in ((condition.left, condition.right), (condition.right, condition.left)):
        column, tables = _column(own), tables_of(other)
        if column is not None and column.column == key.column and tables and not overlaps(tables, inside):
            return _Use(condition, clause.name, column, other, clause.drops)
    return None


def _kind_after(step: Simplification) -> str:
    if step.after is JoinType.INNER:
        return "INNER"
    return "RIGHT" if step.flipped else "LEFT"


def _place(expression: Expression | None) -> Span | None:
    """The place of an expression, or of the first part of it that has one."""
    if expression is None:
        return None
    return next((node.span for node in walk(expression) if node.span is not None), None)
