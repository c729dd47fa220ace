"""A trace is what the search did: it changes nothing, and to do again what it says leads to the same plan."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from minisql.errors import ProgrammingError
from minisql.expression.walk import tables_of
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import union
from minisql.optimizer.costing_receiver import CostingReceiver, Entry
from minisql.optimizer.find_best_plan import RegionSearch, find_best_plan, trace_search
from minisql.optimizer.find_order import find_order
from minisql.optimizer.trace import NodeFound, PairFound, PhaseBegan, Verdict, join_of
from minisql.relational.relational_expression import JoinOrder, RelationalExpression
from minisql.session.explanations.outermost_region import order_of, path_of_region
from minisql.settings import Settings
from tests.property.test_orders import forced, trees
from tests.property.test_search_space import EveryPlan
from tests.random_joins import random_tree, show

SETTINGS = (
    Settings(),
    Settings(hash_join=False),
    Settings(join_order="as_written"),
    Settings(pair_budget=0),
    Settings(pair_budget=6),
)


def regions(seed: int, number: int, most_tables: int) -> Iterator[RelationalExpression]:
    rng = random.Random(seed)
    while number:
        region = random_tree(rng, rng.randint(2, most_tables))
        if is_join_region(region):
            number -= 1
            yield region


def searched(region: RelationalExpression, settings: Settings) -> RegionSearch:
    return trace_search(region, region, settings, 1_000_000)


def replay(search: RegionSearch) -> tuple[dict[int, float], dict[int, tuple[int, int]]]:
    """The best cost of each set and the sides that it is joined of, left and right as they are shown."""
    best: dict[int, float] = {}
    sides: dict[int, tuple[int, int]] = {}
    entries = search.trace.seen
    for event in search.trace.events:
        match event:
            case NodeFound():
                best[event.node] = event.cost
            case PairFound(left=left, right=right):
                assert left in best
                assert right in best
                nodes = left | right
                assert event.beaten == best.get(nodes, float("inf"))
                if event.verdict in (Verdict.FIRST, Verdict.BETTER):
                    assert event.cost < event.beaten
                    _, flipped = join_of(
                        search.region.connections, entries, entries[left], entries[right], event.method
                    )
                    best[nodes], sides[nodes] = event.cost, (right, left) if flipped else (left, right)
                else:
                    assert event.cost >= event.beaten
    return best, sides


@pytest.mark.parametrize("seed", range(3))
def test_a_replay_leads_to_the_plan_and_to_every_best_cost(seed: int) -> None:
    for region in regions(seed, 80, 6):
        for settings in SETTINGS:
            path = find_best_plan(region, settings)
            search = searched(region, settings)
            best, sides = replay(search)
            nodes = search.region.graph.graph.nodes
            assert best == {each: entry.cost for each, entry in search.trace.seen.items()}, show(region)
            assert search.cost == path.cost
            in_plan = path_of_region(path, nodes)
            assert best[nodes] == in_plan.cost
            assert {(join.left, join.right) for join in order_of(in_plan, nodes)} == tree_of(sides, nodes)


def tree_of(sides: dict[int, tuple[int, int]], nodes: int) -> set[tuple[int, int]]:
    if nodes not in sides:
        return set()
    left, right = sides[nodes]
    return {(left, right)} | tree_of(sides, left) | tree_of(sides, right)


@pytest.mark.parametrize("seed", range(3))
def test_a_search_that_nobody_watches_finds_the_same(seed: int) -> None:
    for region in regions(seed, 80, 6):
        for settings in SETTINGS:
            search = searched(region, settings)
            leaf_costs = {node: leaf.cost for node, leaf in search.region.leaves.items()}
            connections, cardinality = search.region.connections, search.region.cardinality
            receiver = CostingReceiver(
                connections, cardinality, leaf_costs, search.statistics, hash_join=settings.hash_join
            )
            find_order(search.region._replace(receiver=receiver), settings)
            assert plans_of(receiver.seen) == plans_of(search.trace.seen), show(region)


def plans_of(entries: dict[int, Entry]) -> dict[int, tuple[object, ...]]:
    return {
        nodes: (
            entry.rows,
            entry.cost,
            entry.method,
            entry.left and entry.left.nodes,
            entry.right and entry.right.nodes,
        )
        for nodes, entry in entries.items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_what_is_forbidden_is_what_a_condition_connects_and_no_plan_joins(seed: int) -> None:
    verdicts: Counter[Verdict] = Counter()
    for region in regions(seed, 100, 5):
        search = searched(region, Settings())
        graph, known = search.region.graph, search.trace.seen
        events, forbidden = search.trace.with_forbidden(graph, search.region.connections, 10_000)
        pairs = [event for event in events if isinstance(event, PairFound)]
        verdicts.update(event.verdict for event in pairs)
        refused = {frozenset((event.left, event.right)) for event in pairs if event.verdict is Verdict.FORBIDDEN}
        assert len(refused) == forbidden
        joined = {frozenset((event.left, event.right)) for event in pairs if event.verdict is not Verdict.FORBIDDEN}
        plans = Pairs(graph)
        assert enumerate_subgraph_pairs(graph.graph, plans, 1_000_000)
        assert joined == plans.joined
        connected = {
            frozenset((left, right))
            for left, right in itertools.combinations(known, 2)
            if not left & right and any(uses_both(edge, left, right) for edge in graph.edges)
        }
        assert refused == connected - joined, show(region)
    assert set(verdicts) == set(Verdict)


class Pairs(EveryPlan):
    """The pairs that make plans."""

    def __init__(self, graph: JoinHypergraph) -> None:
        super().__init__(graph)
        self.joined: set[frozenset[int]] = set()

    def found_pair(self, s1: int, s2: int) -> None:
        before = self.plans[s1 | s2]
        super().found_pair(s1, s2)
        if self.plans[s1 | s2] != before:
            self.joined.add(frozenset((s1, s2)))


def uses_both(edge: JoinEdge, first: int, second: int) -> bool:
    """Whether the tables that the conditions of an edge use lie in the two sets, those of each input in one of them."""
    used = union(tables_of(condition) for condition in edge.conditions)
    left, right = used & edge.eligibility.left, used & edge.eligibility.right
    left, right = left or edge.eligibility.left, right or edge.eligibility.right
    return (not left & ~first and not right & ~second) or (not left & ~second and not right & ~first)


def test_a_prescribed_order_is_traced_with_its_sides() -> None:
    for region in regions(7, 40, 4):
        nodes = searched(region, Settings()).region.graph.graph.nodes
        for order in trees(nodes):
            prescribed = forced(region, order)
            search = traced_if_legal(prescribed)
            if search is None:
                continue
            best, sides = replay(search)
            assert best[nodes] == path_of_region(search.path, nodes).cost
            assert tree_of(sides, nodes) == {
                (join.left, join.right) for join in order_of(path_of_region(search.path, nodes), nodes)
            }
            (phase,) = [event for event in search.trace.events if isinstance(event, PhaseBegan)]
            assert phase.phase == "prescribed"


def traced_if_legal(order: JoinOrder) -> RegionSearch | None:
    try:
        return trace_search(order, order.input, Settings(), 100)
    except ProgrammingError:
        return None


def test_the_phases_of_a_search_over_the_budget() -> None:
    phases = Counter(
        tuple(event.phase for event in searched(region, settings).trace.events if isinstance(event, PhaseBegan))
        for settings in SETTINGS
        for region in regions(3, 60, 6)
    )
    over = ("as written", "greedy", "linearized")
    assert phases.keys() == {("dphyp",), ("dphyp", *over), over, ("as written",)}


def test_of_more_pairs_the_first_ones_are_listed_and_all_are_counted() -> None:
    for region in regions(9, 20, 6):
        whole = searched(region, Settings()).trace
        cut = trace_search(region, region, Settings(), 3).trace
        assert cut.pairs == whole.pairs
        pairs = [event for event in whole.events if isinstance(event, PairFound)]
        assert len(pairs) == whole.pairs
        assert [event for event in cut.events if isinstance(event, PairFound)] == pairs[:3]
