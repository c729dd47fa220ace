"""What names mean in subqueries: those of the innermost query that knows them, and nothing leaks where it must not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import minisql

SCHEMA = """
CREATE TABLE a (k INTEGER, x INTEGER);
INSERT INTO a VALUES (1, 10), (2, 20), (NULL, 30);
CREATE TABLE b (k INTEGER, y INTEGER);
INSERT INTO b VALUES (1, 100), (3, 300);
CREATE VIEW v AS SELECT k, y FROM b
"""

Rows = list[tuple[object, ...]]


@pytest.fixture(params=["on", "off"])
def connection(request: pytest.FixtureRequest) -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        connection.execute(f"SET unnest_subqueries = {request.param}")
        yield connection


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # An inner name hides the outer one, whether it is qualified or not.
        ("SELECT k FROM a WHERE EXISTS (SELECT 1 FROM b WHERE k = 3)", [(1,), (2,), (None,)]),
        ("SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b AS a WHERE a.k = 3)", [(10,), (20,), (30,)]),
        ("SELECT x FROM a WHERE k IN (SELECT a.k FROM a WHERE a.x < 15)", [(10,)]),
        # What the inner query does not know is the outer one's.
        ("SELECT k FROM a WHERE EXISTS (SELECT 1 FROM b WHERE y = 10 * x)", [(1,), (None,)]),
        ("SELECT k FROM a WHERE x IN (SELECT x FROM b)", [(1,), (2,), (None,)]),
        # Names do not care about case, and are looked up over several levels.
        (
            "SELECT k FROM a WHERE EXISTS (SELECT 1 FROM b WHERE EXISTS (SELECT 1 FROM v WHERE v.k = A.K AND v.y = Y))",
            [(1,)],
        ),
        (
            "SELECT k FROM a AS o WHERE EXISTS (SELECT 1 FROM b WHERE b.k = o.k AND EXISTS "
            "(SELECT 1 FROM a WHERE a.k = o.k AND a.x = 10))",
            [(1,)],
        ),
        # A derived table and a WITH in a subquery see the queries around the subquery.
        ("SELECT k, (SELECT n FROM (SELECT count(*) AS n FROM b WHERE b.k = a.k) AS d) FROM a",
         [(1, 1), (2, 0), (None, 0)]),
        ("SELECT k, (WITH w AS (SELECT y FROM b WHERE b.k = a.k) SELECT max(y) FROM w) FROM a",
         [(1, 100), (2, None), (None, None)]),
        ("SELECT k, (WITH w AS (SELECT y FROM b WHERE b.k = a.k) SELECT count(*) FROM w AS p, w AS q) FROM a",
         [(1, 1), (2, 0), (None, 0)]),
        # A WITH outside is seen inside.
        ("WITH w AS (SELECT k FROM b) SELECT x FROM a WHERE k IN (SELECT k FROM w)", [(10,)]),
        # LATERAL sees what is to its left, and the queries around.
        ("SELECT s.n, t.m FROM a, LATERAL (SELECT a.x + 1 AS n) AS s, LATERAL (SELECT s.n + a.k AS m) AS t",
         [(11, 12), (21, 23), (31, None)]),
        ("SELECT k, (SELECT max(s.n) FROM b, LATERAL (SELECT b.y + a.x AS n) AS s) FROM a",
         [(1, 310), (2, 320), (None, 330)]),
        # Merged columns of USING, from outside too.
        ("SELECT k, (SELECT count(*) FROM b AS c WHERE c.k = coalesce(a.k, b.k)) FROM a FULL JOIN b USING (k)",
         [(1, 1), (2, 0), (3, 1), (None, 0)]),
        ("SELECT y FROM a FULL JOIN b USING (k)"
         " WHERE EXISTS (SELECT 1 FROM (SELECT y / 100 AS z FROM v) AS w WHERE z = k)",
         [(100,), (300,)]),
        # Every place of the outer query that takes a subquery.
        ("SELECT k FROM a GROUP BY k, (SELECT max(y) FROM b WHERE b.k = a.k) HAVING max(x) > 10", [(2,), (None,)]),
        ("SELECT k FROM a ORDER BY (SELECT y FROM b WHERE b.k = a.k), k LIMIT 1", [(1,)]),
        ("SELECT max((SELECT y FROM b WHERE b.k = a.k)), min(x) FROM a", [(100, 10)]),
        ("SELECT k FROM a WHERE k IN (SELECT k FROM b UNION SELECT 2 WHERE a.x = 20)", [(1,), (2,)]),
        ("SELECT k FROM a WHERE x IN (VALUES (a.k * 10), (30))", [(1,), (2,), (None,)]),
        ("SELECT CASE WHEN EXISTS (SELECT 1 FROM b WHERE b.k = a.k) THEN (SELECT max(y) FROM b) ELSE k END FROM a",
         [(2,), (300,), (None,)]),
        ("SELECT a.k FROM a JOIN b ON (SELECT a.k = b.k)", [(1,)]),
    ],
)  # fmt: skip
def test_names(connection: minisql.Connection, sql: str, expected: Rows) -> None:
    found = connection.execute(sql).fetchall()
    assert sorted(found, key=lambda row: [(v is None, v) for v in row]) == expected


@pytest.mark.parametrize(
    ("sql", "message", "place"),
    [
        # The body of a view or of a WITH never sees the query around its use.
        ("WITH w AS (SELECT y FROM b WHERE b.k = a.k) SELECT (SELECT max(y) FROM w) FROM a", "no table", "a"),
        ("WITH w AS (SELECT a.x) SELECT 1 FROM a WHERE EXISTS (SELECT * FROM w)", "no table", "a"),
        # FROM sees nothing of itself without LATERAL, and LATERAL nothing to its right or in its own query.
        ("SELECT * FROM a, (SELECT a.x) AS s", "no table", "a"),
        ("SELECT * FROM LATERAL (SELECT a.x) AS s, a", "no table", "a"),
        ("SELECT * FROM LATERAL (SELECT s.x) AS s", "no table", "s"),
        ("SELECT * FROM a JOIN b ON a.k = b.k AND EXISTS (SELECT 1 WHERE v.k = 1) JOIN v ON TRUE", "no table", "v"),
        # The subquery is no table of the query around.
        ("SELECT b.y FROM a WHERE EXISTS (SELECT 1 FROM b)", "no table", "b"),
        ("SELECT k FROM a AS o WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k)", "no table", "a"),
        ("SELECT 1 FROM a, b WHERE EXISTS (SELECT 1 FROM a AS c WHERE c.x = y AND k = k)", None, ""),
        ("SELECT 1 FROM a, b WHERE EXISTS (SELECT 1 FROM range(3) AS c WHERE k = 1)", "ambiguous", "k"),
        ("SELECT (SELECT max(y) FROM b WHERE b.k = a.x) FROM a GROUP BY k", "neither in GROUP BY", "a.x"),
        ("SELECT (SELECT max(y) FROM b WHERE b.k = x), count(*) FROM a", "neither in GROUP BY", "x"),
        ("SELECT k FROM a WHERE EXISTS (SELECT max(a.x) FROM b)", "columns of the query around", "max(a.x)"),
        ("SELECT k FROM a LIMIT (SELECT 1)", "takes no subqueries", "(SELECT 1)"),
        ("SELECT k FROM a WHERE EXISTS (SELECT 1 FROM b LIMIT a.x)", "no table", "a"),
        ("SELECT k FROM a WHERE x = (SELECT y, k FROM b)", "one column, not 2", "(SELECT y, k FROM b)"),
        ("SELECT k FROM a WHERE (k, x) IN (SELECT k FROM b)", "1 column, and 2 values", "SELECT k FROM b"),
        ("SELECT k FROM a WHERE (k, x) = (1, 2, 3)", "2 values is compared with one of 3", "(1, 2, 3)"),
        ("SELECT k FROM a UNION SELECT y FROM b WHERE EXISTS (SELECT a.x)", "no table", "a"),
        ("SELECT x FROM a GROUP BY x HAVING EXISTS (SELECT 1 FROM b WHERE b.k = a.k)", "neither in GROUP BY", "a.k"),
        ("SELECT * FROM a FULL JOIN LATERAL (SELECT a.x AS y) AS s ON TRUE", "right side of a FULL JOIN", "LATERAL"),
    ],
)
def test_mistakes(connection: minisql.Connection, sql: str, message: str | None, place: str) -> None:
    if message is None:
        connection.execute(sql)
        return
    with pytest.raises(minisql.Error, match=message.replace("(", r"\(")) as caught:
        connection.execute(sql)
    span = getattr(caught.value, "span", None)
    assert span is not None
    assert span.source.startswith(place)
