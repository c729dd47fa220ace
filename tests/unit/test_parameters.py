from __future__ import annotations

import datetime
import enum
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import minisql


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t (k INTEGER, s VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (NULL, 'c')")
    return connection


ROWS = [(1, "a"), (2, "b"), (None, "c")]
UTC = datetime.UTC


@pytest.mark.parametrize(
    ("sql", "values", "rows"),
    [
        ("SELECT $", [7], [(7,)]),
        ("SELECT $ + k AS x FROM t ORDER BY x", [1], [(2,), (3,), (None,)]),
        ("SELECT s FROM t WHERE k = $ OR s = $", [1, "c"], [("a",), ("c",)]),
        ("SELECT s FROM t WHERE k IN ($, $)", [2, 5], [("b",)]),
        ("SELECT s FROM t WHERE k BETWEEN $ AND $", [2, 5], [("b",)]),
        ("SELECT s FROM t WHERE s LIKE $", ["a%"], [("a",)]),
        ("SELECT upper($)", ["x"], [("X",)]),
        ("SELECT position('b' IN $)", ["abc"], [(2,)]),
        ("SELECT CASE WHEN $ THEN $ ELSE $ END", [False, 1, 2], [(2,)]),
        ("SELECT CAST($ AS DATE)", ["2013-01-02"], [(datetime.date(2013, 1, 2),)]),
        ("SELECT DATE '2013-01-31' + INTERVAL $ DAY", [1], [(datetime.datetime(2013, 2, 1),)]),
        ("SELECT k FROM t ORDER BY k NULLS LAST LIMIT $ OFFSET $", [1, 1], [(2,)]),
        ("SELECT k FROM t ORDER BY k NULLS LAST FETCH FIRST $ ROWS ONLY", [1], [(1,)]),
        ("SELECT * FROM range($, $)", [3, 5], [(3,), (4,)]),
        ("VALUES ($, $), ($, $)", [1, "x", 2, "y"], [(1, "x"), (2, "y")]),
        ("SELECT a.s FROM t AS a JOIN t AS b ON a.k = b.k + $", [1], [("b",)]),
        ("SELECT count(*) FROM t GROUP BY k > $ ORDER BY 1", [1], [(1,), (1,), (1,)]),
        ("SELECT sum(k) FROM t HAVING sum(k) > $", [2], [(3,)]),
        ("SELECT count(*) FILTER (WHERE k > $) FROM t", [1], [(1,)]),
        ("SELECT sum(k) OVER (ORDER BY k ROWS $ PRECEDING) AS x FROM t WHERE k > 0", [1], [(1,), (3,)]),
        ("SELECT lag(k, 1, $) OVER (ORDER BY k) FROM t WHERE k > 0", [9], [(9,), (1,)]),
        ("WITH c AS (SELECT $ AS x) SELECT x + $ FROM c", [1, 2], [(3,)]),
        ("SELECT (SELECT $) + k FROM t WHERE EXISTS (SELECT 1 WHERE k = $)", [10, 2], [(12,)]),
        ("SELECT s FROM t WHERE (k, s) = ($, $)", [1, "a"], [("a",)]),
        ("INSERT INTO t VALUES ($, $) RETURNING k, s", [5, "n"], [(5, "n")]),
        ("UPDATE t SET s = $ WHERE k = $ RETURNING s", ["new", 1], [("new",)]),
        ("DELETE FROM t WHERE k = $ RETURNING s", [2], [("b",)]),
        ("INSERT INTO t SELECT k + $, s FROM t WHERE k = $ RETURNING k", [10, 1], [(11,)]),
    ],
)
def test_every_place_and_every_style(
    connection: minisql.Connection, sql: str, values: list[Any], rows: list[object]
) -> None:
    """`$` in the text stands for a parameter: ?, $1, $2 backwards, and names."""
    for style in ("?", "numbered", "backwards", "named"):
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            parts = sql.split("$")
            count = len(parts) - 1
            given: Any = values
            names = ["?"] * count
            if style == "numbered":
                names = [f"${place + 1}" for place in range(count)]
            elif style == "backwards":
                names, given = [f"${count - place}" for place in range(count)], values[::-1]
            elif style == "named":
                names = [f"$p{place}" for place in range(count)]
                given = {f"p{place}": value for place, value in enumerate(values)}
            text = parts[0] + "".join(name + part for name, part in zip(names, parts[1:], strict=True))
            assert cursor.execute(text, given).fetchall() == rows, text
            connection.rollback()


def test_a_parameter_may_be_read_twice(connection: minisql.Connection) -> None:
    assert connection.execute("SELECT $1, $1 + 1, $2", [1, "x"]).fetchall() == [(1, 2, "x")]
    assert connection.execute("SELECT $a, $b, $a", {"b": 2, "a": 1}).fetchall() == [(1, 2, 1)]
    assert connection.execute("SELECT $Größe_2", {"Größe_2": 1}).fetchall() == [(1,)]


def test_paths_of_files(connection: minisql.Connection, tmp_path: Path) -> None:
    parquet, csv = str(tmp_path / "x.parquet"), str(tmp_path / "y.csv")
    pq.write_table(pa.table({"k": [1, 2]}), parquet)
    assert connection.execute("SELECT k FROM ? AS f WHERE k > ?", [parquet, 1]).fetchall() == [(2,)]
    assert connection.execute("FROM $path", {"path": parquet}).fetchall() == [(1,), (2,)]
    connection.execute("COPY t TO ?", [csv])
    connection.execute("COPY (SELECT k, s FROM t WHERE k = ?) TO ?", [1, csv])
    connection.execute("CREATE TABLE u (k INTEGER, s VARCHAR)")
    assert connection.execute("COPY u FROM $1", [csv]).rowcount == 1
    connection.execute("COPY (SELECT k, s FROM t WHERE k = ?) TO ? (DELIMITER ?, HEADER ?)", [2, csv, ";", False])
    assert Path(csv).read_text() == "2;b\n"
    named = {"path": csv, "format": "csv", "by": ";"}
    assert connection.execute("COPY u FROM $path (FORMAT $format, SEP $by, HEADER false)", named).rowcount == 1
    with pytest.raises(minisql.ProgrammingError, match="DELIMITER is a string"):
        connection.execute("COPY u FROM ? (DELIMITER ?)", [csv, 5])
    for sql in ("FROM ?", "COPY u FROM ?", "COPY u TO ?"):
        with pytest.raises(minisql.ProgrammingError, match="A path is a string") as caught:
            connection.execute(sql, [5])
        assert caught.value.span is not None
        assert caught.value.span.source == "?"
    with pytest.raises(minisql.OperationalError, match=r"no file.*nothing.csv"):
        connection.execute("FROM ?", ["nothing.csv"])


def test_settings(connection: minisql.Connection) -> None:
    connection.execute("SET batch_rows = ?", [7])
    assert connection.plan("SELECT 1").settings.batch_rows == 7
    with pytest.raises(minisql.ProgrammingError, match="batch_rows"):
        connection.execute("SET batch_rows = $v", {"v": "many"})


@pytest.mark.parametrize(
    ("sql", "given", "message"),
    [
        ("SELECT ?", [], "has 1 parameter (?), and 0 values given"),
        ("SELECT ?, ?", [1], "has 2 parameters (?), and 1 value given"),
        ("SELECT $2", [1], "has 2 parameters ($2), and 1 value given"),
        ("SELECT 1", [1], "has 0 parameters (?), and 1 value given"),
        ("SELECT $a, $b, $c", {"b": 1}, "There is no value for parameters $a, $c."),
        ("SELECT $a", {}, "There is no value for parameter $a."),
        ("SELECT $a", (), "There is no value for parameter $a."),
        ("SELECT $value", {"value": 1, "valeu": 2}, 'has no parameter $valeu. Did you mean "value"?'),
        ("SELECT $a", {"a": 1, 5: 2}, "has no parameter $5."),
        ("SELECT 1", {"a": 1}, "has no parameter $a."),
        ("SELECT $a", [1], "have names ($a): their values are a dict"),
        ("SELECT ?", {"a": 1}, "have no names (?): their values are a list or a tuple"),
        ("SELECT $1", {"1": 1}, "have no names ($1): their values are a list or a tuple"),
        ("SELECT ?", "x", "Parameters are a list or a tuple of values, or a dict"),
        ("SELECT ?", 5, "Parameters are a list or a tuple of values, or a dict"),
        ("SELECT ?, ?", np.array([1, 2]), "Parameters are a list or a tuple of values, or a dict"),
        ("SELECT 1", pd.DataFrame({"a": [1, 2]}), "Parameters are a list or a tuple of values, or a dict"),
        ("SELECT 1", pa.array([]), "Parameters are a list or a tuple of values, or a dict"),
        ("SELECT ?", {1}, "Parameters are a list or a tuple of values, or a dict"),
        ("SELECT ?, ?", [1, object()], "Parameter 2 is a object; a parameter is None"),
        ("SELECT $who", {"who": object()}, "Parameter $who is a object; a parameter is None"),
        ("SELECT ?", [[1, 2]], "Parameter 1 is a list; give its elements one by one"),
        ("SELECT ?", [np.array([1, 2])], "Parameter 1 is a ndarray; a parameter is None"),
        ("SELECT ?", [1j], "Parameter 1 is a complex"),
        ("SELECT ?", [np.datetime64("20000-01-01")], "Parameter 1 is out of range: 20000-01-01."),
        ("SELECT ?", [np.timedelta64(2**62, "s")], "Parameter 1 is out of range: 4611686018427387904 seconds."),
        ("SELECT ?", ["\ud800"], "Parameter 1 is a str with half a surrogate pair"),
        ("SELECT ?", [minisql.Interval(2**40)], "Parameter 1 is an interval out of range"),
        ("SELECT ?", [datetime.time(1, tzinfo=UTC)], "Parameter 1 is a time; a parameter is None"),
        (
            "SELECT ?",
            [datetime.datetime.max.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-1)))],
            "Parameter 1 is a time out of range in UTC",
        ),
    ],
)
def test_mistakes_name_the_parameter(connection: minisql.Connection, sql: str, given: Any, message: str) -> None:
    for run in (connection.execute, connection.plan, lambda sql, given: connection.prepare(sql).execute(given)):
        with pytest.raises(minisql.InterfaceError) as caught:
            run(sql, given)
        assert message in str(caught.value)


@pytest.mark.parametrize("sql", ["SELECT ?, $1", "SELECT $1, ?", "SELECT $a, ?", "SELECT $1 + $a", "SELECT $1, $a"])
def test_one_kind_of_parameters_a_statement(connection: minisql.Connection, sql: str) -> None:
    with pytest.raises(minisql.ProgrammingError, match="are of one kind") as caught:
        connection.execute(sql, [1, 2])
    assert caught.value.span is not None
    assert caught.value.span.source == sql[-len(caught.value.span.source) :]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT $0", r"first parameter is \$1"),
        ("SELECT $1a", "Unexpected character"),
        ("SELECT $", "Unexpected character"),
    ],
)
def test_what_is_no_parameter(connection: minisql.Connection, sql: str, message: str) -> None:
    with pytest.raises(minisql.ProgrammingError, match=message):
        connection.execute(sql, [1])


def test_two_statements_have_their_own(connection: minisql.Connection) -> None:
    assert connection.execute("SELECT ?; SELECT $1; SELECT ? + 1", [1]).fetchall() == [(2,)]


class Text(str):
    __slots__ = ()


class Colour(Text, enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("given", "type_", "value"),
    [
        (None, "NULL", None),
        (True, "BOOLEAN", True),
        (np.True_, "BOOLEAN", True),
        (5, "INTEGER", 5),
        (2**40, "BIGINT", 2**40),
        (2**70, "DECIMAL(22,0)", Decimal(2**70)),
        (np.int8(5), "INTEGER", 5),
        (np.uint64(2**63), "DECIMAL(19,0)", Decimal(2**63)),
        (1.5, "DOUBLE", 1.5),
        (np.float32(1.5), "DOUBLE", 1.5),
        (np.float64(1.5), "DOUBLE", 1.5),
        (np.array(7), "INTEGER", 7),
        (Decimal("1.50"), "DECIMAL(3,2)", Decimal("1.50")),
        ("it's", "VARCHAR", "it's"),
        (np.str_("x"), "VARCHAR", "x"),
        (Text("x"), "VARCHAR", "x"),
        (Colour.RED, "VARCHAR", "red"),
        (uuid.UUID(int=5), "VARCHAR", "00000000-0000-0000-0000-000000000005"),
        (b"\x00\xff", "BLOB", b"\x00\xff"),
        (bytearray(b"x"), "BLOB", b"x"),
        (memoryview(b"x"), "BLOB", b"x"),
        (datetime.date(2013, 1, 2), "DATE", datetime.date(2013, 1, 2)),
        (np.datetime64("2013-01-02"), "DATE", datetime.date(2013, 1, 2)),
        (datetime.datetime(2013, 1, 2, 3), "TIMESTAMP", datetime.datetime(2013, 1, 2, 3)),
        (np.datetime64("2013-01-02T03:00:00.123456789"), "TIMESTAMP", datetime.datetime(2013, 1, 2, 3, 0, 0, 123456)),
        (pd.Timestamp("2013-01-02 03:00"), "TIMESTAMP", datetime.datetime(2013, 1, 2, 3)),
        (pd.Timestamp("2013-01-02", tz="UTC"), "TIMESTAMP WITH TIME ZONE", datetime.datetime(2013, 1, 2, tzinfo=UTC)),
        (np.datetime64("NaT", "us"), "NULL", None),
        (pd.NaT, "NULL", None),
        (pd.NA, "NULL", None),
        (datetime.time(3, 4), "TIME", datetime.time(3, 4)),
        (datetime.timedelta(days=1, seconds=2), "INTERVAL", minisql.Interval(0, 1, 2_000_000)),
        (np.timedelta64(90, "s"), "INTERVAL", minisql.Interval(0, 0, 90_000_000)),
        (np.timedelta64(5, "M"), "INTERVAL", minisql.Interval(5)),
        (np.timedelta64(2, "Y"), "INTERVAL", minisql.Interval(24)),
        (np.timedelta64("NaT", "M"), "NULL", None),
        (pa.scalar((1, 2, 3000), pa.month_day_nano_interval()), "INTERVAL", minisql.Interval(1, 2, 3)),
        (pd.Timedelta("1 day"), "INTERVAL", minisql.Interval(0, 1, 0)),
        (minisql.Interval(1), "INTERVAL", minisql.Interval(1)),
        (pa.scalar(5), "INTEGER", 5),
        (pa.scalar("x"), "VARCHAR", "x"),
        (pa.scalar(None, pa.int64()), "NULL", None),
    ],
)
def test_values(connection: minisql.Connection, given: object, type_: str, value: object) -> None:
    result = connection.execute("SELECT ?", [given])
    ((found,),) = result.fetchall()
    assert (type(found), found, str(result.types[0])) == (type(value), value, type_)


# --- prepared statements ----------------------------------------------------------------------------------------------


def test_prepared_statements(connection: minisql.Connection) -> None:
    query = connection.prepare("  SELECT s FROM t WHERE k = $key OR s = $text ORDER BY s;")
    assert query.sql == "SELECT s FROM t WHERE k = $key OR s = $text ORDER BY s"
    assert query.parameters == ["$key", "$text"]
    assert query.connection is connection
    assert "SELECT s FROM t" in repr(query)
    assert query.execute({"key": 1, "text": "c"}).fetchall() == [("a",), ("c",)]
    connection.execute("INSERT INTO t VALUES (7, 'new')")
    assert query.execute({"key": 7, "text": ""}).fetchall() == [("new",)], "it sees the tables of now"
    insert = connection.prepare("INSERT INTO t VALUES (?, ?)")
    assert [insert.execute((k, "many")).rowcount for k in range(3)] == [1, 1, 1]
    assert connection.execute("SELECT count(*) FROM t WHERE s = 'many'").fetchone() == (3,)


def test_a_prepared_statement_is_parsed_once(connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    query = connection.prepare("SELECT ? + 1")
    monkeypatch.setattr("minisql.parser.parse._Parser.parse", None)
    assert [query.execute([k]).fetchone() for k in range(3)] == [(1,), (2,), (3,)]


def test_what_cannot_be_prepared(connection: minisql.Connection) -> None:
    for sql in ("", "SELECT 1; SELECT 2", "SELEC 1"):
        with pytest.raises(minisql.ProgrammingError):
            connection.prepare(sql)
    query = connection.prepare("SELECT nothing FROM t")
    with pytest.raises(minisql.ProgrammingError, match="nothing"):
        query.execute()
    connection.close()
    with pytest.raises(minisql.InterfaceError, match="closed"):
        query.execute()


def test_prepare_and_execute_in_sql(connection: minisql.Connection) -> None:
    connection.execute(
        "PREPARE find AS SELECT s FROM t WHERE k = $1 AND $1 < $2; PREPARE add AS INSERT INTO t VALUES (?, ?)"
    )
    assert connection.execute("EXECUTE find(1, 1 + 1)").fetchall() == [("a",)]
    assert connection.execute("EXECUTE find(?, ?)", [2, 5]).fetchall() == [("b",)]
    assert connection.execute("EXECUTE Add(5, upper('n'))").rowcount == 1
    assert connection.execute("EXECUTE find(5, 6)").fetchall() == [("N",)]
    with pytest.raises(minisql.ProgrammingError, match="prepared already"):
        connection.execute("PREPARE find AS SELECT 1")
    with pytest.raises(minisql.ProgrammingError, match="takes 2 values, not 1"):
        connection.execute("EXECUTE find(1)")
    with pytest.raises(minisql.ProgrammingError, match='Did you mean "find"'):
        connection.execute("EXECUTE finds(1)")
    connection.execute("DEALLOCATE find; DEALLOCATE PREPARE add")
    with pytest.raises(minisql.ProgrammingError, match="Nothing is prepared"):
        connection.execute("DEALLOCATE find")
    connection.execute("PREPARE named AS SELECT $a")
    with pytest.raises(minisql.ProgrammingError, match=r"have names \(\$a\)"):
        connection.execute("EXECUTE named(1)")


def test_the_new_words_are_names(connection: minisql.Connection) -> None:
    connection.execute(
        "CREATE TABLE prepare (execute INTEGER, deallocate INTEGER); PREPARE prepare AS SELECT ? AS prepare"
    )
    assert connection.execute("SELECT execute, prepare.deallocate execute FROM prepare prepare").fetchall() == []
    assert connection.execute("EXECUTE prepare(1)").names == ("prepare",)
    connection.execute("DEALLOCATE prepare")


# --- executemany ------------------------------------------------------------------------------------------------------

T0 = datetime.datetime(2013, 1, 2, 3)
MANY: list[tuple[str, list[object]]] = [
    ("INTEGER", [1, None, 3]),
    ("INTEGER", ["1", "2", None]),
    ("INTEGER", [1, "2", 3.0]),
    ("BIGINT", [2**62, 1, -5]),
    ("DOUBLE", [1, 2.5, None]),
    ("DOUBLE", [1.5, float("inf"), -0.0]),
    ("DECIMAL(10,2)", [Decimal("1.5"), Decimal("2.25"), Decimal(3)]),
    ("DECIMAL(30,0)", [2**70, 1, None]),
    ("VARCHAR", ["x", "ü", None]),
    ("VARCHAR", [1, 2, 3]),
    ("BOOLEAN", [True, False, None]),
    ("BOOLEAN", [1, 0, None]),
    ("DATE", [datetime.date(2013, 1, 2), None, datetime.date.max]),
    ("DATE", ["2013-01-02", None, "1999-12-31"]),
    ("DATE", [None, None, None]),
    ("DATE", [datetime.date(2013, 1, 2), T0, None]),
    ("TIMESTAMP", [T0, T0.replace(microsecond=1), None]),
    ("TIMESTAMP WITH TIME ZONE", [T0.replace(tzinfo=UTC), None, T0.replace(tzinfo=datetime.timezone.min)]),
    ("TIMESTAMP WITH TIME ZONE", [T0.replace(tzinfo=UTC), T0, None]),
    ("TIME", [datetime.time(1, 2, 3), None, datetime.time.max]),
    ("INTERVAL", [datetime.timedelta(1), None, minisql.Interval(1)]),
    ("BLOB", [b"x", None, bytearray(b"\xff")]),
    ("BIGINT", [np.int64(1), np.int32(2), None]),
]


@pytest.mark.parametrize(("type_", "values"), MANY)
def test_executemany_does_what_single_statements_do(type_: str, values: list[object]) -> None:
    with minisql.connect() as connection:
        connection.execute(
            f"CREATE TABLE a (n INTEGER, v {type_}, c VARCHAR); CREATE TABLE b (n INTEGER, v {type_}, c VARCHAR)"
        )
        rows = list(enumerate(values))
        for row in rows:
            connection.execute("INSERT INTO a (v, n, c) VALUES ($2, $1, 'constant')", row)
        assert connection.executemany("INSERT INTO b (v, n, c) VALUES ($2, $1, 'constant')", rows).rowcount == 3
        a, b = (connection.execute(f"SELECT * FROM {name} ORDER BY n").fetchall() for name in "ab")
        assert str(a) == str(b)
        assert len(a) == 3


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2, "y"), ("z", "z")]),
        ("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2**40, "y")]),
        ("INSERT INTO t VALUES (?, 1 / ?)", [(1, 1), (2, 0)]),
        ("UPDATE t SET k = ? WHERE s = ?", [(1, "a"), ("x", "b")]),
        ("DELETE FROM t WHERE k = 1 / ?", [(1,), (0,)]),
        ("INSERT INTO u VALUES (?)", [(1,), (2,), (1,)]),
    ],
)
def test_executemany_is_all_or_nothing(connection: minisql.Connection, sql: str, rows: list[Any]) -> None:
    connection.execute("CREATE TABLE u (k INTEGER PRIMARY KEY)")
    for begin in ("SELECT 1", "BEGIN"):
        connection.execute(begin)
        with pytest.raises(minisql.SqlError):
            connection.executemany(sql, rows)
        assert connection.execute("SELECT k, s FROM t ORDER BY s").fetchall() == ROWS
        assert connection.execute("SELECT count(*) FROM u").fetchone() == (0,)


def test_executemany_of_other_statements(connection: minisql.Connection) -> None:
    assert (
        connection.executemany(
            "UPDATE t SET s = $new WHERE k = $k", [{"k": 1, "new": "x"}, {"k": 2, "new": "y"}]
        ).rowcount
        == 2
    )
    assert connection.executemany("DELETE FROM t WHERE k = ?", ([k] for k in (1, 5))).rowcount == 1
    assert connection.execute("SELECT s FROM t ORDER BY s").fetchall() == [("c",), ("y",)]
    upsert = "INSERT INTO p VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET n = p.n + excluded.n"
    connection.execute("CREATE TABLE p (k INTEGER PRIMARY KEY, n INTEGER)")
    assert connection.executemany(upsert, [(1, 1), (1, 2), (2, 5)]).rowcount == 3
    assert connection.execute("SELECT * FROM p ORDER BY k").fetchall() == [(1, 3), (2, 5)]
    assert connection.executemany("INSERT INTO p VALUES (?, ?)", []).rowcount == 0
    assert connection.executemany("INSERT INTO p VALUES (?, 0)", [(3,)]).rowcount == 1
    connection.execute("CREATE TABLE d (k INTEGER, n INTEGER DEFAULT 7)")
    connection.executemany("INSERT INTO d (k) VALUES (?)", [(1,), (2,)])
    connection.executemany("INSERT INTO d VALUES (?, DEFAULT)", [(3,), (4,)])
    assert connection.execute("SELECT sum(k), sum(n) FROM d").fetchone() == (10, 28)


def test_executemany_takes_no_query_and_no_single_set(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.ProgrammingError, match="no query"):
        connection.executemany("SELECT ?", [(1,)])
    for wrong in ("ab", 5, None):
        with pytest.raises(minisql.InterfaceError, match="list of lists"):
            connection.executemany("DELETE FROM t WHERE k = ?", wrong)  # type: ignore[arg-type]
    with pytest.raises(minisql.InterfaceError, match="2 parameters"):
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2,)])
    with pytest.raises(minisql.InterfaceError, match="Parameter 2 is a object"):
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2, object())])
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_executemany_plans_one_insert(connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    from minisql.session.statements import changes

    plans, original = [], changes.plan_insert
    monkeypatch.setattr(changes, "plan_insert", lambda *arguments: plans.append(1) or original(*arguments))
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(k, str(k)) for k in range(1000)])
    assert len(plans) == 1
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1003,)
