"""EXPLAIN TRACE: the search for the order of the outermost group of joins of a query, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from minisql.hypergraph.leaves import leaf_names, leaves_of_several_tables, tables_of_region
from minisql.node_set import NodeSet, lowest
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath, SharedScan, TableScan, ValuesScan, WorkingTableScan
from minisql.optimizer.find_best_plan import RegionSearch, trace_search
from minisql.optimizer.trace_records import SCHEMA, Record, RegionWords, Trace, number, search_records, table_record
from minisql.query_block.table_names import format_order
from minisql.session.explanations.orders import order_of_plan, table_names_of_region
from minisql.session.explanations.outermost_region import Region, order_of, path_of_region
from minisql.session.pipeline import PlannedQuery
from minisql.session.result import Result
from minisql.session.result_of_rows import text_of_lines

PAIRS_LISTED: Final = 10_000
"""The most pairs that are listed; the others are counted."""


def trace_of(planned: PlannedQuery) -> Trace:
    """Searches for the plan of a query once more, and notes each step.

    A query without joins has a trace of its tables. In the records, a table has the number of the statement's table.
    """
    region = Region.outermost(planned.rewritten)
    names = table_names_of_region(planned, region)
    if region is None:
        return Trace(records=tuple(_records_without_joins(planned, names)), pairs=0)
    search = trace_search(planned.rewritten, region.region, planned.settings, PAIRS_LISTED)
    found, tracing = search.region, search.trace
    names = {**leaf_names(found.graph, names), **names}  # in hints, tables of subqueries have no names
    tables = tables_of_region(region.region)
    events, forbidden = tracing.with_forbidden(found.graph, found.connections, planned.settings.pair_budget)
    words = RegionWords(found.graph, found.connections, tracing.seen, names_of_nodes(search, names), has_methods=True)
    end = {
        "pairs": tracing.pairs,
        "forbidden": forbidden,
        "order": format_order(order_of(path_of_region(search.path, tables), tables), names),
        "cost": number(tracing.seen[found.graph.graph.nodes].cost),
        "query_cost": number(search.cost),
    }
    return Trace(records=tuple(search_records(events, words, end)), pairs=tracing.pairs + forbidden)


def names_of_nodes(search: RegionSearch, names: Mapping[int, str]) -> dict[int, str]:
    """The names of the nodes of a region; that of a leaf of several tables is the order in which they are joined."""
    graph = search.region.graph
    found = leaf_names(graph, names)
    for node, tables in leaves_of_several_tables(graph).items():
        order = order_of(path_of_region(search.path, tables), tables)
        found[lowest(NodeSet(node))] = format_order(order, names)
    return found


def _records_without_joins(planned: PlannedQuery, names: Mapping[int, str]) -> Iterator[Record]:
    leaves = list(_leaves(planned.path))
    tables = [{"number": lowest(leaf.nodes), "name": names.get(lowest(leaf.nodes)) or _alias(leaf)} for leaf in leaves]
    yield {"event": "begin", "schema": SCHEMA, "tables": tables}
    for step, leaf in enumerate(leaves, 1):
        yield table_record(step, leaf.nodes, leaf.rows, leaf.cost)
    cost = number(leaves[0].cost) if len(leaves) == 1 else None
    yield {
        "event": "end",
        "pairs": 0,
        "forbidden": 0,
        "order": order_of_plan(planned),
        "cost": cost,
        "query_cost": number(planned.cost),
    }


def _leaves(path: AccessPath) -> Iterator[AccessPath]:
    """What reads tables, with the filters above it, from left to right."""
    waiting = [path]
    while waiting:
        path = waiting.pop()
        below = _below_filters(path)
        if access_path.inputs(below):
            waiting += reversed(access_path.inputs(below))
        elif path.nodes:
            yield path


def _alias(leaf: AccessPath) -> str:
    scan = _below_filters(leaf)
    assert isinstance(scan, TableScan | ValuesScan | SharedScan | WorkingTableScan)
    return scan.alias or f"#{scan.table}"


def _below_filters(path: AccessPath) -> AccessPath:
    while isinstance(path, access_path.Filter):
        path = path.input
    return path


def explain_trace(planned: PlannedQuery) -> Result:
    """The result of EXPLAIN TRACE."""
    trace = trace_of(planned)
    result = text_of_lines(list(trace.lines()))
    result.notice = trace.notice
    return result
