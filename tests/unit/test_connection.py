from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import minisql


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t (k INTEGER, s VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, NULL), (NULL, 'c')")
    return connection


def test_fetching_moves_through_the_rows(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT k, s FROM t ORDER BY k")
    assert result.fetchone() == (1, "a")
    assert result.fetchmany(1) == [(2, None)]
    assert result.fetchall() == [(None, "c")]
    assert result.fetchone() is None
    assert result.fetchmany() == []
    assert result.rowcount == 3


def test_a_result_describes_its_columns(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT k, s, CAST(1.5 AS DECIMAL(4,2)) AS d FROM t")
    assert result.description == [
        ("k", "INTEGER", None, None, None, None, None),
        ("s", "VARCHAR", None, None, None, None, None),
        ("d", "DECIMAL(4,2)", None, None, 4, 2, None),
    ]
    assert connection.execute("CREATE TABLE u (k INTEGER)").description is None


def test_results_outlive_their_connection(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT count(*) FROM t")
    connection.close()
    assert result.fetchall() == [(3,)]
    with pytest.raises(minisql.InterfaceError, match="closed"):
        connection.execute("SELECT 1")


def test_a_closed_result_gives_nothing(connection: minisql.Connection) -> None:
    with connection.execute("SELECT k FROM t") as result:
        pass
    with pytest.raises(minisql.InterfaceError, match="closed"):
        result.fetchall()
    with pytest.raises(minisql.InterfaceError, match="closed"):
        result.arrow()


def test_names_of_columns_are_what_a_user_would_write(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT t.k, count(*), sum( k ) AS total, k + 1, k FROM t GROUP BY k")
    assert result.names == ("k", "count(*)", "total", "k + 1", "k")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        2**40,
        1.5,
        Decimal("1.50"),
        "it's",
        datetime.date(2013, 1, 2),
        datetime.datetime(2013, 1, 2, 3, 4, 5, 6),
    ],
)
def test_parameters_come_back_as_they_went_in(value: object) -> None:
    with minisql.connect() as connection:
        assert connection.execute("SELECT ?", [value]).fetchone() == (value,)


def test_a_negative_literal_keeps_every_digit() -> None:
    with minisql.connect() as connection:
        (value,) = connection.execute("SELECT -12345678901234567890123456789012.3456").fetchall()[0]
    assert str(value) == "-12345678901234567890123456789012.3456"


def test_parameters_stand_wherever_a_value_may(connection: minisql.Connection) -> None:
    query = "SELECT k FROM t WHERE k >= ? AND s LIKE ? ORDER BY k LIMIT ?"
    assert connection.execute(query, (1, "a%", 5)).fetchall() == [(1,)]
    connection.execute("INSERT INTO t VALUES (?, ?)", (np.int64(9), "z"))
    assert connection.execute("SELECT s FROM t WHERE k = ?", [9]).fetchone() == ("z",)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "1 parameter .* 0 values"),
        ([1, 2], "1 parameter .* 2 values"),
        ([object()], "Parameter 1 is a object"),
        ("x", "a list or a tuple"),
    ],
)
def test_wrong_parameters(connection: minisql.Connection, parameters: list[object], message: str) -> None:
    with pytest.raises(minisql.InterfaceError, match=message):
        connection.execute("SELECT ?", parameters)


def test_statements_before_a_mistake_have_been_run(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.ProgrammingError):
        connection.execute("INSERT INTO t VALUES (4, 'd'); SELECT nothing FROM t; INSERT INTO t VALUES (5, 'e')")
    assert connection.execute("SELECT max(k) FROM t").fetchone() == (4,)


def test_a_failed_statement_changes_nothing(connection: minisql.Connection) -> None:
    for statement in (
        "INSERT INTO t SELECT 1 / (k - 2), s FROM t",
        "INSERT INTO t VALUES (1, 'x'), ('y', 'z')",
        "CREATE TABLE broken AS SELECT 1 / (k - 2) AS q FROM t",
        "CREATE OR REPLACE TABLE t AS SELECT 1 / 0 AS q",
        "CREATE VIEW v AS SELECT nothing FROM t",
    ):
        with pytest.raises(minisql.SqlError):
            connection.execute(statement)
    assert connection.execute("SELECT count(*), count(k), count(s) FROM t").fetchone() == (3, 2, 2)
    for name in ("broken", "v"):
        with pytest.raises(minisql.ProgrammingError, match="no table"):
            connection.execute(f"SELECT * FROM {name}")


def test_a_table_can_be_filled_from_itself(connection: minisql.Connection) -> None:
    assert connection.execute("INSERT INTO t SELECT k + 10, s FROM t").rowcount == 3
    assert connection.execute("SELECT count(*), max(k) FROM t").fetchone() == (6, 12)


def test_insert_casts_to_the_types_of_the_table(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE typed (a BIGINT, b DECIMAL(6,2), c DATE, d VARCHAR, e BOOLEAN)")
    connection.execute("INSERT INTO typed VALUES (1, 2.5, '2013-01-02', 7, 'true')")
    connection.execute("INSERT INTO typed (c, a) SELECT TIMESTAMP '2013-01-03 04:00:00', k FROM t WHERE k = 2")
    assert connection.execute("SELECT * FROM typed ORDER BY a").fetchall() == [
        (1, Decimal("2.50"), datetime.date(2013, 1, 2), "7", True),
        (2, None, datetime.date(2013, 1, 3), None, None),
    ]


def test_create_table_as_and_views(connection: minisql.Connection) -> None:
    connection.execute("CREATE VIEW v (key) AS SELECT k FROM t WHERE k IS NOT NULL; CREATE TABLE c AS SELECT * FROM v")
    connection.execute("INSERT INTO t VALUES (3, 'x')")
    assert connection.execute("SELECT sum(key) FROM v").fetchone() == (6,)
    assert connection.execute("SELECT sum(key) FROM c").fetchone() == (3,)
    connection.execute("CREATE OR REPLACE VIEW v AS SELECT 1 AS one; DROP TABLE c; DROP TABLE IF EXISTS c")
    assert connection.execute("SELECT * FROM v").fetchall() == [(1,)]
    connection.execute("CREATE TABLE IF NOT EXISTS t (other DOUBLE)")
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (4,)


def test_a_view_with_a_parameter_is_an_error(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.ProgrammingError, match="takes no parameters"):
        connection.execute("CREATE VIEW v AS SELECT k FROM t WHERE k = ?", [1])


def test_a_view_that_reads_itself_is_an_error(connection: minisql.Connection) -> None:
    connection.execute("CREATE VIEW v AS SELECT 1 AS one; CREATE VIEW w AS SELECT * FROM v")
    connection.execute("CREATE OR REPLACE VIEW v AS SELECT * FROM w")
    with pytest.raises(minisql.ProgrammingError, match="reads itself"):
        connection.execute("SELECT * FROM v")


@pytest.mark.parametrize(
    "data",
    [
        pa.table({"k": [1, 2, None], "s": ["x", None, "z"]}),
        pd.DataFrame({"k": pd.array([1, 2, None], dtype="Int64"), "s": ["x", None, "z"]}),
        pl.DataFrame({"k": [1, 2, None], "s": ["x", None, "z"]}),
    ],
    ids=["arrow", "pandas", "polars"],
)
def test_registered_objects_are_tables(connection: minisql.Connection, data: object) -> None:
    connection.register("r", data)
    query = "SELECT t.k, r.s FROM t FULL JOIN r ON t.k = r.k ORDER BY t.k, r.s"
    assert connection.execute(query).fetchall() == [(1, "x"), (2, None), (None, "z"), (None, None)]
    with pytest.raises(minisql.ProgrammingError, match="takes no rows"):
        connection.execute("INSERT INTO r VALUES (1, 'x')")
    connection.unregister("r")
    with pytest.raises(minisql.ProgrammingError, match="no table"):
        connection.execute("SELECT * FROM r")


def test_registering_what_is_no_table(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.InterfaceError):
        connection.register("r", 42)
    with pytest.raises(minisql.InterfaceError, match="stored table"):
        connection.register("t", pa.table({"k": [1]}))


def test_results_as_arrow_pandas_and_polars(connection: minisql.Connection) -> None:
    query = "SELECT k, s FROM t ORDER BY k"
    assert connection.sql(query).arrow().to_pylist() == [
        {"k": 1, "s": "a"},
        {"k": 2, "s": None},
        {"k": None, "s": "c"},
    ]
    assert connection.sql(query).df()["s"].isna().tolist() == [False, True, False]
    assert connection.sql(query).pl().rows() == [(1, "a"), (2, None), (None, "c")]
    assert pa.table(connection.sql(query)).num_rows == 3
    empty = connection.sql("SELECT k, s FROM t WHERE k > 100").arrow()
    assert (empty.num_rows, empty.column_names) == (0, ["k", "s"])
    with pytest.raises(minisql.InterfaceError, match="aliases"):
        connection.sql("SELECT k, k FROM t").pl()


def test_settings_belong_to_the_connection(connection: minisql.Connection) -> None:
    connection.execute("SET join_order = 'as_written'; SET batch_rows = 1")
    assert connection.execute("SELECT count(*) FROM t AS a, t AS b").fetchone() == (9,)
    connection.execute("SET batch_rows = DEFAULT")


def test_explain_gives_one_text(connection: minisql.Connection) -> None:
    result = connection.execute("EXPLAIN SELECT * FROM t WHERE k = 1")
    assert result.layout == "text"
    ((text,),) = result.fetchall()
    assert "Table scan on t" in str(text)
    with pytest.raises(minisql.NotSupportedError, match="has no format XML"):
        connection.execute("EXPLAIN FORMAT=XML SELECT 1")


def test_nesting_works_or_is_an_error(connection: minisql.Connection) -> None:
    parentheses = f"SELECT {'(' * 2000}1{')' * 2000}"
    assert connection.execute(parentheses).fetchone() == (1,)
    joins = " ".join(f"LEFT JOIN t AS t{i} ON t{i - 1}.k = t{i}.k" for i in range(1, 501))
    assert connection.execute(f"SELECT count(*) FROM t AS t0 {joins}").fetchone() == (3,)
    commas = ", ".join(f"t AS t{i}" for i in range(200))
    equal = " AND ".join(f"t{i}.k = t{i + 1}.k" for i in range(199))
    assert connection.execute(f"SELECT count(*) FROM {commas} WHERE {equal}").fetchone() == (2,)
    items = ", ".join(map(str, range(100_000)))
    assert connection.execute(f"SELECT count(*) FROM t WHERE k IN ({items})").fetchone() == (2,)
    derived = f"SELECT * FROM {'(SELECT * FROM ' * 200}t{''.join(f') AS d{i}' for i in range(200))}"
    assert len(connection.execute(derived).fetchall()) == 3
    for too_deep in (
        "NOT " * 5000 + "TRUE",
        "+".join(["1"] * 5000),
        "CASE WHEN TRUE THEN " * 3000 + "1" + " END" * 3000,
    ):
        with pytest.raises(minisql.SqlError, match="nested too deeply"):
            connection.execute(f"SELECT {too_deep}")
