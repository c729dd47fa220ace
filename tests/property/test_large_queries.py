"""Join orders beyond the pair budget: they are legal, never worse than as written, and near the best one."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest

from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs, fewest_pairs
from minisql.node_set import node_set, single
from minisql.optimizer.costing_receiver import CostingReceiver, Entry
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.optimizer.greedy_ordering import order_greedily
from minisql.optimizer.linear_order import LinearEdge, linear_order
from minisql.optimizer.linearized_dp import improve_order
from minisql.relational.relational_expression import Join, JoinType, RelationalExpression
from minisql.settings import Settings
from tests.builders import column, compare, equal, join, table
from tests.naive import as_relational, bag
from tests.property.test_find_best_plan import new_receiver, paths
from tests.random_joins import random_tree, show

OPTIMAL = Settings(pair_budget=10_000_000)
OVER_BUDGET = Settings(pair_budget=0)
AS_WRITTEN = Settings(join_order="as_written")


# --- the line -------------------------------------------------------------------------------------------------------


def line_cost(order: Sequence[int], rows: Sequence[float], growths: dict[tuple[int, int], float]) -> float:
    """The sum of intermediate results of a left-deep order; infinite where an input has no neighbor before it."""
    cost, total = 0.0, rows[order[0]]
    for place in range(1, len(order)):
        known = [growths[before, order[place]] for before in order[:place] if (before, order[place]) in growths]
        if len(known) != 1:
            return math.inf
        total *= known[0]
        cost += total
    return cost


@pytest.mark.parametrize("seed", range(3))
def test_the_line_of_a_tree_is_the_cheapest_of_all_orders(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(60):
        count = rng.randint(1, 7)
        rows = [10 ** rng.uniform(0, 4) for _ in range(count)]
        growths: dict[tuple[int, int], float] = {}
        edges = []
        for place in range(1, count):
            other = rng.randrange(place)
            there, back = (10 ** rng.uniform(-2, 2) for _ in range(2))
            growths[other, place], growths[place, other] = there, back
            edges.append(LinearEdge(1 << other, 1 << place, back, there, rng.random()))
        best = min(line_cost(order, rows, growths) for order in itertools.permutations(range(count)))
        assert line_cost(linear_order(rows, edges, count), rows, growths) == pytest.approx(best)


def test_a_line_keeps_the_sides_of_hyperedges_together() -> None:
    """An input that needs several others comes after all of them, or before them and they follow without a gap."""
    rng = random.Random(1)
    for _ in range(300):
        count = rng.randint(3, 8)
        edges = [
            LinearEdge(1 << rng.randrange(place), 1 << place, rng.uniform(0, 3), rng.uniform(0, 3), rng.random())
            for place in range(1, count - 1)
        ]
        needed = rng.sample(range(count - 1), 2)
        edges.append(LinearEdge(node_set(needed), 1 << (count - 1), rng.random(), rng.random(), rng.random()))
        order = linear_order([rng.uniform(1, 9) for _ in range(count)], edges, count)
        assert sorted(order) == list(range(count))
        places = [order.index(input_) for input_ in needed]
        assert max(places) < order.index(count - 1) or order[0] == count - 1


def test_a_line_has_every_input_whatever_the_edges() -> None:
    rng = random.Random(2)
    for _ in range(300):
        count = rng.randint(1, 8)
        edges = []
        for _ in range(rng.randint(0, 10)):
            left, right = rng.randrange(1 << count), rng.randrange(1 << count)
            if left and right and not left & right:
                growths = (rng.choice([0.0, 1.0, 1e300, rng.random()]) for _ in range(3))
                edges.append(LinearEdge(left, right, *growths))
        order = linear_order([rng.choice([0.0, 1.0, 1e150]) for _ in range(count)], edges, rng.randint(1, count))
        assert sorted(order) == list(range(count))


# --- counting pairs -------------------------------------------------------------------------------------------------


class CountingReceiver:
    """Counts pairs; every set has a plan."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.pairs = 0

    def found_single_node(self, node: int) -> None:
        self.seen.add(node)

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        self.pairs += len(complements)
        self.seen.update(subgraph | complement for complement in complements)


def test_the_fewest_pairs_are_those_of_a_tree_and_a_bound_for_other_graphs() -> None:
    rng = random.Random(3)
    for _ in range(200):
        count = rng.randint(1, 9)
        names = rng.sample(range(count), count)
        edges = [Hyperedge(single(names[rng.randrange(i)]), single(names[i])) for i in range(1, count)]
        graph = Hypergraph(node_set(range(count)), edges)
        receiver = CountingReceiver()
        assert enumerate_subgraph_pairs(graph, receiver, 1_000_000)
        assert fewest_pairs(graph) == receiver.pairs
        more = [
            Hyperedge(single(i), single(j)) for i, j in itertools.combinations(range(count), 2) if rng.random() < 0.3
        ]
        graph = Hypergraph(node_set(range(count)), rng.sample(edges + more, rng.randint(0, len(edges + more))))
        receiver = CountingReceiver()
        assert enumerate_subgraph_pairs(graph, receiver, 1_000_000)
        assert fewest_pairs(graph) <= receiver.pairs


def test_the_fewest_pairs_of_large_graphs() -> None:
    everything = node_set(range(50))
    chain = Hypergraph(everything, [Hyperedge(single(i - 1), single(i)) for i in range(1, 50)])
    star = Hypergraph(everything, [Hyperedge(single(i), single(49)) for i in range(49)])
    assert fewest_pairs(chain) == (50**3 - 50) // 6
    assert fewest_pairs(star) == 49 * 2**48


# --- whole plans ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_plans_beyond_the_budget_give_the_rows_of_the_query(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        tree = random_tree(rng, rng.randint(5, 9))
        for settings in (OVER_BUDGET, Settings(pair_budget=20), Settings(pair_budget=0, hash_join=False)):
            path = find_best_plan(tree, settings)
            assert bag(as_relational(path)) == bag(tree), f"{settings}\n{show(tree)}"


def geometric_mean(ratios: Sequence[float]) -> float:
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


def test_plans_beyond_the_budget_are_no_worse_than_as_written_and_near_the_best() -> None:
    rng = random.Random(11)
    ratios = []
    for _ in range(150):
        tree = random_tree(rng, rng.randint(5, 9), most_rows=60)
        best, over = find_best_plan(tree, OPTIMAL).cost, find_best_plan(tree, OVER_BUDGET).cost
        assert best <= over * (1 + 1e-9), show(tree)
        assert over <= find_best_plan(tree, AS_WRITTEN).cost * (1 + 1e-9), show(tree)
        ratios.append(over / best if best else 1.0)
    assert geometric_mean(ratios) < 1.05


SHAPES = ("chain", "star", "tree", "cycle", "clique")


def shaped_query(rng: random.Random, shape: str, types: Sequence[JoinType], count: int) -> RelationalExpression:
    """Joins of tables of very different sizes in this shape, written in a random order."""
    tables = [
        table(i, [(rng.randrange(9), rng.randrange(40)) for _ in range(int(3 ** rng.uniform(0, 5)))])
        for i in range(count)
    ]
    written: RelationalExpression = tables[0]
    for i in range(1, count):
        others = {"chain": [i - 1], "star": [0], "tree": [rng.randrange(i)], "clique": list(range(i))}.get(
            shape, [0, i - 1] if i == count - 1 else [i - 1]
        )
        conditions = [equal(column(j, rng.randrange(2)), column(i, rng.randrange(2))) for j in dict.fromkeys(others)]
        written = join(rng.choice(types), written, tables[i], *conditions)
    return written


@pytest.mark.parametrize("shape", SHAPES)
def test_shaped_queries_are_planned_near_the_best(shape: str) -> None:
    rng = random.Random(5)
    ratios = []
    for types in ([JoinType.INNER], [JoinType.LEFT], [JoinType.FULL], list(JoinType)[:3]):
        for _ in range(12):
            tree = shaped_query(rng, shape, types, rng.randint(5, 8))
            ratios.append(find_best_plan(tree, OVER_BUDGET).cost / find_best_plan(tree, OPTIMAL).cost)
    assert min(ratios) > 1 - 1e-9
    assert geometric_mean(ratios) < 1.05


def pairs_of(entry: Entry) -> list[tuple[int, int]]:
    """The pairs of the tree of an entry, those of its inputs first."""
    if entry.left is None or entry.right is None:
        return []
    return [*pairs_of(entry.left), *pairs_of(entry.right), (entry.left.nodes, entry.right.nodes)]


def improved(region: RelationalExpression) -> tuple[CostingReceiver, int]:
    """The receiver after everything that is done beyond the budget, and all nodes."""
    graph = make_join_hypergraph(region)
    receiver, cardinality, connections = new_receiver(graph, region)
    for node in graph.leaves:
        receiver.found_single_node(node)
    for operator in graph.operators:
        receiver.found_pair(operator.left_tables, operator.right_tables)
    order_greedily(graph.graph, receiver)
    before = receiver.seen[graph.graph.nodes].cost
    improve_order(graph, connections, cardinality.edges, receiver)
    assert receiver.seen[graph.graph.nodes].cost <= before
    return receiver, graph.graph.nodes


@pytest.mark.parametrize("most", [None, 4])
def test_the_cost_is_that_of_the_plan(most: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that become cheaper after a join was costed make it cheaper, too; in small pieces that is the rule."""
    if most is not None:
        monkeypatch.setattr("minisql.optimizer.linearized_dp.most_inputs", lambda nodes: most)
    rng = random.Random(13)
    for _ in range(60):
        region = random_tree(rng, rng.randint(6, 11), most_rows=9)
        if not is_join_region(region):
            continue
        receiver, everything = improved(region)
        alone, _, _ = new_receiver(make_join_hypergraph(region), region)
        for node in make_join_hypergraph(region).leaves:
            alone.found_single_node(node)
        for first, second in pairs_of(receiver.seen[everything]):
            alone.found_pair(first, second)
        assert alone.seen[everything].cost == pytest.approx(receiver.seen[everything].cost), show(region)


def greedy_sets(graph: Hypergraph, receiver: CostingReceiver) -> set[int]:
    """What greedy operator ordering joins, looking at every pair in every step."""
    components = list(graph.neighbors)
    found = set()
    while len(components) > 1:
        pairs = []
        for first, second in itertools.combinations(components, 2):
            sides = ((first, second), (second, first))
            if any(not (e.left & ~a or e.right & ~b) for e in graph.edges for a, b in sides):
                receiver.found_pair(first, second)
                if first | second in receiver.seen:
                    pairs.append((receiver.seen[first | second].rows, first, second))
        if not pairs:
            return found
        _, first, second = min(pairs)
        components = [component for component in components if component not in (first, second)]
        components.append(first | second)
        found.add(first | second)
    return found


def test_greedy_ordering_joins_what_has_the_smallest_result() -> None:
    rng = random.Random(17)
    compared = 0
    for _ in range(200):
        tree = shaped_query(rng, rng.choice(["chain", "star", "tree"]), [JoinType.INNER], rng.randint(3, 9))
        graph = make_join_hypergraph(tree)
        receivers = []
        for _ in range(2):
            receiver, _, _ = new_receiver(graph, tree)
            for node in graph.leaves:
                receiver.found_single_node(node)
            receivers.append(receiver)
        expected = greedy_sets(graph.graph, receivers[0])
        assert order_greedily(graph.graph, receivers[1])
        rows = sorted(entry.rows for entry in receivers[0].seen.values() if entry.left is not None)
        if all(first * (1 + 1e-6) < second for first, second in itertools.pairwise(rows)):  # no ties
            compared += 1
            found = {first | second for first, second in pairs_of(receivers[1].seen[graph.graph.nodes])}
            best = {first | second for first, second in pairs_of(receivers[0].seen[graph.graph.nodes])}
            assert expected <= receivers[1].seen.keys(), show(tree)
            assert found == best
    assert compared > 50


# --- odd graphs -----------------------------------------------------------------------------------------------------


def joins_of(path: object) -> int:
    return sum(hasattr(node, "left") for node in paths(path))  # type: ignore[arg-type]


def test_tables_that_nothing_connects() -> None:
    tables: list[RelationalExpression] = [table(i, [(1, 1)] * (i % 3 + 1)) for i in range(60)]
    product = tables[0]
    for each in tables[1:]:
        product = join("inner", product, each)
    path = find_best_plan(product, Settings())
    assert path.nodes == node_set(range(60))
    assert joins_of(path) == 59


def test_a_clique_beyond_the_budget() -> None:
    tree = shaped_query(random.Random(1), "clique", [JoinType.INNER], 25)
    path = find_best_plan(tree, Settings())
    assert joins_of(path) == 24
    assert path.cost <= find_best_plan(tree, AS_WRITTEN).cost


@pytest.mark.parametrize("type_", JoinType)
@pytest.mark.parametrize("operator", ["=", "<"])
def test_long_chains_of_every_join(type_: JoinType, operator: str) -> None:
    rng = random.Random(type_.value)
    written: RelationalExpression = table(0, [(i, i % 3) for i in range(9)])
    visible = [0]
    for i in range(1, 70):
        rows = [(rng.randrange(9), rng.randrange(9)) for _ in range(rng.randint(1, 30))]
        used = rng.sample(visible, min(len(visible), rng.randint(1, 2)))
        conditions = [compare(operator, column(j), column(i)) for j in used]
        written = join(type_, written, table(i, rows), *conditions)
        if type_ not in (JoinType.SEMI, JoinType.ANTI):
            visible.append(i)
    path = find_best_plan(written, Settings())
    assert path.nodes == node_set(range(70))
    assert joins_of(path) == 69
    assert path.cost <= find_best_plan(written, AS_WRITTEN).cost


def test_rules_that_leave_nothing_but_the_order_as_written() -> None:
    """Full joins on conditions that reject no nulls stay where they are."""
    written: RelationalExpression = table(0, [(1, 1)])
    for i in range(1, 40):
        condition = compare("<=", column(i - 1), column(i)) if i % 2 else equal(column(0), column(i))
        written = Join(type=JoinType.FULL, left=written, right=table(i, [(1, 1)]), conditions=(condition,))
    assert joins_of(find_best_plan(written, OVER_BUDGET)) == 39
