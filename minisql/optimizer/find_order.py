"""Finds the cheapest order of a join region: by enumeration of all pairs or, where these are too many, by search.

Over the budget of pairs, the cheaper of the order as written, which is always legal, and a greedy order is improved by
linearised dynamic programming.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minisql.errors import counted
from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs, fewest_pairs
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.cardinality import Cardinality
from minisql.optimizer.costing_receiver import CostingReceiver, PlanReceiver
from minisql.optimizer.greedy_ordering import order_greedily
from minisql.optimizer.linearized_dp import improve_order
from minisql.settings import Settings

if TYPE_CHECKING:
    from minisql.optimizer.trace import TracingReceiver


class OpenRegion(NamedTuple):
    """A region whose leaves are planned, and what its joins are ordered with."""

    graph: JoinHypergraph
    leaves: dict[int, AccessPath]
    connections: Connections
    cardinality: Cardinality
    receiver: CostingReceiver


def find_order(region: OpenRegion, settings: Settings, tracing: TracingReceiver | None = None) -> None:
    """Gives the receiver of the region pairs until it has a plan for all nodes; `tracing` notes them, if given."""
    graph = region.graph
    receiver: PlanReceiver = tracing or region.receiver
    begin = _unnoticed if tracing is None else tracing.begin_phase
    if settings.join_order == "optimal" and fewest_pairs(graph.graph) <= settings.pair_budget:
        begin("dphyp", "Every pair of connected sets that conditions join, each once.")
        is_complete = enumerate_subgraph_pairs(graph.graph, receiver, settings.pair_budget)
        if is_complete and graph.graph.nodes in receiver.seen:
            return
        if is_complete:
            reason = "No pair that the rules allow makes up all tables."
        else:
            reason = f"{_over(settings)}, so the enumeration was cut short."
    elif settings.join_order == "optimal":
        reason = f"{_over(settings)}, so the enumeration is not begun."
    else:
        reason = f"The setting join_order is '{settings.join_order}'."
    # The order as written comes first, so that its sets of nodes have the estimates that they have alone.
    begin("as written", reason)
    for node in graph.leaves:
        if node not in receiver.seen:
            receiver.found_single_node(node)
    for operator in graph.operators:
        receiver.found_pair(operator.left_tables, operator.right_tables)
    if settings.join_order == "optimal":
        begin("greedy", "Again and again, the two connected sets with the smallest join.")
        order_greedily(graph.graph, receiver)
        begin("linearized", "The best order so far, improved along lines of its tables.")
        improve_order(graph, region.connections, region.cardinality.edges, receiver)


def _unnoticed(phase: str, reason: str) -> None:
    """Nobody wants to know which part of the search begins."""


def _over(settings: Settings) -> str:
    return f"There are more than {counted(settings.pair_budget, 'pair')} (pair_budget)"
