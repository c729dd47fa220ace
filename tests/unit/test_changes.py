from __future__ import annotations

import time
from decimal import Decimal

import pytest

import minisql


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, x INTEGER DEFAULT 5, s VARCHAR)")
    connection.execute("INSERT INTO t VALUES (1, 10, 'a'), (2, 20, NULL), (3, NULL, 'c')")
    return connection


def rows(connection: minisql.Connection, table: str = "t") -> list[tuple[object, ...]]:
    return sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=lambda row: str(row[0]).zfill(9))


def test_update_sees_the_old_values_and_counts_rows(connection: minisql.Connection) -> None:
    assert connection.execute("UPDATE t SET x = k, k = x WHERE x IS NOT NULL").rowcount == 2
    assert rows(connection) == [(3, None, "c"), (10, 1, "a"), (20, 2, None)]
    assert connection.execute("UPDATE t SET x = 1 WHERE k = 99").rowcount == 0
    assert connection.execute("UPDATE t AS u SET (x, s) = (DEFAULT, u.s || '!') WHERE u.k = 3").rowcount == 1
    assert rows(connection)[0] == (3, 5, "c!")


def test_update_casts_as_insert_does(connection: minisql.Connection) -> None:
    connection.execute("UPDATE t SET x = '7', s = 1.5 WHERE k = 1")
    assert rows(connection)[0] == (1, 7, "1.5")
    with pytest.raises(minisql.ProgrammingError, match='Column "x" is INTEGER, the value is DATE'):
        connection.execute("UPDATE t SET x = DATE '2020-01-01'")


def test_update_from_changes_each_row_once(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE v (k INTEGER, y INTEGER); INSERT INTO v VALUES (1, 7), (1, 8), (2, 9), (5, 1)")
    assert connection.execute("UPDATE t SET x = v.y FROM v WHERE t.k = v.k").rowcount == 2
    found = rows(connection)
    assert found[0][1] in (7, 8)
    assert found[1:] == [(2, 9, None), (3, None, "c")]


def test_update_may_move_keys_over_one_another(connection: minisql.Connection) -> None:
    connection.execute("UPDATE t SET k = k + 1")
    assert [row[0] for row in rows(connection)] == [2, 3, 4]
    connection.execute("UPDATE t SET k = 6 - k")
    assert sorted(row[0] for row in rows(connection)) == [2, 3, 4]
    with pytest.raises(minisql.IntegrityError):
        connection.execute("UPDATE t SET k = 3 WHERE k = 2")
    connection.execute("INSERT INTO t (k) VALUES (1)")
    with pytest.raises(minisql.IntegrityError):
        connection.execute("INSERT INTO t (k) VALUES (4)")


def test_an_update_whose_last_row_overflows_changes_nothing(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE big (n BIGINT)")
    connection.execute("INSERT INTO big SELECT i FROM range(300000) AS r(i)")
    connection.execute("INSERT INTO big VALUES (9223372036854775807)")
    with pytest.raises(minisql.DataError, match="out of range"):
        connection.execute("UPDATE big SET n = n + 1")
    assert connection.execute("SELECT min(n), count(*) FROM big").fetchone() == (0, 300_001)


def test_delete_with_a_condition_with_using_and_without(connection: minisql.Connection) -> None:
    assert connection.execute("DELETE FROM t WHERE x > 15").rowcount == 1
    assert connection.execute("DELETE FROM t AS u USING (VALUES (3), (3), (9)) AS v(k) WHERE u.k = v.k").rowcount == 1
    assert rows(connection) == [(1, 10, "a")]
    assert connection.execute("DELETE FROM t").rowcount == 1
    assert rows(connection) == []
    assert connection.execute("DELETE FROM t").rowcount == 0
    connection.execute("INSERT INTO t (k) VALUES (1)")
    assert connection.execute("TRUNCATE TABLE t").rowcount == 1
    assert rows(connection) == []


def test_insert_takes_defaults(connection: minisql.Connection) -> None:
    connection.execute("INSERT INTO t (s, k) VALUES ('d', 4), (DEFAULT, 5)")
    connection.execute("INSERT INTO t VALUES (6, DEFAULT, 'f')")
    connection.execute("INSERT INTO t (k) SELECT k + 10 FROM t WHERE k = 1")
    assert rows(connection)[3:] == [(4, 5, "d"), (5, 5, None), (6, 5, "f"), (11, 5, None)]
    connection.execute("CREATE TABLE d (a INTEGER DEFAULT 1 + 1, b VARCHAR DEFAULT 'x', c DECIMAL(4,2))")
    connection.execute("INSERT INTO d DEFAULT VALUES")
    assert rows(connection, "d") == [(2, "x", None)]
    with pytest.raises(minisql.ProgrammingError, match="DEFAULT stands only"):
        connection.execute("SELECT * FROM (VALUES (DEFAULT)) AS v")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE t SET y = 1", 'no column "y"'),
        ("UPDATE t SET x = 1, x = 2", "named twice"),
        ("UPDATE t SET (x, s) = (1)", "2 columns in parentheses, and 1 values"),
        ("UPDATE u SET x = 1", 'no table "u"'),
        ("UPDATE t SET x = 1 WHERE y = 2", 'no column "y"'),
        ("DELETE FROM t WHERE k", "WHERE takes a BOOLEAN"),
        ("INSERT INTO t (k, k) VALUES (1, 2)", "named twice"),
        ("INSERT INTO t VALUES (1, 2, 3, 4)", "takes 3 values here, not 4"),
        ("INSERT INTO t (k, z) VALUES (1, 2)", 'no column "z"'),
        ("UPDATE t SET x = 1 RETURNING nothing", 'no column "nothing"'),
        ("DELETE FROM t RETURNING 1 / (k - 2)", "division by zero"),
        ("INSERT INTO t VALUES (7, 8, 'z') RETURNING 1 / (k - 7)", "division by zero"),
    ],
)
def test_mistakes_change_nothing(connection: minisql.Connection, statement: str, message: str) -> None:
    before = rows(connection)
    with pytest.raises(minisql.SqlError, match=message) as caught:
        connection.execute(statement)
    assert caught.value.span is not None
    assert rows(connection) == before


def test_returning_gives_the_rows_that_were_changed(connection: minisql.Connection) -> None:
    assert connection.execute("INSERT INTO t (k) VALUES (8) RETURNING *").fetchall() == [(8, 5, None)]
    assert connection.execute("UPDATE t SET x = 1 WHERE k = 8 RETURNING t.x + 1 AS y").fetchall() == [(2,)]
    assert connection.execute("DELETE FROM t WHERE k > 1 RETURNING k").fetchall() == [(2,), (3,), (8,)]
    assert connection.execute("DELETE FROM t WHERE k > 1 RETURNING k").fetchall() == []


# --- ON CONFLICT ------------------------------------------------------------------------------------------------------


def test_rows_that_conflict_are_left_out(connection: minisql.Connection) -> None:
    assert connection.execute("INSERT OR IGNORE INTO t VALUES (1, 0, 'z'), (4, 0, 'd'), (4, 1, 'e')").rowcount == 1
    statement = "INSERT INTO t (k) VALUES (1), (5) ON CONFLICT (k) DO NOTHING RETURNING k"
    assert connection.execute(statement).fetchall() == [(5,)]
    assert [row[2] for row in rows(connection)] == ["a", None, "c", "d", None]


def test_rows_with_two_keys_are_left_out_one_after_the_other() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE two (a INTEGER UNIQUE, b INTEGER UNIQUE)")
        connection.execute("INSERT OR IGNORE INTO two VALUES (1, 1), (1, 2), (2, 2), (NULL, 2), (NULL, 3), (NULL, 4)")
        assert rows(connection, "two") == [(1, 1), (2, 2), (None, 3), (None, 4)]


def test_rows_that_conflict_change_those_that_are_there(connection: minisql.Connection) -> None:
    statement = """INSERT INTO t AS u VALUES (1, 7, 'n'), (2, 8, 'n'), (9, 9, 'n')
        ON CONFLICT (k) DO UPDATE SET x = u.x + excluded.x, s = DEFAULT WHERE excluded.x > 7"""
    assert connection.execute(statement).rowcount == 2
    assert rows(connection) == [(1, 10, "a"), (2, 28, None), (3, None, "c"), (9, 9, "n")]
    connection.execute("INSERT OR REPLACE INTO t (k, s) VALUES (1, 'r'), (10, 'r')")
    assert rows(connection)[0] == (1, 5, "r")
    with pytest.raises(minisql.IntegrityError, match="change the same row"):
        connection.execute("INSERT INTO t (k) VALUES (1), (1) ON CONFLICT (k) DO UPDATE SET x = 0")
    with pytest.raises(minisql.ProgrammingError, match=r"no UNIQUE constraint on \(x\)"):
        connection.execute("INSERT INTO t (k) VALUES (1) ON CONFLICT (x) DO NOTHING")


# --- transactions -----------------------------------------------------------------------------------------------------


def test_rollback_puts_everything_back(connection: minisql.Connection) -> None:
    before = rows(connection)
    connection.execute("BEGIN TRANSACTION; DELETE FROM t WHERE k = 1; INSERT INTO t VALUES (7, 7, 'g')")
    connection.execute("CREATE TABLE u (a INTEGER); ALTER TABLE t ADD COLUMN y INTEGER; UPDATE t SET y = 1")
    with pytest.raises(minisql.IntegrityError):
        connection.execute("INSERT INTO t (k) VALUES (7)")
    assert len(rows(connection)) == 3
    connection.execute("ROLLBACK")
    assert rows(connection) == before
    with pytest.raises(minisql.IntegrityError):
        connection.execute("INSERT INTO t (k) VALUES (1)")
    connection.execute("INSERT INTO t (k) VALUES (7)")
    assert connection.execute("SHOW TABLES").fetchall() == [("t",)]


def test_commit_keeps_everything(connection: minisql.Connection) -> None:
    connection.execute("START TRANSACTION; DELETE FROM t WHERE k = 1; COMMIT WORK")
    assert [row[0] for row in rows(connection)] == [2, 3]
    for statement in ("COMMIT", "ROLLBACK", "END"):
        with pytest.raises(minisql.ProgrammingError, match="There is no transaction"):
            connection.execute(statement)
    with pytest.raises(minisql.ProgrammingError, match="a transaction already"):
        connection.execute("BEGIN; BEGIN")


# --- speed and statistics ---------------------------------------------------------------------------------------------


def test_one_more_row_costs_no_look_at_a_million() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE m (k INTEGER PRIMARY KEY, x INTEGER)")
        connection.execute("INSERT INTO m SELECT i, i FROM range(1000000) AS r(i)")
        connection.execute("INSERT INTO m VALUES (-1, 0)")
        start = time.perf_counter()
        for number in range(10):
            connection.execute("INSERT INTO m VALUES (?, 0)", [2_000_000 + 1000 * number])
        assert (time.perf_counter() - start) / 10 < 0.05
        with pytest.raises(minisql.IntegrityError):
            connection.execute("INSERT INTO m VALUES (2009000, 0)")


def test_statistics_are_those_of_the_changed_table(connection: minisql.Connection) -> None:
    connection.execute("UPDATE t SET x = k * 100; DELETE FROM t WHERE k = 3")
    table = connection._executor.open_catalog().find("t")
    assert table is not None
    statistics = table.column_statistics(1)  # type: ignore[union-attr]
    assert (statistics.low, statistics.high, statistics.distinct_count) == (100, 200, 2.0)
    assert table.row_count() == 2  # type: ignore[union-attr]


def test_values_of_every_type_survive_an_update() -> None:
    with minisql.connect() as connection:
        connection.execute(
            "CREATE TABLE v AS SELECT i, i % 2 = 0 AS b, i * 1.5e0 AS d, CAST(i AS DECIMAL(30,2)) AS w, "
            "'s' || i AS s, DATE '2020-01-01' + CAST(i AS INTEGER) AS e FROM range(1000) AS r(i)"
        )
        before = connection.execute("SELECT * FROM v WHERE i <> 500 ORDER BY i").fetchall()
        connection.execute(
            "UPDATE v SET b = NULL, d = 0, w = 99999999999999999999999999.25, s = 'new', e = NULL WHERE i = 500"
        )
        assert connection.execute("SELECT * FROM v WHERE i <> 500 ORDER BY i").fetchall() == before
        found = connection.execute("SELECT * FROM v WHERE i = 500").fetchall()
        assert found == [(500, None, 0.0, Decimal("99999999999999999999999999.25"), "new", None)]


def test_explain_shows_how_rows_are_found(connection: minisql.Connection) -> None:
    for statement in ("UPDATE t SET x = 1 WHERE k = 2", "DELETE FROM t WHERE k = 2", "INSERT INTO t SELECT * FROM t"):
        ((text,),) = connection.execute(f"EXPLAIN {statement}").fetchall()
        assert "Table scan on t" in str(text)
    assert len(rows(connection)) == 3
    with pytest.raises(minisql.NotSupportedError, match="takes a query"):
        connection.execute("EXPLAIN ANALYZE DELETE FROM t")
