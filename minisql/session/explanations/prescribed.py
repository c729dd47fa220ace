"""A planned query once more with an order prescribed for its outermost joins, as a hint in its text would do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar, cast

from minisql.explain.counterexample.script_table import SchemaTable
from minisql.node import node
from minisql.optimizer.search_space import Order
from minisql.query_block import query_block
from minisql.query_block.query_block import CommonQuery, DerivedTable, FromTree, JoinedTable, QueryBlock, QueryTerm
from minisql.query_block.table_names import format_order, table_names
from minisql.relational.from_query_block import relational_expression
from minisql.relational.new_tables import NewTables
from minisql.relational.relational_expression import (
    BaseTable,
    JoinOrder,
    RelationalExpression,
    inputs,
    with_inputs,
)
from minisql.relational.shared import rewrite_all, shared_users_first
from minisql.relational.simplify_outer import Simplification
from minisql.session.pipeline import PlannedQuery, rewrite_relational
from minisql.settings import Settings

Term = TypeVar("Term", bound=QueryTerm)


@node
class Prescribed:
    """A query rewritten with an order in it.

    `order` is the node that has it; None where the query came to be without these joins, as it gives no rows.
    `simplifications` are what outer joins became.
    """

    as_written: RelationalExpression
    rewritten: RelationalExpression
    order: JoinOrder | None
    simplifications: tuple[Simplification, ...]


def prescribe(planned: PlannedQuery, block: QueryBlock, joins: Order) -> Prescribed:
    """The query with an order of the tables of one of its blocks."""
    return _prescribe(planned, block, joins, planned.settings, about_data=True)


def prescribe_for_any_data(planned: PlannedQuery, block: QueryBlock, joins: Order) -> Prescribed:
    """The same, rewritten as it is for every content of the tables, without what only follows from what is written."""
    settings = replace(planned.settings, derive_conditions=False, push_down_grouping=False)
    return _prescribe(planned, block, joins, settings, about_data=False)


def _prescribe(
    planned: PlannedQuery, block: QueryBlock, joins: Order, settings: Settings, *, about_data: bool
) -> Prescribed:
    query = _Replacing(block, replace(block, order=joins)).term(planned.query)
    trees = [planned.as_written, *(shared.input for shared in shared_users_first(planned.as_written))]
    as_written = relational_expression(query, NewTables(trees).next)
    if not about_data:
        as_written = rewrite_all(as_written, _over_schemas)
    done = rewrite_relational(as_written, planned.table, len(planned.names), settings)
    rewritten = done.expression
    if done.copies:
        rewritten = rewrite_all(rewritten, partial(_with_names, names=table_names(block, done.copies)))
    wanted = format_order(joins, table_names(block))
    found = (each for each in _orders_in(rewritten) if format_order(each.joins, each.names) == wanted)
    return Prescribed(
        as_written=as_written, rewritten=rewritten, order=next(found, None), simplifications=done.simplifications
    )


def _orders_in(root: RelationalExpression) -> Iterator[JoinOrder]:
    waiting = [root]
    waiting += [shared.input for shared in reversed(shared_users_first(root))]
    waiting.reverse()
    while waiting:
        each = waiting.pop()
        if isinstance(each, JoinOrder):
            yield each
        waiting += reversed(inputs(each))


def _with_names(expression: RelationalExpression, names: Mapping[int, str]) -> RelationalExpression:
    """The expression whose orders know the names of tables that are copies: of a view, say, that is read twice."""
    below = tuple([_with_names(each, names) for each in inputs(expression)])
    if isinstance(expression, JoinOrder):
        return replace(expression, input=below[0], names={**expression.names, **names})
    return with_inputs(expression, below)


def _over_schemas(expression: RelationalExpression) -> RelationalExpression:
    """The expression over tables of which only columns and keys are known."""
    if isinstance(expression, BaseTable):
        return replace(expression, source=SchemaTable(expression.source))
    return with_inputs(expression, tuple([_over_schemas(each) for each in inputs(expression)]))


class _Replacing:
    """Puts another query block in the place of one, wherever in a query it stands."""

    def __init__(self, old: QueryBlock, new: QueryBlock) -> None:
        self._old = old
        self._new = new
        self._common: dict[CommonQuery, CommonQuery] = {}

    def term(self, term: Term) -> Term:
        """The term with the new block in it."""
        return cast("Term", self._term(term))

    def _term(self, term: QueryTerm) -> QueryTerm:
        if term is self._old:
            return self._new
        match term:
            case QueryBlock():
                return term if term.from_ is None else replace(term, from_=self._from(term.from_))
            case query_block.QueryExpression():
                return replace(term, term=self._term(term.term))
            case query_block.SetOperation():
                return replace(term, left=self._term(term.left), right=self._term(term.right))
            case query_block.RecursiveUnion():
                return replace(term, anchor=self.term(term.anchor), step=self.term(term.step))
            case query_block.Values():
                return term

    def _from(self, tree: FromTree) -> FromTree:
        if isinstance(tree, JoinedTable):
            return replace(tree, left=self._from(tree.left), right=self._from(tree.right))
        if not isinstance(tree, DerivedTable):
            return tree
        if tree.common is None:
            return replace(tree, query=self.term(tree.query))
        common = self._common.get(tree.common)
        if common is None:
            common = self._common[tree.common] = replace(tree.common, query=self.term(tree.common.query))
        return replace(tree, query=common.query, common=common)
