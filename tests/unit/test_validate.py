from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import minisql


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE a (k INTEGER, x INTEGER)")
        connection.execute("CREATE TABLE b (k BIGINT, x INTEGER)")
        connection.execute("CREATE TABLE c (k INTEGER, x INTEGER)")
        connection.execute("INSERT INTO a VALUES (1, 10), (2, 20), (3, 30), (NULL, 1), (NULL, 2)")
        connection.execute("INSERT INTO b VALUES (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (9, 9)")
        connection.execute("INSERT INTO c VALUES (1, 1), (2, 2), (7, 7), (7, 8)")
        yield connection


JOIN = "SELECT a.x, b.x FROM a LEFT JOIN b ON a.k = b.k"


def violation(connection: minisql.Connection, sql: str, validate: dict[str, str]) -> str:
    with pytest.raises(minisql.IntegrityError) as raised:
        connection.sql(sql, validate=validate)
    return str(raised.value)


def test_what_holds_changes_nothing(connection: minisql.Connection) -> None:
    expected = connection.execute(JOIN).fetchall()
    for validate in ({}, {"a-b": "1:m"}, {"b-a": "m:1"}, {"a-b": "m:n"}, {"A - B": "one_to_many"}, {"a-b": "1:n"}):
        assert connection.sql(JOIN, validate=validate).fetchall() == expected
        assert connection.execute(JOIN, validate=validate).fetchall() == expected


def test_the_error_lists_the_keys(connection: minisql.Connection) -> None:
    assert violation(connection, JOIN, {"a-b": "1:1"}).splitlines() == [
        "The join of a and b is not 1:1: b has 3 rows with k = 1, 2 rows with k = 2.",
        f"LINE 1: {JOIN}",
        f"        {' ' * JOIN.index('a.k')}{'^' * len('a.k = b.k')}",
    ]
    both = "SELECT 1 FROM b JOIN b AS d ON b.k = d.k AND b.x = d.x % 2"
    assert "is not 1:1: b has 2 rows" not in violation(connection, both, {"b-d": "1:1"})
    many = "SELECT 1 FROM range(40) AS r JOIN range(40) AS s ON r.range % 20 = s.range % 7"
    text = violation(connection, many, {"r-s": "1:1"})
    assert text.startswith("The join of r and s is not 1:1: r has 2 rows with the key = 0, ")
    assert text.count("rows with") == 10
    assert text.count(", and more") == 2
    assert "s has 6 rows with the key = 0, 6 rows with the key = 1" in text


def test_rows_that_do_not_reach_the_join_do_not_count(connection: minisql.Connection) -> None:
    for query in (
        f"{JOIN} AND b.x = 1",
        f"{JOIN} WHERE b.x = 1",
        "SELECT 1 FROM a JOIN b ON a.k = b.k AND b.x < 2",
        "SELECT 1 FROM b RIGHT JOIN a ON a.k = b.k AND b.x < 2",
        "SELECT 1 FROM a, b WHERE a.k = b.k AND b.x IN (1)",
        "SELECT 1 FROM a LEFT JOIN (SELECT k, max(x) FROM b GROUP BY k) AS b ON a.k = b.k",
        "WITH b AS (SELECT DISTINCT k FROM b) SELECT 1 FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN b AS d ON a.k = d.k",
    ):
        connection.sql(query, validate={"a-b": "1:1"})
    for query in (
        "SELECT 1 FROM a FULL JOIN b ON a.k = b.k AND b.x = 1",
        f"{JOIN} WHERE b.k IS NULL",
        "SELECT 1 FROM b LEFT JOIN a ON a.k = b.k AND b.x = 1",
        "SELECT 1 FROM a LEFT JOIN (SELECT k + 0 AS k FROM b) AS b ON a.k = b.k",
    ):
        assert "b has 3 rows with k = 1" in violation(connection, query, {"a-b": "1:1"}), query


def test_the_order_of_the_joins_does_not_matter(connection: minisql.Connection) -> None:
    query = "SELECT {} a.x FROM a JOIN b ON a.k = b.k JOIN c ON c.k = a.k"
    for order in ("((a b) c)", "((a c) b)", "(b (c a))"):
        hinted = query.format(f"/*+ JOIN_TREE({order}) */")
        assert "c has 2 rows with k = 7" in violation(connection, hinted, {"a-c": "1:1"})
        connection.sql(hinted, validate={"a-b": "1:m"})


def test_merged_keys(connection: minisql.Connection) -> None:
    query = "SELECT k FROM a FULL JOIN b USING (k) FULL JOIN c USING (k)"
    connection.sql(query, validate={"a-b": "1:m", "c-b": "m:n", "a-c": "1:m"})
    assert "c has 2 rows with k = 7" in violation(connection, query, {"a-c": "1:1"})
    assert "c has 2 rows with k = 7" in violation(connection, query, {"b-c": "m:1"})


def test_null_is_a_key_where_nulls_are_equal(connection: minisql.Connection) -> None:
    query = "SELECT 1 FROM a JOIN c ON a.k IS NOT DISTINCT FROM c.k"
    assert "a has 2 rows with k = NULL" in violation(connection, query, {"a-c": "1:m"})


def test_the_hint(connection: minisql.Connection) -> None:
    hinted = JOIN.replace("SELECT", "SELECT /*+ VALIDATE(a b '1:m') JOIN_TREE((a b)) */")
    assert connection.execute(hinted).fetchall() == connection.execute(JOIN).fetchall()
    assert connection.plan(hinted).order == "(a b)"
    wrong = JOIN.replace("SELECT", "SELECT /*+ VALIDATE(a b '1:1') */")
    for query in (wrong, f"SELECT count(*) FROM ({wrong.replace(', b.x', '')}) AS d", f"{JOIN} UNION ALL {wrong}"):
        with pytest.raises(minisql.IntegrityError, match="b has 3 rows with k = 1") as raised:
            connection.execute(query)
        assert raised.value.span is not None
        assert raised.value.span.source == "VALIDATE(a b '1:1')"
    connection.execute(f"CREATE VIEW v AS {wrong.replace(', b.x', '')}")
    with pytest.raises(minisql.IntegrityError):
        connection.execute("SELECT * FROM v")
    assert connection.plan(wrong).explain()
    assert "fan-out" in connection.plan(wrong).explain(analyze=True), "which shows what is wrong"


@pytest.mark.parametrize("written", ["CREATE TABLE n AS {}", "INSERT INTO m {}", "COPY ({}) TO '{}.csv'"])
def test_the_hint_in_other_statements(connection: minisql.Connection, tmp_path: Path, written: str) -> None:
    connection.execute("CREATE TABLE m (k INTEGER)")
    query = "SELECT /*+ VALIDATE(a b '1:1') */ a.k FROM a JOIN b ON a.k = b.k"
    connection.execute(f"CREATE VIEW v AS {query}")
    for source in (query, "SELECT * FROM v"):
        with pytest.raises(minisql.IntegrityError, match="b has 3 rows with k = 1"):
            connection.execute(written.format(source, tmp_path / "n"))
    connection.execute(written.format(query.replace("1:1", "1:m"), tmp_path / "n"))


@pytest.mark.parametrize("kind", ["1:1", "1:M", "1:n", "M:1", "n:1", "m:n", "n:n", "many_to_many", "ONE_TO_ONE"])
def test_how_a_kind_may_be_written(connection: minisql.Connection, kind: str) -> None:
    left_is_one, right_is_one = kind.lower().startswith(("1", "one")), kind.lower().endswith(("1", "one"))
    query = "SELECT count(*) FROM a JOIN c ON a.k = c.k"
    assert left_is_one or connection.sql(query, validate={"c-a": kind}).fetchone() == (2,)
    if right_is_one:
        with pytest.raises(minisql.IntegrityError, match="c has 2 rows with k = 7"):
            connection.sql(query, validate={"a-c": kind})
    else:
        assert connection.sql(query, validate={"a-c": kind}).fetchone() == (2,)


def test_long_keys_are_cut(connection: minisql.Connection) -> None:
    """As they are in other messages."""
    long = "x" * 10_000
    with pytest.raises(minisql.IntegrityError, match="x…") as caught:
        connection.sql("SELECT 1 FROM r AS a JOIN r AS b USING (k)", r={"k": [long, long]}, validate={"a-b": "1:1"})
    messages = [caught.value.message]
    connection.execute("CREATE TABLE t (k VARCHAR PRIMARY KEY)")
    for sql in ("INSERT INTO t VALUES ($1), ($1)", "SELECT CAST($1 AS INTEGER)"):
        with pytest.raises(minisql.DatabaseError, match="x…") as failed:
            connection.execute(sql, [long])
        messages.append(str(failed.value))
    assert max(map(len, messages)) < 300


def test_the_argument_of_a_cursor(connection: minisql.Connection) -> None:
    cursor = connection.cursor()
    assert cursor.execute(JOIN, validate={"a-b": "1:m"}).fetchall() == connection.execute(JOIN).fetchall()
    with pytest.raises(minisql.IntegrityError, match="b has 3 rows with k = 1"):
        cursor.execute(JOIN, validate={"a-b": "1:1"})
    with pytest.raises(minisql.ProgrammingError, match="Only a query can be validated"):
        cursor.execute(f"CREATE TABLE n AS {JOIN}", validate={"a-b": "1:1"})


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        ("VALIDATE(a q '1:1')", 'There is no table "q" in FROM here'),
        ("VALIDATE(a a '1:1')", '"a" is not joined with itself'),
        ("VALIDATE(a b '1:2')", "A join is 1:1, 1:m, m:1 or m:n, not '1:2'"),
        ("VALIDATE(a b)", "'1:1', '1:m', 'm:1' or 'm:n' is expected, not \")\""),
        ("VALIDATE(a b 1:1)", 'is expected, not "1"'),
        ("VALIDATE(a", "the name of a table is expected, not the end of the hint"),
        ("VALIDAT(a b '1:1')", 'There is no hint "VALIDAT"'),
    ],
)
def test_hints_that_cannot_be_read(connection: minisql.Connection, hint: str, message: str) -> None:
    with pytest.raises(minisql.ProgrammingError) as raised:
        connection.execute(JOIN.replace("SELECT", f"SELECT /*+ {hint} */"))
    assert message in str(raised.value)
    assert raised.value.span is not None


@pytest.mark.parametrize(
    ("query", "validate", "error", "message"),
    [
        (JOIN, {"a-q": "1:1"}, minisql.ProgrammingError, 'There is no table "q"'),
        (JOIN, {"a": "1:1"}, minisql.ProgrammingError, "two tables as a-b, not 'a'"),
        (JOIN, {"a-b-c": "1:1"}, minisql.ProgrammingError, "two tables as a-b"),
        (JOIN, {"a-b": "1"}, minisql.ProgrammingError, "A join is 1:1, 1:m, m:1 or m:n, not '1'"),
        (JOIN, {"a-a": "1:1"}, minisql.ProgrammingError, "not joined with itself"),
        (JOIN, {"a-b": 1}, minisql.InterfaceError, "validate is a mapping"),
        (JOIN, ["a-b"], minisql.InterfaceError, "validate is a mapping"),
        (
            "SELECT 1 FROM a JOIN b ON a.k < b.k",
            {"a-b": "1:1"},
            minisql.ProgrammingError,
            "No condition of this SELECT",
        ),
        ("SELECT 1 FROM a JOIN b ON a.k = b.k, c", {"a-c": "1:1"}, minisql.ProgrammingError, "columns of a and c"),
        ("SELECT 1", {"a-b": "1:1"}, minisql.ProgrammingError, "There is no table"),
        ("SELECT 1 UNION SELECT 2", {"a-b": "1:1"}, minisql.ProgrammingError, "a set operation"),
        ("DROP TABLE a", {"a-b": "1:1"}, minisql.ProgrammingError, "Only a query"),
        (
            "SELECT 1 FROM a JOIN LATERAL (SELECT b.k FROM b WHERE b.x = a.x) AS d ON a.k = d.k",
            {"a-d": "1:1"},
            minisql.NotSupportedError,
            "for each row of another table",
        ),
    ],
)
def test_what_cannot_be_asked(
    connection: minisql.Connection, query: str, validate: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        connection.sql(query, validate=validate)
    assert message in str(raised.value)


def test_quoted_names_and_parameters(connection: minisql.Connection) -> None:
    connection.execute('CREATE TABLE "x-y" (k INTEGER)')
    connection.execute('INSERT INTO "x-y" VALUES (1), (1)')
    query = 'SELECT 1 FROM a JOIN "x-y" ON a.k = "x-y".k WHERE a.x > ?'
    assert connection.sql(query, [0], validate={'a-"x-y"': "1:m"}).rowcount == 2
    with pytest.raises(minisql.IntegrityError, match="x-y has 2 rows with k = 1"):
        connection.sql(query, [0], validate={'a-"x-y"': "1:1"})


def test_it_agrees_with_pandas() -> None:
    """pandas says so of keys without NULL, which it takes for equal."""
    rng = random.Random(6)
    failed = 0
    with minisql.connect() as connection:
        for _ in range(12):
            frames = {
                name: pd.DataFrame({"k": [rng.randrange(9) for _ in range(rng.randint(1, 5))], "j": 1}) for name in "lr"
            }
            for name, frame in frames.items():
                connection.register(name, frame)
            for kind, how in itertools.product(("1:1", "1:m", "m:1", "m:m"), ("inner", "left", "right", "outer")):
                try:
                    frames["l"].merge(frames["r"], on=["k", "j"], how=how, validate=kind)
                    is_right = True
                except pd.errors.MergeError:
                    is_right = False
                join = "FULL" if how == "outer" else how
                query = f"SELECT k FROM l {join} JOIN r USING (k, j)"
                if is_right:
                    connection.sql(query, validate={"l-r": kind})
                else:
                    failed += 1
                    violation(connection, query, {"l-r": kind})
    assert failed > 25
