"""Where an order of joins loses against the cheapest one, in words."""

from __future__ import annotations

from collections.abc import Mapping

from minisql.explain.numbers import number_text, rows_text
from minisql.hypergraph.leaves import leaf_names
from minisql.node_set import NodeSet, is_subset, members
from minisql.optimizer.search_space import Order, SearchSpace
from minisql.query_block.table_names import format_order

_EQUAL = 1 + 1e-9


def cost_difference(space: SearchSpace, asked: Order, names: Mapping[int, str], cost: float, chosen_cost: float) -> str:
    """Why an order is not the cheapest: the first set of tables that it joins in a dearer way than need be.

    Args:
        space: all orders of the joins.
        asked: one of them.
        names: those of the tables.
        cost: that of the whole query in the order.
        chosen_cost: that of the chosen plan.
    """
    total = f"In all it costs {times(cost, chosen_cost)} the chosen order ({cost:.4g} against {chosen_cost:.4g})."
    names = leaf_names(space.graph, names)
    for join in sorted(asked, key=lambda join: join.tables.bit_count()):
        own = tuple([each for each in asked if is_subset(each.tables, join.tables)])
        best = space.cheapest_of(join.tables)
        own_cost, best_cost = space.cost(own), space.cost(best)
        if own_cost > best_cost * _EQUAL:
            place = f"It loses at {_listed(join.tables, names)}: " if join.tables != asked[-1].tables else ""
            sets = _first_difference(own, best)
            loss = f"{format_order(own, names)} costs {times(own_cost, best_cost)} {format_order(best, names)}"
            return f"{place}{loss}{_rows(space, sets, names)}. {total}"
    if cost > chosen_cost * _EQUAL:
        return f"The joins themselves cost no more than the cheapest order of them. {total}"
    return "It costs the same as the chosen order, which the search came to first."


def _first_difference(own: Order, best: Order) -> tuple[NodeSet, NodeSet]:
    """The smallest set that each of two orders of the same tables joins and the other does not."""
    of_own, of_best = ([join.tables for join in order] for order in (own, best))
    first = min((each for each in of_own if each not in of_best), key=lambda tables: tables.bit_count())
    second = min((each for each in of_best if each not in of_own), key=lambda tables: tables.bit_count())
    return first, second


def _rows(space: SearchSpace, sets: tuple[NodeSet, NodeSet], names: Mapping[int, str]) -> str:
    first, second = (space.rows_of(tables) for tables in sets)
    ours, theirs = (_listed(tables, names) for tables in sets)
    if number_text(first) == number_text(second):
        return f", though {ours} and {theirs} give {rows_text(first)} each"
    word = "for" if first > second else "though"
    other = "where" if first > second else "and"
    return f", {word} {ours} gives {rows_text(first)} {other} {theirs} gives {number_text(second)}"


def _listed(tables: NodeSet, names: Mapping[int, str]) -> str:
    return f"({' '.join(names[table] for table in members(tables))})"


def times(cost: float, other: float) -> str:
    """How many times a cost is another one, for a sentence."""
    if other <= 0:
        return "as much as" if cost <= 0 else "more than"
    factor = cost / other
    if factor >= 100:
        return f"{factor:,.0f} times"
    return f"{factor:.3g} times" if abs(factor - 1) >= 0.005 else f"{factor:.6g} times"
