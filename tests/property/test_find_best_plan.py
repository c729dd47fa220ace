from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath, Filter, HashJoin, NestedLoopJoin, TableScan
from minisql.optimizer.cardinality import Cardinality
from minisql.optimizer.costing_receiver import CostingReceiver, Entry
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.optimizer.statistics import Statistics
from minisql.relational.derive_conditions import derive_conditions
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import BaseTable, Join, RelationalExpression, inputs
from minisql.settings import Settings
from tests.builders import column, equal, join, table
from tests.naive import as_relational, bag
from tests.naive import rows as rows_of
from tests.random_joins import random_tree, show

SETTINGS = (
    Settings(),
    Settings(hash_join=False),
    Settings(join_order="as_written"),
    Settings(pair_budget=0),
    Settings(pair_budget=3),
)


@pytest.mark.parametrize("seed", range(4))
def test_the_best_plan_gives_the_rows_of_the_query_under_every_setting(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(150):
        tree = random_tree(rng, rng.randint(1, 6))
        expected = bag(tree)
        for settings in SETTINGS:
            path = find_best_plan(tree, settings)
            assert bag(as_relational(path)) == expected, f"{settings}\n{show(tree)}\n{show(as_relational(path))}"
            assert all(node.cost >= 0 and node.rows >= 0 for node in paths(path))


def paths(path: AccessPath) -> Iterator[AccessPath]:
    yield path
    for input_ in access_path.inputs(path):
        yield from paths(input_)


def receiver_of(region: RelationalExpression) -> tuple[CostingReceiver, Cardinality, Connections, int]:
    """The receiver of a whole enumeration of a region."""
    graph = make_join_hypergraph(region)
    receiver, cardinality, connections = new_receiver(graph, region)
    assert enumerate_subgraph_pairs(graph.graph, receiver, 1_000_000)
    return receiver, cardinality, connections, graph.graph.nodes


def new_receiver(
    graph: JoinHypergraph, region: RelationalExpression
) -> tuple[CostingReceiver, Cardinality, Connections]:
    """A receiver that knows nothing yet of the graph of a region; scans cost nothing."""
    statistics = Statistics()
    below = [region]
    while below:
        node = below.pop()
        if isinstance(node, BaseTable):
            statistics.add_table(node.table, node.source.row_count(), node.source.column_statistics)
        below += inputs(node)
    leaf_rows = {node: len(rows_of(leaf)) for node, leaf in graph.leaves.items()}
    connections = Connections(graph)
    cardinality = Cardinality(graph, connections, leaf_rows, statistics)
    receiver = CostingReceiver(connections, cardinality, dict.fromkeys(leaf_rows, 0.0), statistics, hash_join=True)
    return receiver, cardinality, connections


@pytest.mark.parametrize("seed", range(3))
def test_a_set_of_tables_has_the_same_rows_in_every_order(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(150):
        region = random_tree(rng, rng.randint(2, 6), most_rows=9)
        if rng.random() < 0.5:
            region = derive_conditions(push_down(region))  # which makes equalities that imply each other
        if not is_join_region(region):
            continue
        receiver, cardinality, connections, _ = receiver_of(region)
        for first, second in itertools.permutations(receiver.seen.values(), 2):
            entry = receiver.seen.get(first.nodes | second.nodes)
            if first.nodes & second.nodes or entry is None:
                continue
            assert entry.rows == pytest.approx(cardinality.rows(entry.nodes))
            completed = entry.complete & ~(first.complete | second.complete)
            crossing = first.contained & second.swapped
            site = connections.find_join(entry.nodes, crossing, completed)
            if site is not None and not site.flipped and crossing:
                rows = cardinality.rows_of_join(
                    first.nodes, first.rows, first.complete, second.nodes, second.rows, second.complete, completed
                )
                assert rows == pytest.approx(entry.rows), show(region)


def test_the_best_plan_is_the_cheapest_of_all() -> None:
    rng = random.Random(5)
    for _ in range(150):
        region = random_tree(rng, rng.randint(2, 5), most_rows=9)
        if is_join_region(region):
            receiver, _, _, everything = receiver_of(region)
            best = receiver.seen[everything].cost
            assert best == pytest.approx(min(every_cost(receiver, receiver.seen[everything])))


def every_cost(receiver: CostingReceiver, entry: Entry) -> list[float]:
    """The costs of all plans of a set, each costed as the only plan of its parts."""
    if entry.left is None:
        return [entry.cost]
    costs = []
    for first in list(receiver.seen.values()):
        second = receiver.seen.get(entry.nodes & ~first.nodes)
        if first.nodes & ~entry.nodes or second is None or not first.contained & second.swapped:
            continue
        for left_cost, right_cost in itertools.product(every_cost(receiver, first), every_cost(receiver, second)):
            kept = first.cost, second.cost, entry.cost
            first.cost, second.cost, entry.cost = left_cost, right_cost, float("inf")
            receiver.found_subgraph_pairs(first.nodes, [second.nodes])
            if entry.cost != float("inf"):
                costs.append(entry.cost)
            first.cost, second.cost, entry.cost = kept
    return costs


def test_hash_joins_have_keys_and_nested_loops_do_without() -> None:
    rng = random.Random(7)
    for _ in range(100):
        tree = random_tree(rng, 4)
        for path in paths(find_best_plan(tree, Settings())):
            assert isinstance(path, HashJoin | NestedLoopJoin | Filter | TableScan)
            if isinstance(path, HashJoin):
                assert path.keys
        for path in paths(find_best_plan(tree, Settings(hash_join=False))):
            assert not isinstance(path, HashJoin)


def test_tables_that_nothing_connects_are_a_product_in_the_order_as_written() -> None:
    """Both edges of the star are keys of a hash join, but none of them joins d1 and d2."""
    d1, d2, f = table(0, [(1, 1)]), table(1, [(1, 2), (2, 2)]), table(2, [(1, 2)])
    query = join("inner", join("inner", d1, d2), f, equal(column(0), column(2)), equal(column(1), column(2, 1)))
    path = find_best_plan(query, Settings(join_order="as_written"))
    assert [type(node) for node in paths(path)][:2] == [HashJoin, NestedLoopJoin]
    assert bag(as_relational(path)) == bag(query)


def test_equalities_that_imply_each_other_count_once() -> None:
    """A cycle has the rows of a chain: 100 rows with 10 values in each of three tables, 10 * 10 * 10 for each value."""
    rows = [(number % 10, number) for number in range(100)]
    a, b, c = table(0, rows), table(1, rows), table(2, rows)
    chain = join("inner", join("inner", a, b, equal(column(0), column(1))), c, equal(column(1), column(2)))
    derived = derive_conditions(chain)
    assert isinstance(derived, Join)
    assert len(derived.conditions) == 2
    for query in (chain, derived):
        receiver, _, _, everything = receiver_of(query)
        assert receiver.seen[everything].rows == pytest.approx(10_000)
