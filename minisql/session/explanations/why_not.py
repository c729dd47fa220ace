"""EXPLAIN WHY NOT: what becomes of a query whose outermost joins are made in an order that somebody asks for.

The answer is what the hint JOIN_TREE with that order would do: the query is rewritten and planned with it. `chosen`,
`dearer` and `not enumerated` orders may be such that the hint works; an `illegal` one is an error there, and so is one
that is `not enumerated` because it makes a product. An illegal one comes with a counterexample, where a search finds
one: a database on which the order changes the rows of the query (`explain.counterexample`), which is run before it is
shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values
from minisql.datatypes import VARCHAR
from minisql.errors import NotSupportedError, ProgrammingError, Span
from minisql.hypergraph.leaves import tables_of_region
from minisql.hypergraph.make_join_hypergraph import make_join_hypergraph
from minisql.node import node
from minisql.node_set import EMPTY, NodeSet, members
from minisql.optimizer.access_path import AccessPath, inputs
from minisql.optimizer.find_best_plan import find_best_plan, find_search_space
from minisql.optimizer.join_order import ForbiddenJoinError, split_order
from minisql.optimizer.search_space import Order, SearchSpace, same_order
from minisql.parser import parse_tree
from minisql.query_block.query_block import OrderedJoin, QueryBlock
from minisql.query_block.resolve_hints import resolve_join_tree
from minisql.query_block.table_names import format_order, from_items, table_names
from minisql.session.explanations.dearer import cost_difference, times
from minisql.session.explanations.orders import block_of_region
from minisql.session.explanations.outermost_region import Region, order_of, path_of_region
from minisql.session.explanations.prescribed import Prescribed, prescribe
from minisql.session.pipeline import PlannedQuery
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result, Row


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
    columns = {
        "verdict": answer.verdict,
        "reason": answer.reason,
        "script": answer.script,
        "written": answer.written,
        "reordered": answer.reordered,
    }
    batch = Batch([from_values([value], VARCHAR) for value in columns.values()], 1)
    return Result(list(columns), [VARCHAR] * len(columns), [batch])


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
    def __init__(self, planned: PlannedQuery, block: QueryBlock, order: Order) -> None:
        self._planned = planned
        self._block = block
        self._order = order
        names = table_names(block)
        only = from_items(block.from_)
        self._text = format_order(order, names) if order else names.get(only[0].table, "") if only else ""

    def answer(self) -> Answer:
        if not self._order:
            return Answer(
                order=self._text, verdict="chosen", reason=f"{self._text} is the only table: there is no other order."
            )
        prescribed = prescribe(self._planned, self._block, self._order)
        try:
            path = find_best_plan(prescribed.rewritten, self._planned.settings)
        except ForbiddenJoinError as error:
            return self._forbidden(error, prescribed)
        return self._legal(prescribed, path)

    def _forbidden(self, error: ForbiddenJoinError, prescribed: Prescribed) -> Answer:
        dropped = self._dropped(prescribed)
        if error.is_product:
            reason = f"{error.message} Products that the query does not have are not considered."
            return Answer(order=self._text, verdict="not enumerated", reason=_sentences(reason, dropped))
        from minisql.session.explanations.forbidden import counterexample

        shown = counterexample(self._planned, self._block, self._order)
        return Answer(
            order=self._text,
            verdict="illegal",
            reason=_sentences(error.message, shown.sentence, dropped),
            script=shown.script,
            written=shown.written,
            reordered=shown.reordered,
            names=shown.names,
            rows_written=shown.rows_written,
            rows_reordered=shown.rows_reordered,
            databases=shown.databases,
        )

    # --- orders that the rules allow ----------------------------------------------------------------------------------

    def _legal(self, prescribed: Prescribed, path: AccessPath) -> Answer:
        region = Region.outermost(self._planned.rewritten)
        dropped = self._dropped(prescribed)
        named = prescribed.order.joins[-1].tables
        if region is None:
            reason = "The plan joins nothing: what is left of the tables is read alone."
            return Answer(order=self._text, verdict="not enumerated", reason=_sentences(reason, dropped))
        nodes = make_join_hypergraph(region.region).graph.nodes
        taking_part = NodeSet(_all_tables(region) & named)
        in_plan = path_of_region(self._planned.path, NodeSet(_all_tables(region) | nodes))
        chosen = _restricted(order_of(in_plan, _all_tables(region)), taking_part)
        asked = _restricted(prescribed.order.joins, taking_part)
        if not asked:
            reason = "The tables of this order that take part in the plan are not joined with each other."
            return Answer(order=self._text, verdict="not enumerated", reason=_sentences(reason, dropped))
        space = self._space(prescribed)
        if same_order(asked, chosen):
            return Answer(order=self._text, verdict="chosen", reason=_sentences(self._chosen(space), dropped))
        joins, _ = split_order(prescribed.order, space.graph)
        cost = path.cost
        if taking_part == named and _all_tables(region) == named and space.is_complete:
            cost = self._planned.cost - in_plan.cost + space.cost(joins)
        unsearched = self._why_not_searched(space)
        if unsearched is not None:
            reason = f"{unsearched} This order costs {times(cost, self._planned.cost)} the chosen one."
            return Answer(order=self._text, verdict="not enumerated", reason=_sentences(reason, dropped))
        reason = cost_difference(space, joins, self._names(prescribed), cost, self._planned.cost)
        return Answer(order=self._text, verdict="dearer", reason=_sentences(reason, dropped))

    def _chosen(self, space: SearchSpace) -> str:
        unsearched = self._why_not_searched(space)
        if unsearched is not None:
            return f"This is the order of the plan. {unsearched}"
        if space.count == 1:
            return "This is the order of the plan, and the only one that the rules allow."
        return f"This is the order of the plan, the cheapest of {space.count:,}."

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

    def _space(self, prescribed: Prescribed) -> SearchSpace:
        return find_search_space(prescribed.order.input, self._planned.settings)

    def _names(self, prescribed: Prescribed) -> Mapping[int, str]:
        return prescribed.order.names

    def _dropped(self, prescribed: Prescribed) -> str:
        """A sentence on tables that the plan does without."""
        region = Region.outermost(self._planned.rewritten)
        there = self._planned.path.nodes if region is None else _all_tables(region)
        there = NodeSet(there | _read(self._planned.path))
        named = prescribed.order.joins[-1].tables
        gone = [prescribed.order.names.get(table, f"#{table}") for table in members(NodeSet(named & ~there))]
        if not gone:
            return ""
        listed = " and ".join([", ".join(gone[:-1]), gone[-1]]) if len(gone) > 1 else gone[0]
        them = "it changes" if len(gone) == 1 else "they change"
        return f"The plan leaves out {listed}, since {them} nothing."


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _read(path: AccessPath) -> NodeSet:
    """The tables that a path reads anywhere."""
    found, waiting = EMPTY, [path]
    while waiting:
        each = waiting.pop()
        found = NodeSet(found | each.nodes)
        waiting += inputs(each)
    return found


def _all_tables(region: Region) -> NodeSet:
    return tables_of_region(region.region)


def _restricted(joins: Sequence[OrderedJoin], tables: NodeSet) -> Order:
    """What an order says of some of its tables."""
    found = []
    for join in joins:
        left, right = NodeSet(join.left & tables), NodeSet(join.right & tables)
        if left and right:
            found.append(replace(join, left=left, right=right))
    return tuple(found)
