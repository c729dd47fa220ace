"""The answers that are known of the flights data, and those of the ledger that its README lists."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import minisql

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def flights() -> minisql.Connection:
    connection = minisql.connect()
    for table in ("flights", "airports", "planes", "weather", "airlines"):
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{DATA}/nycflights13/{table}.parquet'")
    return connection


def test_flights_and_airports(flights: minisql.Connection) -> None:
    counts = flights.execute(
        "SELECT count(*), count(*) FILTER (WHERE dest IS NULL), count(*) FILTER (WHERE faa IS NULL) "
        "FROM flights FULL JOIN airports ON dest = faa"
    )
    assert counts.fetchone() == (338_133, 1_357, 7_602)
    missing = flights.execute(
        "SELECT dest, count(*) FROM flights FULL JOIN airports ON dest = faa WHERE faa IS NULL "
        "GROUP BY dest ORDER BY dest"
    )
    assert missing.fetchall() == [("BQN", 896), ("PSE", 365), ("SJU", 5_819), ("STT", 522)]


def test_flights_and_planes(flights: minisql.Connection) -> None:
    result = flights.execute(
        "SELECT count(*), count(*) FILTER (WHERE p.tailnum IS NULL) "
        "FROM flights AS f FULL JOIN planes AS p USING (tailnum)"
    )
    assert result.fetchone() == (336_776, 52_606)


def test_flights_and_weather(flights: minisql.Connection) -> None:
    result = flights.execute(
        "SELECT count(*), count(*) FILTER (WHERE f.origin IS NULL), count(*) FILTER (WHERE w.origin IS NULL) "
        "FROM flights AS f FULL JOIN weather AS w USING (origin, time_hour)"
    )
    assert result.fetchone() == (343_513, 6_737, 1_556)


def test_every_order_of_a_chain_gives_the_same(flights: minisql.Connection) -> None:
    query = (
        "SELECT count(*), count(p.year), count(a.name), count(l.name) FROM flights AS f "
        "LEFT JOIN planes AS p ON f.tailnum = p.tailnum FULL JOIN airports AS a ON f.dest = a.faa "
        "JOIN airlines AS l ON f.carrier = l.carrier WHERE f.month = 6"
    )
    answer = flights.execute(query).fetchall()
    for setting in (
        "join_order = 'as_written'",
        "simplify_outer_joins = off",
        "push_down_conditions = off",
        "derive_conditions = off",
    ):
        flights.execute(f"SET {setting}")
        assert flights.execute(query).fetchall() == answer
        flights.execute(f"SET {setting.split(' ')[0]} = DEFAULT")


def test_the_ledger() -> None:
    with minisql.connect() as connection:
        for side in ("bank", "books"):
            connection.execute(
                f"CREATE TABLE {side} AS SELECT reference, CAST(amount AS DECIMAL(10,2)) AS amount "
                f"FROM '{DATA}/ledger/{side}.csv'"
            )
        assert connection.execute("SELECT count(*), count(reference) FROM bank").fetchone() == (12, 10)
        assert connection.execute("SELECT count(*), count(reference) FROM books").fetchone() == (12, 11)
        joined = "bank FULL JOIN books USING (reference)"
        assert connection.execute(f"SELECT count(*) FROM {joined}").fetchone() == (16,)
        differing = connection.execute(
            f"SELECT reference, bank.amount - books.amount FROM {joined} WHERE bank.amount <> books.amount ORDER BY 1"
        )
        assert differing.fetchall() == [("INV-1002", Decimal("-9.00")), ("INV-1007", Decimal("9.00"))]
        one_sided = connection.execute(
            f"SELECT reference, books.amount IS NULL FROM {joined} WHERE bank.amount IS NULL OR books.amount IS NULL "
            "ORDER BY reference, bank.amount"
        )
        assert one_sided.fetchall() == [
            ("INV-1005", False),
            ("INV-1009", False),
            ("INV-1011", True),
            (None, True),
            (None, True),
            (None, False),
        ]
