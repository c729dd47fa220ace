"""EXPLAIN WHY NOT: what becomes of a query whose outermost joins are made in an order that somebody asks for.

The answer is what the hint JOIN_TREE with that order would do: the query is rewritten and planned with it. `chosen`,
`dearer` and `not enumerated` orders may be such that the hint works; an `illegal` one is an error there, and so is one
that is `not enumerated` because it makes a product. An illegal one comes with a counterexample, where a search finds
one: a database on which the order changes the rows of the query (`explain.counterexample`), which is run before it is
shown.
"""

from __future__ import annotations

import math
from dataclasses import replace
from time import monotonic
from typing import Final

from minisql.datatypes import VARCHAR
from minisql.errors import NotSupportedError, ProgrammingError, Span, enumerated
from minisql.explain.rewrites import aliases, base_tables, describe_simplification
from minisql.hypergraph.leaves import tables_of_region
from minisql.hypergraph.why_not import Obstacle
from minisql.node import node
from minisql.node_set import EMPTY, NodeSet, members, node_set, union
from minisql.optimizer.access_path import AccessPath, inputs
from minisql.optimizer.find_best_plan import find_best_plan, find_forbidden, find_search_space
from minisql.optimizer.join_order import ForbiddenJoin, split_order
from minisql.optimizer.search_space import Order, SearchSpace, same_order
from minisql.parser import parse_tree
from minisql.query_block.query_block import OrderedJoin, QueryBlock
from minisql.query_block.resolve_hints import resolve_join_tree
from minisql.query_block.table_names import format_order, from_items, table_names
from minisql.relational.relational_expression import JoinOrder, RelationalExpression
from minisql.session.explanations.dearer import cost_difference, times
from minisql.session.explanations.order_trees import orders_near, written_tree
from minisql.session.explanations.orders import block_of_region
from minisql.session.explanations.outermost_region import Region, cost_with, order_of, path_of_region
from minisql.session.explanations.prescribed import Prescribed, prescribe
from minisql.session.pipeline import PlannedQuery
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result, Row
from minisql.session.result_of_rows import result_of_rows

_MOST_STEPS: Final = 3
"""How far from the order of the query forbidden orders are looked for."""
_MOST_TRIED: Final = 60
"""The most orders that are tried at each distance."""


@node
class Answer:
    """Why not an order.

    Attributes:
        order: the order that was asked for, as a hint would say it.
        verdict: `chosen`, `dearer`, `illegal` or `not enumerated`.
        reason: a sentence, or a few.
        script: where a counterexample was found, the statements that make the database, a statement a line.
        written: for an illegal order, the query as SQL over the tables of the script.
        reordered: the same in the order that was asked for.
        names: the columns of both.
        rows_written: what `written` gives on the database of the script.
        rows_reordered: what `reordered` gives there.
        databases: how many databases were tried.
    """

    order: str
    verdict: str
    reason: str
    script: str | None = None
    written: str | None = None
    reordered: str | None = None
    names: tuple[str, ...] = ()
    rows_written: tuple[Row, ...] = ()
    rows_reordered: tuple[Row, ...] = ()
    databases: int = 0


def explain_why_not(planned: PlannedQuery, tree: parse_tree.JoinTree, span: Span | None) -> Result:
    """The result of EXPLAIN WHY NOT: one row."""
    answer = why_not(planned, resolve_order(planned, tree, span))
    row = (answer.verdict, answer.reason, answer.script, answer.written, answer.reordered)
    columns = dict.fromkeys(("verdict", "reason", "script", "written", "reordered"), VARCHAR)
    return result_of_rows(columns, [row], layout="record")


def resolve_order(planned: PlannedQuery, tree: parse_tree.JoinTree, span: Span | None) -> Order:
    """The order that a tree of names means, for the joins that EXPLAIN ORDERS lists; none for a single table.

    Raises:
        ProgrammingError: a table is unknown, missing, or there twice; or nothing is joined where several are named.
        NotSupportedError: the joins do not stand in FROM.
    """
    block = _block(planned, span)
    if block.from_ is None:
        raise ProgrammingError("The query reads no table: there is nothing to join.", tree.span)
    return resolve_join_tree(tree, block.from_, "The order")


def _block(planned: PlannedQuery, span: Span | None = None) -> QueryBlock:
    """The block that has the outermost joins in its FROM."""
    block = block_of_region(planned, Region.outermost(planned.rewritten))
    if block is None:
        raise NotSupportedError("The outermost joins of the query stand in no FROM that an order could name.", span)
    return block


def why_not(planned: PlannedQuery, order: Order) -> Answer:
    """What becomes of a query with this order of its outermost joins.

    Args:
        planned: the query.
        order: joins of tables of the FROM, as `resolve_order` and `forbidden_orders` give them.
    """
    with deep_recursion():
        return _WhyNot(planned, _block(planned), order).answer()


class _WhyNot:
    def __init__(self, planned: PlannedQuery, block: QueryBlock, joins: Order) -> None:
        self._planned = planned
        self._block = block
        self._joins = joins
        names = table_names(block)
        only = from_items(block.from_)
        self._text = format_order(joins, names) if joins else names.get(only[0].table, "") if only else ""

    def answer(self) -> Answer:
        if not self._joins:
            return self._answer("chosen", f"{self._text} is the only table: there is no other order.")
        prescribed = prescribe(self._planned, self._block, self._joins)
        if prescribed.order is None:
            return self._answer(
                "not enumerated", "The query gives no rows, whatever its tables hold: nothing is joined."
            )
        plan = _PlannedOrder(self._planned, self._block, prescribed.order)
        forbidden = find_forbidden(prescribed.rewritten, prescribed.order, self._planned.settings)
        if forbidden is not None:
            if plan.is_chosen() and plan.taking_part == prescribed.order.joins[-1].tables:
                hint = "JOIN_TREE cannot prescribe it, for it would join what it cannot name elsewhere."
                return self._answer("chosen", "This is the order of the plan.", hint)
            return self._forbidden(forbidden, _became(forbidden, prescribed), plan.left_out())
        path = find_best_plan(prescribed.rewritten, self._planned.settings)
        return self._allowed(prescribed.order, prescribed.rewritten, path, plan)

    def _answer(self, verdict: str, *sentences: str) -> Answer:
        return Answer(order=self._text, verdict=verdict, reason=" ".join(filter(None, sentences)))

    def _forbidden(self, forbidden: ForbiddenJoin, became: str, left_out: str) -> Answer:
        if forbidden.obstacle is not Obstacle.RULE:
            is_product = forbidden.obstacle is Obstacle.PRODUCT
            note = "A product that the query does not have is not considered." if is_product else ""
            return self._answer("not enumerated", forbidden.reason, became, note, left_out)
        from minisql.session.explanations.forbidden import counterexample

        shown = counterexample(self._planned, self._block, self._joins)
        return replace(
            self._answer("illegal", forbidden.reason, became, shown.sentence, left_out),
            script=shown.script,
            written=shown.written,
            reordered=shown.reordered,
            names=shown.names,
            rows_written=shown.rows_written,
            rows_reordered=shown.rows_reordered,
            databases=shown.databases,
        )

    def _allowed(
        self, order: JoinOrder, rewritten: RelationalExpression, path: AccessPath, plan: _PlannedOrder
    ) -> Answer:
        left_out = plan.left_out()
        if plan.taking_part & (plan.taking_part - 1) == 0:
            return self._answer("not enumerated", "No two tables of this order are joined in the plan.", left_out)
        space = find_search_space(rewritten, order.input, self._planned.settings)
        unsearched = self._why_not_searched(space)
        if plan.is_chosen():
            reason = "This is the order of the plan."
            if unsearched is None:
                others = f"the cheapest of {space.count:,}" if space.count > 1 else "the only one that the rules allow"
                reason = f"This is the order of the plan, {others}."
            return self._answer("chosen", reason, unsearched or "", left_out)
        joins, _ = split_order(order, space.graph)
        cost = path.cost
        if space.is_complete:
            # The hint says which side is hashed, an order does not.
            cost = cost_with(path, tables_of_region(order.input), space.cost(joins))
        if unsearched is not None:
            reason = f"This order costs {times(cost, self._planned.cost)} the chosen one."
            return self._answer("not enumerated", unsearched, reason, left_out)
        reason = cost_difference(space, joins, order.names, cost, self._planned.cost)
        return self._answer("dearer", reason, left_out)

    def _why_not_searched(self, space: SearchSpace) -> str | None:
        """Why not all orders were looked at, a sentence; None where they were."""
        if self._block.order:
            return "The hint JOIN_TREE of the query prescribes an order, so no other was looked at."
        if self._planned.settings.join_order != "optimal":
            return f"join_order is {self._planned.settings.join_order!r}, so no other order was looked at."
        if not space.is_complete:
            budget = self._planned.settings.pair_budget
            pairs = f"There are more pairs of sets of tables than the pair_budget of {budget:,}"
            return f"{pairs}, so only some orders were looked at."
        return None


def _became(forbidden: ForbiddenJoin, prescribed: Prescribed) -> str:
    """What the joins are in the query that the reason names by the types that they have come to have, as sentences."""
    named = [{union(map(base_tables, side)) for side in sides} for sides in forbidden.named]
    steps = [
        step
        for step in prescribed.simplifications
        if {base_tables(step.join.left), base_tables(step.join.right)} in named
    ]
    names = aliases(prescribed.as_written)
    if prescribed.order is not None:
        names |= prescribed.order.names
    if not steps:
        return ""
    said = dict.fromkeys([describe_simplification(step, names) for step in steps])
    return f"In the query, {'; '.join(said)}."


class _PlannedOrder:
    """The order of a plan, in terms of the tables that a prescribed order names.

    A derived table that the order names as a whole may be several tables in the plan.
    """

    def __init__(self, planned: PlannedQuery, block: QueryBlock, order: JoinOrder) -> None:
        self._order = order
        self._named: dict[int, int] = {}  # which of the named tables each table of the plan belongs to
        called = {order.names.get(table, ""): table for table in members(order.joins[-1].tables)}
        for table, name in table_names(block, planned.copies).items():
            whole = next((each for each in called if each and (name == each or name.startswith(f"{each}."))), None)
            if whole is not None:
                self._named[table] = called[whole]
        self._all_of_plan = _tables_in(planned.path)
        region = Region.outermost(planned.rewritten)
        joins: Order = ()
        self._region_tables = EMPTY
        if region is not None:
            self._region_tables = tables_of_region(region.region)
            path = path_of_region(planned.path, self._region_tables)
            joins = order_of(path, self._region_tables)
        self._chosen = self._contracted(joins)
        self.taking_part = self._as_named(self._region_tables)

    def is_chosen(self) -> bool:
        """Whether the plan joins the tables that take part in this order."""
        asked = []
        for join in self._order.joins:
            left, right = NodeSet(join.left & self.taking_part), NodeSet(join.right & self.taking_part)
            if left and right:
                asked.append(replace(join, left=left, right=right))
        return self._chosen is not None and same_order(tuple(asked), self._chosen)

    def left_out(self) -> str:
        """A sentence on the tables that the plan does without."""
        gone = NodeSet(self._order.joins[-1].tables & ~self._as_named(self._all_of_plan))
        if gone == self._order.joins[-1].tables:
            return "The plan reads none of these tables: the query gives no rows."
        listed = [self._order.names.get(table, f"#{table}") for table in members(gone)]
        if not listed:
            return ""
        them = "it" if len(listed) == 1 else "them"
        return f"The plan leaves out {enumerated(listed)}: the rows are the same without {them}."

    def _as_named(self, tables: NodeSet) -> NodeSet:
        return node_set(self._named[table] for table in members(tables) if table in self._named)

    def _contracted(self, joins: Order) -> Order | None:
        """The order of the named tables; None where tables of two of them are mixed."""
        found = []
        for join in joins:
            left, right = self._as_named(join.left), self._as_named(join.right)
            if left & right:
                if left != right or left & (left - 1):
                    return None
            elif left and right:
                found.append(OrderedJoin(left=left, right=right))
        return tuple(found)


def _tables_in(path: AccessPath) -> NodeSet:
    """The tables that a path reads anywhere."""
    found, waiting = EMPTY, [path]
    while waiting:
        each = waiting.pop()
        found = NodeSet(found | each.nodes)
        waiting += inputs(each)
    return found


# --- orders to offer --------------------------------------------------------------------------------------------------


def forbidden_orders(planned: PlannedQuery, limit: int, seconds: float = math.inf) -> list[Order]:
    """Orders that are illegal and make no product, those first that are nearest to the order of the query.

    There are none where the query joins fewer than three tables, and where no order is illegal that is up to three
    steps away (`order_trees`). After so many seconds the search ends with those that it has.
    """
    deadline = monotonic() + seconds
    with deep_recursion():
        try:
            block = _block(planned)
        except NotSupportedError:
            return []
        written = written_tree(block.from_)
        found: list[Order] = []
        for ring in [] if written is None else orders_near(written, _MOST_STEPS):
            for order in ring[:_MOST_TRIED]:
                if len(found) >= limit or monotonic() > deadline:
                    return found
                if _is_forbidden(planned, block, order):
                    found.append(order)
        return found


def _is_forbidden(planned: PlannedQuery, block: QueryBlock, order: Order) -> bool:
    prescribed = prescribe(planned, block, order)
    if prescribed.order is None:
        return False
    try:
        forbidden = find_forbidden(prescribed.rewritten, prescribed.order, planned.settings)
    except ProgrammingError:  # some tables are computed as a whole with others
        return False
    return forbidden is not None and forbidden.obstacle is Obstacle.RULE
