"""The joins of a query for the optimizer laboratory: their graph with the engine's estimates, and the true numbers."""

from __future__ import annotations

from collections.abc import Mapping

from minisql.errors import NotSupportedError, ProgrammingError, counted
from minisql.execution.build_iterators import build_iterators
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import members
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.costing_receiver import CostingReceiver
from minisql.optimizer.find_best_plan import RegionSearch, trace_search
from minisql.optimizer.finish_plan import finish_plan
from minisql.optimizer.laboratory import JoinGraph, Tables
from minisql.optimizer.recursion import working_tables
from minisql.relational.rewriting import tables_of_outer_references
from minisql.session.explanations.orders import table_names_of_region
from minisql.session.explanations.outermost_region import Region
from minisql.session.explanations.trace import names_of_nodes
from minisql.session.pipeline import PlannedQuery
from minisql.session.recursion import deep_recursion


def join_graph(planned: PlannedQuery) -> JoinGraph:
    """See `PlannedQuery.join_graph`."""
    return _graph_of(planned, _search(planned)[1])


def true_cardinalities(planned: PlannedQuery) -> dict[Tables, float]:
    """See `PlannedQuery.true_cardinalities`."""
    region, search = _search(planned)
    found, budget = search.region, planned.settings.pair_budget
    leaf_costs = {node: leaf.cost for node, leaf in found.leaves.items()}
    receiver = CostingReceiver(
        found.connections, found.cardinality, leaf_costs, search.statistics, hash_join=planned.settings.hash_join
    )
    if not enumerate_subgraph_pairs(found.graph.graph, receiver, budget):
        raise NotSupportedError(
            f"The joins have more than {counted(budget, 'pair')} of sets of tables, too many to count them all.",
            hint="SET pair_budget to a higher number.",
        )
    if tables_of_outer_references(region.region) or any(
        working_tables(leaf)[id(leaf)] for leaf in found.leaves.values()
    ):
        raise NotSupportedError("The joins read rows of the query or the recursion around them, and have none alone.")
    graph = _graph_of(planned, search)
    with deep_recursion():
        return {
            graph.tables_of(nodes): _count(
                finish_plan(entry, found.leaves, found.connections, receiver, search.statistics), planned
            )
            for nodes, entry in receiver.seen.items()
        }


def _search(planned: PlannedQuery) -> tuple[Region, RegionSearch]:
    region = Region.outermost(planned.rewritten)
    if region is None:
        raise ProgrammingError("The query joins nothing.")
    return region, trace_search(planned.rewritten, region.region, planned.settings, 0)


def _graph_of(planned: PlannedQuery, search: RegionSearch) -> JoinGraph:
    region = Region.outermost(planned.rewritten)
    names = _distinct(names_of_nodes(search, table_names_of_region(planned, region)))
    found = search.region
    nodes = {number: names[number] for number in members(found.graph.graph.nodes)}
    return JoinGraph(
        names=nodes,
        joins=found.graph,
        connections=found.connections,
        cardinality=found.cardinality,
        statistics=search.statistics,
        is_query=True,
    )


def _distinct(names: Mapping[int, str]) -> dict[int, str]:
    """The names, with numbers where two are the same."""
    given = list(names.values())
    return {number: name if given.count(name) == 1 else f"{name}#{number}" for number, name in names.items()}


def _count(path: AccessPath, planned: PlannedQuery) -> float:
    """The rows that a path gives."""
    iterator = build_iterators(path, (), planned.settings)
    rows = 0
    try:
        iterator.open()
        while (batch := iterator.next()) is not None:
            rows += batch.length
    finally:
        iterator.close()
    return float(rows)
