"""Conditions that wait for a join, in SQL: what waits, and that nothing fails for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import minisql

LIKE = "big.s LIKE '%1_2%'"
JOINED = "SELECT count(*) FROM big JOIN tiny ON big.j = tiny.j"


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as opened:
        opened.execute(
            "CREATE TABLE big AS SELECT range % 1000 AS j, range AS x, "
            "CASE WHEN range % 2 = 0 THEN CAST(range AS VARCHAR) ELSE 'no ' || CAST(range AS VARCHAR) END AS s "
            "FROM range(20000)"
        )
        opened.execute("CREATE TABLE tiny AS SELECT range * 97 AS j, range AS t FROM range(10)")
        yield opened


def waits(connection: minisql.Connection, query: str, condition: str = LIKE) -> bool:
    """Whether a condition is applied in a join; the rows are those that the query has without that."""
    rows = connection.execute(query).fetchall()
    text = connection.plan(query).explain()
    connection.execute("SET delay_expensive_conditions = off")
    assert connection.execute(query).fetchall() == rows
    assert f"Filter: ({condition}" in connection.plan(query).explain()
    connection.execute("SET delay_expensive_conditions = on")
    return f"Filter: ({condition}" not in text


def test_an_expensive_condition_waits_for_a_selective_join(connection: minisql.Connection) -> None:
    assert waits(connection, f"{JOINED} WHERE {LIKE}")
    assert waits(connection, f"{JOINED} AND {LIKE}")
    assert waits(connection, f"{JOINED} LEFT JOIN tiny AS other ON big.x = other.j WHERE {LIKE}")
    everything = "SELECT count(*) FROM big JOIN range(1000) AS r ON big.j = r.range"
    assert not waits(connection, f"{everything} WHERE {LIKE}")


def test_nothing_waits_where_there_is_little_to_save(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE few AS SELECT j, s FROM big LIMIT 1000")
    assert not waits(
        connection, "SELECT count(*) FROM few JOIN tiny ON few.j = tiny.j WHERE few.s LIKE '%1_2%'", "few.s"
    )


def test_a_condition_waits_in_forced_orders_too(connection: minisql.Connection) -> None:
    query = f"{JOINED} JOIN tiny AS other ON big.j = other.j WHERE {LIKE}"
    orders = [line[0] for line in connection.execute(f"EXPLAIN ORDERS {query}").fetchall()]
    expected = connection.execute(query).fetchall()
    assert len(orders) == 3
    for order in orders:
        hinted = query.replace("SELECT", f"SELECT /*+ JOIN_TREE({order}) */", 1)
        assert connection.execute(hinted).fetchall() == expected


def test_what_protects_a_join_condition_does_not_wait(connection: minisql.Connection) -> None:
    inner = "(SELECT * FROM big WHERE big.s NOT LIKE 'n_%') AS even"
    query = f"SELECT count(*) FROM {inner} JOIN tiny ON even.j = tiny.j AND CAST(even.s AS INTEGER) >= tiny.t"
    assert connection.execute(query).fetchall() == [(100,)]
    assert "-> Filter: " in connection.plan(query).explain()


def test_what_protects_a_condition_on_the_same_table_does_not_wait(connection: minisql.Connection) -> None:
    protecting, protected = "big.s NOT LIKE 'n_%'", "CAST(big.s AS INTEGER) >= 500"
    query = f"{JOINED} WHERE {protecting} AND {protected}"
    assert not waits(connection, query, protecting)
    # The other way round the cast sees every row that the join lets through.
    with pytest.raises(minisql.DataError):
        connection.execute(f"{JOINED} WHERE {protected} AND {protecting}")


def test_what_may_fail_may_wait_itself(connection: minisql.Connection) -> None:
    condition = "lower(upper(substring(big.s, 1, 20))) = '97'"
    assert waits(connection, f"{JOINED} WHERE {condition}", "lower(upper(substring(big.s, 1, 20)))")
