"""PEP 249, by the test suite of Stuart Bishop (dbapi-compliance), and what it leaves out by the sections of the PEP."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator

import dbapi20
import pytest

import minisql


class TestSuite(dbapi20.DatabaseAPI20Test):  # type: ignore[misc]
    driver = minisql

    def test_nextset(self) -> None:
        assert not hasattr(minisql.Cursor, "nextset"), "it is optional, and a statement has one result here"

    def test_setoutputsize(self) -> None:
        """What it does is the driver's own affair; it does nothing, see test_setoutputsize_basic."""
        with minisql.connect() as connection:
            cursor = connection.cursor()
            cursor.setoutputsize(1)
            assert cursor.execute("SELECT 'long'").fetchone() == ("long",)

    def test_non_idempotent_close(self) -> None:
        """The suite says that one may differ: closing twice does nothing, as for files."""
        connection = minisql.connect()
        cursor = connection.cursor()
        for closed in (cursor, connection):
            closed.close()
            closed.close()


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (k INTEGER, s VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')")
        yield connection


def test_module_interface() -> None:
    assert (minisql.apilevel, minisql.threadsafety, minisql.paramstyle) == ("2.0", 2, "qmark")
    assert issubclass(minisql.Error, Exception)
    assert issubclass(minisql.InterfaceError, minisql.Error)
    for name in ("DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError"):
        assert issubclass(getattr(minisql, name), minisql.DatabaseError)
    assert set(minisql.__all__) <= set(dir(minisql)) | set(minisql._LOADED_WHEN_USED)
    for name in minisql.__all__:
        getattr(minisql, name)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELEC 1", minisql.ProgrammingError),
        ("SELECT nothing FROM t", minisql.ProgrammingError),
        ("SELECT 1 / (k - 1) FROM t", minisql.DataError),
        ("SELECT * FROM 'no such file.parquet'", minisql.OperationalError),
        ("ALTER TABLE t ADD CHECK (k < 3)", minisql.IntegrityError),
        ("EXPLAIN FORMAT=XML SELECT 1", minisql.NotSupportedError),
    ],
)
def test_which_error_is_raised_for_what(connection: minisql.Connection, sql: str, error: type[Exception]) -> None:
    for run in (connection.execute, connection.cursor().execute):
        with pytest.raises(error) as caught:
            run(sql)
        assert type(caught.value) is error
        assert type(caught.value) is getattr(connection, error.__name__)


def test_what_a_database_may_be() -> None:
    minisql.connect(":memory:").close()
    with pytest.raises(minisql.NotSupportedError, match=r"not there yet, so 'my\.db' cannot be opened"):
        minisql.connect("my.db")
    with pytest.raises(minisql.InterfaceError, match="not by a int"):
        minisql.connect(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sql", "object_"),
    [
        ("CAST('x' AS VARCHAR)", minisql.STRING),
        ("NULL", minisql.STRING),
        ("CAST('x' AS BLOB)", minisql.BINARY),
        ("TRUE", minisql.NUMBER),
        ("1", minisql.NUMBER),
        ("CAST(1 AS BIGINT)", minisql.NUMBER),
        ("1.5", minisql.NUMBER),
        ("1e0", minisql.NUMBER),
        ("DATE '2013-01-01'", minisql.DATETIME),
        ("TIME '12:00'", minisql.DATETIME),
        ("now()", minisql.DATETIME),
        ("localtimestamp", minisql.DATETIME),
        ("INTERVAL '1 day'", minisql.DATETIME),
        ("list(1)", minisql.LIST),
    ],
)
def test_type_codes_equal_one_type_object(connection: minisql.Connection, sql: str, object_: object) -> None:
    description = connection.cursor().execute(f"SELECT {sql}").description
    assert description is not None
    objects = (minisql.STRING, minisql.BINARY, minisql.NUMBER, minisql.DATETIME, minisql.LIST, minisql.ROWID)
    assert [each for each in objects if description[0][1] == each] == [object_]
    assert [each for each in objects if each == description[0][1]] == [object_]
    assert len({*objects}) == 6


def test_executemany_with_returning(connection: minisql.Connection) -> None:
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO t VALUES (?, 'new') RETURNING k, s", [(7,), (8,)])
    assert cursor.rowcount == 2
    assert cursor.fetchall() == [(7, "new"), (8, "new")]
    assert connection.executemany("DELETE FROM t WHERE k = ? RETURNING s", [[1], [50], [7]]).fetchall() == [
        ("a",),
        ("new",),
    ]
    with pytest.raises(minisql.ProgrammingError, match="values of other types for other parameters"):
        connection.executemany("DELETE FROM t WHERE k > 1 RETURNING ?", [[1], ["x"]])
    assert count(connection) == 3, "all or nothing"


def test_cursor_attributes(connection: minisql.Connection) -> None:
    cursor = connection.cursor()
    assert (cursor.description, cursor.rowcount, cursor.arraysize, cursor.lastrowid) == (None, -1, 1, None)
    assert cursor.warnings == ()
    assert cursor.connection is connection
    cursor.execute("SELECT k, CAST(k AS DECIMAL(5,1)) FROM t")
    assert cursor.rowcount == 3
    assert cursor.description == [
        ("k", "INTEGER", None, None, None, None, None),
        ("k", "DECIMAL(5,1)", None, None, 5, 1, None),
    ]
    assert cursor.execute("UPDATE t SET s = 'x' WHERE k > 1").rowcount == 2
    assert not hasattr(cursor, "callproc")


def test_cursor_fetching(connection: minisql.Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT k FROM t ORDER BY k")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == [(2,)]
    assert cursor.fetchmany(5) == [(3,)]
    assert (cursor.fetchone(), cursor.fetchmany(), cursor.fetchall()) == (None, [], [])
    cursor.arraysize = 2
    assert cursor.execute("SELECT k FROM t ORDER BY k").fetchmany() == [(1,), (2,)]
    assert list(cursor) == [(3,)]
    assert iter(cursor) is cursor
    for size in (-1, "2", 1.5):
        with pytest.raises(minisql.InterfaceError, match="number of rows to fetch"):
            cursor.fetchmany(size)  # type: ignore[arg-type]


def test_cursor_without_rows(connection: minisql.Connection) -> None:
    cursor = connection.cursor()
    with pytest.raises(minisql.InterfaceError, match="Nothing has been executed"):
        cursor.fetchone()
    cursor.execute("CREATE TABLE u (k INTEGER)")
    for fetch in (cursor.fetchone, cursor.fetchmany, cursor.fetchall, cursor.arrow, cursor.df, cursor.pl):
        with pytest.raises(minisql.InterfaceError, match="was no query"):
            fetch()
    with pytest.raises(minisql.ProgrammingError):
        cursor.execute("SELECT nothing")
    assert cursor.description is None, "of the statement before an error nothing is left"


def test_closed_cursors_and_connections(connection: minisql.Connection) -> None:
    cursor, other = connection.cursor(), connection.cursor()
    cursor.execute("SELECT k FROM t")
    other.execute("SELECT k FROM t ORDER BY k")
    cursor.close()
    for use in (cursor.fetchone, cursor.fetchall, lambda: cursor.execute("SELECT 1"), lambda: cursor.setinputsizes([])):
        with pytest.raises(minisql.InterfaceError, match="cursor is closed"):
            use()
    connection.close()
    assert other.fetchone() == (1,), "rows outlive the connection"
    with pytest.raises(minisql.InterfaceError, match="connection is closed"):
        other.execute("SELECT 1")
    for call in (
        connection.cursor,
        connection.commit,
        connection.rollback,
        lambda: connection.prepare("SELECT 1"),
        lambda: connection.executemany("DELETE FROM t", [()]),
        lambda: connection.register("r", {"k": [1]}),
        lambda: connection.plan("SELECT 1"),
        lambda: connection.sql("SELECT 1", r={"k": [1]}),
    ):
        with pytest.raises(minisql.InterfaceError, match="connection is closed"):
            call()


def test_cursors_of_a_connection_see_the_same(connection: minisql.Connection) -> None:
    with connection.cursor() as first, connection.cursor() as second:
        first.execute("BEGIN")
        first.execute("DELETE FROM t")
        assert second.execute("SELECT count(*) FROM t").fetchone() == (0,)
        connection.rollback()
        assert second.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_constructors() -> None:
    assert minisql.Date(2013, 1, 2) == datetime.date(2013, 1, 2)
    assert minisql.Time(3, 4, 5) == datetime.time(3, 4, 5)
    assert minisql.Timestamp(2013, 1, 2, 3, 4, 5) == datetime.datetime(2013, 1, 2, 3, 4, 5)
    assert minisql.Binary(b"\x00") == b"\x00"
    ticks = time.mktime((2013, 1, 2, 3, 4, 5, 0, 0, -1))
    assert minisql.DateFromTicks(ticks) == datetime.date(2013, 1, 2)
    assert minisql.TimeFromTicks(ticks) == datetime.time(3, 4, 5)
    assert minisql.TimestampFromTicks(ticks) == datetime.datetime(2013, 1, 2, 3, 4, 5)


def count(connection: minisql.Connection) -> object:
    return connection.execute("SELECT count(*) FROM t").fetchall()[0][0]


def test_every_statement_is_a_transaction_by_default(connection: minisql.Connection) -> None:
    assert connection.autocommit
    connection.execute("DELETE FROM t WHERE k = 1")
    connection.rollback()
    assert count(connection) == 2
    connection.execute("BEGIN; DELETE FROM t")
    connection.rollback()
    assert count(connection) == 2
    connection.execute("BEGIN; DELETE FROM t")
    connection.commit()
    connection.rollback()
    assert count(connection) == 0


def test_transactions_of_the_pep() -> None:
    connection = minisql.connect(autocommit=False)
    connection.execute("CREATE TABLE t (k INTEGER)")
    connection.rollback()
    with pytest.raises(minisql.ProgrammingError, match="no table"):
        count(connection)
    connection.execute("CREATE TABLE t (k INTEGER)")
    connection.commit()
    connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    connection.prepare("INSERT INTO t VALUES (?)").execute([3])
    assert count(connection) == 3
    connection.rollback()
    assert count(connection) == 0
    connection.execute("INSERT INTO t VALUES (1)")
    connection.execute("COMMIT")
    connection.rollback()
    assert count(connection) == 1


@pytest.mark.parametrize("sql", [5, None, b"SELECT 1", ["SELECT 1"]])
def test_sql_is_text(connection: minisql.Connection, sql: str) -> None:
    for method in (
        connection.execute,
        connection.sql,
        connection.plan,
        connection.prepare,
        connection.cursor().execute,
        lambda sql: list(connection.execute_script(sql)),
        lambda sql: list(connection.plans(sql)),
        lambda sql: connection.executemany(sql, []),
    ):
        with pytest.raises(minisql.InterfaceError, match="SQL is a str, not"):
            method(sql)


@pytest.mark.parametrize("timeout", [0, -1, "1", True, float("nan")])
def test_a_timeout_is_a_number(connection: minisql.Connection, timeout: float) -> None:
    with pytest.raises(minisql.InterfaceError, match="number of seconds greater than 0"):
        connection.execute("SELECT 1", timeout=timeout)


def test_a_progress_callback_is_a_function(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.InterfaceError, match="is a function"):
        connection.execute("SELECT 1", progress=5)  # type: ignore[arg-type]
