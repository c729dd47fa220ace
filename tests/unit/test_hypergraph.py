from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import NodeSet, members, node_set, single, subsets

Edge = tuple[set[int], set[int]]


class Recorder:
    """Collects the pairs, and checks that none is used before it is complete."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.used: set[int] = set()
        self.pairs: list[tuple[int, int]] = []

    def found_single_node(self, node: int) -> None:
        self.seen.add(node)

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        self.used.update([subgraph, *complements])
        for complement in complements:
            assert {subgraph, complement} <= self.seen
            assert subgraph | complement not in self.used
            self.seen.add(subgraph | complement)
            self.pairs.append((subgraph, complement))


def graph(nodes: int, edges: list[Edge]) -> Hypergraph:
    return Hypergraph(node_set(range(nodes)), [Hyperedge(node_set(u), node_set(v)) for u, v in edges])


def pairs_found(hypergraph: Hypergraph) -> list[tuple[int, int]]:
    recorder = Recorder()
    assert enumerate_subgraph_pairs(hypergraph, recorder, 1_000_000)
    return recorder.pairs


def connects(hypergraph: Hypergraph, left: int, right: int) -> bool:
    return any(
        u & ~left == 0 and v & ~right == 0
        for edge in hypergraph.edges
        for u, v in [(edge.left, edge.right), (edge.right, edge.left)]
    )


def pairs_by_definition(hypergraph: Hypergraph) -> set[tuple[int, int]]:
    """A set is connected if it is one node, or if an edge connects two connected sets that partition it."""
    connected = {single(node) for node in members(hypergraph.nodes)}
    pairs = set()
    for nodes in subsets(hypergraph.nodes):
        for left in subsets(nodes):
            right = NodeSet(nodes ^ left)
            if {left, right} <= connected and left & -left < right & -right and connects(hypergraph, left, right):
                connected.add(nodes)
                pairs.add((int(left), int(right)))
    return pairs


def chain(n: int) -> list[Edge]:
    return [({i}, {i + 1}) for i in range(n - 1)]


def cycle(n: int) -> list[Edge]:
    return [*chain(n), ({n - 1}, {0})]


def star(n: int, center: int = 0) -> list[Edge]:
    return [({center}, {i}) for i in range(n) if i != center]


def clique(n: int) -> list[Edge]:
    return [({i}, {j}) for i, j in itertools.combinations(range(n), 2)]


@pytest.mark.parametrize("n", [3, 4, 7, 10])
def test_as_many_pairs_as_the_formulas_say(n: int) -> None:
    assert len(pairs_found(graph(n, chain(n)))) == (n**3 - n) // 6
    assert len(pairs_found(graph(n, cycle(n)))) == (n**3 - 2 * n**2 + n) // 2
    for center in (0, n // 2, n - 1):
        assert len(pairs_found(graph(n, star(n, center)))) == (n - 1) * 2 ** (n - 2)
    assert len(pairs_found(graph(n, clique(n)))) == (3**n - 2 ** (n + 1) + 1) // 2


def test_nodes_may_have_any_numbers() -> None:
    edges = [Hyperedge(single(70), single(3)), Hyperedge(node_set([3, 70]), single(41))]
    found = pairs_found(Hypergraph(node_set([3, 41, 70]), edges))
    assert found == [(single(3), single(70)), (node_set([3, 70]), single(41))]


sides = st.tuples(
    st.sets(st.integers(0, 5), min_size=1, max_size=3), st.sets(st.integers(0, 5), min_size=1, max_size=3)
)
simple = st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda edge: ({edge[0]}, {edge[1]}))
random_edges = st.lists(st.one_of(sides, simple).filter(lambda edge: not edge[0] & edge[1]), max_size=9)


@settings(max_examples=400, deadline=None)
@given(random_edges)
def test_every_pair_is_found_once(edges: list[Edge]) -> None:
    hypergraph = graph(6, edges)
    found = pairs_found(hypergraph)
    assert len(found) == len(set(found))
    assert {(s1, s2) if s1 & -s1 < s2 & -s2 else (s2, s1) for s1, s2 in found} == pairs_by_definition(hypergraph)


@pytest.mark.parametrize("edges", [star(40), clique(40), [({i - 1, i - 2}, {i}) for i in range(2, 40)] + star(40, 39)])
def test_an_enumeration_over_budget_stops_early(edges: list[Edge]) -> None:
    recorder = Recorder()
    assert not enumerate_subgraph_pairs(graph(40, edges), recorder, 5_000)
    assert len(recorder.pairs) <= 5_000
    assert all(single(node) in recorder.seen for node in members(node_set(range(40))))
