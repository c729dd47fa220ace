"""The search space as an object: counted, numbered, listed by cost; and every order of it can be forced."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

import minisql
from minisql.datatypes import INTEGER
from minisql.errors import ProgrammingError
from minisql.expression.nodes import Coalesce
from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import NodeSet, members, single
from minisql.optimizer.access_path import AccessPath, HashJoin
from minisql.optimizer.find_best_plan import find_best_plan, find_search_space
from minisql.optimizer.search_space import Order, SearchSpace, same_order
from minisql.query_block.query_block import OrderedJoin
from minisql.relational.relational_expression import JoinOrder, RelationalExpression
from minisql.session.explanations.outermost_region import order_of, path_of_region
from minisql.settings import Settings
from tests.builders import column, equal, join, null_safe_equal, table
from tests.naive import as_relational, bag
from tests.property.test_find_best_plan import paths
from tests.property.test_search_space import EveryPlan
from tests.random_joins import random_tree, show


class EveryOrder(EveryPlan):
    """Counts the plans with commutations left out."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(space.graph)
        self.orders: Counter[int] = Counter(dict.fromkeys(space.graph.leaves, 1))
        assert enumerate_subgraph_pairs(space.graph.graph, self, 1_000_000)

    def found_pair(self, s1: int, s2: int) -> None:
        before = self.plans[s1 | s2]
        super().found_pair(s1, s2)
        if self.plans[s1 | s2] != before:
            self.orders[s1 | s2] += self.orders[s1] * self.orders[s2]


def regions(seed: int, number: int, most_tables: int) -> Iterator[tuple[RelationalExpression, SearchSpace]]:
    rng = random.Random(seed)
    while number:
        region = random_tree(rng, rng.randint(2, most_tables))
        if is_join_region(region):
            number -= 1
            space = find_search_space(region, region, Settings())
            assert space.is_complete
            yield region, space


def key(order: Order) -> frozenset[frozenset[int]]:
    return frozenset(frozenset((join.left, join.right)) for join in order)


def forced(region: RelationalExpression, order: Order) -> JoinOrder:
    return JoinOrder(input=region, joins=order, names={})


@pytest.mark.parametrize("seed", range(3))
def test_there_are_as_many_orders_as_plans_without_commutations(seed: int) -> None:
    for region, space in regions(seed, 150, 5):
        everything = space.graph.graph.nodes
        assert space.count == EveryOrder(space).orders[everything], show(region)


@pytest.mark.parametrize("seed", range(3))
def test_every_order_has_one_number_and_one_place_by_cost(seed: int) -> None:
    for region, space in regions(seed, 150, 6):
        listed = list(itertools.islice(space.cheapest(), 3000))
        costs = [cost for _, cost in listed]
        assert costs == sorted(costs)
        assert costs[0] == pytest.approx(find_best_plan(region, Settings()).cost)
        assert [space.cost(order) for order, _ in listed] == pytest.approx(costs)
        keys = {key(order) for order, _ in listed}
        assert len(keys) == len(listed) == min(space.count, 3000)
        if space.count <= 3000:
            assert {key(space.unrank(number)) for number in range(space.count)} == keys, show(region)


@pytest.mark.parametrize("seed", range(3))
def test_every_order_can_be_forced(seed: int) -> None:
    for region, space in regions(seed, 60, 5):
        nodes, expected = space.graph.graph.nodes, bag(region)
        for order, cost in itertools.islice(space.cheapest(), 60):
            path = find_best_plan(forced(region, order), Settings())
            assert path.cost == pytest.approx(cost)
            found = order_of(path_of_region(path, nodes), nodes)
            assert same_order(found, order)
            inner = sum(each.rows for each in joins_of(path, found[:-1], nodes))
            assert space.rows(order) == pytest.approx(inner)
            assert bag(as_relational(path)) == expected, show(region)


def joins_of(path: AccessPath, order: Order, nodes: NodeSet) -> Iterator[AccessPath]:
    """The paths that give the results of these joins, filtered."""
    wanted = {join.left | join.right for join in order}
    for each in paths(path):
        if each.nodes & nodes in wanted:
            wanted.discard(each.nodes & nodes)
            yield each


def test_sides_stand_as_they_are_forced() -> None:
    rng = random.Random(8)
    for region, space in regions(8, 60, 4):
        nodes = space.graph.graph.nodes
        for order, cost in itertools.islice(space.cheapest(), 20):
            flipped = tuple(
                replace(join, left=join.right, right=join.left) if rng.random() < 0.5 else join for join in order
            )
            path = find_best_plan(forced(region, flipped), Settings())
            assert path.cost >= cost * (1 - 1e-9)
            assert bag(as_relational(path)) == bag(region), show(region)
            wanted = {join.left | join.right: join for join in flipped}
            for each in paths(path):
                if isinstance(each, HashJoin) and each.nodes & nodes in wanted:
                    probe, build = (each.right, each.left) if each.build_left else (each.left, each.right)
                    join = wanted[each.nodes & nodes]
                    assert (probe.nodes & nodes, build.nodes & nodes) == (join.left, join.right)


def test_an_order_that_is_not_listed_is_an_error_with_a_reason() -> None:
    reasons: Counter[str] = Counter()
    for region, space in regions(3, 150, 4):
        listed = {key(order) for order, _ in space.cheapest()}
        for tree in trees(space.graph.graph.nodes):
            if key(tree) in listed:
                continue
            with pytest.raises(ProgrammingError) as caught:
                find_best_plan(forced(region, tree), Settings())
            reasons[reason(caught.value.message)] += 1
    assert reasons.keys() >= {"can be joined to", "No condition joins", "no condition is about both"}


def reason(message: str) -> str:
    kinds = (
        "can be joined to",
        "No condition joins",
        "no condition is about both",
        "only filters",
        "cannot be joined to",
    )
    return next(words for words in kinds if words in message)


def test_a_complete_condition_with_its_tables_on_other_sides_does_not_join_them() -> None:
    b, c, e, f = (table(number, [(1, 1)]) for number in range(4))
    padding = equal(Coalesce(operands=(column(1, 1), column(2)), type=INTEGER), column(2))
    padded = join("left", b, join("left", c, e, padding), equal(column(0), column(1, 1)))
    region = join(
        "inner", f, padded, null_safe_equal(column(3, 1), column(0, 1)), null_safe_equal(column(3), column(1))
    )
    tree = tuple(OrderedJoin(left=NodeSet(left), right=NodeSet(right)) for left, right in [(8, 1), (9, 2), (11, 4)])
    with pytest.raises(ProgrammingError) as caught:
        find_best_plan(forced(region, tree), Settings())
    assert caught.value.message == (
        "b can be joined to a and d only after c, since the ON condition coalesce(b.y, c.x) = c.x of the LEFT JOIN "
        "of b with c does not reject NULLs on b, which the LEFT JOIN of a with (b, c) may pad. "
        "It could if that condition rejected NULLs on b."
    )


def trees(nodes: NodeSet) -> Iterator[Order]:
    """Every binary tree over the nodes, commutations left out."""
    first, *others = map(single, members(nodes))
    if not others:
        yield ()
    for chosen in itertools.chain.from_iterable(itertools.combinations(others, n) for n in range(len(others))):
        left = NodeSet(first | sum(chosen))
        right = NodeSet(nodes & ~left)
        for below in itertools.product(trees(left), trees(right)):
            yield (*below[0], *below[1], OrderedJoin(left=left, right=right))


def test_random_numbers_give_every_order_as_often_as_any_other() -> None:
    region, space = next((r, s) for r, s in regions(11, 200, 5) if 12 <= s.count <= 40)
    rng, draws = random.Random(5), 200 * space.count
    drawn = Counter(key(space.unrank(rng.randrange(space.count))) for _ in range(draws))
    expected = draws / space.count
    assert len(drawn) == space.count, show(region)
    chi_square = sum((count - expected) ** 2 / expected for count in drawn.values())
    # Mean and standard deviation are those of chi-square with count - 1 degrees of freedom.
    assert abs(chi_square - (space.count - 1)) < 4 * (2 * (space.count - 1)) ** 0.5


SEVERAL_TIMES = (
    "WITH RECURSIVE r AS (SELECT k, 0 AS n FROM d UNION ALL SELECT b.k, n + 1 FROM r JOIN b ON r.k = b.k"
    " JOIN c ON b.x = c.x WHERE n < 2) SELECT count(*) FROM r",
    "SELECT * FROM d, LATERAL (SELECT * FROM a JOIN b ON a.k = b.k JOIN c ON b.x = c.x WHERE a.y = d.y LIMIT 2) s",
    "SELECT d.k, (SELECT a.k FROM a JOIN b ON a.k = b.k JOIN c ON b.x < c.x AND c.k = d.k LIMIT 1) FROM d",
    "SELECT d.k, (WITH RECURSIVE r AS (SELECT d.x AS k, 0 AS n UNION ALL SELECT b.k, n + 1 FROM r JOIN b ON r.k = b.k"
    " JOIN c ON b.x = c.x AND b.y = d.y WHERE n < 2) SELECT count(*) FROM r) FROM d",
)


@pytest.mark.parametrize("query", SEVERAL_TIMES)
def test_joins_that_run_several_times_cost_as_many_times(query: str) -> None:
    """What EXPLAIN ORDERS says of an order is what the plan with that order says, in a recursion and in a subquery."""
    rng = random.Random(1)
    with minisql.connect() as connection:
        connection.execute("SET unnest_subqueries = off")
        for name, count in (("a", 20), ("b", 300), ("c", 900), ("d", 50)):
            connection.execute(f"CREATE TABLE {name} (k INTEGER, x INTEGER, y INTEGER)")
            rows = [(rng.randrange(30), rng.randrange(20), rng.randrange(5)) for _ in range(count)]
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
        listed = connection.execute(f"EXPLAIN ORDERS {query}").fetchall()
        assert len(listed) > 1
        assert listed[0][1] == pytest.approx(connection.plan(query).cost, rel=1e-4)
        plans = list(connection.plans(query))
        assert [line[1] for line in listed] == pytest.approx([plan.cost for plan in plans], rel=1e-4)
        if "#" in listed[-1][0]:
            return
        verdict, reason, *_ = connection.execute(f"EXPLAIN WHY NOT {listed[-1][0]} {query}").fetchone()
        assert verdict == "dearer"
        factor = float(reason.split("In all it costs ")[1].split(" times")[0])
        assert factor == pytest.approx(plans[-1].cost / plans[0].cost, rel=1e-2)


@pytest.mark.parametrize("inner", ["a", '"a.b"', '"a "'])
def test_a_derived_table_that_is_computed_as_a_whole_goes_by_its_name(inner: str) -> None:
    with minisql.connect() as connection:
        for name in (inner, "b", "c"):
            connection.execute(f"CREATE TABLE {name} (k INTEGER, x INTEGER)")
        query = f"FROM c, LATERAL (SELECT {inner}.k FROM {inner} JOIN b ON b.k = {inner}.k AND b.x = c.x LIMIT 2) s"
        ((order, *_),) = connection.execute(f"EXPLAIN ORDERS SELECT * {query}").fetchall()
        assert order in ("(s c)", "(c s)")
        assert connection.plan(f"SELECT /*+ JOIN_TREE({order}) */ * {query}").order == order
        with pytest.raises(ProgrammingError, match=r"cannot be joined on its own") as raised:
            connection.plan(f"SELECT /*+ JOIN_TREE((c (s.b s.{inner}))) */ * {query}")
        assert raised.value.hint == "Name s in its place."
        query = (
            f"FROM c JOIN (SELECT b.k, l.x FROM b, LATERAL (SELECT * FROM {inner} AS i WHERE i.k = b.k LIMIT 2) l) s"
        )
        (order, *_), *_ = connection.execute(f"EXPLAIN ORDERS SELECT * {query} ON s.k = c.k").fetchall()
        assert sorted(order.replace("(", "").replace(")", "").split()) == ["c", "s.b", "s.l"]
