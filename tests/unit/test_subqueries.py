"""Queries with subqueries whose rows are known, with and without unnesting: each was wrong once, or could be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import minisql
from minisql.expression.aggregates import AGGREGATES_BY_NAME

SCHEMA = """
CREATE TABLE a (id INTEGER, k INTEGER, x INTEGER);
INSERT INTO a VALUES (1, 1, 10), (2, 1, 20), (3, 2, NULL), (4, NULL, 5), (NULL, 3, 7);
CREATE TABLE b (id INTEGER, k INTEGER, y INTEGER);
INSERT INTO b VALUES (1, 1, 1), (1, 2, 3), (2, 1, NULL), (NULL, 2, 20), (4, 3, 5);
CREATE TABLE c (k INTEGER, z INTEGER);
INSERT INTO c VALUES (1, 10), (2, 20), (NULL, 5), (3, NULL);
CREATE TABLE n (v INTEGER, w INTEGER);
INSERT INTO n VALUES (0, 1), (1, 2), (2, 3)
"""

Rows = list[tuple[object, ...]]


@pytest.fixture(params=["on", "off"])
def connection(request: pytest.FixtureRequest) -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        connection.execute(f"SET unnest_subqueries = {request.param}")
        yield connection


def rows(connection: minisql.Connection, sql: str) -> Rows:
    return sorted(connection.execute(sql).fetchall(), key=lambda row: [(v is None, v) for v in row])


def ids(*values: object) -> Rows:
    return [(value,) for value in values]


# --- what is a set and what is counted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # A grouping without keys has its row even for no rows, and without aggregates, too.
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k HAVING TRUE)", ids(1, 2, 3, 4, None)),
        ("SELECT id FROM a WHERE EXISTS (SELECT max(y) FROM b WHERE b.k = a.k)", ids(1, 2, 3, 4, None)),
        ("SELECT id FROM a WHERE EXISTS (SELECT max(y) FROM b WHERE b.k = a.k HAVING count(*) > 1)", ids(1, 2, 3)),
        # The LIMIT of EXISTS itself says nothing, one further down does.
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k LIMIT 1)", ids(1, 2, 3, None)),
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k LIMIT 0)", []),
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k LIMIT 1 OFFSET 1)", ids(1, 2, 3)),
        (
            "SELECT id FROM a WHERE EXISTS (SELECT * FROM (SELECT y FROM b WHERE b.k = a.k ORDER BY y LIMIT 1) AS t "
            "WHERE y > 1)",
            ids(3, None),
        ),
        (
            "SELECT id FROM a WHERE EXISTS (SELECT * FROM (SELECT id FROM b WHERE b.k = a.k ORDER BY id LIMIT 1) AS t "
            "JOIN n ON t.id = n.v + 2)",
            ids(None),
        ),
        # Below a count it matters how often a row is there.
        (
            "SELECT id FROM a WHERE 1 IN (SELECT count(*) FROM (SELECT DISTINCT k FROM b WHERE b.k = a.k) AS t)",
            ids(1, 2, 3, None),
        ),
        (
            "SELECT id FROM a WHERE 2 IN (SELECT count(*) FROM b WHERE b.k = a.k "
            "AND EXISTS (SELECT 1 FROM n WHERE n.w >= b.k AND n.w > 0 * a.k))",
            ids(1, 2, 3),
        ),
    ],
)
def test_existence_sets_and_counts(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    assert rows(connection, sql) == expected


# --- NOT IN and NULL --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT v FROM n WHERE v NOT IN (SELECT w FROM n)", ids(0)),
        ("SELECT v FROM n WHERE NULL NOT IN (SELECT w FROM n)", []),
        ("SELECT v FROM n WHERE NULL NOT IN (SELECT w FROM n WHERE w > 9)", ids(0, 1, 2)),
        # No column is NULL here, and yet the value is.
        ("SELECT v FROM n WHERE nullif(v, 1) NOT IN (SELECT w FROM n)", ids(0)),
        ("SELECT v FROM n WHERE v NOT IN (SELECT nullif(w, 1) FROM n)", []),
        ("SELECT v FROM n WHERE v NOT IN (SELECT NULL FROM n)", []),
        ("SELECT v FROM n WHERE v NOT IN (SELECT sum(w) FROM n WHERE w > 9)", []),
        ("SELECT v FROM n WHERE v NOT IN (SELECT count(w) FROM n WHERE w > 9)", ids(1, 2)),
        ("SELECT v FROM n WHERE (v, nullif(w, 3)) NOT IN (SELECT 2, 2 FROM n)", ids(0, 1)),
        ("SELECT v FROM n WHERE (v, nullif(w, 3)) NOT IN (SELECT w, w FROM n)", ids(0, 1)),
        # The value is that of a query further out.
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM n WHERE a.x NOT IN (SELECT w FROM n))", ids(1, 2, 4, None)),
        ("SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM n WHERE v NOT IN (SELECT a.k FROM n))", ids(4)),
        # Padded rows have NULLs that no table has.
        ("SELECT p.v FROM n AS p LEFT JOIN n AS q ON p.v = q.w WHERE q.v NOT IN (SELECT w FROM n)", ids(1)),
        ("SELECT v FROM n WHERE v NOT IN (SELECT q.v FROM n AS p LEFT JOIN n AS q ON p.v = q.w)", []),
        ("SELECT v FROM n WHERE v <> ALL (SELECT w FROM n WHERE w IS NOT NULL)", ids(0)),
        ("SELECT id FROM a WHERE x NOT IN (SELECT y FROM b WHERE y > 3)", ids(1, None)),
        ("SELECT id FROM a WHERE x NOT IN (SELECT y FROM b WHERE b.k = a.k)", ids(4, None)),
        ("SELECT x NOT IN (SELECT y FROM b WHERE b.k = a.k) FROM a ORDER BY id", ids(True, None, None, None, True)),
    ],
)
def test_not_in_is_null_aware(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    if "ORDER BY" in sql:
        assert sorted(map(str, rows(connection, sql))) == sorted(map(str, expected))
    else:
        assert rows(connection, sql) == expected


# --- LATERAL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # A join above pads what LATERAL computes, whatever it computes it of.
        (
            "SELECT c.k, s.u FROM c LEFT JOIN (a JOIN LATERAL (SELECT coalesce(a.x, 99) AS u) AS s ON TRUE) "
            "ON c.z = a.id",
            [(1, None), (2, None), (3, None), (None, None)],
        ),
        (
            "SELECT c.k, s.u FROM (a JOIN LATERAL (SELECT coalesce(a.x, 99) AS u) AS s ON TRUE) RIGHT JOIN c "
            "ON c.k = a.id",
            [(1, 10), (2, 20), (3, 99), (None, None)],
        ),
        (
            "SELECT c.k, s.u FROM c LEFT JOIN (a JOIN LATERAL (SELECT count(*) AS u FROM b WHERE b.k = a.k) AS s "
            "ON TRUE) ON c.k = a.id + 1",
            [(1, None), (2, 2), (3, 2), (None, None)],
        ),
        (
            "SELECT a.id, s.u FROM a LEFT JOIN LATERAL (SELECT coalesce(a.x, 99) AS u FROM b WHERE b.id = a.id) AS s "
            "ON s.u > 10",
            [(1, None), (2, 20), (3, None), (4, None), (None, None)],
        ),
        (
            "SELECT a.id, s.u FROM a LEFT JOIN LATERAL (SELECT count(*) AS u FROM b WHERE b.id = a.id) AS s "
            "ON s.u <> 1",
            [(1, 2), (2, None), (3, 0), (4, None), (None, 0)],
        ),
        # LATERAL below a RIGHT or FULL JOIN that does not refer to the other side of it.
        (
            "SELECT a.id, s.u FROM a RIGHT JOIN (n JOIN LATERAL (SELECT n.v + n.w AS u) AS s ON TRUE) ON a.id = s.u",
            [(1, 1), (3, 3), (None, 5)],
        ),
        (
            "SELECT n.v, s.u FROM (n JOIN LATERAL (SELECT n.v + n.w AS u) AS s ON TRUE) FULL JOIN c ON c.k = s.u",
            [(0, 1), (1, 3), (2, 5), (None, None), (None, None)],
        ),
        # What a subquery with LIMIT reads of the query around is a constant to it alone.
        (
            "SELECT a.id, s.k, c.z FROM a, LATERAL (SELECT b.k FROM b WHERE b.k = a.k ORDER BY y LIMIT 1) AS s, c "
            "WHERE c.k = s.k",
            [(1, 1, 10), (2, 1, 10), (3, 2, 20), (None, 3, None)],
        ),
        # A subquery with LIMIT that refers to what unnesting computes elsewhere.
        (
            "SELECT v, (SELECT max(t.y) FROM (SELECT n.v + 1 AS p) AS s, "
            "LATERAL (SELECT y FROM b WHERE y > s.p ORDER BY y LIMIT 1) AS t) FROM n",
            [(0, 3), (1, 3), (2, 5)],
        ),
        (
            "SELECT v, (SELECT max(t.y) FROM (SELECT count(*) AS p FROM b WHERE b.k > n.v) AS s, "
            "LATERAL (SELECT y FROM b WHERE y > s.p ORDER BY y LIMIT 1) AS t) FROM n",
            [(0, 20), (1, 5), (2, 3)],
        ),
    ],
)
def test_lateral(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    assert rows(connection, sql) == expected


# --- rows that a condition removes, and rows of once and again --------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT v FROM n WHERE v <> 0 AND (SELECT count(*) FROM b WHERE b.y > 7 / v) > 1", ids(2)),
        ("SELECT v FROM n WHERE (SELECT count(*) FROM b WHERE b.y > 7 / v) > 1 AND v <> 0", ids(2)),
        (
            "SELECT v FROM n WHERE v <> 0 AND EXISTS (SELECT y FROM b WHERE b.y < 10 / n.v EXCEPT SELECT n.v FROM c)",
            ids(1, 2),
        ),
        ("SELECT id FROM a WHERE id = 3 AND x IS NULL AND (SELECT y FROM b WHERE b.id = a.id) IS NULL", ids(3)),
        ("SELECT k FROM a GROUP BY k HAVING k = 3 AND (SELECT y FROM b WHERE b.k = a.k) = 5", ids(3)),
    ],
)
def test_no_subquery_is_asked_about_rows_that_a_condition_removes(
    connection: minisql.Connection, sql: str, expected: Rows
) -> None:
    assert rows(connection, sql) == expected


def test_the_rows_that_limit_lets_through_are_read_once() -> None:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        # c.k < t.id needs the values of t.id once more, and nothing says that they were the same.
        sql = "SELECT id, (SELECT count(*) FROM c WHERE c.k < t.id) FROM (SELECT id FROM a LIMIT 3) AS t"
        found = connection.execute(sql).fetchall()
        assert "run for each of its values" in connection.plan(sql).explain()
    assert found == [(1, 0), (2, 1), (3, 2)]


# --- groupings around subqueries --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT k, count(*) FROM a GROUP BY k HAVING k IN (SELECT k FROM b)", [(1, 2), (2, 1), (3, 1)]),
        ("SELECT k FROM a GROUP BY k HAVING k NOT IN (SELECT id FROM b WHERE id IS NOT NULL)", ids(3)),
        ("SELECT k, count(*) IN (SELECT v FROM n) FROM a GROUP BY k", [(k, True) for k in (1, 2, 3, None)]),
        ("SELECT k, k = ALL (SELECT k FROM b WHERE b.y > a.k * 4) FROM a GROUP BY k",
         [(1, False), (2, True), (3, False), (None, True)]),
        ("SELECT k, (SELECT count(*) FROM b WHERE b.k = a.k) FROM a GROUP BY k", [(1, 2), (2, 2), (3, 1), (None, 0)]),
        ("SELECT (SELECT max(y) FROM b WHERE b.k = a.k), count(*) FROM a GROUP BY 1",
         [(1, 2), (5, 1), (20, 1), (None, 1)]),
        ("SELECT count((SELECT y FROM b WHERE b.id = a.id AND b.k = a.k)) FROM a", ids(1)),
        ("SELECT sum(x) FILTER (WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id)) FROM a", ids(35)),
        ("SELECT k FROM a GROUP BY k ORDER BY (SELECT count(*) FROM b WHERE b.k = a.k), k LIMIT 1", ids(None)),
    ],
)  # fmt: skip
def test_subqueries_around_groupings(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    assert rows(connection, sql) == expected


# --- hints and orders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT {} a.id FROM a JOIN b ON a.id = b.id WHERE EXISTS (SELECT 1 FROM c WHERE c.k = b.k)",
        "SELECT {} a.id FROM a, b WHERE a.id = b.id AND a.x > (SELECT avg(z) FROM c WHERE c.k = b.k)",
        "SELECT {} a.id, EXISTS (SELECT 1 FROM c WHERE c.k < a.k) FROM a JOIN b ON a.id = b.id",
        "SELECT {} a.id, (SELECT z FROM c WHERE c.k = b.k ORDER BY 1 LIMIT 1) FROM a JOIN b ON a.id = b.id",
    ],
)
@pytest.mark.parametrize("order", ["(a b)", "(b a)"])
def test_an_order_is_that_of_from(connection: minisql.Connection, sql: str, order: str) -> None:
    hinted = sql.format(f"/*+ JOIN_TREE({order}) */")
    assert rows(connection, hinted) == rows(connection, sql.format(""))


def test_subqueries_in_on_are_joined_after_an_order() -> None:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        sql = (
            "SELECT {} a.id FROM (a JOIN b ON a.id = b.id AND b.k IN (SELECT c.k FROM c JOIN n ON c.k = n.v)) "
            "JOIN c ON a.k = c.k"
        )
        expected = rows(connection, sql.format(""))
        for order in ("((a b) c)", "((a c) b)", "(c (b a))"):
            assert rows(connection, sql.format(f"/*+ JOIN_TREE({order}) */")) == expected


def test_explain_orders_and_plans(connection: minisql.Connection) -> None:
    for sql in (
        "SELECT a.id FROM a JOIN b ON a.id = b.id WHERE EXISTS (SELECT 1 FROM c WHERE c.k = b.k)",
        "SELECT a.id FROM a JOIN b ON a.id = b.id WHERE EXISTS (SELECT 1 FROM c WHERE c.k = b.k) OR a.id = 2",
        "SELECT a.id FROM a JOIN b ON a.id = b.id WHERE a.x > (SELECT max(z) FROM c WHERE c.k < b.k)",
        "SELECT id FROM a WHERE (SELECT y FROM b WHERE b.k = a.k ORDER BY 1 LIMIT 1) > 0",
    ):
        expected = rows(connection, sql)
        orders = connection.execute(f"EXPLAIN ORDERS {sql}").fetchall()
        plans = list(connection.plans(sql))
        assert len(plans) == len(orders)
        assert sum(bool(order[3]) for order in orders) == 1
        for plan in plans:
            found = sorted(plan.execute().fetchall(), key=lambda row: [(v is None, v) for v in row])
            assert found == expected, plan.order


# --- parameters and the plan cache ------------------------------------------------------------------------------------


def test_parameters(connection: minisql.Connection) -> None:
    sql = (
        "SELECT id FROM a WHERE x > (SELECT ? + min(y) FROM b WHERE b.k = a.k) AND id IN (SELECT v FROM n WHERE v < ?)"
    )
    assert connection.execute(sql, (0, 3)).fetchall() == [(1,), (2,)]
    assert connection.execute(sql, (15, 3)).fetchall() == [(2,)]
    assert connection.execute(sql, (0, 2)).fetchall() == [(1,)]


def test_a_plan_is_not_kept_when_a_table_gets_nulls(connection: minisql.Connection) -> None:
    sql = "SELECT v FROM n WHERE v NOT IN (SELECT w FROM n)"
    assert connection.execute(sql).fetchall() == connection.execute(sql).fetchall() == [(0,)]
    connection.execute("INSERT INTO n VALUES (7, NULL)")
    assert connection.execute(sql).fetchall() == []


def test_one_row_a_batch(connection: minisql.Connection) -> None:
    connection.execute("SET batch_rows = 1")
    sql = "SELECT id, (SELECT count(*) FROM b WHERE b.k = a.k), id IN (SELECT id FROM b) FROM a"
    assert rows(connection, sql) == [(1, 2, True), (2, 2, True), (3, 2, None), (4, 0, True), (None, 1, None)]
    with pytest.raises(minisql.DataError, match="more than one row"):
        connection.execute("SELECT (SELECT y FROM b WHERE b.k = a.k) FROM a")


def test_many_and_deep_subqueries() -> None:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        query = "SELECT n.v FROM n WHERE n.v = a0.v"
        for depth in range(60):
            query = f"SELECT a{depth}.v FROM n AS a{depth} WHERE EXISTS ({query})"
            if depth < 59:
                query += f" AND a{depth}.v = a{depth + 1}.v"
        assert len(connection.execute(query).fetchall()) == 3
        many = " AND ".join(f"EXISTS (SELECT 1 FROM n AS m WHERE m.v = n.v AND m.w < {i + 5})" for i in range(100))
        assert len(connection.execute(f"SELECT v FROM n WHERE {many}").fetchall()) == 3


# --- VALUES -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("VALUES ((SELECT 1))", ids(1)),
        ("VALUES (1, 2), ((SELECT max(v) FROM n), 3), (4, (SELECT w FROM n WHERE v = 9))", [(1, 2), (2, 3), (4, None)]),
        ("SELECT p + 1 FROM (VALUES (5), ((SELECT max(v) FROM n)), ((SELECT 7))) AS t(p) WHERE p > 2", ids(6, 8)),
        (
            "SELECT v, p FROM n, LATERAL (VALUES ((SELECT max(y) FROM b WHERE b.k = n.v)), (n.w)) AS t(p)",
            [(0, 1), (0, None), (1, 1), (1, 2), (2, 3), (2, 20)],
        ),
        ("SELECT id FROM a WHERE id IN (VALUES ((SELECT 1)), (a.k + 3))", ids(1)),
        ("SELECT id FROM a WHERE (id, k) IN (VALUES ((SELECT 1), (SELECT count(*) FROM n) - 2), (3, a.k))", ids(1, 3)),
    ],
)
def test_values_take_subqueries(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    assert rows(connection, sql) == expected


def test_insert_takes_subqueries(connection: minisql.Connection) -> None:
    connection.execute("INSERT INTO n VALUES ((SELECT max(v) FROM n) + 1, 0), (9, (SELECT count(*) FROM n))")
    assert rows(connection, "SELECT * FROM n WHERE v > 2") == [(3, 0), (9, 3)]
    with pytest.raises(minisql.DataError, match="more than one row"):
        connection.execute("INSERT INTO n VALUES (7, 7), ((SELECT v FROM n), 0)")
    assert rows(connection, "SELECT count(*) FROM n") == [(5,)]


# --- ON of outer joins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # One side: a left join keeps its rows, whatever the subquery says of them.
        ("SELECT a.id, n.w FROM a LEFT JOIN n ON a.id = n.v AND EXISTS (SELECT 1 FROM c WHERE c.z = a.x)",
         [(1, 2), (2, 3), (3, None), (4, None), (None, None)]),
        ("SELECT a.id, n.w FROM a LEFT JOIN n ON a.id = n.v AND n.w IN (SELECT k FROM c)",
         [(1, 2), (2, 3), (3, None), (4, None), (None, None)]),
        ("SELECT a.id, n.w FROM n RIGHT JOIN a ON a.id = n.v AND n.w NOT IN (SELECT id FROM b WHERE id IS NOT NULL)",
         [(1, None), (2, 3), (3, None), (4, None), (None, None)]),
        ("SELECT a.id, n.w FROM a FULL JOIN n ON a.id = n.v AND n.w <= (SELECT max(k) - 1 FROM b) AND a.k IN (1, 2)",
         [(1, 2), (2, None), (3, None), (4, None), (None, 1), (None, 3), (None, None)]),
        # Both sides.
        ("SELECT a.id, n.w FROM a LEFT JOIN n ON EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.k = n.w)",
         [(1, 1), (1, 2), (2, 1), (3, None), (4, 3), (None, None)]),
        ("SELECT a.id, n.w FROM n RIGHT JOIN a ON EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.k = n.w)",
         [(1, 1), (1, 2), (2, 1), (3, None), (4, 3), (None, None)]),
        ("SELECT a.id, n.w FROM a LEFT JOIN n ON a.x + n.v IN (SELECT y + 9 FROM b WHERE b.id = a.id) AND n.v < 2",
         [(1, 1), (2, None), (3, None), (4, None), (None, None)]),
        ("SELECT a.id, n.w FROM a LEFT JOIN n ON n.w = (SELECT count(*) FROM b WHERE b.k = a.k AND b.id > n.v)",
         [(1, None), (2, None), (3, 1), (4, None), (None, 1)]),
        ("SELECT a.id, n.w FROM a LEFT JOIN n ON a.id = n.v AND n.w > ALL (SELECT y FROM b WHERE b.k = a.k * n.v)",
         [(1, None), (2, None), (3, None), (4, None), (None, None)]),
    ],
)  # fmt: skip
def test_on_of_outer_joins(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    assert rows(connection, sql) == expected


def test_on_of_a_full_join_takes_a_subquery_about_both_sides(connection: minisql.Connection) -> None:
    condition = "EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.k = n.w)"
    assert rows(connection, f"SELECT a.id, n.v FROM a FULL JOIN n ON {condition}") == [
        (1, 0), (1, 1), (2, 0), (3, None), (4, 2), (None, None)
    ]  # fmt: skip
    assert rows(connection, f"SELECT a.id, n.v FROM a FULL JOIN n ON NOT {condition} AND a.id = 4") == [
        (1, None), (2, None), (3, None), (4, 0), (4, 1), (None, 2), (None, None)
    ]  # fmt: skip


def test_subqueries_do_not_multiply_a_query() -> None:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        many = ", ".join(f"(SELECT count(*) FROM b WHERE b.k < n.v + {i})" for i in range(60))
        assert connection.plan(f"SELECT {many} FROM n").explain().count("\n") < 1_000
        query = "SELECT count(*) FROM n AS z WHERE z.v < n0.v"
        for depth in range(8):
            query = f"SELECT count(*) FROM n AS n{depth} WHERE n{depth}.w >= ({query})"
            if depth < 7:
                query += f" AND n{depth}.v <= n{depth + 1}.v"
        assert connection.execute(query).fetchall() == [(3,)]


# --- beside windows, grouping sets and recursion ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # A subquery that compares what a window gives, and one that a window reads.
        ("SELECT id, row_number() OVER (ORDER BY id) IN (SELECT k FROM c WHERE k < 3) FROM a WHERE id < 4",
         [(1, True), (2, True), (3, False)]),
        ("SELECT id FROM a QUALIFY row_number() OVER (ORDER BY id DESC) IN (SELECT k FROM c)", ids(3, 4, None)),
        ("SELECT id FROM a QUALIFY rank() OVER (ORDER BY (SELECT count(*) FROM b WHERE b.k = a.k) DESC, id) = 2",
         ids(2)),
        ("SELECT k, rank() OVER (ORDER BY count(*) DESC) IN (SELECT id FROM b) FROM a GROUP BY k HAVING k < 3",
         [(1, True), (2, True)]),
        # Numbers of rows, where a set of rows would do without them.
        ("SELECT id FROM a WHERE 2 IN (SELECT row_number() OVER (ORDER BY k) FROM "
         "(SELECT DISTINCT k FROM b WHERE b.k = a.k) AS t)", []),
        ("SELECT id FROM a WHERE 3 IN (SELECT row_number() OVER () FROM b WHERE b.k = a.k "
         "AND EXISTS (SELECT 1 FROM n WHERE n.w > 0 * b.k))", []),
        ("SELECT id FROM a WHERE 20 IN (SELECT y FROM (SELECT y FROM b WHERE b.k = a.k "
         "AND EXISTS (SELECT 1 FROM n WHERE n.w > 0 * b.k) ORDER BY y LIMIT 2) AS t)", ids(3)),
        # The empty grouping set has a row even for no rows, and a grouping by sets is no DISTINCT.
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k GROUP BY ROLLUP (k))", ids(1, 2, 3, 4, None)),
        ("SELECT id FROM a WHERE a.k IN (SELECT k FROM b WHERE b.k = a.k GROUP BY CUBE (k, id))", ids(1, 2, 3, None)),
        ("SELECT id, 7 IN (SELECT k FROM b WHERE b.k = a.k GROUP BY ROLLUP (k)) FROM a WHERE id IN (1, 4)",
         [(1, None), (4, None)]),
        ("SELECT id, (SELECT sum(n) FROM (SELECT count(*) AS n FROM b WHERE b.k = a.k GROUP BY ROLLUP (id))) FROM a",
         [(1, 4), (2, 4), (3, 4), (4, 0), (None, 2)]),
        # Recursion inside, and inside of recursion.
        ("SELECT id, (WITH RECURSIVE r(i) AS (SELECT a.k UNION ALL SELECT i + 1 FROM r WHERE i < 4) "
         "SELECT sum(i) FROM r) FROM a", [(1, 10), (2, 10), (3, 9), (4, None), (None, 7)]),
        ("WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE "
         "(SELECT count(*) FROM c WHERE c.k <= r.i) < 3) SELECT i FROM r", ids(1, 2, 3)),
    ],
)  # fmt: skip
def test_windows_grouping_sets_and_recursion(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    assert rows(connection, sql) == expected


@pytest.mark.parametrize("function", sorted({each.name for each in AGGREGATES_BY_NAME.values()}))
def test_an_aggregate_of_no_rows_is_the_same_joined_and_alone(function: str) -> None:
    """Where a grouping by the correlated column has no group, the padded row has to say what the aggregate would."""
    example = AGGREGATES_BY_NAME[function].example
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (k INTEGER, x INTEGER)")
        connection.execute("INSERT INTO t VALUES (1, 1), (1, 2), (1, 2), (1, NULL)")
        connection.execute("CREATE TABLE outside (k INTEGER)")
        connection.execute("INSERT INTO outside VALUES (1), (2), (NULL)")
        query = f"SELECT k, (SELECT {example} FROM t WHERE t.k = o.k) FROM outside AS o ORDER BY k"
        answers = []
        for unnest in ("on", "off"):
            connection.execute(f"SET unnest_subqueries = {unnest}")
            answers.append(connection.execute(query).fetchall())
    assert answers[0] == answers[1]
