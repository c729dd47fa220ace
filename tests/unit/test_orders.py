from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import minisql
from minisql.session.explanations.orders import CHEAPEST_LISTED
from minisql.shell.output import print_result


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for number in range(13):
            connection.execute(
                f"CREATE TABLE t{number} AS SELECT range % {number + 2} AS k, range AS x FROM range({10 + 3 * number})"
            )
        yield connection


CHAIN = "FROM t0 JOIN t1 ON t0.k = t1.k LEFT JOIN t2 ON t1.x = t2.x JOIN t3 ON t0.x = t3.x"


def chain(tables: int, join: str = "JOIN") -> str:
    return "FROM t0" + "".join(f" {join} t{i} ON t{i - 1}.x = t{i}.k" for i in range(1, tables))


def catalan(number: int) -> int:
    result = 1
    for i in range(number):
        result = result * 2 * (2 * i + 1) // (i + 2)
    return result


def test_orders_are_listed_by_cost(connection: minisql.Connection) -> None:
    result = connection.execute(f"EXPLAIN ORDERS SELECT count(*) {chain(5)}")
    assert result.names == ("order", "cost", "rows", "chosen", "as_written")
    rows = result.fetchall()
    assert len(rows) == catalan(4)
    assert result.notice is None
    assert [cost for _, cost, *_ in rows] == sorted(cost for _, cost, *_ in rows)
    assert [chosen for *_, chosen, _ in rows] == [True] + [False] * (len(rows) - 1)
    assert sum(as_written for *_, as_written in rows) == 1
    assert rows[0][1] == pytest.approx(connection.plan(f"SELECT count(*) {chain(5)}").cost, rel=1e-5)


def test_the_order_as_written_is_marked_and_can_be_chosen(connection: minisql.Connection) -> None:
    connection.execute("SET join_order = 'as_written'")
    rows = connection.execute(f"EXPLAIN ORDERS SELECT * {CHAIN}").fetchall()
    assert [chosen for *_, chosen, _ in rows] == [as_written for *_, as_written in rows]
    assert rows[0][3] is False
    (hint,) = [order for order, *_, chosen, _ in rows if not chosen][:1]
    planned = connection.plan(f"SELECT /*+ JOIN_TREE({hint}) */ * {CHAIN}")
    assert planned.order == hint, "a hint wins over the setting"


def test_limit_applies_to_the_list(connection: minisql.Connection) -> None:
    result = connection.execute(f"EXPLAIN ORDERS SELECT t0.x {chain(5)} ORDER BY 1 LIMIT 5 OFFSET 2")
    assert result.rowcount == 5
    assert result.notice == "The 5 cheapest of 14 orders."
    assert connection.execute(f"EXPLAIN ORDERS SELECT t0.x {chain(5)} LIMIT 0").fetchall() == []
    assert connection.execute(f"EXPLAIN ORDERS SELECT t0.x {chain(5)} LIMIT 100").rowcount == 14


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN", "FULL JOIN"])
def test_too_many_orders_are_counted(connection: minisql.Connection, join: str) -> None:
    result = connection.execute(f"EXPLAIN ORDERS SELECT 1 {chain(13, join)}")
    assert result.rowcount == CHEAPEST_LISTED
    assert result.notice == "The 1,000 cheapest of 208,012 orders."
    stream = io.StringIO()
    print_result(result, "table", stream)
    assert stream.getvalue().endswith("(1000 rows)\nThe 1,000 cheapest of 208,012 orders.\n")
    orders = [order for order, *_ in connection.execute(f"EXPLAIN ORDERS SELECT 1 {chain(13, join)}")]
    assert len(set(orders)) == CHEAPEST_LISTED


def test_a_space_of_billions_is_no_trouble(connection: minisql.Connection) -> None:
    conditions = " AND ".join(f"t{i}.k = t{j}.k" for i in range(10) for j in range(i))
    query = f"SELECT count(*) FROM {', '.join(f't{i}' for i in range(10))} WHERE {conditions}"
    result = connection.execute(f"EXPLAIN ORDERS {query}")
    # (2n - 3)!!, all trees over ten tables
    assert result.notice == "The 1,000 cheapest of 34,459,425 orders."
    drawn = {plan.order for plan in connection.plans(query, limit=20, uniform=True, seed=1)}
    assert len(drawn) == 20


def test_over_the_budget_there_is_no_list(connection: minisql.Connection) -> None:
    connection.execute("SET pair_budget = 5")
    assert connection.execute(f"SELECT count(*) {CHAIN}").rowcount == 1
    with pytest.raises(minisql.NotSupportedError, match="more than 5 pairs") as raised:
        connection.execute(f"EXPLAIN ORDERS SELECT 1 {CHAIN}")
    assert raised.value.span is not None
    assert raised.value.span.source == "ORDERS"
    with pytest.raises(minisql.NotSupportedError, match="more than 5 pairs"):
        next(connection.plans(f"SELECT 1 {CHAIN}"))


def test_plans_can_be_explained_and_executed(connection: minisql.Connection) -> None:
    query = f"SELECT count(*), sum(t2.x) {CHAIN}"
    expected = connection.execute(query).fetchall()
    plans = list(connection.plans(query))
    orders = connection.execute(f"EXPLAIN ORDERS {query}").fetchall()
    assert [plan.order for plan in plans] == [order for order, *_ in orders]
    assert [plan.cost for plan in plans] == pytest.approx([cost for _, cost, *_ in orders], rel=1e-5)
    assert len({plan.explain() for plan in plans}) == len(plans) == 5
    for plan in plans:
        assert plan.execute().fetchall() == expected
        assert "actual rows" in plan.explain(analyze=True)
        hinted = query.replace("SELECT", f"SELECT /*+ JOIN_TREE({plan.order}) */")
        assert connection.plan(hinted).explain() == plan.explain()
    assert [plan.order for plan in connection.plans(query, limit=2)] == [plan.order for plan in plans[:2]]
    assert connection.plan(query).order == plans[0].order


def test_plans_pass_over_a_hint(connection: minisql.Connection) -> None:
    plain = f"SELECT t0.x, t2.x {CHAIN} ORDER BY 1, 2 LIMIT 3"
    hinted = plain.replace("SELECT", "SELECT /*+ JOIN_TREE((((t2 t1) t0) t3)) */")
    expected = connection.execute(plain).fetchall()
    assert connection.execute(hinted).fetchall() == expected
    plans = list(connection.plans(hinted))
    assert [plan.order for plan in plans] == [plan.order for plan in connection.plans(plain)]
    assert all(plan.execute().fetchall() == expected for plan in plans)
    orders = connection.execute(f"EXPLAIN ORDERS {hinted}").fetchall()
    assert orders == [
        (*line[:3], line[0] == "(((t2 t1) t0) t3)", line[4])
        for line in connection.execute(f"EXPLAIN ORDERS {plain}").fetchall()
    ]


def test_plans_outlive_the_tables(connection: minisql.Connection) -> None:
    (plan,) = connection.plans("SELECT count(*) FROM t0", limit=3)
    connection.execute("DROP TABLE t0")
    assert plan.order == "t0"
    assert plan.execute().fetchall() == [(10,)]


def test_plans_take_parameters(connection: minisql.Connection) -> None:
    query = "SELECT count(*) FROM t0 JOIN t1 ON t0.k = t1.k JOIN t2 ON t1.k = t2.k WHERE t0.x < ?"
    found = {plan.execute().fetchall()[0] for plan in connection.plans(query, [4])}
    assert found == set(connection.execute(query, [4]).fetchall())
    with pytest.raises(minisql.InterfaceError):
        connection.plans(query)
    with pytest.raises(minisql.ProgrammingError, match="Only a query"):
        connection.plans("DROP TABLE t0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": -1}, "limit is a number of plans, not -1"),
        ({"limit": 1.5}, "limit is a number of plans, not 1.5"),
        ({"limit": "x"}, "limit is a number of plans, not 'x'"),
        ({"uniform": True, "seed": [1]}, "seed is an integer, not "),
        ({"seed": 1}, "give uniform=True"),
    ],
)
def test_plans_refuse_arguments_that_mean_nothing(
    connection: minisql.Connection, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(minisql.InterfaceError, match=message):
        connection.plans(f"SELECT 1 {CHAIN}", **arguments)
    assert len(list(connection.plans(f"SELECT 1 {CHAIN}", limit=10**30))) == 5


def test_iterators_of_plans_are_independent_of_each_other_and_of_the_connection() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE a AS SELECT range AS k FROM range(3)")
        query = "SELECT count(*) FROM a FULL JOIN a AS b USING (k) FULL JOIN a AS c USING (k)"
        plans = connection.plans(query)
        both = [(one.order, other.order) for one, other in zip(plans, connection.plans(query), strict=True)]
        assert [one for one, _ in both] == [other for _, other in both]
        assert next(plans, None) is None
        plans = connection.plans(query)
        first = next(plans)
        connection.execute("INSERT INTO a VALUES (7)")
    assert [plan.execute().fetchall() for plan in (first, *plans)] == [[(3,)]] * len(both)


def test_random_plans_are_uniform(connection: minisql.Connection) -> None:
    query = f"SELECT 1 {chain(5)}"
    draws = 1400
    drawn = Counter(plan.order for plan in connection.plans(query, limit=draws, uniform=True, seed=7))
    assert drawn.keys() == {plan.order for plan in connection.plans(query)}
    expected = draws / 14
    # The 0.999 quantile of chi-square with 13 degrees of freedom is 34.5.
    assert sum((count - expected) ** 2 / expected for count in drawn.values()) < 34.5
    again = [plan.order for plan in connection.plans(query, limit=20, uniform=True, seed=7)]
    assert again == [plan.order for plan in connection.plans(query, limit=20, uniform=True, seed=7)]
    assert again != [plan.order for plan in connection.plans(query, limit=20, uniform=True, seed=8)]
    endless = connection.plans("SELECT 1", uniform=True)
    assert len(list(itertools.islice(endless, 5))) == 5


def test_the_orders_are_those_of_the_outermost_joins(connection: minisql.Connection) -> None:
    grouped = f"(SELECT t0.k AS k, count(*) AS n {CHAIN} GROUP BY t0.k) AS d"
    orders = connection.execute(f"EXPLAIN ORDERS SELECT * FROM {grouped} JOIN t4 ON d.k = t4.k").fetchall()
    assert [set(order) for order, *_ in orders] == [set("(d t4)")]
    union = f"SELECT t4.k FROM t4 JOIN t5 ON t4.k = t5.k UNION ALL SELECT t0.k {CHAIN}"
    assert [sorted(plan.order) for plan in connection.plans(union)] == [sorted("(t4 t5)")]
    only_inside = f"SELECT max(n) FROM {grouped}"
    inside = {plan.order for plan in connection.plans(only_inside)}
    assert inside == {plan.order for plan in connection.plans(f"SELECT t0.k {CHAIN}")}
    for order in inside:
        hinted = only_inside.replace("(SELECT", f"(SELECT /*+ JOIN_TREE({order}) */")
        assert connection.plan(hinted).order == order
        assert connection.execute(hinted).fetchall() == connection.execute(only_inside).fetchall()


def test_hints_work_wherever_there_is_a_select(connection: minisql.Connection) -> None:
    hinted = f"SELECT /*+ JOIN_TREE((((t2 t1) t0) t3)) */ t0.k AS k, t2.x AS x {CHAIN}"
    plain = f"SELECT t0.k AS k, t2.x AS x {CHAIN}"
    expected = sorted(connection.execute(plain).fetchall(), key=str)
    assert connection.plan(plain).order != "(((t2 t1) t0) t3)"

    connection.execute(f"CREATE VIEW v AS {hinted}")
    for query in ("SELECT * FROM v", f"SELECT * FROM ({hinted}) AS q", f"WITH w AS ({hinted}) SELECT * FROM w"):
        assert sorted(connection.execute(query).fetchall(), key=str) == expected
        assert connection.plan(query).order.replace("v.", "").replace("q.", "").replace("w.", "") == (
            "(((t2 t1) t0) t3)"
        )
    connection.execute(f"CREATE TABLE copy AS {hinted}")
    connection.execute(f"INSERT INTO copy {hinted}")
    assert sorted(connection.execute("SELECT * FROM copy").fetchall(), key=str) == sorted(expected * 2, key=str)
    for statement in (f"CREATE TABLE copy2 AS {hinted}", f"INSERT INTO copy {hinted}", f"CREATE VIEW w AS {hinted}"):
        with pytest.raises(minisql.ProgrammingError, match="leaves out t3"):
            connection.execute(statement.replace("(((t2 t1) t0) t3)", "((t2 t1) t0)"))


def test_a_hint_takes_part_in_a_larger_query_as_a_whole(connection: minisql.Connection) -> None:
    inner = "SELECT /*+ JOIN_TREE((t1 t0)) */ t0.k AS k FROM t0 JOIN t1 ON t0.k = t1.k"
    query = f"SELECT count(*) FROM ({inner}) AS d JOIN t2 ON d.k = t2.k JOIN t3 ON t2.k = t3.k"
    plain = query.replace("/*+ JOIN_TREE((t1 t0)) */", "")
    expected = connection.execute(plain).fetchall()
    assert connection.execute(query).fetchall() == expected
    assert {plan.order.count("d") for plan in connection.plans(query)} == {1}
    for plan in connection.plans(query):
        assert plan.execute().fetchall() == expected
        hinted = query.replace("SELECT count", f"SELECT /*+ JOIN_TREE({plan.order}) */ count")
        assert connection.plan(hinted).order == plan.order
    with pytest.raises(minisql.ProgrammingError, match=r"d.t0 cannot be joined on its own: d is computed as a whole"):
        connection.execute(query.replace("SELECT count", "SELECT /*+ JOIN_TREE((((d.t0 d.t1) t2) t3)) */ count"))
    alone = f"SELECT /*+ JOIN_TREE((d.t0 d.t1)) */ count(*) FROM ({inner}) AS d"
    with pytest.raises(minisql.ProgrammingError, match="d is computed as a whole"):
        connection.execute(alone)
    free = alone.replace("/*+ JOIN_TREE((t1 t0)) */", "")
    assert connection.plan(free).order == "(d.t0 d.t1)"


@pytest.mark.parametrize(
    "setting", ["merge_derived_tables", "push_down_conditions", "simplify_outer_joins", "hash_join"]
)
def test_hints_do_without_rewrites(connection: minisql.Connection, setting: str) -> None:
    query = (
        "SELECT count(*) FROM (SELECT * FROM t0 WHERE x > 1) AS d FULL JOIN t1 ON d.k = t1.k "
        "LEFT JOIN t2 ON t1.k = t2.k WHERE d.x < 9 AND t2.x > 0"
    )
    expected = connection.execute(query).fetchall()
    connection.execute(f"SET {setting} = off")
    plans = list(connection.plans(query))
    assert plans
    for plan in plans:
        assert plan.execute().fetchall() == expected
        hinted = query.replace("SELECT count", f"SELECT /*+ JOIN_TREE({plan.order}) */ count", 1)
        assert connection.execute(hinted).fetchall() == expected
        assert connection.plan(hinted).cost == pytest.approx(plan.cost)


def test_a_long_chain_can_be_forced(connection: minisql.Connection) -> None:
    joins = "".join(f" LEFT JOIN t0 AS c{i} ON c{i - 1}.x = c{i}.x" for i in range(1, 300))
    tree = "c0"
    for i in range(1, 300):
        tree = f"({tree} c{i})"
    query = f"SELECT /*+ JOIN_TREE({tree}) */ count(*) FROM t0 AS c0{joins}"
    assert connection.plan(query).order == tree
    assert connection.execute(query).fetchall() == [(10,)]


def test_nothing_is_merged_into_what_a_hint_prescribes(connection: minisql.Connection) -> None:
    query = (
        "SELECT /*+ JOIN_TREE((t2 d)) */ count(*) FROM t2 LEFT JOIN "
        "(SELECT t0.k + 1 AS k, t1.x FROM t0 JOIN t1 ON t0.k = t1.k) AS d ON t2.k = d.k"
    )
    assert connection.execute(query).fetchall() == connection.execute(query.replace("/*+", "/* ")).fetchall()
    assert connection.plan(query).order == "(t2 d)"


def test_a_merged_key_waits_for_tables_that_a_filter_keeps_together() -> None:
    """The filter on b.k stays above `a FULL JOIN b`, so the key z.x + b.x of the chain is not there without a."""
    with minisql.connect() as connection:
        for name in "zabde":
            connection.execute(f"CREATE TABLE {name} (k INTEGER, x INTEGER)")
            connection.execute(f"INSERT INTO {name} VALUES (NULL, 0), (NULL, 1), (0, 0), (1, NULL), (2, 2)")
        query = (
            "SELECT q.zx, q.bx, d.k, e.k FROM (SELECT z.x AS zx, b.x AS bx "
            "FROM z FULL JOIN (a FULL JOIN b ON a.x < b.x) ON z.k = b.k AND z.x <> 1 "
            "WHERE coalesce(z.k, b.k) IS NULL) AS q "
            "FULL JOIN (d FULL JOIN e USING (x)) ON q.zx + q.bx = coalesce(d.x, e.x)"
        )
        connection.execute("SET push_down_conditions = off")
        expected = sorted(connection.execute(query).fetchall(), key=str)
        connection.execute("SET push_down_conditions = on")
        assert "Full hash join (b.k = z.k)" in connection.plan(query).explain(), "b is not the first table of its leaf"
        plans = list(connection.plans(query))
        assert len(plans) == 3
        assert [sorted(plan.execute().fetchall(), key=str) for plan in plans] == [expected] * 3


def test_joins_in_the_step_of_a_recursion() -> None:
    """What reads the working table could not be planned without the recursion around it."""
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE e (a INTEGER, b INTEGER)")
        connection.execute("INSERT INTO e VALUES (1, 2), (2, 3), (3, 4)")
        step = "SELECT e.b FROM r JOIN e ON e.a = r.n JOIN e AS f ON f.a = e.b"
        query = f"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL {step}) SELECT n FROM r"
        orders = connection.execute(f"EXPLAIN ORDERS {query}").fetchall()
        assert len({order for order, *_ in orders}) == 2
        assert sum(bool(chosen) for *_, chosen, _ in orders) == 1
        verdicts = {
            order: connection.execute(f"EXPLAIN WHY NOT {order} {query}").fetchone()[0]
            for order in ("((r e) f)", "(r (e f))", "((r f) e)")
        }
        assert verdicts.pop("((r f) e)") == "not enumerated"
        assert sorted(verdicts.values()) == ["chosen", "dearer"]
        assert len(connection.execute(f"EXPLAIN ALTERNATIVES 3 {query}").fetchall()) > 1
        assert "<html" in connection.execute(f"EXPLAIN FORMAT=HTML {query}").fetchall()[0][0]
