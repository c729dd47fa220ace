"""Every scalar function over edge values, against DuckDB, and SQLite where it has the function.

A template is an expression over the columns of one table; where DuckDB writes it differently, DUCKDB has its text.
Functions without a template are named in NO_PEER with the reason, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import datetime
import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any, Final

import duckdb
import pytest

import minisql
from minisql.expression.functions import SCALAR_FUNCTIONS

STRINGS: Final = [
    "",
    "a",
    "abc",
    "ABC",
    "äöü",
    "ÄÖ",
    "a😀b",
    "  x ",
    "xxabcxx",
    "a,b,,c",
    ",",
    "it's",
    "100%",
    "a_b",
    "aaa",
    "abcabc123",
    "line\nbreak",
    "Straße",
    "1",
    "-5",
    None,
]
PARTS: Final = ["", "a", "b", "bc", ",", "x", "ö", "😀", "zz", "aa", None]
INTEGERS: Final = [0, 1, 2, 3, 5, -1, -2, 7, 64, 1000, None]
NUMBERS: Final = [0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 100.0, 1e-9, -1e15, 3.14159, 12345.678, None]
DECIMALS: Final = ["0.00", "1.25", "-1.25", "1.50", "-1.50", "999.99", "-999.99", "0.01", None]
MOMENTS: Final = [
    "2024-02-29 23:59:59.999999",
    "2023-12-31 00:00:00",
    "2000-01-01 12:34:56.5",
    "1999-12-31 23:59:59",
    "1970-01-01 00:00:00",
    "1969-12-31 23:59:59.25",
    "2021-01-03 01:02:03",
    "1900-03-01 00:00:00",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "2024-01-31 10:00:00",
    "2024-03-31 09:59:59",
    None,
]


def in_parts(interval: str) -> list[str]:
    """The parts of an interval, whose Python values differ."""
    return [f"{part}({interval})" for part in ("year", "month", "day", "hour", "minute", "microsecond")]


TEMPLATES: Final[dict[str, list[str]]] = {
    "lower": ["lower(s)"],
    "upper": ["upper(CASE WHEN s <> 'Straße' THEN s END)"],
    "length": ["length(s)"],
    "octet_length": ["strlen(s)"],
    "bit_length": ["bit_length(s)"],
    "substring": ["substring(s, 2, 3)", "substr(s, greatest(i, 1))"],
    "left": ["left(s, i)", "left(s, 2)", "left(s, -1)"],
    "right": ["right(s, i)", "right(s, 2)", "right(s, -1)"],
    "trim": ["trim(s)", "trim(s, 'xa')"],
    "ltrim": ["ltrim(s)", "ltrim(s, p)"],
    "rtrim": ["rtrim(s)", "rtrim(s, 'x')"],
    "lpad": ["lpad(s, i, 'xy')", "lpad(s, 4, 'ö')", "lpad(s, 2, 'x')"],
    "rpad": ["rpad(s, i, 'xy')", "rpad(s, 7, 'ab')"],
    "repeat": ["repeat(s, 3)", "repeat(p, CASE WHEN i < 100 THEN i END)"],
    "reverse": ["reverse(s)"],
    "concat": ["concat(s, p)", "concat(s, NULL, i, true)", "concat('<', s, '>')"],
    "concat_ws": ["concat_ws(',', s, p, 'x')", "concat_ws(p, s, s)", "concat_ws('-', p, NULL)"],
    "replace": ["replace(s, 'a', 'xy')", "replace(s, p, 'é')", "replace(s, 'b', p)", "replace(s, '', 'x')"],
    "translate": ["translate(s, 'abc', 'xö')", "translate(s, '😀ä', '')", "translate(s, 'aab', 'xyz')"],
    "strpos": ["strpos(s, p)", "instr(s, 'b')", "position('c' IN s)", "position(p IN (s || s))", "strpos(s, '')"],
    "contains": ["contains(s, p)", "contains(s, 'a')"],
    "starts_with": ["starts_with(s, p)", "starts_with(s, 'a')"],
    "ends_with": ["ends_with(s, p)", "suffix(s, 'x')"],
    "split_part": [
        "split_part(s, ',', 2)",
        "split_part(s, ',', -1)",
        "split_part(s, 'a', 1)",
        "split_part(s, 'b', nullif(i, 0))",
    ],
    "ascii": ["ascii(s)"],
    "chr": ["chr(CASE WHEN i > 0 THEN i + 60 END)", "chr(8364)"],
    "hex": ["hex(s)", "hex(i)"],
    "md5": ["md5(s)", "md5(p)"],
    "overlay": ["overlay(s PLACING 'XY' FROM 2)", "overlay(s PLACING 'XY' FROM 2 FOR 1)"],
    "printf": [
        "printf('%d|%5d|%05d|%-4d|', i, i, i, i)",
        "printf('%s: %6s %%', s, p)",
        "printf('%x %X', abs(i), abs(i))",
        "printf('%.2f', m)",
        "printf('%8.2f|', m)",
    ],
    "regexp_matches": [
        "regexp_matches(s, '^a.*b')",
        "regexp_matches(s, 'B', 'i')",
        "s ~ '[0-9]+'",
        "regexp_matches(s, p)",
        "regexp_matches(s, 'e.b', 's')",
        "s !~ 'b'",
    ],
    "regexp_full_match": ["regexp_full_match(s, 'a.c|x')", "regexp_full_match(s, '.*')"],
    "regexp_replace": [
        "regexp_replace(s, 'a', 'x')",
        "regexp_replace(s, '([ab])', '<\\1>', 'g')",
        "regexp_replace(s, 'B', '', 'gi')",
        "regexp_replace(s, p, 'x')",
    ],
    "regexp_extract": [
        "regexp_extract(s, '[a-c]+')",
        "regexp_extract(s, '([a-z])([0-9])', 2)",
        "regexp_extract(s, 'b|ab')",
    ],
    # --- numbers
    "abs": ["abs(n)", "abs(i)", "abs(m)"],
    "sign": ["sign(n)", "sign(i)", "sign(m)"],
    "round": ["round(n)", "round(n, 2)", "round(m, 1)"],
    "trunc": ["trunc(n)", "trunc(m)"],
    "ceil": ["ceil(n)", "ceiling(m)", "ceil(i)"],
    "floor": ["floor(n)", "floor(m)", "floor(i)"],
    "mod": ["mod(i, 3)", "mod(7, nullif(i, 0))"],
    "div": ["i // 2", "7 // nullif(i, 0)", "div(i, -3)"],
    "sqrt": ["sqrt(abs(n))"],
    "cbrt": ["round(cbrt(n), 6)"],
    "exp": ["exp(CASE WHEN n < 700 THEN n END)"],
    "power": ["power(n, 2)", "power(2, i)", "pow(abs(n), 0.5)"],
    "ln": ["ln(nullif(abs(n), 0))"],
    "log": ["log(nullif(abs(n), 0))", "log(2, nullif(abs(n), 0))", "log(10, 1000)", "log(2, 8)"],
    "log10": ["log10(nullif(abs(n), 0))"],
    "log2": ["log2(nullif(abs(n), 0))"],
    "sin": ["sin(n)"],
    "cos": ["cos(n)"],
    "tan": ["tan(n)"],
    "cot": ["cot(nullif(n, 0))"],
    "asin": ["asin(n / 1e16)"],
    "acos": ["acos(n / 1e16)"],
    "atan": ["atan(n)"],
    "atan2": ["atan2(n, 2)", "atan2(i, n)"],
    "sinh": ["sinh(n / 1e15)"],
    "cosh": ["cosh(n / 1e15)"],
    "tanh": ["tanh(n)"],
    "degrees": ["degrees(n)"],
    "radians": ["radians(n)"],
    "pi": ["pi()"],
    "gcd": ["gcd(i, 12)", "gcd(i, 0)"],
    "lcm": ["lcm(i, 12)", "lcm(i, 0)"],
    "factorial": ["factorial(CASE WHEN i BETWEEN 0 AND 33 THEN i END)"],
    "bitwise_and": ["i & 6", "i & -2"],
    "bitwise_or": ["i | 8"],
    "xor": ["xor(i, 5)"],
    "bitwise_not": ["~i"],
    "bit_count": ["bit_count(abs(i))"],
    "shift_left": ["abs(i) << 3"],
    "shift_right": ["i >> 1", "1000 >> greatest(i, 0)"],
    "isnan": ["isnan(n)", "isnan(CAST('nan' AS DOUBLE))"],
    "isinf": ["isinf(n)", "isinf(CAST('-inf' AS DOUBLE))"],
    "isfinite": ["isfinite(n)", "isfinite(CAST('inf' AS DOUBLE))"],
    # --- dates
    "extract": [
        f"extract({field} FROM t)"
        for field in (
            "year",
            "isodow",
            "isoyear",
            "decade",
            "millisecond",
            "microsecond",
            "century",
            "millennium",
            "doy",
            "week",
            "quarter",
        )
    ],
    **{
        name: [f"{name}(t)"]
        for name in (
            "year",
            "quarter",
            "month",
            "week",
            "day",
            "dayofweek",
            "isodow",
            "isoyear",
            "dayofyear",
            "hour",
            "minute",
            "second",
            "millisecond",
            "microsecond",
            "decade",
            "century",
            "epoch",
            "dayname",
            "monthname",
        )
    },
    "epoch_ms": ["epoch_ms(date_trunc('second', t))"],
    "last_day": ["last_day(CASE WHEN t < TIMESTAMP '9999-12-01' THEN t END)"],
    # DuckDB 2.0 counts weeks of seven days from anywhere and centuries from the years with two zeros; see unit/.
    "date_trunc": [
        f"date_trunc('{unit}', t)" for unit in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
    ]
    + ["date_trunc('decade', CASE WHEN t > DATE '0010-01-01' THEN t END)"],
    "date_diff": [
        f"date_diff('{unit}', t, TIMESTAMP '2024-02-29 12:00:00')"
        for unit in ("second", "minute", "hour", "day", "month", "quarter", "year", "decade")
    ],
    "datediff": ["datediff('month', TIMESTAMP '2001-05-06', t)"],
    "date_sub": [
        f"date_sub('{unit}', t, TIMESTAMP '2024-02-29 12:00:00')"
        for unit in ("second", "hour", "day", "week", "month", "quarter", "year", "decade")
    ]
    + ["date_sub('month', TIMESTAMP '2024-02-29 12:00:00', t)"],
    "make_date": ["make_date(2000 + i, 2, 28)", "make_date(2024, greatest(least(i, 12), 1), 29)"],
    "make_timestamp": ["make_timestamp(2024, 2, 29, greatest(least(i, 23), 0), 59, 1.5)"],
    "make_time": ["make_time(greatest(least(i, 23), 0), 59, 1.5)"],
    # --- intervals
    "date_add": ["date_add(CASE WHEN t < DATE '9999-01-01' THEN t END, INTERVAL 5 DAY)"],
    "age": [
        *in_parts("age(t, TIMESTAMP '2024-02-29 12:00:00')"),
        *in_parts("age(TIMESTAMP '2024-03-31 11:00:00', t)"),
        *in_parts("age(DATE '1999-11-30', CAST(t AS DATE))"),
    ],
    **{
        f"to_{unit}": [*in_parts(f"to_{unit}(least(i, 99))"), *in_parts(f"to_{unit}(3)")]
        for unit in (
            "microseconds",
            "milliseconds",
            "seconds",
            "minutes",
            "hours",
            "days",
            "weeks",
            "months",
            "quarters",
            "years",
            "decades",
            "centuries",
            "millennia",
        )
    },
    "strftime": [
        "strftime(t, '%Y-%m-%d %H:%M:%S.%f')",
        "strftime(t, '%y %j %a %A %b %B %p %I %u %w %V %G %%')",
        "strftime(t, '%-d.%-m.%Y %-H')",
    ],
    "strptime": ["strptime(strftime(t, '%Y/%m/%d %H-%M-%S'), '%Y/%m/%d %H-%M-%S')"],
    # --- conditionals
    "coalesce": ["coalesce(s, p, 'x')"],
    "ifnull": ["ifnull(s, 'x')"],
    "nullif": ["nullif(s, p)"],
    "if": ["if(i > 1, s, p)"],
    "greatest": ["greatest(i, 2)", "greatest(s, p)", "greatest(n, i, 1.5)", "greatest(t, TIMESTAMP '2000-06-06')"],
    "least": ["least(i, 2, NULL)", "least(s, p)", "least(m, 1)"],
    "typeof": ["typeof(s)", "typeof(i)", "typeof(m)", "typeof(t)"],
}

DUCKDB: Final = {
    "div(i, -3)": "i // -3",
    "overlay(s PLACING 'XY' FROM 2)": "left(s, 1) || 'XY' || substr(s, 4)",
    "overlay(s PLACING 'XY' FROM 2 FOR 1)": "left(s, 1) || 'XY' || substr(s, 3)",
    "s ~ '[0-9]+'": "regexp_matches(s, '[0-9]+')",
    "s !~ 'b'": "NOT regexp_matches(s, 'b')",
}
"""What DuckDB calls what minisql means by a template, where that is not the same text."""

SQLITE: Final = (
    "lower", "length", "substring", "trim", "ltrim", "rtrim", "replace", "abs", "coalesce", "ifnull", "nullif",
)  # fmt: skip
"""The functions whose templates run on SQLite as well, where the strings are ASCII."""

NO_PEER: Final = {
    "initcap": "PostgreSQL's", "locate": "MySQL's", "quote": "SQLite's", "format": "PostgreSQL's",
    "similar_to": "DuckDB takes a regular expression for it", "random": "random", "to_char": "PostgreSQL's",
    "date_format": "MySQL's", "to_timestamp": "gives a time zone in DuckDB", "now": "the time", "today": "the time",
    "subdate": "MySQL's",
    "justify_days": "PostgreSQL's", "justify_hours": "PostgreSQL's", "justify_interval": "PostgreSQL's",
    "make_interval": "PostgreSQL's", "nvl2": "Oracle's", "decode": "Oracle's",
}  # fmt: skip
"""The functions that no peer has in the same meaning; `unit/test_scalar_functions.py` tests them."""


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[minisql.Connection, duckdb.DuckDBPyConnection]]:
    ours, theirs = minisql.connect(), duckdb.connect(":memory:")
    theirs.execute("SET threads = 1")
    rows = len(STRINGS) * len(PARTS)

    def at(values: list[Any], row: int) -> str:
        value = values[row % len(values)]
        return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"

    lines = []
    for row in range(rows):
        integer, number = INTEGERS[row % len(INTEGERS)], NUMBERS[row % len(NUMBERS)]
        lines.append(
            f"({row}, {at(STRINGS, row)}, {at(PARTS, row // len(STRINGS))}, "
            f"{'NULL' if integer is None else integer}, {'NULL' if number is None else f'CAST({number!r} AS DOUBLE)'}, "
            f"CAST({at(DECIMALS, row)} AS DECIMAL(8,2)), CAST({at(MOMENTS, row)} AS TIMESTAMP))"
        )
    for connection in (ours, theirs):
        connection.execute(
            "CREATE TABLE t (r INTEGER, s VARCHAR, p VARCHAR, i INTEGER, n DOUBLE, m DECIMAL(8,2), t TIMESTAMP)"
        )
        connection.execute("INSERT INTO t VALUES " + ", ".join(lines))
    yield ours, theirs
    theirs.close()


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, datetime.time):
        return bool(ours == theirs)
    if isinstance(ours, (bool, str)) or ours is None or theirs is None:
        return bool(ours == theirs)
    if isinstance(ours, datetime.date):
        as_moment = [
            value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, datetime.time())
            for value in (ours, theirs)
        ]
        return as_moment[0] == as_moment[1]
    if isinstance(ours, float) or isinstance(theirs, float):
        ours, theirs = float(ours), float(theirs)
        return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-15) or (math.isnan(ours) and math.isnan(theirs))
    return bool(Decimal(ours) == Decimal(theirs))


@pytest.mark.parametrize("name", TEMPLATES)
def test_against_duckdb(name: str, engines: tuple[minisql.Connection, duckdb.DuckDBPyConnection]) -> None:
    ours, theirs = engines
    for template in TEMPLATES[name]:
        expected = theirs.execute(f"SELECT {DUCKDB.get(template, template)}, r FROM t ORDER BY r").fetchall()
        found = ours.execute(f"SELECT {template}, r FROM t ORDER BY r").fetchall()
        for (value, row), (other, _) in zip(found, expected, strict=True):
            assert same(value, other), (template, STRINGS[row % len(STRINGS)], PARTS[row // len(STRINGS)], row)


@pytest.mark.parametrize("name", SQLITE)
def test_against_sqlite(name: str) -> None:
    ascii_strings = [text for text in STRINGS if text is None or text.isascii()]
    values = [(row, text, PARTS[row % 3], INTEGERS[row % len(INTEGERS)]) for row, text in enumerate(ascii_strings)]
    with minisql.connect() as ours, closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute("CREATE TABLE t (r INTEGER, s VARCHAR, p VARCHAR, i INTEGER)")
        ours.execute("CREATE TABLE t (r INTEGER, s VARCHAR, p VARCHAR, i INTEGER)")
        for row in values:
            theirs.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row)
            ours.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row)
        for template in TEMPLATES[name]:
            if re.search(r"greatest|\b[nm]\b", template):
                continue
            expected = theirs.execute(f"SELECT {template} FROM t ORDER BY r").fetchall()
            assert ours.execute(f"SELECT {template} FROM t ORDER BY r").fetchall() == expected, template


def test_every_function_has_a_template_or_a_reason() -> None:
    assert set(SCALAR_FUNCTIONS) == set(TEMPLATES) | set(NO_PEER)
    assert not set(TEMPLATES) & set(NO_PEER)
