"""Functions of intervals and times, the types of string literals in date functions, and defaults that read the time."""

from __future__ import annotations

import datetime
import random
import time
from typing import Any

import pytest

import minisql
from minisql import Interval

UTC = datetime.UTC


def value(expression: str) -> Any:
    with minisql.connect() as connection:
        return connection.execute(f"SELECT {expression}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The examples of PostgreSQL's documentation.
        ("age(TIMESTAMP '2001-04-10', TIMESTAMP '1957-06-13')", "43 years 9 mons 27 days"),
        ("justify_days(INTERVAL '1 year 65 days')", "1 year 2 mons 5 days"),
        ("justify_hours(INTERVAL '50 hours 10 minutes')", "2 days 02:10:00"),
        ("justify_interval(INTERVAL '1 mon -1 hour')", "29 days 23:00:00"),
        ("make_interval(0, 0, 0, 10)", "10 days"),
        ("make_time(8, 15, 23.5)", "08:15:23.5"),
        ("date_trunc('hour', INTERVAL '2 days 3 hours 40 minutes')", "2 days 03:00:00"),
        # Borrowing from the month of the earlier one, also backwards.
        ("age('2024-03-01', '2024-01-31')", "1 mon 1 day"),
        ("age('2024-01-31', '2024-03-01')", "-1 mons -1 days"),
        ("age('2024-01-01 00:00', '2024-01-01 00:00:01')", "-00:00:01"),
        ("justify_days(INTERVAL '1 mon -5 days')", "25 days"),
        ("justify_days(INTERVAL '-1 mon 65 days')", "1 mon 5 days"),
        ("justify_hours(INTERVAL '-1 day 5 hours')", "-19:00:00"),
        ("justify_interval(INTERVAL '-1 mon 1 hour')", "-29 days -23:00:00"),
        ("date_trunc('decade', INTERVAL '-25 years -3 mons')", "-20 years"),
        ("date_trunc('quarter', INTERVAL '7 mons 20 days')", "6 mons"),
        ("date_trunc('hour', TIME '04:05:06')", "04:00:00"),
        ("to_seconds(1.5)", "00:00:01.5"),
        ("age(current_date)", "00:00:00"),
        # A date that moves by an interval is a timestamp, as with +.
        ("date_add('2024-01-31', INTERVAL 1 MONTH)", "2024-02-29 00:00:00"),
        ("date_sub(TIMESTAMP '2024-03-31 10:00', INTERVAL '1 month')", "2024-02-29 10:00:00"),
        ("adddate(DATE '2024-01-31', 1)", "2024-02-01"),
        ("adddate('2024-01-31', 1)", "2024-02-01 00:00:00"),
        ("subdate(TIMESTAMP '2024-03-01 10:00', 1)", "2024-02-29 10:00:00"),
        ("date_add(TIMESTAMPTZ '2024-01-31 10:00+02', '1 day')", "2024-02-01 08:00:00+00"),
        # String literals.
        ("extract(year FROM '1995-01-17')", "1995"),
        ("extract(hour FROM '1995-01-17 12:30')", "12"),
        ("date_trunc('month', '1995-01-17')", "1995-01-01 00:00:00"),
        ("year('1995-01-17')", "1995"),
        ("dayname('1995-01-17')", "Tuesday"),
        # Times, intervals, and timestamps with a time zone.
        ("hour(TIME '04:05:06.789')", "4"),
        ("extract(millisecond FROM TIME '04:05:06.789')", "6789"),
        ("extract(microsecond FROM INTERVAL '-1 min -2.5 sec')", "-2500000"),
        ("extract(decade FROM INTERVAL '-25 years')", "-2"),
        ("extract(century FROM INTERVAL '199 years')", "1"),
        ("extract(isodow FROM TIMESTAMPTZ '2024-02-04 00:30+01')", "6"),
        ("date_trunc('day', TIMESTAMPTZ '2024-02-04 00:30+01')", "2024-02-03 00:00:00+00"),
        ("date_diff('day', TIMESTAMPTZ '2024-02-04 00:30+01', DATE '2024-02-04')", "1"),
        ("last_day(TIMESTAMPTZ '2024-03-01 00:30+01')", "2024-02-29"),
        ("strftime(TIMESTAMPTZ '2024-03-01 00:30+01', '%d %H')", "29 23"),
        ("typeof(now())", "TIMESTAMP WITH TIME ZONE"),
        ("typeof(to_timestamp(1))", "TIMESTAMP WITH TIME ZONE"),
        ("typeof(date_trunc('day', NULL))", "TIMESTAMP"),
        ("justify_days(NULL)", None),
        ("nullif(1, 2.5)", "1"),
    ],
)
def test_value(expression: str, expected: str | None) -> None:
    assert value(f"CAST(({expression}) AS VARCHAR)") == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("make_time(24, 0, 0)", r"time out of range: make_time\(24, 0, 0"),
        ("make_time(23, 59, 59.9999999)", "time out of range"),
        ("justify_days(make_interval(170000000, 0, 0, 2000000000))", "out of range"),
        ("year(TIME '04:05')", "TIME has no year"),
        ("isodow(INTERVAL '1 day')", "INTERVAL has no isodow"),
        ("date_trunc('week', INTERVAL '1 day')", "INTERVAL has no week"),
        ("date_add(DATE '2024-01-01', 1.5)", "date_add does not take"),
        ("date_add(1, INTERVAL '1 day')", "date_add does not take"),
    ],
)
def test_error(expression: str, message: str) -> None:
    with pytest.raises(minisql.Error, match=message):
        value(expression)


def test_justified_intervals_are_as_long_and_have_one_sign() -> None:
    rng = random.Random(7)
    parts = [
        (rng.randint(-30, 30), rng.randint(-100, 100), rng.choice([0, rng.randint(-(10**12), 10**12)]))
        for _ in range(500)
    ]
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (i INTERVAL)")
        for part in parts:
            connection.execute("INSERT INTO t VALUES (?)", (Interval(*part),))
        rows = connection.execute("SELECT i, justify_interval(i), justify_days(i), justify_hours(i) FROM t").fetchall()
    day = 86_400_000_000
    for given, whole, days, hours in rows:
        assert whole.length == days.length == hours.length == given.length
        signs = {(part > 0) - (part < 0) for part in (whole.months, whole.days, whole.microseconds)} - {0}
        assert len(signs) <= 1
        assert abs(whole.days) < 30
        assert abs(whole.microseconds) < day
        assert abs(days.days) < 30
        assert days.months * days.days >= 0
        assert days.microseconds == given.microseconds
        assert abs(hours.microseconds) < day
        assert hours.days * hours.microseconds >= 0
        assert hours.months == given.months


# --- defaults ---------------------------------------------------------------------------------------------------------

DEFAULTS = (
    ("TIMESTAMP WITH TIME ZONE", "CURRENT_TIMESTAMP"),
    ("TIMESTAMP WITH TIME ZONE", "now()"),
    ("TIMESTAMP", "localtimestamp"),
    ("TIMESTAMP", "date_trunc('day', now()) + (now() - date_trunc('day', now()))"),
    ("TIME", "CURRENT_TIME"),
    ("DOUBLE", "random()"),
)


@pytest.mark.parametrize(("type_", "default"), DEFAULTS)
@pytest.mark.parametrize(
    "insert",
    ["INSERT INTO t (k) VALUES (1)", "INSERT INTO t VALUES (1, DEFAULT)", "INSERT INTO t (k) SELECT 1"],
)
def test_a_default_is_computed_by_each_insert(type_: str, default: str, insert: str) -> None:
    with minisql.connect() as connection:
        connection.execute(f"CREATE TABLE t (k INTEGER, v {type_} DEFAULT {default})")
        for _ in range(3):
            time.sleep(0.001)
            connection.execute(insert)
        assert connection.execute("SELECT count(DISTINCT v) FROM t").fetchall() == [(3,)]


@pytest.mark.parametrize(("type_", "default"), DEFAULTS)
def test_a_default_of_an_added_column_is_computed_by_each_insert(type_: str, default: str) -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (k INTEGER)")
        connection.execute("INSERT INTO t VALUES (1), (2)")
        connection.execute(f"ALTER TABLE t ADD COLUMN v {type_} DEFAULT {default}")
        time.sleep(0.001)
        connection.execute("INSERT INTO t (k) VALUES (3)")
        # The rows that were there have the time of the change, and each a random number of its own.
        count = 3 if default == "random()" else 2
        assert connection.execute("SELECT count(DISTINCT v) FROM t").fetchall() == [(count,)]


def test_one_insert_has_one_time_and_many_random_numbers() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (k INTEGER, v TIMESTAMP DEFAULT now(), r DOUBLE DEFAULT random())")
        connection.execute("INSERT INTO t (k) VALUES (1), (2)")
        connection.execute("INSERT INTO t VALUES (3, DEFAULT, DEFAULT), (4, DEFAULT, DEFAULT)")
        found = connection.execute("SELECT count(DISTINCT v), count(DISTINCT r) FROM t").fetchall()
        assert found == [(2, 4)]
        before = connection.execute("SELECT max(v) FROM t").fetchall()
        time.sleep(0.001)
        connection.execute("UPDATE t SET v = DEFAULT WHERE k = 1")
        assert connection.execute("SELECT max(v) FROM t").fetchall() > before


def test_a_changed_default_reads_the_time_later_and_is_shown() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (k INTEGER, v DATE)")
        connection.execute("ALTER TABLE t ALTER COLUMN v SET DEFAULT current_date")
        connection.execute("INSERT INTO t (k) VALUES (1)")
        assert connection.execute("SELECT v = current_date FROM t").fetchall() == [(True,)]
        sql = "SELECT column_default FROM information_schema.columns WHERE column_name = 'v'"
        assert connection.execute(sql).fetchall() == [("CAST(now() AS DATE)",)]


@pytest.mark.parametrize("condition", ["v < now()", "v < current_date", "age(v) > INTERVAL '1 day'", "random() < 2"])
def test_a_check_is_the_same_at_any_time(condition: str) -> None:
    with minisql.connect() as connection, pytest.raises(minisql.NotSupportedError, match="CHECK takes no"):
        connection.execute(f"CREATE TABLE t (v TIMESTAMP CHECK ({condition}))")
