"""Dates, times, intervals, decimals and blobs against DuckDB, Python's decimal and datetime, and SQLite."""

from __future__ import annotations

import datetime
import random
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest

import minisql

EXACT = Context(prec=200)
SEEDS = range(4)


@pytest.fixture
def engine() -> minisql.Connection:
    return minisql.connect()


# --- decimals: Python's fractions -------------------------------------------------------------------------------------


def random_decimal(rng: random.Random) -> tuple[Decimal, int, int]:
    """A number with the precision and scale of its type."""
    precision = rng.choice([1, 3, 9, 18, 19, 25, 38])
    scale = rng.randint(0, precision)
    digits = rng.choice([0, 1, 10**precision - 1, rng.randrange(10**precision), rng.randrange(10 ** min(precision, 4))])
    return EXACT.scaleb(Decimal(rng.choice([1, -1]) * digits), -scale), precision, scale


def literal(value: Decimal, precision: int, scale: int) -> str:
    return f"CAST('{value:f}' AS DECIMAL({precision},{scale}))"


def expected(operator: str, left: Decimal, right: Decimal) -> Fraction | bool | None:
    a, b = Fraction(left), Fraction(right)
    if operator in "/%" and b == 0:
        return None
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "%":
            return a - b * int(a / b)
        case "<":
            return a < b
        case "=":
            return a == b
        case _:
            raise AssertionError(operator)


def outcome(engine: minisql.Connection, sql: str) -> Any:
    """The one value of a query, or the error that it gives."""
    try:
        ((value,),) = engine.execute(sql).fetchall()
    except minisql.DataError as error:
        return error
    return value


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("operator", ["+", "-", "*", "%", "<", "="])
@pytest.mark.parametrize("folds", ["on", "off"])
def test_decimals_are_exact_or_an_error(engine: minisql.Connection, seed: int, operator: str, folds: str) -> None:
    rng = random.Random(seed)
    engine.execute(f"SET fold_constants = {folds}")
    answered = 0
    for _ in range(60):
        left, right = random_decimal(rng), random_decimal(rng)
        wanted = expected(operator, left[0], right[0])
        found = outcome(engine, f"SELECT {literal(*left)} {operator} {literal(*right)}")
        if isinstance(found, minisql.DataError):
            # A place, always; and only where a type of 38 digits cannot hold a number that the operation needs.
            assert found.span is not None
            integer_digits = max(left[1] - left[2], right[1] - right[2])
            assert wanted is None or integer_digits + max(left[2], right[2]) >= 38 or left[1] + right[1] > 38
            continue
        assert (found if isinstance(found, bool) else Fraction(found)) == wanted
        answered += 1
    assert answered > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_result_scales_are_those_of_duckdb(engine: minisql.Connection, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(30):
        left, right = random_decimal(rng), random_decimal(rng)
        for operator in "+-*/":
            sql = f"SELECT {literal(*left)} {operator} {literal(*right)}"
            # Where the result does not fit, DuckDB takes a DOUBLE or refuses.
            whole = max(left[1] - left[2], right[1] - right[2]) + max(left[2], right[2]) + 1
            if (operator in "+-" and whole > 38) or (operator == "*" and left[1] + right[1] > 38):
                continue
            if right[0] == 0 and operator == "/":
                continue
            try:
                theirs = duckdb.sql(sql.replace("SELECT ", "SELECT typeof(") + ")").fetchall()[0][0]
                (value,) = duckdb.sql(sql).fetchall()[0]
            except duckdb.Error:
                continue
            result = engine.execute(sql)
            # Their results for numbers of less than 19 digits have 18, and may overflow; the scale is the standard's.
            assert str(result.types[0]) == theirs or (operator != "/" and theirs.startswith("DECIMAL(18,")), sql
            assert str(result.types[0]).rpartition(",")[2] == theirs.rpartition(",")[2], sql
            (mine,) = result.fetchall()[0]
            # Their quotient is one of two rounded doubles, ours is rounded the same way.
            assert mine == (pytest.approx(value, rel=1e-14) if operator == "/" else value), sql


def test_sums_of_decimals_are_exact_and_overflow_is_an_error(engine: minisql.Connection) -> None:
    rng = random.Random(5)
    numbers = [Decimal(rng.randrange(-(10**35), 10**35)).scaleb(-10, EXACT) for _ in range(500)]
    engine.execute("CREATE TABLE t (n DECIMAL(38,10))")
    engine.execute("INSERT INTO t VALUES " + ", ".join(f"({number:f})" for number in numbers))
    ((total, average, low, high),) = engine.execute("SELECT sum(n), avg(n), min(n), max(n) FROM t").fetchall()
    whole = sum(map(Fraction, numbers))
    assert (Fraction(total), low, high) == (whole, min(numbers), max(numbers))
    assert average == float(whole / len(numbers))
    engine.execute("CREATE TABLE big AS SELECT CAST('9e37' AS DECIMAL(38,0)) AS n FROM range(2)")
    with pytest.raises(minisql.DataError, match="out of the range") as caught:
        engine.execute("SELECT sum(n) FROM big")
    assert caught.value.span is not None
    assert caught.value.span.source == "sum(n)"


# --- dates, times, intervals: DuckDB ----------------------------------------------------------------------------------


def random_interval(rng: random.Random) -> str:
    units = rng.sample(["year", "month", "day", "hour", "minute", "second"], rng.randint(1, 3))
    return " ".join(f"{rng.choice([0, 1, -1, 13, -40, 100])} {unit}" for unit in units)


def random_date(rng: random.Random) -> str:
    day = datetime.date(1900, 1, 1) + datetime.timedelta(days=rng.randrange(80_000))
    return rng.choice([day, day.replace(day=1), datetime.date(2012, 2, 29), datetime.date(2013, 1, 31)]).isoformat()


def random_time(rng: random.Random) -> str:
    return rng.choice(["00:00:00", "23:59:59.999999", f"{rng.randrange(24):02}:{rng.randrange(60):02}:30.25"])


TEMPLATES = [
    "DATE '{d}' + INTERVAL '{i}'", "DATE '{d}' - INTERVAL '{i}'", "INTERVAL '{i}' + DATE '{d}'",
    "TIMESTAMP '{d} {t}' + INTERVAL '{i}'", "TIMESTAMP '{d} {t}' - INTERVAL '{i}'",
    "TIMESTAMPTZ '{d} {t}+00' - INTERVAL '{i}'",
    "TIME '{t}' + INTERVAL '{i}'", "TIME '{t}' - INTERVAL '{i}'", "DATE '{d}' + TIME '{t}'",
    "DATE '{d}' - DATE '{e}'", "TIMESTAMP '{d} {t}' - TIMESTAMP '{e} {u}'",
    "INTERVAL '{i}' + INTERVAL '{j}'", "INTERVAL '{i}' - INTERVAL '{j}'", "INTERVAL '{i}' * {n}", "-INTERVAL '{i}'",
    "INTERVAL '{i}' < INTERVAL '{j}'", "INTERVAL '{i}' = INTERVAL '{j}'",
    "DATE '{d}' < TIMESTAMP '{e} {t}'", "DATE '{d}' <= TIMESTAMP '{d} {t}'", "DATE '{d}' = '{e}'",
    "DATE '{d}' BETWEEN '{e}' AND '2012-02-29'", "TIME '{t}' >= '{u}'", "DATE '{d}' IN ('{e}', '2012-02-29')",
    "CASE WHEN DATE '{d}' > '{e}' THEN TIMESTAMP '{d} {t}' ELSE DATE '{e}' END",
    "CAST(TIMESTAMP '{d} {t}' AS DATE)", "CAST(TIMESTAMP '{d} {t}' AS TIME)", "'{d}'::DATE + {n}",
    "extract(year FROM INTERVAL '{i}')", "extract(month FROM INTERVAL '{i}')", "extract(day FROM INTERVAL '{i}')",
    "extract(hour FROM INTERVAL '{i}')", "extract(hour FROM TIME '{t}')", "extract(minute FROM TIME '{t}')",
    "coalesce(NULL, DATE '{d}')", "CAST(DATE '{d}' AS VARCHAR)", "CAST(TIME '{t}' AS VARCHAR)",
    "CAST(TIMESTAMP '{d} {t}' AS VARCHAR)", "CAST('{d}' AS DATE) + INTERVAL {n} DAYS",
    "CAST('{d}' AS DATE) - INTERVAL '{n}' MONTH", "DATE '{d}' + INTERVAL ({n} * 2) HOUR",
]  # fmt: skip


def without_zones(sql: str) -> str:
    """For DuckDB, which needs a module for times with a zone: the same in UTC."""
    return sql.replace("TIMESTAMPTZ", "TIMESTAMP").replace("+00'", "'")


def plain(value: Any) -> Any:
    """An interval as DuckDB gives it to Python, with months of 30 days; a time in UTC without its zone."""
    if isinstance(value, minisql.Interval):
        return datetime.timedelta(days=value.months * 30 + value.days, microseconds=value.microseconds)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


@pytest.mark.parametrize("template", TEMPLATES)
def test_dates_times_and_intervals_are_those_of_duckdb(engine: minisql.Connection, template: str) -> None:
    rng = random.Random(template)
    peer = duckdb.connect()
    for _ in range(12):
        sql = template.format(
            d=random_date(rng), e=random_date(rng), t=random_time(rng), u=random_time(rng),
            i=random_interval(rng), j=random_interval(rng), n=rng.choice([0, 1, 7, 30, 90]),
        )  # fmt: skip
        (wanted,) = peer.execute(f"SELECT {without_zones(sql)}").fetchall()[0]
        for folds in ("on", "off"):
            engine.execute(f"SET fold_constants = {folds}")
            (found,) = engine.execute(f"SELECT {sql}").fetchall()[0]
            assert plain(found) == wanted, sql


COLUMNS = {
    "d": "DATE", "s": "TIMESTAMP", "z": "TIMESTAMPTZ", "t": "TIME", "i": "INTERVAL", "b": "BLOB", "h": "HUGEINT",
}  # fmt: skip
QUERIES = [
    "SELECT {c}, count(*) FROM t GROUP BY {c}",
    "SELECT DISTINCT {c} FROM t",
    "SELECT count(DISTINCT {c}), count({c}), min({c}), max({c}) FROM t",
    "SELECT a.n, b.n FROM t AS a JOIN t AS b ON a.{c} = b.{c}",
    "SELECT a.n, b.n FROM t AS a LEFT JOIN t AS b ON a.{c} < b.{c}",
    "SELECT a.n FROM t AS a JOIN t AS b ON a.{c} IS NOT DISTINCT FROM b.{c} AND a.{o} = b.{o}",
    "SELECT {c} FROM t UNION SELECT {c} FROM t WHERE n > 10",
    "SELECT {c} FROM t EXCEPT SELECT {c} FROM t WHERE n > 10",
    "SELECT n FROM t WHERE {c} IN (SELECT_FIRST)",
    "SELECT coalesce(a.{c}, b.{c}), CASE WHEN a.n < b.n THEN a.{c} ELSE b.{c} END FROM t a JOIN t b ON a.n = b.n + 1",
]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seed", SEEDS)
def test_columns_of_every_type_group_join_and_sort_as_in_duckdb(
    engine: minisql.Connection, column: str, seed: int
) -> None:
    rng = random.Random(seed)
    peer = duckdb.connect()
    days, times = [random_date(rng) for _ in range(3)], [random_time(rng) for _ in range(3)]
    intervals = [random_interval(rng) for _ in range(3)] + ["1 month", "30 days", "29 days 24 hours"]
    create = "CREATE TABLE t (n INTEGER, " + ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items()) + ")"
    rows = []
    for number in range(20):
        values = [
            rng.choice(days), f"{rng.choice(days)} {rng.choice(times)}", f"{rng.choice(days)} {rng.choice(times)}+00",
            rng.choice(times), rng.choice(intervals), rng.choice(["", "a", r"\xFF", r"\xFFa", r"\x00"]),
            str(rng.choice([0, -1, 10**30])),
        ]  # fmt: skip
        texts = ["NULL" if rng.random() < 0.15 else f"'{value}'" for value in values]
        rows.append(f"({number}, {', '.join(texts)})")
    engine.execute(create)
    peer.execute(without_zones(create))
    for row in rows:
        engine.execute(f"INSERT INTO t VALUES {row}")
        peer.execute(without_zones(f"INSERT INTO t VALUES {row}"))
    other = rng.choice([name for name in COLUMNS if name != column])
    for query in QUERIES:
        sql = query.format(c=column, o=other).replace("SELECT_FIRST", f"CAST({rows[0].split(', ')[1]} AS DATE)")
        if "IN (" in query and column not in "dsz":
            continue
        # Of intervals that are equal, any may stand for its group: `plain` makes them one.
        mine = Counter(tuple(map(normal, row)) for row in engine.execute(sql))
        theirs = Counter(tuple(map(normal, row)) for row in peer.execute(sql).fetchall())
        assert mine == theirs, sql
    for direction in ("ASC NULLS FIRST", "DESC NULLS LAST"):
        sql = f"SELECT {column} FROM t ORDER BY {column} {direction}"
        mine_sorted = [normal(row[0]) for row in engine.execute(sql)]
        assert mine_sorted == [normal(row[0]) for row in peer.execute(sql).fetchall()]


def normal(value: Any) -> Any:
    value = plain(value)
    return int(value) if isinstance(value, Decimal) else value


# --- dates against SQLite ---------------------------------------------------------------------------------------------


def test_days_around_a_date_are_those_of_sqlite(engine: minisql.Connection) -> None:
    rng = random.Random(11)
    with closing(sqlite3.connect(":memory:")) as peer:
        for _ in range(60):
            day, count = random_date(rng), rng.randrange(-4000, 4000)
            ((wanted, distance),) = peer.execute(
                "SELECT datetime(?, ? || ' days'), CAST(julianday(?) - julianday('2000-01-01') AS INTEGER)",
                (day, count, day),
            ).fetchall()
            sql = f"SELECT CAST(DATE '{day}' + INTERVAL '{count}' DAY AS VARCHAR), DATE '{day}' - DATE '2000-01-01'"
            assert engine.execute(sql).fetchall() == [(wanted, distance)]
