from __future__ import annotations

import gc
import os
import time
import weakref
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import minisql
from minisql.session import executor as executor_module
from minisql.session.plan_cache import LONGEST_TEXT, MOST_PLANS


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t (k INTEGER); INSERT INTO t VALUES (1), (2)")
    return connection


def is_kept(connection: minisql.Connection, sql: str) -> bool:
    """Whether a query that was run is not planned again."""
    connection.execute(sql)
    return connection.plan(sql) is connection.plan(sql)


def test_a_query_that_is_run_again_is_not_planned_again(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = connection.execute("SELECT k FROM t").fetchall()

    def parse_statements(text: str) -> None:
        raise AssertionError(text)

    monkeypatch.setattr(executor_module, "parse_statements", parse_statements)
    for _ in range(3):
        assert connection.execute("SELECT k FROM t").fetchall() == expected
    with pytest.raises(AssertionError):
        connection.execute("SELECT k FROM t ")


def test_a_plan_made_by_plan_is_kept_as_well(connection: minisql.Connection) -> None:
    assert connection.plan("SELECT k FROM t;") is connection.plan("SELECT k FROM t;")


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ("INSERT INTO t VALUES (3)", [(1,), (2,), (3,)]),
        ("CREATE OR REPLACE TABLE t AS SELECT 'x' AS k", [("x",)]),
        ("DROP TABLE t; CREATE VIEW t AS SELECT 7 AS k", [(7,)]),
    ],
)
def test_a_change_of_the_catalog_is_seen(connection: minisql.Connection, change: str, rows: list[object]) -> None:
    assert connection.execute("SELECT k FROM t").fetchall() == [(1,), (2,)]
    connection.execute(change)
    assert connection.execute("SELECT k FROM t").fetchall() == rows
    assert connection.execute("SELECT k FROM t").fetchall() == rows


def test_a_table_that_is_gone_is_an_error(connection: minisql.Connection) -> None:
    connection.execute("SELECT k FROM t")
    connection.execute("DROP TABLE t")
    with pytest.raises(minisql.ProgrammingError, match="no table"):
        connection.execute("SELECT k FROM t")


def test_registered_objects_are_those_of_now(connection: minisql.Connection) -> None:
    for rows in ([1], [2, 3]):
        connection.register("r", pa.table({"k": rows}))
        for _ in range(2):
            assert connection.execute("SELECT k FROM r").fetchall() == [(row,) for row in rows]
    connection.unregister("r")
    with pytest.raises(minisql.ProgrammingError):
        connection.execute("SELECT k FROM r")


def test_settings_are_part_of_the_key(connection: minisql.Connection) -> None:
    sql = "SELECT * FROM t AS a JOIN t AS b ON a.k = b.k"
    assert "hash join" in connection.plan(sql).explain()
    connection.execute("SET hash_join = off")
    assert "nested loop" in connection.plan(sql).explain()
    connection.execute("SET hash_join = DEFAULT")
    assert "hash join" in connection.plan(sql).explain()


def test_a_change_between_planning_and_the_end_of_a_script_is_seen(connection: minisql.Connection) -> None:
    script = connection.execute_script("SELECT k FROM t")
    assert next(script).fetchall() == [(1,), (2,)]
    connection.execute("INSERT INTO t VALUES (3)")
    assert next(script, None) is None
    assert connection.execute("SELECT k FROM t").fetchall() == [(1,), (2,), (3,)]


def test_scripts_are_run_as_a_whole(connection: minisql.Connection) -> None:
    for _ in range(2):
        assert connection.execute("SELECT 1; SELECT 2").fetchall() == [(2,)]
        assert connection.execute("SELECT 1; INSERT INTO t VALUES (3)").rowcount == 1


def test_parameters_are_not_mixed_up(connection: minisql.Connection) -> None:
    for value in (1, 1.0, True, "1", None):
        ((found,),) = connection.execute("SELECT ?", [value]).fetchall()
        assert (type(found), found) == (type(value), value)
    connection.execute("SELECT 1")
    with pytest.raises(minisql.InterfaceError):
        connection.execute("SELECT 1", [1])
    with pytest.raises(minisql.InterfaceError):
        connection.execute("SELECT 1", "")
    with pytest.raises(minisql.InterfaceError):
        connection.execute("SELECT ?")


def test_changed_files_are_read_again(connection: minisql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    sql = f"SELECT k FROM '{path}'"
    for rows in ([1], [2, 3], [4]):
        pq.write_table(pa.table({"k": rows}), path)
        os.utime(path, ns=(time.time_ns(), rows[0]))
        for _ in range(2):
            assert connection.execute(sql).fetchall() == [(row,) for row in rows]
        assert is_kept(connection, sql)
    path.unlink()
    with pytest.raises(minisql.OperationalError, match="no file") as caught:
        connection.execute(sql)
    assert caught.value.span is not None


def test_a_new_file_of_a_pattern_is_seen(connection: minisql.Connection, tmp_path: Path) -> None:
    sql = f"SELECT count(*) FROM '{tmp_path}/*.parquet'"
    for number in (1, 2, 3):
        pq.write_table(pa.table({"k": [1]}), tmp_path / f"{number}.parquet")
        assert connection.execute(sql).fetchall() == [(number,)]


def test_csv_files_are_not_held(connection: minisql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("k\n1\n")
    assert not is_kept(connection, f"SELECT k FROM '{path}'")


def test_the_cache_is_bounded(connection: minisql.Connection) -> None:
    first = connection.plan("SELECT 0")
    for number in range(1, MOST_PLANS):
        connection.plan(f"SELECT {number}")
    assert connection.plan("SELECT 0") is first
    connection.plan("SELECT 1000")
    assert connection.plan("SELECT 0") is first, "it was used last but one"
    for number in range(1, MOST_PLANS + 1):
        connection.plan(f"SELECT {number}")
    assert connection.plan("SELECT 0") is not first
    assert not is_kept(connection, "SELECT 1" + " " * LONGEST_TEXT)


def test_the_cache_can_be_switched_off(connection: minisql.Connection) -> None:
    assert is_kept(connection, "SELECT 1")
    connection.execute("SET plan_cache = off")
    assert not is_kept(connection, "SELECT 1")


def test_errors_of_a_kept_plan_say_where(connection: minisql.Connection) -> None:
    sql = "SELECT 1 / k FROM t"
    connection.execute(sql)
    connection.execute("INSERT INTO t VALUES (0)")
    connection.plan(sql)
    for _ in range(2):
        with pytest.raises(minisql.DataError) as caught:
            connection.execute(sql)
        assert caught.value.span is not None
        assert caught.value.span.source == "1 / k"


def test_old_tables_are_let_go(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE big AS SELECT * FROM range(10)")
    assert is_kept(connection, "SELECT range FROM big")
    table = weakref.ref(connection.plan("SELECT range FROM big").path.input.source)
    assert table() is not None
    connection.execute("DROP TABLE big")
    gc.collect()
    assert table() is None
