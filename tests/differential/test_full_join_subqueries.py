"""Full joins whose ON has subqueries about both sides, against SQLite, which takes any condition there."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

import minisql
from tests.differential.peers import bag

CONDITIONS = (
    "EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND c.y = b.y)",
    "EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND c.y > b.x)",
    "NOT EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND c.y = b.y)",
    "a.x = (SELECT max(c.x) FROM c WHERE c.y = b.y)",
    "a.x IN (SELECT c.x FROM c WHERE c.y <= b.y)",
    "a.x + b.x NOT IN (SELECT c.x FROM c WHERE c.x IS NOT NULL)",
    "(SELECT count(*) FROM c WHERE c.x BETWEEN a.x AND b.y) > 1",
    "a.x = b.x AND EXISTS (SELECT 1 FROM c WHERE c.x <= a.y AND c.y >= b.y)",
    "a.x = b.x OR EXISTS (SELECT 1 FROM c WHERE c.x = a.y AND c.y IS NOT DISTINCT FROM b.y)",
    "EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND c.y = b.y) AND a.y = (SELECT min(c.y) FROM c WHERE c.x = b.x)",
    "EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND EXISTS (SELECT 1 FROM d WHERE d.x = b.x AND d.y = c.y))",
)
QUERIES = (
    "SELECT a.x, a.y, b.x, b.y FROM a FULL JOIN b ON {on}",
    "SELECT a.x, a.y, b.x, b.y, d.y FROM a FULL JOIN b ON {on} LEFT JOIN d ON d.x = b.x",
    "SELECT a.x, a.y, b.x, b.y, d.y FROM d FULL JOIN (a FULL JOIN b ON {on}) ON d.x = a.x",
    "SELECT a.x, a.y, b.x, b.y FROM (SELECT a.x, d.y FROM a LEFT JOIN d ON a.x = d.x) AS a FULL JOIN b ON {on}",
    "SELECT a.x, count(*) FROM a FULL JOIN b ON {on} WHERE b.y IS NULL OR a.y > 0 GROUP BY a.x",
    "SELECT d.x FROM d WHERE EXISTS (SELECT 1 FROM a FULL JOIN b ON {on} WHERE a.x = d.x)",
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_rows_are_those_of_sqlite(condition: str) -> None:
    rng = random.Random(condition)
    for _ in range(4):
        with closing(sqlite3.connect(":memory:")) as peer, minisql.connect() as connection:
            for name in "abcd":
                rows = [[rng.choice(["NULL", "0", "1", "1", "2"]) for _ in range(2)] for _ in range(rng.randint(1, 5))]
                script = (
                    f"CREATE TABLE {name} (x INTEGER, y INTEGER)",
                    f"INSERT INTO {name} VALUES {', '.join(f'({x}, {y})' for x, y in rows)}",
                )
                for statement in script:
                    connection.execute(statement)
                    peer.execute(statement)
            for setting in ("unnest_subqueries = on", "unnest_subqueries = off"):
                connection.execute(f"SET {setting}")
                for query in QUERIES:
                    sql = query.format(on=condition)
                    assert bag(connection.execute(sql)) == bag(peer.execute(sql).fetchall()), (setting, sql)


def test_a_side_that_is_not_the_same_twice_is_refused() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE a (x INTEGER); CREATE TABLE b (x INTEGER)")
        condition = "EXISTS (SELECT 1 FROM a AS c WHERE c.x = r.x AND c.x = b.x)"
        with pytest.raises(minisql.NotSupportedError, match="other values whenever it is computed"):
            connection.execute(f"SELECT 1 FROM (SELECT random() AS x FROM a) AS r FULL JOIN b ON {condition}")
        connection.execute(
            f"WITH r AS MATERIALIZED (SELECT random() AS x FROM a) SELECT 1 FROM r FULL JOIN b ON {condition}"
        )
