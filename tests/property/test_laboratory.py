"""The laboratory beside stupid oracles: splits of sets of names, and the search spaces of queries."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from minisql.datatypes import INTEGER
from minisql.expression.nodes import Coalesce, Expression, Value
from minisql.hypergraph.make_join_hypergraph import make_join_hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.optimizer import laboratory as lab
from minisql.relational.relational_expression import JoinType, RelationalExpression
from tests.builders import column, equal, join, literal, table
from tests.naive import bag
from tests.property.test_search_space import as_bag
from tests.property.test_trace import Pairs

COSTS: tuple[lab.CostModel, ...] = (
    lab.c_out,
    lab.nested_loop,
    lab.hash_join,
    lab.sort_merge,
    lab.engine,
    lambda left, right, out: left + 3 * right + math.sqrt(out),
)
EXACT: tuple[lab.Enumerator, ...] = (lab.dphyp, lab.dp_size, lab.dp_sub)

Edges = list[tuple[frozenset[str], frozenset[str], float]]


class BruteForce:
    """The best cost of each set of names, by all ways to split it in two sets that an edge connects."""

    def __init__(self, rows: dict[str, float], edges: Edges, cost: lab.CostModel) -> None:
        self._table_rows = rows
        self._edges = edges
        self._cost = cost
        self._known: dict[frozenset[str], float] = {frozenset([name]): 0.0 for name in rows}

    def rows(self, tables: frozenset[str]) -> float:
        shares = (share for left, right, share in self._edges if left | right <= tables)
        return math.prod(self._table_rows[name] for name in sorted(tables)) * math.prod(shares)

    def best(self, tables: frozenset[str]) -> float:
        """Infinite where there is no plan."""
        if tables not in self._known:
            self._known[tables] = min((self._split(left, tables - left) for left in halves(tables)), default=math.inf)
        return self._known[tables]

    def _split(self, left: frozenset[str], right: frozenset[str]) -> float:
        if not any((u <= left and v <= right) or (u <= right and v <= left) for u, v, _ in self._edges):
            return math.inf
        costs = self.best(left) + self.best(right)
        if costs == math.inf:
            return costs
        rows, others, out = self.rows(left), self.rows(right), self.rows(left | right)
        return costs + min(self._cost(rows, others, out), self._cost(others, rows, out))


def halves(tables: frozenset[str]) -> list[frozenset[str]]:
    first, *others = sorted(tables)
    return [
        frozenset([first, *chosen]) for size in range(len(others)) for chosen in itertools.combinations(others, size)
    ]


def random_hypergraph(rng: random.Random, tables: int) -> tuple[dict[str, float], Edges]:
    """A connected graph, with some edges between larger sets."""
    names = [f"r{number}" for number in range(tables)]
    rows = {name: float(rng.randint(1, 1000)) for name in names}
    edges: Edges = [
        (frozenset([rng.choice(names[:place])]), frozenset([names[place]]), 10 ** rng.uniform(-3, 0))
        for place in range(1, tables)
    ]
    for _ in range(rng.randrange(tables)):
        chosen = rng.sample(names, rng.randint(2, min(4, tables)))
        middle = rng.randint(1, len(chosen) - 1)
        edges.append((frozenset(chosen[:middle]), frozenset(chosen[middle:]), 10 ** rng.uniform(-3, 0)))
    rng.shuffle(edges)
    return rows, edges


@pytest.mark.parametrize("seed", range(3))
def test_every_exact_enumerator_finds_the_optimum_of_every_set(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        rows, edges = random_hypergraph(rng, rng.randint(2, 6))
        graph = lab.make_graph(rows, edges)
        for cost in COSTS:
            oracle = BruteForce(rows, edges, cost)
            pairs = set()
            for enumerator in EXACT:
                plan = lab.optimize(graph, enumerator, cost=cost)
                assert plan.cost == pytest.approx(oracle.best(frozenset(rows)))
                for tables, best in plan.costs.items():
                    assert best == pytest.approx(oracle.best(tables))
                    assert graph.rows(tables) == pytest.approx(oracle.rows(tables))
                sets = [
                    frozenset(chosen) for n in range(1, len(rows) + 1) for chosen in itertools.combinations(rows, n)
                ]
                assert {tables for tables in sets if oracle.best(tables) < math.inf} == plan.costs.keys()
                assert plan.cost_under(cost=cost) == pytest.approx(plan.cost)
                pairs.add(plan.pairs)
            assert len(pairs) == 1, "a csg-cmp pair is the same for all of them"
            for enumerator in (lab.greedy, lab.linearized):
                assert cost_or_none(graph, enumerator, cost) >= oracle.best(frozenset(rows)) * (1 - 1e-9)


def cost_or_none(graph: lab.JoinGraph, enumerator: lab.Enumerator, cost: lab.CostModel = lab.c_out) -> float:
    """The cost of the plan; infinite where the enumerator finds none."""
    try:
        return lab.optimize(graph, enumerator, cost=cost).cost
    except ValueError:
        return math.inf


@pytest.mark.parametrize("seed", range(3))
def test_ikkbz_finds_the_best_line_of_a_tree(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        graph = lab.random_graph(rng.randint(1, 6), rng.randrange(1_000_000), density=0.0)
        plan = lab.optimize(graph, lab.ikkbz)
        assert plan.cost == pytest.approx(lab.optimize(graph, best_line).cost)
        assert all(len(join.left) == 1 or len(join.right) == 1 for join in plan.joins)
        assert lab.optimize(graph, lab.dphyp).cost <= plan.cost * (1 + 1e-9)


def best_line(search: lab.Search) -> None:
    """An enumerator of one's own: every left-deep order without products."""
    for order in itertools.permutations(search.tables):
        for place in range(1, len(order)):
            if not search.connects(order[:place], order[place]):
                break
            assert search.join(order[:place], order[place])


def test_cardinalities_of_any_kind_are_taken_as_they_are() -> None:
    rng = random.Random(4)
    for _ in range(40):
        rows, edges = random_hypergraph(rng, rng.randint(2, 6))
        graph = lab.make_graph(rows, edges)
        sets = [frozenset(chosen) for n in range(1, len(rows) + 1) for chosen in itertools.combinations(rows, n)]
        known = {tables: float(rng.randint(0, 10**6)) for tables in sets}
        oracle = BruteForce(rows, edges, lab.c_out)
        oracle.rows = known.__getitem__  # type: ignore[method-assign]
        plan = lab.optimize(graph, lab.dphyp, cardinality=lab.given(known))
        assert plan.cost == pytest.approx(oracle.best(frozenset(rows)))
        assert plan.rows == {tables: known[tables] for tables in plan.rows}
        estimated = lab.optimize(graph, lab.dphyp)
        assert estimated.cost_under(lab.given(known)) >= plan.cost * (1 - 1e-9)


# --- joins that are not inner -----------------------------------------------------------------------------------------

Made = tuple[list[lab.Edge], RelationalExpression]


def random_joins(rng: random.Random, tables: int) -> Made:
    """Joins of tables a, b, ... one after the other, for the laboratory and as a query over tables with rows."""
    names = "abcdef"[:tables]
    parts: list[tuple[str, str, RelationalExpression]] = [
        (name, name, table(number, [random_row(rng) for _ in range(rng.randint(0, 2))], width=5))
        for number, name in enumerate(names)
    ]
    edges = []
    while len(parts) > 1:
        place = rng.randrange(len(parts) - 1)
        (left, left_visible, left_tree), (right, right_visible, right_tree) = parts[place : place + 2]
        type_ = rng.choice(list(JoinType))
        one, other = rng.choice(left_visible), rng.choice(right_visible)
        rejects = [name for name in (one, other) if rng.random() < 0.7]
        edges.append(lab.edge(one, other, rng.random(), type=type_.value, rejects=rejects))
        position = len(edges)
        condition = equal(operand(one, position, rejects), operand(other, position, rejects))
        hides = type_ in (JoinType.SEMI, JoinType.ANTI)
        visible = left_visible if hides else left_visible + right_visible
        parts[place : place + 2] = [(left + right, visible, join(type_, left_tree, right_tree, condition))]
    return edges, parts[0][2]


def random_row(rng: random.Random) -> tuple[Value, ...]:
    return tuple(rng.choice([None, 0, 1]) for _ in range(5))


def operand(name: str, position: int, rejects: list[str]) -> Expression:
    key = column(ord(name) - ord("a"), position)
    return key if name in rejects else Coalesce(operands=(key, literal(0)), type=INTEGER)


def query_plans(region: RelationalExpression) -> Pairs:
    graph = make_join_hypergraph(region)
    plans = Pairs(graph)
    assert enumerate_subgraph_pairs(graph.graph, plans, 1_000_000)
    return plans


@pytest.mark.parametrize("seed", range(3))
def test_joins_of_every_type_obey_the_rules_of_the_query(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(80):
        tables = rng.randint(2, 5)
        edges, region = random_joins(rng, tables)
        graph = lab.make_graph("abcdef"[:tables], edges)
        plans = query_plans(region)
        assert [as_bag(result) for result in plans.results[graph.joins.graph.nodes]] == [bag(region)]
        best = None
        for enumerator in EXACT:
            plan = lab.optimize(graph, enumerator)
            joined = {
                frozenset(sum(1 << number for number in record[side]) for side in ("left", "right"))
                for record in plan.trace.records
                if record["event"] == "pair" and record["verdict"] != "forbidden"
            }
            if any(edge.type is not JoinType.INNER for edge in edges):
                assert joined == plans.joined
            best = best or plan.cost
            assert plan.cost == pytest.approx(best)
        for enumerator in (lab.greedy, lab.linearized):
            assert lab.optimize(graph, enumerator).cost >= best * (1 - 1e-9)


def test_a_one_sided_join_keeps_the_rows_of_its_left_side() -> None:
    rng = random.Random(6)
    for _ in range(60):
        tables = rng.randint(2, 5)
        edges, _ = random_joins(rng, tables)
        graph = lab.make_graph("abcdef"[:tables], edges)
        sides = {(edge.type.value, *edge.left, *edge.right) for edge in edges}
        for planned in lab.optimize(graph, lab.dphyp, cost=lab.hash_join).joins:
            if planned.type not in ("inner", "full"):
                assert any(
                    type_ == planned.type and left in planned.left and right in planned.right
                    for type_, left, right in sides
                )


def test_rules_of_ones_own_forbid_pairs() -> None:
    rng = random.Random(8)
    verdicts = set()
    for _ in range(60):
        rows, edges = random_hypergraph(rng, 5)
        names = sorted(rows)
        ruled = []
        for left, right, share in edges:
            rules = [(rng.sample(names, 1), rng.sample(names, 1))] if rng.random() < 0.6 else []
            ruled.append(lab.edge(left, right, share, rules=rules))
        graph = lab.make_graph(rows, ruled)
        found = [cost_or_none(graph, enumerator) for enumerator in EXACT]
        assert found == pytest.approx([found[0]] * len(EXACT))
        if found[0] < math.inf:
            plan = lab.optimize(graph, lab.dphyp)
            verdicts |= {record["verdict"] for record in plan.trace.records if record["event"] == "pair"}
            for planned, each in itertools.product(plan.joins, ruled):
                if each.tables <= planned.tables and not (each.tables <= planned.left or each.tables <= planned.right):
                    assert all(not some & planned.tables or needed <= planned.tables for some, needed in each.rules)
    assert verdicts == {"first", "better", "dearer", "forbidden"}


def test_the_same_graph_gives_the_same_plan() -> None:
    for seed in range(8):
        types = ("inner", "left", "full", "semi") if seed % 2 else ("inner",)
        graphs = [lab.random_graph(8, seed, types=types) for _ in range(2)]
        for enumerator in (lab.dphyp, lab.greedy, lab.linearized):
            first, second = (lab.optimize(graph, enumerator, cost=lab.engine) for graph in graphs)
            assert (first.order, first.cost, first.pairs) == (second.order, second.cost, second.pairs)
            assert list(first.trace.lines()) == list(second.trace.lines())


def test_connected_is_what_an_edge_says() -> None:
    graph = lab.make_graph("abcd", [("a", "b"), (["a", "b"], "c"), ("c", "d")])
    for left, right in itertools.permutations(range(1, 16), 2):
        if not left & right:
            by_name = graph.tables_of(left), graph.tables_of(right)
            expected = any(
                {frozenset(u), frozenset(v)} <= {side & (u | v) for side in by_name}
                for u, v in (({"a"}, {"b"}), ({"a", "b"}, {"c"}), ({"c"}, {"d"}))
            )
            assert graph.joins.graph.connects(left, right) == expected
