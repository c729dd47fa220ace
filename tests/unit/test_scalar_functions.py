"""Functions through SQL: what no other engine has in the same meaning, errors, laziness, time and random numbers."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from typing import Any

import pytest

import minisql
from docs.list_functions import TARGET, page
from minisql.expression.aggregates import AGGREGATES
from minisql.expression.functions import ALIASES, SCALAR_FUNCTIONS
from minisql.expression.nodes import FunctionCall
from minisql.expression.walk import walk
from minisql.expression.window import WINDOW_FUNCTIONS
from minisql.relational.relational_expression import Project


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (r INTEGER, s VARCHAR, i INTEGER, d TIMESTAMP)")
        connection.execute(
            "INSERT INTO t VALUES (1, 'abc', 1, '2024-02-29 12:00:00'), (2, 'it''s', NULL, NULL), "
            "(3, NULL, 3, '1999-12-31 23:59:59'), (4, '', -4, '0005-01-01')"
        )
        yield connection


def column(connection: minisql.Connection, expression: str) -> list[Any]:
    return [value for (value,) in connection.execute(f"SELECT {expression} FROM t ORDER BY r").fetchall()]


def value(expression: str) -> Any:
    with minisql.connect() as connection:
        return connection.execute(f"SELECT {expression}").fetchall()[0][0]


# --- the documentation ------------------------------------------------------------------------------------------------


def test_the_page_of_functions_is_that_of_the_code() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), "run python docs/list_functions.py"


@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_example(name: str, connection: minisql.Connection) -> None:
    function = SCALAR_FUNCTIONS[name]
    assert value(f"CAST(({function.example}) AS VARCHAR)") == function.value
    connection.execute("SET fold_constants = off")
    assert column(connection, f"CAST(({function.example}) AS VARCHAR)") == [function.value] * 4


@pytest.mark.parametrize("function", AGGREGATES, ids=lambda function: function.name)
def test_example_of_an_aggregate(function: Any) -> None:
    with minisql.connect() as connection:
        sql = f"SELECT CAST({function.example} AS VARCHAR) FROM (VALUES (1), (2), (2), (NULL)) AS numbers(x)"
        assert connection.execute(sql).fetchall() == [(function.value,)]


@pytest.mark.parametrize("name", WINDOW_FUNCTIONS)
def test_example_of_a_window_function(name: str, connection: minisql.Connection) -> None:
    function = WINDOW_FUNCTIONS[name]
    sql = f"SELECT {function.example} FROM (VALUES (20), (30), (10), (20)) AS numbers(x) ORDER BY x, 1"
    values = ["NULL" if each is None else str(each) for (each,) in connection.execute(sql).fetchall()]
    assert ", ".join(values) == function.values


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_function(alias: str) -> None:
    assert alias not in SCALAR_FUNCTIONS
    function = SCALAR_FUNCTIONS[ALIASES[alias]]
    if function.example.startswith(f"{function.name}(") and f"{function.name}(" not in function.example[1:]:
        expression = function.example.replace(function.name, alias, 1)
        if " FROM " not in expression:
            assert value(f"CAST(({expression}) AS VARCHAR)") == function.value


# --- what no peer has in the same meaning -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("initcap('hello wORLD 1abc o''neil élan')", "Hello World 1abc O'Neil Élan"),
        ("initcap('straße ß')", "Straße ß"),
        ("initcap('')", ""),
        ("locate('b', 'abcb', 3)", 4),
        ("locate('b', 'abcb', 0)", 0),
        ("locate('', 'abc', 4)", 4),
        ("locate('', 'abc', 5)", 0),
        ("locate('ö', 'aöbö', 3)", 4),
        ("quote('it''s')", "'it''s'"),
        ("quote(NULL)", "NULL"),
        ("quote(1.5)", "1.5"),
        ("quote(DATE '2024-01-02')", "'2024-01-02'"),
        ("format('%s|%s|%%|%L|%L', NULL, 1, 'a''b', NULL)", "|1|%|'a''b'|NULL"),
        ("format('%2$s %1$s %s', 'a', 'b')", "b a b"),
        ("format('nothing')", "nothing"),
        ("'abc' SIMILAR TO 'a%'", True),
        ("'abc' SIMILAR TO 'b'", False),
        ("'a.c' SIMILAR TO 'a.c'", True),
        ("'abc' SIMILAR TO 'a.c'", False),
        ("'abc' NOT SIMILAR TO '_(b|x)[a-d]'", False),
        (r"'a%' SIMILAR TO 'a\%'", True),
        ("to_char(TIMESTAMP '2024-02-03 14:05:06.789', 'FMDD.FMMM.YY HH12:MI:SS.MS AM Day Mon DDD IW \"at\" Q')",
         "3.2.24 02:05:06.789 PM Saturday Feb 034 05 at 1"),
        ("date_format(TIMESTAMP '2024-02-03 04:05:06', '%W %e. %M %Y, %k:%i:%s %p')",
         "Saturday 3. February 2024, 4:05:06 AM"),
        ("to_timestamp(-0.5)", datetime.datetime(1969, 12, 31, 23, 59, 59, 500_000, datetime.UTC)),
        ("nvl2('x', 1, 2)", 1),
        ("decode(NULL, 1, 'one', NULL, 'null')", "null"),
        ("decode(3, 1, 'one', 2, 'two')", None),
        ("date_trunc('century', DATE '2000-06-06')", datetime.datetime(1901, 1, 1)),
        ("date_trunc('millennium', DATE '2001-06-06')", datetime.datetime(2001, 1, 1)),
        ("date_diff('week', DATE '2023-12-31', DATE '2024-01-01')", 1),
        ("date_diff('week', DATE '2024-01-01', DATE '2024-01-07')", 0),
        ("date_diff('century', DATE '2000-12-31', DATE '2001-01-01')", 1),
        ("datediff('2024-03-01', '2024-02-01')", 29),
        ("position('b' IN 'abc')", 2),
        ("position('b' IN ('a' || 'b'))", 2),
        ("7 DIV 2", 3),
        ("-7.5 DIV 2", -3.0),
        ("7 // 2 * 2", 6),
        ("1 | 2 << 1 & 3", (1 | 2) << 1 & 3),
        ("'aBc' ILIKE 'A%c'", True),
        ("'aBc' NOT ILIKE 'A_X'", True),
        ("'50%' ILIKE '50X%' ESCAPE 'x'", True),
        ("'abc' ~* 'B'", True),
        ("'abc' !~* 'B'", False),
        ("regexp_extract('xab', 'a|ab')", "a"),
        ("regexp_replace('abc', '(b)', '[\\&\\1]')", "a[bb]c"),
        ("lpad('abc', 6, '')", "abc"),
        ("lpad('abc', -1)", ""),
        ("split_part('a,b', ',', -3)", ""),
        ("CAST('7' AS SIGNED)", 7),
        ("hex(-1)", "F" * 16),
        ("bit_count(-1)", 64),
        ("trunc(-12345, -2)", -12300),
        ("trunc(2.789, 1)", "2.700"),
        ("trunc(2.789e0, 1)", 2.7),
        ("ceil(-0.5)", 0),
        ("floor(CAST(-99999999999999999999.5 AS DECIMAL(38,1)))", -100000000000000000000),
    ],
)  # fmt: skip
def test_value(expression: str, expected: Any) -> None:
    found = value(expression)
    assert (str(found) if isinstance(expected, str) else found) == expected


def test_arguments_that_vary_together(connection: minisql.Connection) -> None:
    assert column(connection, "repeat('ab', i)") == ["ab", None, "ababab", ""]
    assert column(connection, "lpad(s, i, s)") == ["a", None, None, ""]
    assert column(connection, "replace('abcabc', s, CAST(i AS VARCHAR))") == ["11", None, None, "abcabc"]
    assert column(connection, "strftime(d, CASE i WHEN 1 THEN '%Y' ELSE '%m' END)") == ["2024", None, "12", "01"]
    assert column(connection, "concat_ws(s, 'x', i, NULL)") == ["xabc1", "x", None, "x-4"]
    assert column(connection, "greatest(i, r, 2)") == [2, 2, 3, 4]
    assert column(connection, "printf('%03d', i)") == ["001", None, "003", "-04"]


# --- NULLs, errors, laziness ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("sqrt(-1)", "cannot take square root of a negative number"),
        ("ln(0)", "cannot take logarithm of zero"),
        ("log(1, 5)", "division by zero"),
        ("power(0, -1)", "zero raised to a negative power is undefined"),
        ("power(-8, 0.5)", "a negative number raised to a non-integer power yields a complex result"),
        ("asin(2)", "asin takes a number from -1 to 1"),
        ("factorial(34)", "factorial takes an integer from 0 to 33"),
        ("1 << 63", "bigint out of range: bits are shifted out"),
        ("1 << -1", "A number is shifted by 0 to 63 bits."),
        ("lcm(9223372036854775807, 2)", "bigint out of range: lcm(9223372036854775807, 2)"),
        ("chr(-1)", "There is no character with the code -1."),
        ("split_part('a', ',', 0)", "field position must not be zero"),
        ("repeat('ab', 9000000000)", "requested length too large"),
        ("make_date(2023, 2, 29)", "date out of range: make_date(2023, 2, 29)"),
        ("make_timestamp(2023, 2, 2, 24, 0, 0)", "timestamp out of range: make_timestamp(2023, 2, 2, 24, 0, 0.0)"),
        ("to_timestamp(1e18)", "timestamp out of range: to_timestamp(1e+18)"),
        ("strptime('x', '%Y')", '"x" does not fit the format "%Y"'),
        ("strftime(DATE '2024-01-01', '%E')", 'There is no code "%E" in formats of dates.'),
        ("to_char(DATE '2024-01-01', 'XX')", 'to_char does not know "XX"'),
        ("regexp_matches('a', 'a', 'z')", 'There is no option "z" of regular expressions; there are i, s, c.'),
        ("date_trunc('decade', DATE '0005-01-01')",
         "timestamp out of range: date_trunc('decade', '0005-01-01 00:00:00')"),
    ],
)  # fmt: skip
def test_error_of_a_value(expression: str, message: str, connection: minisql.Connection) -> None:
    for sql in (f"SELECT {expression}", f"SELECT {expression} FROM t"):
        with pytest.raises(minisql.DataError) as caught:
            connection.execute(sql).fetchall()
        assert caught.value.message == message
        assert caught.value.span is not None
    # It is an error only where a row reaches it.
    assert column(connection, f"CASE WHEN r > 4 THEN CAST(({expression}) AS VARCHAR) ELSE '-' END") == ["-"] * 4


def test_a_bad_regular_expression(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.DataError, match="missing"):
        column(connection, "regexp_matches(s, '(')")
    assert column(connection, "regexp_matches(CASE WHEN r > 9 THEN s END, '(')") == [None] * 4


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("replace('a')", "replace takes 3 arguments, not 1.", "It is replace(string, from, to)."),
        ("lpad('a')", "lpad takes 2 to 3 arguments, not 1.", "It is lpad(string, length [, fill])."),
        ("greatest()", "greatest takes 1 argument or more, not 0.", "It is greatest(value...)."),
        ("pi(1)", "pi takes no arguments, not 1.", "It is pi()."),
        ("sqrt(TRUE)", "sqrt does not take (BOOLEAN).", "It is sqrt(number)."),
        ("repeat(1, 2)", "repeat does not take (INTEGER, INTEGER).", "It is repeat(string, count)."),
        ("repace('a', 'b', 'c')", 'There is no function "repace".', 'Did you mean "replace"?'),
        ("greatest(1, DATE '2024-01-01')", "GREATEST does not take INTEGER and DATE together.", None),
        ("date_trunc('mnth', d)", 'DATE_TRUNC has no field "mnth".', 'Did you mean "month"?'),
        ("format('%d', 1)", 'format does not know the code "%d".', "A % is written %%."),
        ("format('%s %s', 1)", "format has a template for 2 values and gets 1.", None),
        ("printf('%d', 1, 2)", "printf has a template for 1 values and gets 2.", None),
        ("printf(s, 1)", "printf takes its template as a string literal.", None),
        ("printf('%d', 'x')", 'printf takes a number for "%d", not VARCHAR.', None),
        ("mid('a' IN s)", "IN needs a list in parentheses.", "There is also position(substring IN string)."),
    ],
)
def test_error_of_a_call(expression: str, message: str, hint: str | None, connection: minisql.Connection) -> None:
    with pytest.raises(minisql.ProgrammingError) as caught:
        column(connection, expression)
    assert caught.value.message == message
    if hint is not None:
        assert caught.value.hint == hint


def test_what_is_not_reached_is_not_evaluated(connection: minisql.Connection) -> None:
    assert column(connection, "if(i > 0, sqrt(i), -1)") == [1.0, -1.0, pytest.approx(3**0.5), -1.0]
    assert column(connection, "decode(r, 4, 0, 1 / (r - 4))") == [0, 0, -1, 0]
    assert column(connection, "nvl2(i, ln(i * i), 0) IS NULL") == [False] * 4
    assert column(connection, "ifnull(i, r / (r - 2 + 1))") == [1, 2, 3, -4]


def test_string_literals_take_the_type_of_the_parameter() -> None:
    assert value("date_trunc('month', '2024-05-06')") == datetime.datetime(2024, 5, 1)
    assert value("year('2024-05-06')") == 2024
    assert value("sqrt('16')") == 4.0
    assert value("greatest(DATE '2024-01-01', '2024-05-06')") == datetime.date(2024, 5, 6)


# --- constants, time, random numbers ----------------------------------------------------------------------------------


def _calls(connection: minisql.Connection, sql: str) -> list[str]:
    rewritten = connection.plan(sql).rewritten
    assert isinstance(rewritten, Project)
    return [node.name for item in rewritten.expressions for node in walk(item) if isinstance(node, FunctionCall)]


def test_constants_are_folded_and_random_numbers_are_not(connection: minisql.Connection) -> None:
    assert _calls(connection, "SELECT lpad(hex(gcd(12, 18)), 3, '0'), now(), concat(1, 'a')") == []
    assert _calls(connection, "SELECT random()") == ["random"]
    assert _calls(connection, "SELECT lower('A' || s) FROM t") == ["lower", "||"]


def test_the_time_is_one_for_a_statement_and_another_for_the_next(connection: minisql.Connection) -> None:
    sql = "SELECT now(), min(now()), max(n) FROM (SELECT now() AS n FROM t) AS u"
    before = datetime.datetime.now(datetime.UTC)
    first = connection.execute(sql).fetchall()[0]
    after = datetime.datetime.now(datetime.UTC)
    assert len(set(first)) == 1
    assert before <= first[0] <= after
    time.sleep(0.001)
    assert connection.execute(sql).fetchall()[0] > first
    assert connection.plan("SELECT now()") is not connection.plan("SELECT now()")
    assert connection.plan("SELECT 1") is connection.plan("SELECT 1")
    connection.execute("CREATE VIEW v AS SELECT now() AS n")
    seen = [connection.execute("SELECT n FROM v").fetchall()[0][0] for _ in range(2)]
    assert seen[0] < seen[1]
    assert value("today()") == before.date()


def test_random_numbers_differ_and_stay_what_they_are() -> None:
    with minisql.connect() as connection:
        rows = connection.execute("SELECT random(), random() FROM range(1000)").fetchall()
        numbers = [number for row in rows for number in row]
        assert len(set(numbers)) == 2000
        assert all(0 <= number < 1 for number in numbers)
        assert connection.execute("SELECT random()").fetchall() != connection.execute("SELECT random()").fetchall()
        # What a derived table has drawn is what all above it see.
        drawn = "(SELECT random() AS r, range AS k FROM range(1000)) AS u"
        kept = connection.execute(f"SELECT r, r FROM {drawn} WHERE r < 0.5").fetchall()
        assert 350 < len(kept) < 650
        assert all(first == second < 0.5 for first, second in kept)
        joined = connection.execute(f"SELECT r FROM {drawn} JOIN range(1000) AS x ON u.k = x.range WHERE r >= 0.5")
        assert all(r >= 0.5 for (r,) in joined.fetchall())


@pytest.mark.parametrize("materialized", ["", "MATERIALIZED", "NOT MATERIALIZED"])
def test_each_use_of_a_common_table_sees_the_same_random_numbers(materialized: str) -> None:
    with minisql.connect() as connection:
        common = f"WITH u AS {materialized} (SELECT random() AS r, range AS k FROM range(100))"
        sql = f"{common} SELECT count(*) FROM u AS a JOIN u AS b ON a.k = b.k AND a.r = b.r"
        assert connection.execute(sql).fetchall() == [(100,)]


def test_a_random_condition_on_a_use_of_a_common_table_is_asked_once() -> None:
    with minisql.connect() as connection:
        use = "(SELECT count(*) FROM u WHERE random() < 0.5)"
        sql = f"WITH u AS (SELECT range % 100 AS k FROM range(10000) GROUP BY 1) SELECT {use}, {use}"
        counts = [count for _ in range(10) for count in connection.execute(sql).fetchall()[0]]
        assert 900 < sum(counts) < 1100


def test_the_outer_rows_of_an_unnested_subquery_are_drawn_once() -> None:
    with minisql.connect() as connection:
        sql = (
            "SELECT count(*) FROM (SELECT random() AS r FROM range(50)) AS o "
            "WHERE (SELECT count(*) FROM range(3) AS i WHERE i.range < o.r * 3) >= 1"
        )
        assert connection.execute(sql).fetchall() == [(50,)]


def test_a_random_condition_is_not_derived_for_another_table() -> None:
    with minisql.connect() as connection:
        for condition in ("a.range < random() * 5", "a.range = random() * 5"):
            sql = f"SELECT * FROM range(9) AS a JOIN range(9) AS b ON a.range = b.range WHERE {condition}"
            assert connection.plan(sql).explain().count("random()") == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM range(10000) WHERE random() < 0.5",
        "SELECT count(*) FROM range(100) AS a, range(100) AS b WHERE random() < 0.5",
        "SELECT count(*) FROM range(100) AS a JOIN range(100) AS b ON random() < 0.5",
        "SELECT count(*) FROM (SELECT range AS k FROM range(10000) GROUP BY range) AS u WHERE random() < 0.5",
        "SELECT count(*) FROM range(10000) AS a LEFT JOIN range(1) AS b ON a.range = b.range WHERE random() < 0.5",
    ],
)
def test_a_random_condition_is_asked_for_each_row(query: str) -> None:
    with minisql.connect() as connection:
        assert 4_500 < connection.execute(query).fetchall()[0][0] < 5_500


@pytest.mark.parametrize("constant", ["NULL", "CAST(NULL AS VARCHAR)"])
def test_a_string_and_a_constant_null_are_null(connection: minisql.Connection, constant: str) -> None:
    query = f"SELECT {constant} || y, y || {constant}, concat({constant}, y) FROM (VALUES ('b'), ('')) AS t(y)"
    assert connection.execute(query).fetchall() == [(None, None, "b"), (None, None, "")]
