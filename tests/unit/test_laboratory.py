"""The optimizer laboratory: shapes and their pair counts, bad input, and graphs of real queries."""

from __future__ import annotations

import doctest
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minisql
from minisql.optimizer import laboratory as lab

EXACT = (lab.dphyp, lab.dp_size, lab.dp_sub)


def pairs(shape: str, n: int) -> int:
    """The csg-cmp pairs of a shape (Moerkotte and Neumann, VLDB 2006, section 2.3)."""
    return {
        "chain": (n**3 - n) // 6,
        "cycle": (n**3 - 2 * n**2 + n) // 2,
        "star": (n - 1) * 2**n // 4,
        "clique": (3**n - 2 ** (n + 1) + 1) // 2,
    }[shape]


@pytest.mark.parametrize("n", [3, 4, 6, 8])
@pytest.mark.parametrize("shape", ["chain", "cycle", "star", "clique"])
def test_as_many_pairs_as_the_formulas_say(shape: str, n: int) -> None:
    graph = getattr(lab, shape)(n)
    plans = [lab.optimize(graph, enumerator) for enumerator in EXACT]
    assert [plan.pairs for plan in plans] == [pairs(shape, n)] * 3
    dphyp, _, dp_sub = plans
    assert dphyp.looked_at == dphyp.pairs
    assert dp_sub.looked_at == (3**n - 2 ** (n + 1) + 1) // 2, "it looks at every split of every set"
    greedy = lab.optimize(graph, lab.greedy)
    assert greedy.pairs <= n * n
    assert len(greedy.joins) == n - 1


def test_dp_size_looks_at_as_many_pairs_as_there_are_plans_of_the_sizes() -> None:
    """A chain has n - s + 1 connected sets of s tables; any two of them that make up n at most are looked at."""
    for n in range(2, 9):
        sets = {size: n - size + 1 for size in range(1, n + 1)}
        expected = sum(
            math.comb(sets[small], 2) if 2 * small == size else sets[small] * sets[size - small]
            for size in range(2, n + 1)
            for small in range(1, size // 2 + 1)
        )
        assert lab.optimize(lab.chain(n), lab.dp_size).looked_at == max(expected, 1)


def test_shapes_take_numbers_for_all_for_each_and_by_place() -> None:
    assert lab.chain(3, rows=[1, 20, 300]).rows("t3") == 300
    graph = lab.star(4, rows=lambda place: 10.0**place, selectivity=[0.5, 0.25, 0.125])
    assert [graph.rows(name) for name in graph.tables] == [1, 10, 100, 1000]
    assert graph.rows(["t1", "t3"]) == 25
    assert graph.rows(graph.tables) == pytest.approx(1e6 / 64)
    grid = lab.grid(3, 2)
    assert grid.tables == ("t1", "t2", "t3", "t4", "t5", "t6")
    assert len(grid.joins.edges) == 7
    assert {len(lab.grid(1, n).joins.edges) - len(lab.chain(n).joins.edges) for n in range(1, 5)} == {0}


def test_the_example_of_the_package_is_right() -> None:
    assert doctest.testmod(lab, raise_on_error=True).attempted == 4


def test_a_plan_says_what_it_is() -> None:
    graph = lab.make_graph({"a": 10, "b": 1000, "c": 100}, [("a", "b", 0.001), ("b", "c", 0.01)])
    plan = lab.optimize(graph, lab.dphyp)
    assert plan.tree == (("a", "b"), "c")
    assert plan.order == "((a b) c)"
    first, second = plan.joins
    assert (first.left, first.right, first.type, first.rows, first.cost) == ({"a"}, {"b"}, "inner", 10, 10)
    assert (second.tables, second.cost) == ({"a", "b", "c"}, plan.cost)
    assert {"".join(sorted(tables)): rows for tables, rows in plan.rows.items()} == {
        "a": 10, "b": 1000, "c": 100, "ab": 10, "abc": 10,
    }  # fmt: skip
    assert plan.costs[frozenset("bc")] == 1000
    assert plan.cost_under(cost=lab.nested_loop) == 10 * 1000 + 10 * 100
    end = plan.trace.records[-1]
    assert (end["order"], end["cost"], end["pairs"]) == (plan.order, plan.cost, plan.pairs)


def test_one_table_is_a_graph() -> None:
    for enumerator in (*EXACT, lab.greedy, lab.linearized, lab.ikkbz):
        plan = lab.optimize(lab.chain(1), enumerator)
        assert (plan.order, plan.tree, plan.cost, plan.joins) == ("t1", "t1", 0, ())


def test_a_large_graph_needs_another_enumerator() -> None:
    graph = lab.star(60, rows=lambda place: 1000.0 + place)
    with pytest.raises(ValueError, match=r"more than 1000 pairs to look at.*`greedy` or `linearized`"):
        lab.optimize(graph, lab.dphyp, pair_budget=1000)
    for enumerator in (lab.dp_size, lab.dp_sub):
        with pytest.raises(ValueError, match="more than 500 pairs"):
            lab.optimize(graph, enumerator, pair_budget=500)
    assert lab.optimize(graph, lab.linearized).cost <= lab.optimize(graph, lab.greedy).cost * (1 + 1e-9)


Make = Callable[[], Any]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lab.make_graph("ab", [("a", "x")]), "An edge names x, and the tables are a, b"),
        (lambda: lab.make_graph("abc", [("a", "b")]), "Nothing connects c with a"),
        (lambda: lab.make_graph("aba", [("a", "b")]), "two tables a"),
        (lambda: lab.make_graph([], []), "A graph needs a table"),
        (lambda: lab.make_graph([""], []), "A table has a name, not ''"),
        (lambda: lab.make_graph({"a": -1}, []), "number of rows of a is a number, 0 or more, not -1"),
        (lambda: lab.make_graph({"a": math.nan}, []), "not nan"),
        (lambda: lab.make_graph({"a": math.inf}, []), "not inf"),
        (lambda: lab.make_graph({"a": True}, []), "not True"),
        (lambda: lab.edge("a", "b", 1.5), "A selectivity is a share from 0 to 1, not 1.5"),
        (lambda: lab.edge("a", "b", math.nan), "The selectivity between a and b is a number"),
        (lambda: lab.edge("a", ["a", "b"]), "a is on both sides"),
        (lambda: lab.edge("a", []), "a table on each side"),
        (lambda: lab.edge("a", "b", type="outer"), "'outer' is no type of join: there are inner, "),
        (lambda: lab.edge("a", "b", rejects="c"), "does not use c"),
        (lambda: lab.chain(0), "one table at least, not 0"),
        (lambda: lab.cycle(2), "three tables at least"),
        (lambda: lab.chain(3, rows=[1, 2]), "There are 2 rows given, and 3 are needed"),
        (lambda: lab.chain(3).rows("x"), "There is no table x in the graph, only t1, t2, t3"),
        (
            lambda: lab.make_graph("abc", [(["a", "b"], "c"), lab.edge("a", "b", type="left")]),
            "a and b are not joined before the edge",
        ),
        (lambda: lab.make_graph("abc", [lab.edge("a", "b", type="semi"), ("b", "c")]), "b is hidden by the semi"),
        (
            lambda: lab.make_graph("ab", [("a", "b"), lab.edge("a", "b", type="left")]),
            "a, b are joined already, so that a left join",
        ),
        (
            lambda: lab.make_graph("ab", [lab.edge("a", "b", type="left"), ("a", "b")]),
            "a, b is a condition of the left join",
        ),
        (
            lambda: lab.make_graph("ab", [lab.edge("a", "b", type="left", rules=[("a", "b")])]),
            "rules follow from the joins",
        ),
        (
            lambda: lab.make_graph(map(str, range(301)), [lab.edge("0", str(i), type="left") for i in range(1, 301)]),
            "may be of 300 tables, not 301",
        ),
        (lambda: lab.optimize(lab.cycle(4), lab.ikkbz), "IKKBZ needs a tree"),
        (lambda: lab.optimize(lab.make_graph("abc", [(["a", "b"], "c")]), lab.dphyp), "no plan for all 3 tables"),
        (lambda: lab.optimize(lab.chain(3), lambda search: None), "no plan for all 3 tables. The largest set .* is t1"),
        (lambda: lab.optimize(lab.chain(3), lab.dphyp, cost=lambda *rows: -1.0), "cost of a join .* not -1.0"),
        (lambda: lab.optimize(lab.chain(3), lab.dphyp, cardinality=lambda tables: math.nan), "cardinality of t1 .*nan"),
        (lambda: lab.optimize(lab.chain(2), lab.dphyp, cardinality=lab.given({})), "No cardinality is given for t1"),
        (lambda: lab.independence(lab.chain(2), rows={"x": 1}), "no table x"),
        (lambda: lab.independence(lab.chain(3), selectivity={frozenset(["t1", "t3"]): 0.5}), "No edge connects t1, t3"),
        (lambda: lab.optimize(lab.chain(3), lambda search: search.join("t1", "t1")), "share no table"),
        (lambda: lab.optimize(lab.chain(3), lambda search: search.join(["t1", "t2"], "t3")), "no plan for t1, t2 yet"),
        (lambda: lab.optimize(lab.chain(3), lambda search: search.cost(["t1", "t2"])), "no plan for t1, t2 yet"),
    ],
)  # fmt: skip
def test_what_is_no_graph_or_search_is_a_sentence(make: Make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_enumerator_of_ones_own() -> None:
    """The smallest table first, then whatever joins the fewest rows."""

    def smallest_first(search: lab.Search) -> None:
        done = {min(search.tables, key=search.rows)}
        assert search.has_plan(done)
        assert search.cost(done) == 0
        while len(done) < len(search.tables):
            near = [name for name in search.tables if name not in done and search.connects(done, name)]
            following = min(near, key=lambda name: search.rows({*done, name}))
            assert search.join(done, following)
            done.add(following)

    graph = lab.chain(5, rows=[50, 40, 3, 200, 1000], selectivity=0.1)
    plan = lab.optimize(graph, smallest_first)
    assert [sorted(join.tables) for join in plan.joins] == [
        ["t2", "t3"], ["t1", "t2", "t3"], ["t1", "t2", "t3", "t4"], ["t1", "t2", "t3", "t4", "t5"],
    ]  # fmt: skip
    assert plan.pairs == 4
    assert plan.cost >= lab.optimize(graph, lab.dphyp).cost


def test_what_nothing_connects_is_not_joined() -> None:
    def far_first(search: lab.Search) -> None:
        assert not search.connects("t1", "t3")
        assert not search.join("t1", "t3")
        lab.dphyp(search)

    assert lab.optimize(lab.chain(3), far_first).pairs == 4


# --- graphs of queries ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for number, name in enumerate("abcd"):
            connection.execute(
                f"CREATE TABLE {name} AS SELECT range % {3 + number} AS k, range % 7 AS x, range AS id "
                f"FROM range({20 * (number + 1)})"
            )
        yield connection


QUERIES = {
    "a JOIN b ON a.k = b.k JOIN c ON b.x = c.x WHERE a.x < 3": ["a", "b", "c", "ab", "bc", "abc"],
    "a LEFT JOIN b ON a.id = b.id LEFT JOIN c ON b.k = c.k": ["a", "b", "c", "ab", "bc", "abc"],
    "a LEFT JOIN b ON a.id = b.id + 9 LEFT JOIN c ON coalesce(b.k, 1) = c.k": ["a", "b", "c", "ab", "abc"],
    "a FULL JOIN b USING (id) FULL JOIN c USING (id) WHERE coalesce(a.k, 1) = 1": [
        "a",
        "b",
        "c",
        "ab",
        "bc",
        "ac",
        "abc",
    ],
    "a JOIN b ON a.k < b.k AND a.id = b.id": ["a", "b", "ab"],
}


@pytest.mark.parametrize("from_", QUERIES)
def test_true_cardinalities_are_those_of_counting(connection: minisql.Connection, from_: str) -> None:
    planned = connection.plan(f"SELECT count(*) FROM {from_}")
    counts = planned.true_cardinalities()
    assert sorted("".join(sorted(tables)) for tables in counts) == sorted(QUERIES[from_])
    everything = max(counts, key=len)
    assert (counts[everything],) == planned.execute().fetchone()
    for tables, count in counts.items():
        if len(tables) == 1:
            (name,) = tables
            where = f" WHERE {from_.partition(' WHERE ')[2]}" if name == "a" and from_.startswith("a JOIN") else ""
            where = where if "WHERE" in from_ else ""
            assert connection.execute(f"SELECT count(*) FROM {name}{where}").fetchone() == (count,)
        if tables == {"a", "b"} and "USING" not in from_:
            first_two = " ".join(from_.split(" ")[: from_.split(" ").index("ON")])
            condition = from_.split(" ON ")[1].split(" LEFT ")[0].split(" JOIN ")[0]
            where = " WHERE a.x < 3" if "a.x < 3" in from_ else ""
            query = f"SELECT count(*) FROM {first_two} ON {condition}{where}"
            assert connection.execute(query).fetchone() == (count,)


@pytest.mark.parametrize("from_", QUERIES)
def test_the_graph_of_a_query_has_the_estimates_and_the_plan_of_the_engine(
    connection: minisql.Connection, from_: str
) -> None:
    planned = connection.plan(f"SELECT * FROM {from_}")
    graph = planned.join_graph()
    assert graph.tables == tuple(sorted(set("abc") & set(from_)))
    assert lab.optimize(graph, lab.dphyp).rows[frozenset(graph.tables)] == pytest.approx(rows_of_joins(planned))
    own = lab.optimize(graph, lab.dphyp, cost=lab.engine)
    if "<" not in from_ and "USING" not in from_:
        # Nothing but hash joins on their keys: the laboratory's costs are the engine's, scans left out.
        costs = {name: connection.plan(scan(from_, name)).path.input.cost for name in graph.tables}
        joins = [line for line in planned.explain().splitlines() if "join" in line]
        total = float(joins[0].partition("cost=")[2].partition(" ")[0])
        assert own.cost + sum(costs.values()) == pytest.approx(total, rel=0.02)
    assert own.cost <= lab.optimize(graph, lab.linearized, cost=lab.engine).cost * (1 + 1e-9)
    shares = lab.independence(graph)
    for tables in own.costs:
        assert shares(tables) == pytest.approx(graph.rows(tables))
    if "USING" not in from_:
        assert lab.independence(graph, selectivity=0.5)(frozenset("ab")) != graph.rows(["a", "b"])


def scan(from_: str, name: str) -> str:
    return f"SELECT * FROM {name}" + (" WHERE a.x < 3" if name == "a" and "a.x < 3" in from_ else "")


def rows_of_joins(planned: Any) -> float:
    path = planned.path
    while not hasattr(path, "left") and type(path).__name__ != "Filter":
        path = path.input
    return float(path.rows)


def test_estimates_lead_to_plans_whose_true_cost_can_be_compared(connection: minisql.Connection) -> None:
    planned = connection.plan(
        "SELECT * FROM a JOIN b ON a.k = b.k JOIN c ON b.id = c.id JOIN d ON c.x = d.x AND d.id < 5"
    )
    graph, truth = planned.join_graph(), lab.given(planned.true_cardinalities())
    best = lab.optimize(graph, lab.dphyp, cardinality=truth)
    for estimator in (None, lab.independence(graph, selectivity=0.1), truth):
        plan = lab.optimize(graph, lab.dphyp, cardinality=estimator)
        assert plan.cost_under(truth) >= best.cost * (1 - 1e-9)
    assert lab.q_error(3, 12) == lab.q_error(12, 3) == 4
    assert lab.q_error(0, 1) == 1


def test_joins_that_cannot_be_run_alone_are_an_error(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.ProgrammingError, match="joins nothing"):
        connection.plan("SELECT * FROM a").join_graph()
    recursive = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r JOIN a ON a.id = r.n) SELECT * FROM r"
    assert connection.plan(recursive).join_graph().tables == ("r", "a")
    with pytest.raises(minisql.NotSupportedError, match="around them"):
        connection.plan(recursive).true_cardinalities()
    connection.execute("SET unnest_subqueries = off")
    correlated = "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b JOIN c ON b.k = c.k WHERE b.x < a.x)"
    try:
        with pytest.raises(minisql.NotSupportedError, match="around them"):
            connection.plan(correlated).true_cardinalities()
    finally:
        connection.execute("SET unnest_subqueries = DEFAULT")
    connection.execute("SET pair_budget = 1")
    try:
        with pytest.raises(minisql.NotSupportedError, match="more than 1 pair of sets"):
            connection.plan("SELECT * FROM a JOIN b USING (k) JOIN c USING (k)").true_cardinalities()
    finally:
        connection.execute("SET pair_budget = DEFAULT")
