"""The types as a user meets them: names, literals, parameters, results, CURRENT_DATE, errors."""

from __future__ import annotations

import datetime
import itertools
import re
import types
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import minisql
from minisql import Interval
from minisql.query_block import environment
from minisql.session.value_text import text_of

UTC = datetime.UTC
VALUES: dict[str, Any] = {
    "d": datetime.date(2020, 2, 29),
    "t": datetime.time(1, 2, 3, 4),
    "s": datetime.datetime(2020, 2, 29, 1, 2, 3),
    "z": datetime.datetime(2020, 2, 29, 1, 2, 3, tzinfo=UTC),
    "i": Interval(14, -3, 5),
    "b": b"\x00\xff",
}
TABLE = "CREATE TABLE t (d DATE, t TIME, s TIMESTAMP, z TIMESTAMPTZ, i INTERVAL, b BLOB)"


@pytest.fixture
def engine() -> minisql.Connection:
    return minisql.connect()


def one(engine: minisql.Connection, expression: str, *parameters: object) -> Any:
    ((value,),) = engine.execute(f"SELECT {expression}", parameters).fetchall()
    return value


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("TINYINT", "INTEGER"), ("SMALLINT", "INTEGER"), ("INT2", "INTEGER"), ("INT4", "INTEGER"), ("INT8", "BIGINT"),
        ("UINTEGER", "BIGINT"), ("UBIGINT", "DECIMAL(20,0)"), ("HUGEINT", "DECIMAL(38,0)"), ("NUMERIC(5)",
        "DECIMAL(5,0)"),
        ("REAL", "DOUBLE"), ("FLOAT", "DOUBLE"), ("FLOAT(24)", "DOUBLE"), ("FLOAT4", "DOUBLE"), ("FLOAT8", "DOUBLE"),
        ("DOUBLE PRECISION", "DOUBLE"), ("TEXT", "VARCHAR"), ("CHAR(3)", "VARCHAR"), ("STRING", "VARCHAR"),
        ("BYTEA", "BLOB"), ("BLOB", "BLOB"), ("VARBINARY(10)", "BLOB"), ("BOOL", "BOOLEAN"), ("DATETIME", "TIMESTAMP"),
        ("TIMESTAMP(6)", "TIMESTAMP"), ("TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"), ("TIME", "TIME"),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"), ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"),
        ("INTERVAL", "INTERVAL"),
    ],
)  # fmt: skip
def test_names_of_types(engine: minisql.Connection, name: str, type_: str) -> None:
    engine.execute(f"CREATE TABLE t (c {name})")
    assert str(engine.execute("SELECT c FROM t").types[0]) == type_
    assert str(engine.execute(f"SELECT NULL::{name}").types[0]) == type_


@pytest.mark.parametrize("name", ["TIMESTAMP(3)", "FLOAT(54)", "FLOAT(0)", "DATE(1)", "BLOB(1)", "TIME WITH TIME ZONE"])
def test_types_that_there_are_not(engine: minisql.Connection, name: str) -> None:
    with pytest.raises(minisql.ProgrammingError) as caught:
        engine.execute(f"SELECT NULL::{name}")
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("INTERVAL '3' MONTH", Interval(3)), ("INTERVAL 3 MONTHS", Interval(3)),
        ("INTERVAL '1 year 2 days'", Interval(12, 2)),
        ("INTERVAL '90' DAY", Interval(0, 90)), ("interval '1-2' year to month", Interval(14)),
        ("INTERVAL 1.5 HOURS", Interval(0, 0, 5_400_000_000)), ("INTERVAL (1 + 2) day", Interval(0, 3)),
        ("INTERVAL ((1 + 2) * 2) day", Interval(0, 6)), ("INTERVAL ? week", Interval(0, 14)),
        ("X'00fF'", b"\x00\xff"), ("x''", b""), (r"'\x00ff'::BLOB", b"\x00\xff"),
        (r"'a\xAA\xBB\\'::BYTEA", b"a\xaa\xbb\\"),
        ("'ä'::BLOB", "ä".encode()), ("TIME '1:02'", datetime.time(1, 2)),
        ("TIMESTAMPTZ '2020-01-01 00:00:00+02:30'", datetime.datetime(2019, 12, 31, 21, 30, tzinfo=UTC)),
        ("TIMESTAMP WITH TIME ZONE '2020-01-01 00:00Z'", datetime.datetime(2020, 1, 1, tzinfo=UTC)),
        ("TIMESTAMPTZ '2020-01-01'", datetime.datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_literals(engine: minisql.Connection, sql: str, value: object) -> None:
    assert one(engine, sql, *([2] if "?" in sql else [])) == value


def test_the_words_of_intervals_are_names_elsewhere(engine: minisql.Connection) -> None:
    engine.execute("CREATE TABLE t (interval INTEGER, day INTEGER, month INTEGER)")
    engine.execute("INSERT INTO t VALUES (1, 2, 3)")
    result = engine.execute(
        "SELECT interval, day, interval month, DATE '2020-01-01' day, INTERVAL '1 day' days, INTERVAL '1' DAY AS year, "
        "(interval) day FROM t interval"
    )
    assert result.names == ("interval", "day", "month", "day", "INTERVAL '1 day' days", "year", "day")
    # As in PostgreSQL, a unit after the literal belongs to it.
    assert result.fetchall()[0][:4] == (1, 2, 1, datetime.date(2020, 1, 1))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("INTERVAL 'x'", "'x' is no INTERVAL"), ("INTERVAL 'x' DAY", "'x' is no number of days"),
        ("X'0'", "two hexadecimal digits"), ("TIME '25:00'", "There is no time '25:00'"),
        ("TIMESTAMPTZ '2020-13-01'", "There is no timestamptz"), (r"'\x0'::BLOB", "invalid input for BLOB"),
        ("'24:00'::TIME", "invalid input for TIME"), ("'1 foo'::INTERVAL", "invalid input for INTERVAL"),
        ("'2020-02-30 10:00+01'::TIMESTAMPTZ", "invalid input for TIMESTAMP WITH TIME ZONE"),
        ("DATE '2020-01-01' + DATE '2020-01-01'", "+ does not take DATE and DATE"),
        ("INTERVAL '1 day' * INTERVAL '1 day'", "* does not take INTERVAL and INTERVAL"),
        ("DATE '2020-01-01' = 5", "= does not take DATE and INTEGER"), ("TIME '10:00' < DATE '2020-01-01'",
        "< does not take"),
        ("TIME '10:00'::DATE", "TIME cannot be cast to DATE"), ("sum(INTERVAL '1 day')", "sum takes numbers"),
        ("INTERVAL '1 day' / 0", "division by zero"), ("INTERVAL '1 day' * 1e30", "interval out of range"),
        ("INTERVAL '1 year' * 9223372036854775807", "interval out of range"),
        ("DATE '9999-12-31' + INTERVAL '1 day'", "timestamp out of range: 9999-12-31 00:00:00 + 1 day"),
        ("DATE '0001-01-01' - INTERVAL '1 month'", "timestamp out of range"),
        ("2147483647::INTEGER + 1::INTEGER", "integer out of range"), ("3000000000::INTEGER",
        "out of range for INTEGER"),
        ("CAST(100 AS DECIMAL(4,2))", "out of range for DECIMAL(4,2)"), ("extract(year FROM TIME '10:00')",
        "TIME has no year"),
        ("extract(dow FROM INTERVAL '1 day')", "INTERVAL has no dow"),
    ],
)  # fmt: skip
def test_errors_say_what_and_where(engine: minisql.Connection, sql: str, message: str) -> None:
    with pytest.raises(minisql.Error, match=re.escape(message)) as caught:
        one(engine, sql)
    error = caught.value
    assert isinstance(error, minisql.SqlError)
    assert error.span is not None


def test_values_go_in_and_come_out_in_every_way(engine: minisql.Connection, tmp_path: Path) -> None:
    engine.execute(TABLE)
    engine.execute(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?), (NULL, NULL, NULL, NULL, NULL, NULL)", list(VALUES.values())
    )
    expected = [tuple(VALUES.values()), (None,) * len(VALUES)]
    assert engine.execute("SELECT * FROM t").fetchall() == expected
    where = " AND ".join(f"{name} = ?" for name in VALUES)
    assert engine.execute(f"SELECT count(*) FROM t WHERE {where}", list(VALUES.values())).fetchall() == [(1,)]
    arrow = engine.execute("SELECT * FROM t").arrow()
    assert [str(type_) for type_ in arrow.schema.types] == [
        "date32[day]", "time64[us]", "timestamp[us]", "timestamp[us, tz=UTC]", "month_day_nano_interval", "large_binary"
    ]  # fmt: skip
    engine.register("again", arrow)
    assert engine.execute("SELECT * FROM again").fetchall() == expected
    pq.write_table(arrow.drop_columns("i"), tmp_path / "t.parquet")
    found = engine.execute(f"SELECT * FROM '{tmp_path}/t.parquet' WHERE t < TIME '02:00' AND z >= ?", [VALUES["z"]])
    assert found.fetchall() == [tuple(value for name, value in VALUES.items() if name != "i")]
    assert engine.execute("SELECT s, z, t, b FROM t").df()["z"][0] == pd.Timestamp(VALUES["z"])
    assert engine.execute("SELECT s, z, t, b FROM t").pl()["t"][0] == VALUES["t"]
    frames = {
        "p": pd.DataFrame({"z": [VALUES["z"]], "l": [pd.Timedelta(days=1)], "b": [b"\xff"]}),
        "q": pl.DataFrame({"z": [VALUES["z"]], "l": [datetime.timedelta(days=1)], "b": [b"\xff"]}),
    }
    for name, frame in frames.items():
        engine.register(name, frame)
        sql = f"SELECT z, b FROM {name} WHERE l = INTERVAL '1 day'"
        assert engine.execute(sql).fetchall() == [(VALUES["z"], b"\xff")]


def test_an_interval_beyond_the_nanoseconds_of_arrow_keeps_its_length(engine: minisql.Connection) -> None:
    arrow = engine.execute("SELECT INTERVAL '-8000000000 seconds' * 10 AS i, INTERVAL '1 month' AS j").arrow()
    engine.register("t", arrow)
    ((i, j, same),) = engine.execute("SELECT i, j, i = INTERVAL '-80000000000 seconds' FROM t").fetchall()
    assert (i.length, j, same) == (-80_000_000_000 * 10**6, Interval(1), True)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (datetime.timedelta(days=-1, seconds=3), Interval(0, -1, 3_000_000)), (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"), (datetime.time(1), datetime.time(1)), (Interval(1, 2, 3), Interval(1, 2, 3)),
        (np.datetime64("2020-01-01"), datetime.date(2020, 1, 1)),
        (datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
         datetime.datetime(2019, 12, 31, 23, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_parameters(engine: minisql.Connection, given: object, value: object) -> None:
    assert one(engine, "?", given) == value


@pytest.mark.parametrize("given", [datetime.time(1, tzinfo=UTC), Interval(2**31), object()])
def test_parameters_of_no_type(engine: minisql.Connection, given: object) -> None:
    with pytest.raises(minisql.InterfaceError, match="Parameter 1 is a"):
        one(engine, "?", given)


def test_values_for_people() -> None:
    assert [text_of(value) for value in VALUES.values()] == [
        "2020-02-29", "01:02:03.000004", "2020-02-29 01:02:03", "2020-02-29 01:02:03+00:00",
        "1 year 2 mons -3 days +00:00:00.000005", r"\x00ff",
    ]  # fmt: skip


def test_string_literals_take_the_type_beside_them(engine: minisql.Connection) -> None:
    engine.execute(TABLE)
    engine.execute(
        "INSERT INTO t VALUES ('2020-02-29', '10:00', '2020-02-29 10:00', '2020-02-29 10:00+02', '1 day', 'a')"
    )
    conditions = [
        "d >= '2020-02-28'", "'2020-03-01' > d", "d BETWEEN '2020-01-01' AND '2020-12-31'",
        "d IN ('2020-02-29', '2020-01-01')",
        "t = '10:00:00'", "s > '2020-02-29'", "z = '2020-02-29 08:00Z'", "i = '24:00'", "b = 'a'",
        "d - '2020-02-28' = 1",
        "CASE WHEN d > '2020-01-01' THEN d ELSE '2020-01-01' END = d", "coalesce(d, '2020-01-01') = d",
        "d + '1 day' > d",
        "nullif(d, '2020-02-29') IS NULL", "d = s::DATE", "d < s", "s > z",
    ]  # fmt: skip
    for condition in conditions:
        assert engine.execute(f"SELECT count(*) FROM t WHERE {condition}").fetchall() == [(1,)], condition


# --- CURRENT_DATE -----------------------------------------------------------------------------------------------------


class Clock(datetime.datetime):
    ticks = itertools.count()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return datetime.datetime(2020, 1, 1, 12, tzinfo=tz) + datetime.timedelta(days=next(cls.ticks))


def test_the_time_is_that_of_the_statement_and_no_plan_keeps_it(
    engine: minisql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "datetime", types.SimpleNamespace(datetime=Clock, UTC=UTC))
    engine.execute("CREATE VIEW today AS SELECT CURRENT_DATE AS d, CURRENT_TIMESTAMP AS z")
    engine.execute("CREATE TABLE t (d DATE)")
    engine.execute("INSERT INTO t VALUES (CURRENT_DATE)")
    sql = (
        "SELECT current_date, current_timestamp, localtimestamp, current_time, localtime, v.d, v.z FROM today v "
        "WHERE v.d = CURRENT_DATE"
    )
    days = []
    for _ in range(3):
        ((day, zoned, local, time, local_time, view_day, view_zoned),) = engine.execute(sql).fetchall()
        assert zoned == view_zoned == local.replace(tzinfo=UTC)
        assert day == view_day == zoned.date()
        assert time == local_time == datetime.time(12)
        days.append(day)
    assert days == sorted(set(days))


def test_a_column_may_have_the_name_of_the_time(engine: minisql.Connection) -> None:
    engine.execute("CREATE TABLE t (current_date INTEGER)")
    engine.execute("INSERT INTO t VALUES (7)")
    assert engine.execute("SELECT current_date, t.current_date FROM t").fetchall() == [(7, 7)]
    with pytest.raises(minisql.ProgrammingError, match="There is no column"):
        engine.execute('SELECT "current_date"')


# --- planning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize("column", ["d", "s"])
def test_comparisons_with_constant_times_are_narrowed_without_change(
    engine: minisql.Connection, operator: str, column: str
) -> None:
    engine.execute("CREATE TABLE t (d DATE, s TIMESTAMP)")
    engine.execute(
        "INSERT INTO t SELECT DATE '2020-01-01' + n, DATE '2020-01-01' + n * INTERVAL '12' HOUR FROM range(6) AS r(n)"
    )
    engine.execute("INSERT INTO t VALUES (NULL, NULL)")
    for moment in ("2020-01-03", "2020-01-03 00:00:00.000001", "2020-01-02 23:59:59.999999", "2019-01-01 05:00"):
        for type_, side in itertools.product(("TIMESTAMP", "TIMESTAMPTZ"), (0, 1)):
            sides = (column, f"{type_} '{moment}'")
            condition = f"{sides[side]} {operator} {sides[1 - side]}"
            counts = []
            for folds in ("on", "off"):
                engine.execute(f"SET fold_constants = {folds}")
                sql = f"SELECT count(*) FILTER (WHERE {condition}), count({condition}) FROM t"
                counts += [*engine.execute(sql), *engine.execute(f"SELECT count(*), 6 FROM t WHERE {condition}")]
            assert len(set(counts)) == 1, (condition, counts)


def test_an_interval_in_a_condition_is_folded_down_to_a_date(engine: minisql.Connection) -> None:
    engine.execute("CREATE TABLE t (d DATE, s TIMESTAMP)")
    plan = engine.plan(
        "SELECT * FROM t WHERE d <= DATE '1998-12-01' - INTERVAL '90' DAY AND s < CURRENT_DATE"
    ).explain()
    assert "t.d <= DATE '1998-09-02'" in plan
    assert re.search(r"t\.s < TIMESTAMP '\d{4}-", plan)
    plan = engine.plan(
        "SELECT * FROM t WHERE d IN (DATE '2000-01-01' + INTERVAL 1 MONTH, TIMESTAMP '2000-01-01')"
    ).explain()
    assert "t.d IN (DATE '2000-02-01', DATE '2000-01-01')" in plan


def test_row_groups_are_ruled_out_by_a_date_with_an_interval(engine: minisql.Connection, tmp_path: Path) -> None:
    days = [datetime.date(2000, 1, 1) + datetime.timedelta(days=n) for n in range(1000)]
    pq.write_table(pa.table({"d": days}), tmp_path / "t.parquet", row_group_size=100)
    sql = f"SELECT count(*) FROM '{tmp_path}/t.parquet' WHERE d < cast('2000-01-27' AS date) + INTERVAL 30 days"
    assert engine.execute(sql).fetchall() == [(56,)]
    assert "d < DATE '2000-02-26'" in engine.plan(sql).explain()


def test_equal_intervals_are_not_the_same(engine: minisql.Connection) -> None:
    engine.execute("CREATE TABLE a (i INTERVAL)")
    engine.execute("CREATE TABLE b (i INTERVAL)")
    engine.execute("INSERT INTO a VALUES ('1 month')")
    engine.execute("INSERT INTO b VALUES ('30 days')")
    # What is said of a.i after DATE + a.i must not be said of b.i.
    sql = "SELECT a.i, b.i FROM a JOIN b ON a.i = b.i WHERE DATE '2020-02-01' + a.i = DATE '2020-03-01'"
    assert engine.execute(sql).fetchall() == [(Interval(1), Interval(0, 30))]
    assert one(engine, "INTERVAL '1 month' = INTERVAL '30 days' AND INTERVAL '1 month' IN ('30 days')") is True
    assert one(engine, "DATE '2020-02-01' + INTERVAL '1 month' = DATE '2020-02-01' + INTERVAL '30 days'") is False


def test_huge_numbers(engine: minisql.Connection) -> None:
    engine.execute("CREATE TABLE t (h HUGEINT)")
    engine.execute("INSERT INTO t VALUES (99999999999999999999999999999999999999)")
    assert engine.execute("SELECT h FROM t").fetchall() == [(Decimal(10**38 - 1),)]
    with pytest.raises(minisql.DataError, match="decimal out of range"):
        engine.execute("SELECT h + 1 FROM t")


def test_the_text_of_dates_that_python_does_not_have(engine: minisql.Connection) -> None:
    days = [-12_687_429, -12_687_428, 0, 11_248_737, 11_248_738, 20_000_000]
    moments = [-(10**18) - 1, 0, 971_890_963_199_999_999, 971_890_963_200_000_000, 10**18 + 5 * 10**5, 2**63 - 1]
    table = pa.table(
        {"d": pa.array(days, pa.int32()).view(pa.date32()), "t": pa.array(moments, pa.int64()).view(pa.timestamp("us"))}
    )
    found = engine.sql("SELECT CAST(d AS VARCHAR), CAST(t AS VARCHAR) FROM far", far=table).fetchall()
    assert [date for date, _ in found] == np.array(days).astype("M8[D]").astype(str).tolist()
    expected = np.array(moments).astype("M8[us]").astype(str).tolist()
    assert [time for _, time in found] == [text.replace("T", " ").rstrip("0").rstrip(".") for text in expected]
