"""The orders of a query's joins: EXPLAIN ORDERS, and plans one after the other.

A query may join in several places: at the top, in a subquery that stays one, in each operand of a UNION. What varies is
the order of the outermost group of joins, the first that the plan comes to from the top; the others keep their best.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from minisql.datatypes import BOOLEAN, DOUBLE, VARCHAR
from minisql.errors import NotSupportedError, Span, counted
from minisql.explain.numbers import six_digits
from minisql.hypergraph.leaves import leaves_of, leaves_of_several_tables, tables_of_nodes, tables_of_region
from minisql.node import node
from minisql.node_set import NodeSet, is_subset, members, union
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.find_best_plan import find_best_plan, find_search_space
from minisql.optimizer.search_space import Order, SearchSpace, same_order
from minisql.query_block.query_block import OrderedJoin, QueryBlock
from minisql.query_block.table_names import block_of_tables, format_order, name_of_whole, table_names
from minisql.relational.relational_expression import output_tables
from minisql.session.explanations.outermost_region import Region, cost_with, order_of, path_of_region
from minisql.session.pipeline import PlannedQuery
from minisql.session.result import Result
from minisql.session.result_of_rows import result_of_rows

MOST_LISTED: Final = 10_000
"""The most orders that EXPLAIN ORDERS lists."""
CHEAPEST_LISTED: Final = 1_000
"""How many it lists where there are more."""


@node
class OrderLine:
    """An order and what is known of it.

    `cost` is that of the whole query, `rows` those of the intermediate results of its joins: the results of all joins
    but the last. `chosen` marks the order of the query's plan, `as_written` that of the query as written.
    """

    order: str
    cost: float
    rows: float
    chosen: bool
    as_written: bool


@node
class OrderList:
    """The cheapest orders, the cheapest first, and how many there are in all."""

    lines: tuple[OrderLine, ...]
    count: int


def list_orders(planned: PlannedQuery, span: Span | None) -> OrderList:
    """All orders of a query, or the cheapest of too many; no more than its LIMIT says.

    Args:
        planned: the query.
        span: where the orders are asked for.

    Raises:
        NotSupportedError: there are more pairs of sets of tables than the `pair_budget`.
    """
    limit = planned.query.limit
    region = Region.outermost(planned.rewritten)
    if region is None:
        line = OrderLine(order=planned.order, cost=planned.cost, rows=0.0, chosen=True, as_written=True)
        return OrderList(lines=(line,)[:limit], count=1)
    space = _search_space(planned, region, span)
    most = space.count if space.count <= MOST_LISTED else CHEAPEST_LISTED
    most = most if limit is None else min(most, limit)
    nodes = space.graph.graph.nodes
    in_plan = path_of_region(planned.path, nodes)
    chosen = order_of(in_plan, nodes)
    leaves = _orders_of_leaves(in_plan, space)
    operators = space.graph.operators
    written = tuple(OrderedJoin(left=each.left_tables, right=each.right_tables) for each in operators)
    names = table_names_of_region(planned, region)
    lines = [
        OrderLine(
            order=format_order(_with_leaves(order, leaves), names),
            cost=cost_with(planned.path, nodes, cost),
            rows=space.rows(order),
            chosen=same_order(order, chosen),
            as_written=same_order(order, written),
        )
        for order, cost in islice(space.cheapest(), most)
    ]
    return OrderList(lines=tuple(lines), count=space.count)


def _orders_of_leaves(path: AccessPath, space: SearchSpace) -> dict[int, Order]:
    """How a path joins the leaves that are several tables, by node: the same in every order."""
    groups = leaves_of_several_tables(space.graph)
    joins = order_of(path, NodeSet(space.graph.graph.nodes | union(groups.values())))
    return {node: tuple(join for join in joins if is_subset(join.tables, tables)) for node, tables in groups.items()}


def _with_leaves(order: Order, leaves: Mapping[int, Order]) -> Order:
    """An order of nodes as one of all their tables."""
    if not leaves:
        return order
    groups = {node: joins[-1].tables for node, joins in leaves.items()}
    inner = [join for joins in leaves.values() for join in joins]
    outer = [
        OrderedJoin(left=tables_of_nodes(join.left, groups), right=tables_of_nodes(join.right, groups))
        for join in order
    ]
    return (*inner, *outer)


def iterate_plans(planned: PlannedQuery, *, uniform: bool, seed: int | None) -> Iterator[PlannedQuery]:
    """Plans of a query that differ in the order of their joins.

    Raises:
        NotSupportedError: there are more pairs of sets of tables than the `pair_budget`.
    """
    region = Region.outermost(planned.rewritten)
    if region is None:
        yield planned
        while uniform:
            yield planned
        return
    space, names = _search_space(planned, region), table_names_of_region(planned, region)
    for order in _random_orders(space, seed) if uniform else (order for order, _ in space.cheapest()):
        rewritten = region.ordered(order, names)
        yield replace(planned, rewritten=rewritten, path=find_best_plan(rewritten, planned.settings))


def _random_orders(space: SearchSpace, seed: int | None) -> Iterator[Order]:
    rng = random.Random(seed)
    while True:
        yield space.unrank(rng.randrange(space.count))


def order_of_plan(planned: PlannedQuery) -> str:
    """The order of the outermost group of joins in a plan, as a hint would say it."""
    region = Region.outermost(planned.rewritten)
    names = table_names_of_region(planned, region)
    if region is None:
        return next(iter(names.values()), "") if len(set(names.values())) == 1 else ""
    tables = tables_of_region(region.region)
    return format_order(order_of(path_of_region(planned.path, tables), tables), names)


def table_names_of_region(planned: PlannedQuery, region: Region | None) -> Mapping[int, str]:
    """What a hint calls the tables of a region, by their numbers."""
    block = block_of_region(planned, region)
    if block is None:
        return {}
    names = table_names(block, planned.copies)
    for leaf in () if region is None else leaves_of(region.region):
        tables = list(members(output_tables(leaf)))
        if len(tables) > 1:  # a derived table of several tables that is computed as a whole
            whole = name_of_whole([names[each] for each in tables if each in names], names.values())
            names |= dict.fromkeys(tables, whole) if whole else {}
    return names


def block_of_region(planned: PlannedQuery, region: Region | None) -> QueryBlock | None:
    """The query block that has the joins of a region in its FROM; without a region, that of the query."""
    blocks = block_of_tables(planned.query)
    owner = planned.query.table if region is None else region.owner
    originals = {new: old for tables in planned.copies.values() for old, new in tables.items()}
    while owner not in blocks and owner in originals:
        owner = originals[owner]
    return None if owner is None else blocks.get(owner)


def _search_space(planned: PlannedQuery, region: Region, span: Span | None = None) -> SearchSpace:
    space = find_search_space(planned.rewritten, region.region, planned.settings)
    if not space.is_complete:
        pairs = counted(planned.settings.pair_budget, "pair")
        raise NotSupportedError(
            f"The joins have more than {pairs} of sets of tables, too many to look at all their orders.",
            span,
            hint="SET pair_budget to a higher number.",
        )
    return space


def explain_orders(planned: PlannedQuery, span: Span | None) -> Result:
    """The result of EXPLAIN ORDERS. Estimates are cut to six digits, for people."""
    orders = list_orders(planned, span)
    columns = {"order": VARCHAR, "cost": DOUBLE, "rows": DOUBLE, "chosen": BOOLEAN, "as_written": BOOLEAN}
    rows = [
        (line.order, six_digits(line.cost), six_digits(line.rows), line.chosen, line.as_written)
        for line in orders.lines
    ]
    count = len(rows)
    shown = f"The {count:,} cheapest of {orders.count:,} orders." if 0 < count < orders.count else None
    return result_of_rows(columns, rows, notice=shown)
