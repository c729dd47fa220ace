"""Ways to find the pairs of sets of tables that are worth a look.

`dphyp`, `greedy` and `linearized` are those of minisql; `ikkbz` puts the tables of a tree in the best line; `dp_size`
and `dp_sub` look at everything, as the textbooks do, and are there to be compared with.
"""

from __future__ import annotations

from collections.abc import Container

from minisql.errors import counted
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import NodeSet, single, subsets
from minisql.optimizer.cardinality import EdgeEstimate
from minisql.optimizer.greedy_ordering import order_greedily
from minisql.optimizer.laboratory.join_graph import estimate_of
from minisql.optimizer.laboratory.search import Search
from minisql.optimizer.linear_order import LinearEdge, linear_order
from minisql.optimizer.linearized_dp import improve_order
from minisql.optimizer.trace import TracingReceiver
from minisql.relational.relational_expression import JoinType


def dphyp(search: Search) -> None:
    """Every pair of connected sets that an edge connects, each once (Moerkotte and Neumann, SIGMOD 2008).

    Raises:
        ValueError: there are more pairs than the budget.
    """
    search.begin_phase("dphyp", "Every pair of connected sets that conditions join, each once.")
    if not enumerate_subgraph_pairs(search.graph.joins.graph, _Pairs(search.receiver), search.pair_budget):
        raise _over_budget(search)


def dp_size(search: Search) -> None:
    """DPsize: tries every two plans, by the size of what they make (Selinger et al., SIGMOD 1979, with bushy trees).

    Raises:
        ValueError: it would look at more pairs than the budget.
    """
    search.begin_phase("dpsize", "Any two plans, by the number of tables that they have together.")
    seen = search.receiver.seen
    by_size: list[list[int]] = [[], list(search.graph.joins.leaves)]
    for size in range(2, len(search.tables) + 1):
        by_size.append([])
        for smaller in range(1, size // 2 + 1):
            for place, left in enumerate(by_size[smaller]):
                others = by_size[smaller][place + 1 :] if 2 * smaller == size else by_size[size - smaller]
                for right in others:
                    _look(search)
                    if left & right or not search.graph.joins.graph.connects(left, right):
                        continue
                    is_new = left | right not in seen
                    search.receiver.found_subgraph_pairs(left, [right])
                    if is_new and left | right in seen:
                        by_size[size].append(left | right)


def dp_sub(search: Search) -> None:
    """DPsub: splits every set of tables in every way (Vance and Maier, SIGMOD 1996).

    Raises:
        ValueError: it would look at more pairs than the budget.
    """
    search.begin_phase("dpsub", "Every set of tables, split in two in every way.")
    seen = search.receiver.seen
    for nodes in subsets(search.graph.joins.graph.nodes):
        first = nodes & -nodes
        for left in subsets(NodeSet(nodes ^ first)):
            # The complement has the first table, so that each split comes once.
            _look(search)
            right = nodes ^ left
            if left in seen and right in seen and search.graph.joins.graph.connects(left, right):
                search.receiver.found_subgraph_pairs(right, [left])


def greedy(search: Search) -> None:
    """Again and again, the two connected sets with the smallest join (Fegaras, DEXA 1998).

    Where conflict rules lead that into a dead end, the plan is the query as written.
    """
    search.begin_phase("greedy", "Again and again, the two connected sets with the smallest join.")
    if not order_greedily(search.graph.joins.graph, search.receiver):
        _as_written(search, "The greedy order ends where rules allow no further join.")


def linearized(search: Search) -> None:
    """What minisql does beyond its pair budget: improves the better of a greedy order and the one as written.

    By linearised dynamic programming (Neumann and Radke, SIGMOD 2018; `optimizer.linearized_dp`).
    """
    _as_written(search, "The order that is legal in any case.")
    greedy(search)
    graph = search.graph
    if graph.joins.graph.nodes in search.receiver.seen:
        search.begin_phase("linearized", "The best order so far, improved along lines of its tables.")
        improve_order(graph.joins, graph.connections, _estimates(search), search.receiver)


def ikkbz(search: Search) -> None:
    """The left-deep order of the smallest sum of intermediate results, without search (Ibaraki and Kameda, TODS 1984).

    Raises:
        ValueError: the graph is no tree of inner joins between two tables each.
    """
    graph = search.graph
    edges, count = graph.joins.graph.edges, len(search.tables)
    types = {operator.type for operator in graph.joins.operators}
    if types - {JoinType.INNER} or not all(edge.is_simple for edge in edges) or len(edges) != count - 1:
        raise ValueError("IKKBZ needs a tree: inner joins of two tables each, one less than there are tables.")
    search.begin_phase("ikkbz", "The tables of a tree in the line of the smallest intermediate results.")
    nodes = list(graph.joins.leaves)
    rows = [search.receiver.seen[leaf].rows for leaf in nodes]
    estimates = _estimates(search)
    line_edges = []
    for place, edge in enumerate(edges, len(graph.joins.filters)):
        left, right = nodes.index(edge.left), nodes.index(edge.right)
        share = estimates[place].selectivity
        line_edges.append(LinearEdge(single(left), single(right), rows[left] * share, rows[right] * share, share))
    first, *others = linear_order(rows, line_edges, count)
    joined = nodes[first]
    for other in others:
        search.receiver.found_subgraph_pairs(joined, [nodes[other]])
        joined |= nodes[other]


def _as_written(search: Search, reason: str) -> None:
    """The joins of a query in their own order; a graph of edges has none."""
    if search.graph.is_query:
        search.begin_phase("as written", reason)
        for operator in search.graph.joins.operators:
            search.receiver.found_pair(operator.left_tables, operator.right_tables)


def _estimates(search: Search) -> dict[int, EdgeEstimate]:
    """The estimates of the edges; of inner joins of two tables, those that the cardinalities of this search tell."""
    joins = search.graph.joins
    found = dict(search.graph.cardinality.edges)
    for number, (edge, joined) in enumerate(zip(joins.graph.edges, joins.edges, strict=True), len(joins.filters)):
        if edge.is_simple and joins.operators[joined.operator].type is JoinType.INNER:
            product = search.rows_of(edge.left) * search.rows_of(edge.right)
            if product:
                found[number] = estimate_of(search.rows_of(edge.left | edge.right) / product)
    return found


def _look(search: Search) -> None:
    search.looked_at += 1
    if search.looked_at > search.pair_budget:
        raise _over_budget(search)


def _over_budget(search: Search) -> ValueError:
    return ValueError(
        f"There are more than {counted(search.pair_budget, 'pair')} to look at: give a larger pair_budget, or take "
        "`greedy` or `linearized`."
    )


class _Pairs:
    """The receiver without the tables, which it has been told of."""

    def __init__(self, receiver: TracingReceiver) -> None:
        self._receiver = receiver

    @property
    def seen(self) -> Container[int]:
        return self._receiver.seen

    def found_single_node(self, node: int) -> None:
        """It is known."""

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        self._receiver.found_subgraph_pairs(subgraph, complements)
