"""Times the enumeration of csg-cmp pairs with costing, and prints pairs a second beside what is aimed at.

    python benchmarks/enumeration.py

Only the enumeration with its receiver is timed, without a budget of pairs, the best of some runs. The planner runs
compiled where minisql was installed with a C compiler, interpreted in a source tree.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable

from planning import chain, clique, create_tables, star
from tabulate import tabulate

import minisql
from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.optimizer.cardinality import Cardinality
from minisql.optimizer.costing_receiver import CostingReceiver
from minisql.optimizer.statistics import Statistics
from minisql.relational.relational_expression import Aggregate, Project, RelationalExpression

# Milliseconds that are aimed at, compiled and interpreted.
CASES: tuple[tuple[str, Callable[[int, str], str], int, str, tuple[int, int] | None], ...] = (
    ("clique of 10", clique, 10, "INNER", (8, 30)),
    ("star of 15", star, 15, "INNER", (40, 150)),
    ("star of 15, LEFT", star, 15, "LEFT", (40, 150)),
    ("star of 15, FULL", star, 15, "FULL", (40, 150)),
    ("chain of 20", chain, 20, "INNER", None),
    ("chain of 20, mixed", chain, 20, "mixed", None),
    ("chain of 100", chain, 100, "INNER", (120, 250)),
    ("chain of 100, LEFT", chain, 100, "LEFT", (120, 250)),
    ("chain of 100, FULL", chain, 100, "FULL", (120, 250)),
    ("star of 13, mixed", star, 13, "mixed", None),
)


class Counter:
    """Counts the pairs."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.pairs = 0

    def found_single_node(self, node: int) -> None:
        self.seen.add(node)

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        self.pairs += len(complements)
        self.seen.update([subgraph | complement for complement in complements])


def join_region(query: RelationalExpression) -> RelationalExpression:
    while not is_join_region(query):
        assert isinstance(query, Project | Aggregate)
        query = query.input
    return query


def receiver_of(graph: JoinHypergraph) -> CostingReceiver:
    statistics = Statistics()
    for leaf in graph.leaves.values():
        statistics.add_table(leaf.table, leaf.source.row_count(), leaf.source.column_statistics)
    connections = Connections(graph)
    rows = {node: float(leaf.source.row_count()) for node, leaf in graph.leaves.items()}
    cardinality = Cardinality(graph, connections, rows, statistics)
    return CostingReceiver(connections, cardinality, dict.fromkeys(graph.leaves, 1.0), statistics, hash_join=True)


def milliseconds(graph: JoinHypergraph, repeat: int) -> float:
    times = []
    for _ in range(repeat):
        receiver = receiver_of(graph)
        gc.collect()
        start = time.perf_counter()
        enumerate_subgraph_pairs(graph.graph, receiver, 10_000_000)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    connection = minisql.connect()
    create_tables(connection, max(count for _, _, count, _, _ in CASES), columns=15)
    connection.execute("SET pair_budget = 0")
    compiled = minisql.planner_is_compiled()
    rows, all_pairs, all_time = [], 0, 0.0
    for name, shape, count, join, aims in CASES:
        graph = make_join_hypergraph(join_region(connection.plan(shape(count, join)).rewritten))
        counter = Counter()
        enumerate_subgraph_pairs(graph.graph, counter, 10_000_000)
        taken = milliseconds(graph, options.repeat)
        aim = "" if aims is None else str(aims[0] if compiled else aims[1])
        rows.append([name, f"{counter.pairs:,}", f"{taken:.1f}", aim, f"{counter.pairs / taken / 1000:.2f}"])
        all_pairs += counter.pairs
        all_time += taken
    rows.append(["all together", f"{all_pairs:,}", f"{all_time:.1f}", "", f"{all_pairs / all_time / 1000:.2f}"])
    print(f"\nEnumeration with costing, {'compiled' if compiled else 'interpreted'}")
    headers = ["", "pairs", "ms", "aim", "million pairs a second"]
    print(tabulate(rows, headers, tablefmt="github", colalign=("left",) + ("right",) * 4, disable_numparse=True))


if __name__ == "__main__":
    main()
