"""The query on which the usual table of reorderings goes wrong: l-asscom(full, left)."""

from __future__ import annotations

import pytest

import minisql

WRITTEN = "(a FULL JOIN b ON a.x = b.y) LEFT JOIN c ON (a.x IS NULL OR a.x = c.x) AND c.y = 1"
REORDERED = "(a LEFT JOIN c ON (a.x IS NULL OR a.x = c.x) AND c.y = 1) FULL JOIN b ON a.x = b.y"


@pytest.mark.parametrize("order", ["optimal", "as_written"])
def test_a_left_join_stays_above_the_full_join_whose_padding_it_sees(order: str) -> None:
    with minisql.connect() as connection:
        connection.execute(
            "CREATE TABLE a (x INTEGER); CREATE TABLE b (y INTEGER); CREATE TABLE c (x INTEGER, y INTEGER)"
        )
        connection.execute("INSERT INTO b VALUES (1); INSERT INTO c VALUES (7, 1)")
        connection.execute(f"SET join_order = '{order}'")
        columns = "a.x, b.y, c.x, c.y"
        assert connection.execute(f"SELECT {columns} FROM {WRITTEN}").fetchall() == [(None, 1, 7, 1)]
        assert connection.execute(f"SELECT {columns} FROM {REORDERED}").fetchall() == [(None, 1, None, None)]
