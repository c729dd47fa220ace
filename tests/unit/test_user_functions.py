from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import minisql


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t (k INTEGER, s VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, NULL), (NULL, 'c')")
    return connection


def plus(a: pa.Array, b: pa.Array) -> pa.Array:
    return pc.add(a, b)


def test_a_function_of_columns(connection: minisql.Connection) -> None:
    connection.create_function("plus", plus, ["BIGINT", "BIGINT"], "BIGINT")
    query = "SELECT k, plus(k, 10), PLUS(k, k), plus(plus(k, 1), '5'), plus(3, 4), plus(NULL, 1) FROM t ORDER BY k"
    assert connection.execute(query).fetchall() == [
        (1, 11, 2, 7, 7, None),
        (2, 12, 4, 8, 7, None),
        (None, None, None, None, 7, None),
    ]
    assert connection.execute("SELECT s FROM t WHERE plus(k, 1) = 2").fetchall() == [("a",)]
    assert connection.execute("SELECT sum(plus(k, 1)) FROM t GROUP BY plus(k, 0) > 1 ORDER BY 1").fetchall() == [
        (2,),
        (3,),
        (None,),
    ]
    assert connection.execute("SELECT a.k FROM t AS a JOIN t AS b ON plus(a.k, 1) = b.k").fetchall() == [(1,)]
    assert connection.execute("UPDATE t SET k = plus(k, 100) WHERE plus(k, 0) = 1 RETURNING k").fetchall() == [(101,)]
    assert connection.execute("CREATE VIEW v AS SELECT plus(k, 1) AS p FROM t; SELECT max(p) FROM v").fetchall() == [
        (102,)
    ]


TYPES: list[tuple[object, str, object]] = [
    (bool, "BOOLEAN", True),
    (int, "BIGINT", 2**40),
    ("INTEGER", "INTEGER", 5),
    (float, "DOUBLE", 1.5),
    (str, "VARCHAR", "ü"),
    (bytes, "BLOB", b"\xff\x00"),
    (Decimal, "DECIMAL(38,10)", Decimal("1.5000000000")),
    ("decimal(8, 2)", "DECIMAL(8,2)", Decimal("1.50")),
    (pa.decimal128(30, 1), "DECIMAL(30,1)", Decimal("12345678901234567890.5")),
    (datetime.date, "DATE", datetime.date(2013, 1, 2)),
    (datetime.datetime, "TIMESTAMP", datetime.datetime(2013, 1, 2, 3)),
    ("timestamp with time zone", "TIMESTAMP WITH TIME ZONE", datetime.datetime(2013, 1, 2, tzinfo=datetime.UTC)),
    (datetime.time, "TIME", datetime.time(3, 4)),
    (datetime.timedelta, "INTERVAL", minisql.Interval(0, 1, 2)),
    (pa.int16(), "INTEGER", 7),
    (pa.string(), "VARCHAR", "x"),
]


@pytest.mark.parametrize(("type_", "name", "value"), TYPES)
@pytest.mark.parametrize("vectorized", [True, False])
def test_every_type_goes_in_and_out(
    connection: minisql.Connection, type_: object, name: str, value: object, vectorized: bool
) -> None:
    connection.create_function("same", lambda x: x, [type_], type_, vectorized=vectorized)
    connection.execute(f"CREATE TABLE v (x {name})")
    connection.executemany("INSERT INTO v VALUES (?)", [(value,), (None,)])
    result = connection.execute("SELECT same(x), same(?) FROM v", [value])
    assert [str(each) for each in result.types] == [name, name]
    assert result.fetchall() == [(value, value), (None, value)]


@pytest.mark.parametrize(
    "give",
    [
        pytest.param(lambda a: pc.multiply(a, 2), id="arrow"),
        pytest.param(lambda a: pa.chunked_array([pc.multiply(a, 2)]), id="chunked"),
        pytest.param(lambda a: a.to_numpy() * 2, id="numpy"),
        pytest.param(lambda a: (a.to_numpy() * 2).astype(np.int32), id="narrow"),
        pytest.param(lambda a: (a.to_numpy() * 2).astype(np.float64), id="whole"),
        pytest.param(lambda a: [x * 2 for x in a.to_pylist()], id="list"),
        pytest.param(lambda a: tuple(x * 2 for x in a.to_pylist()), id="tuple"),
        pytest.param(lambda a: a.to_pandas() * 2, id="pandas"),
        pytest.param(lambda a: pl.Series(a.to_pylist()) * 2, id="polars"),
    ],
)
def test_what_a_function_may_give(connection: minisql.Connection, give: Callable[[Any], Any]) -> None:
    connection.create_function("twice", give, [int], int)
    assert connection.execute("SELECT twice(k) FROM t ORDER BY k").fetchall() == [(2,), (4,), (None,)]


def test_a_missing_value_of_pandas_is_null(connection: minisql.Connection) -> None:
    connection.create_function("f", lambda a: pd.Series([None, 1.5]), [int], float)
    assert connection.execute("SELECT f(k) FROM t WHERE k > 0 ORDER BY k").fetchall() == [(None,), (1.5,)]
    connection.create_function("g", lambda a: pa.nulls(len(a)), [int], str)
    assert connection.execute("SELECT g(k) FROM t").fetchall() == [(None,)] * 3


def test_rows_with_null(connection: minisql.Connection) -> None:
    given: list[list[object]] = []

    def note(a: pa.Array, b: pa.Array) -> pa.Array:
        given.append([a.to_pylist(), b.to_pylist()])
        return pc.fill_null(pc.binary_join_element_wise(pc.cast(a, pa.string()), pc.cast(b, pa.string()), "-"), "none")

    connection.create_function("f", note, [int, str], str)
    assert connection.execute("SELECT f(k, s) FROM t").fetchall() == [("1-a",), (None,), (None,)]
    assert given == [[[1], ["a"]]]
    assert connection.execute("SELECT f(k, NULL), f(k + NULL, s) FROM t").fetchall() == [(None, None)] * 3
    assert len(given) == 1, "there was nothing to compute"
    connection.create_function("g", note, [int, str], str, null_handling="special")
    assert connection.execute("SELECT g(k, s), g(NULL, s) FROM t").fetchall() == [
        ("1-a", "none"),
        ("none", "none"),
        ("none", "none"),
    ]


def fails(message: str) -> Callable[..., Any]:
    def function(*arrays: pa.Array) -> pa.Array:
        raise KeyError(message)

    return function


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (fails("why"), "The function f failed: KeyError: 'why'"),
        (lambda a: a[:1], "The function f gave 1 value for 2 rows"),
        (lambda a: [1, 2, 3], "The function f gave 3 values for 2 rows"),
        (lambda a: 5, "The function f gave a int, which is no array"),
        (lambda a: None, "The function f gave a NoneType, which is no array"),
        (lambda a: np.zeros((2, 2)), "The function f gave a ndarray, which is no array"),
        (lambda a: pa.array(["x", "y"]), "The function f gave VARCHAR, and should give BIGINT"),
        (lambda a: ["x", "y"], "The function f gave VARCHAR, and should give BIGINT"),
        (lambda a: ["x", 1], "The function f gave what is no BIGINT"),
        (lambda a: [datetime.date.max] * 2, "The function f gave DATE, and should give BIGINT"),
        (lambda a: [1.5, 2.5], "The function f gave what is no BIGINT"),
        (lambda a: np.array([1.5, 2.5]), "The function f gave what is no BIGINT"),
        (lambda a: pa.array([2**63, 1], pa.uint64()), "The function f gave what is no BIGINT"),
        (lambda a: pa.array([[1], [2]]), r"The function f gave INTEGER\[\], and should|gave BIGINT\[\], and should"),
        (lambda a: pa.array([{"x": 1}] * 2), "the Arrow type struct"),
        (lambda a, b: a, "The function f failed: TypeError: .* missing 1 required"),
    ],
)
def test_a_function_that_fails(connection: minisql.Connection, function: Callable[..., Any], message: str) -> None:
    connection.create_function("f", function, [int], int)
    with pytest.raises(minisql.DataError, match=message) as caught:
        connection.execute("SELECT 1 +\n f(k) FROM t WHERE k > 0")
    assert caught.value.span is not None
    assert caught.value.span.source == "f(k)"
    if "failed" in message:
        assert isinstance(caught.value.__cause__, KeyError | TypeError)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_a_row_function_that_fails(connection: minisql.Connection) -> None:
    connection.create_function("f", lambda k: 1 // (k - 2), [int], int, vectorized=False)
    assert connection.execute("SELECT f(k) FROM t WHERE k = 1").fetchall() == [(-1,)]
    with pytest.raises(minisql.DataError, match="ZeroDivisionError") as caught:
        connection.execute("SELECT f(k) FROM t")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_failure_is_one_only_if_a_row_reaches_it(connection: minisql.Connection) -> None:
    connection.create_function("f", fails("never"), [int], int)
    assert connection.execute("SELECT CASE WHEN k > 5 THEN f(7) ELSE 0 END FROM t").fetchall() == [(0,)] * 3
    assert connection.execute("SELECT f(k) FROM t WHERE k > 5").fetchall() == []
    assert (
        connection.execute(
            "SELECT t.k FROM t JOIN (SELECT 1 AS k) AS o USING (k) WHERE o.k = 2 AND f(t.k) = 1"
        ).fetchall()
        == []
    )
    with pytest.raises(minisql.DataError):
        connection.execute("SELECT f(7)")


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("SELECT plis(1, 2)", 'no function "plis"', 'Did you mean "plus"?'),
        ("SELECT plus(1)", "plus takes 2 arguments, not 1", "It is plus(BIGINT, BIGINT)."),
        ("SELECT plus()", "plus takes 2 arguments, not 0", "It is plus(BIGINT, BIGINT)."),
        ("SELECT plus(1.5, 2)", r"plus does not take \(DECIMAL\(2,1\), INTEGER\)", "plus(BIGINT, BIGINT). Add a CAST."),
        ("SELECT plus(s, 2) FROM t", r"plus does not take \(VARCHAR, INTEGER\)", "Add a CAST."),
        ("SELECT plus(DISTINCT 1, 2)", "plus is no aggregate", ""),
        ("SELECT plus(1, 2) OVER () FROM t", "plus", ""),
    ],
)
def test_wrong_calls(connection: minisql.Connection, sql: str, message: str, hint: str) -> None:
    connection.create_function("plus", plus, ["BIGINT", "BIGINT"], "BIGINT")
    with pytest.raises(minisql.ProgrammingError, match=message) as caught:
        connection.execute(sql)
    assert hint in (caught.value.hint or "")
    assert caught.value.span is not None


@pytest.mark.parametrize(
    "name", ["lower", "UPPER", "substr", "sum", "row_number", "mod", "grouping", "coalesce", "now"]
)
def test_names_of_functions_that_there_are(connection: minisql.Connection, name: str) -> None:
    with pytest.raises(minisql.InterfaceError, match=f"{name.lower()} is a function already"):
        connection.create_function(name, plus, [int, int], int)


def test_names_that_cannot_be(connection: minisql.Connection) -> None:
    for name in ("select", "case", "exists", "left", "cast"):
        with pytest.raises(minisql.InterfaceError, match=r"is a word of SQL|is a function already"):
            connection.create_function(name, plus, [int, int], int)
    for wrong in ("", "a b", "1a", '"x"', None, 5):
        with pytest.raises(minisql.InterfaceError, match="name of a function is a word"):
            connection.create_function(wrong, plus, [int, int], int)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "changes", "error", "message"),
    [
        (("f", 5, [int], int), {}, minisql.InterfaceError, "A int is no function"),
        (("f", plus, [], int), {}, minisql.InterfaceError, "a list with one at least"),
        (("f", plus, "BIGINT", int), {}, minisql.InterfaceError, "a list with one at least"),
        (("f", plus, [complex], int), {}, minisql.InterfaceError, "complex is no type of SQL"),
        (("f", plus, [int], None), {}, minisql.InterfaceError, "None is no type of SQL"),
        (("f", plus, [int], pa.list_(pa.int64())), {}, minisql.InterfaceError, "is no type of SQL"),
        (("f", plus, [int], pa.null()), {}, minisql.InterfaceError, "is no type of SQL"),
        (("f", plus, ["BIGNIT"], int), {}, minisql.ProgrammingError, "'BIGNIT' is no type"),
        (("f", plus, ["INT), (1"], int), {}, minisql.ProgrammingError, "is no type"),
        (("f", plus, ["DECIMAL(99,1)"], int), {}, minisql.ProgrammingError, "precision of a DECIMAL"),
        (("f", plus, [int], int), {"null_handling": "x"}, minisql.InterfaceError, 'null_handling is "default" or'),
    ],
)
def test_wrong_definitions(
    connection: minisql.Connection, arguments: Any, changes: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        connection.create_function(*arguments, **changes)


def test_functions_are_forgotten(connection: minisql.Connection) -> None:
    connection.create_function("f", lambda a: a, [int], int)
    assert connection.execute("SELECT f(1)").fetchone() == (1,)
    with pytest.raises(minisql.InterfaceError, match="f is a function already; remove it first"):
        connection.create_function("F", lambda a: pc.add(a, 1), [int], int)
    connection.remove_function("F")
    with pytest.raises(minisql.ProgrammingError, match='no function "f"'):
        connection.execute("SELECT f(1)")
    connection.create_function("f", lambda a: pc.add(a, 1), [int], int)
    assert connection.execute("SELECT f(1)").fetchone() == (2,)
    with pytest.raises(minisql.InterfaceError, match="No function g was created"):
        connection.remove_function("g")
    with pytest.raises(minisql.ProgrammingError, match='no function "f"'):
        minisql.connect().execute("SELECT f(1)")


def test_defaults_and_checks_keep_their_function(connection: minisql.Connection) -> None:
    connection.create_function("next", lambda a: pc.add(a, 1), [int], int)
    connection.execute("CREATE TABLE d (k INTEGER DEFAULT next(5), n INTEGER CHECK (next(n) < 10))")
    connection.remove_function("next")
    connection.execute("INSERT INTO d (n) VALUES (1)")
    assert connection.execute("SELECT k FROM d").fetchone() == (6,)
    with pytest.raises(minisql.IntegrityError):
        connection.execute("INSERT INTO d (n) VALUES (9)")


# --- what the planner knows -------------------------------------------------------------------------------------------


def counted(connection: minisql.Connection, name: str, **changes: Any) -> list[int]:
    """Creates a function that notes with how many rows it is called."""
    calls: list[int] = []

    def compute(array: pa.Array) -> pa.Array:
        calls.append(len(array))
        return array

    connection.create_function(name, compute, [int], int, **changes)
    return calls


def test_only_what_is_deterministic_is_folded(connection: minisql.Connection) -> None:
    calls = counted(connection, "f")
    assert connection.plan("SELECT f(1) + k FROM t").explain().count("f(1)") == 0
    assert calls == [1]
    calls = counted(connection, "g", deterministic=False)
    assert "g(1)" in connection.plan("SELECT g(1) + k FROM t").explain()
    assert calls == []
    assert connection.execute("SELECT g(1), g(k) FROM t").fetchall() == [(1, 1), (1, 2), (1, None)]
    assert calls == [3, 2]


def test_a_function_is_dear(connection: minisql.Connection) -> None:
    """What is cheap comes first, and the function sees the rows that are left."""
    connection.execute("CREATE TABLE n AS SELECT range AS k, CAST(range AS VARCHAR) AS s FROM range(1000)")
    calls = counted(connection, "f", deterministic=True)
    # A condition that may fail is not moved before one that may not, nor after it.
    connection.execute("SELECT count(*) FROM n WHERE k < 10 AND f(k) > 5")
    assert calls == [10]
    without = connection.plan("SELECT count(*) FROM n WHERE k + 1 > 5").cost
    assert connection.plan("SELECT count(*) FROM n WHERE f(k) > 5").cost > without + 900


def test_null_handling_decides_what_outer_joins_become(connection: minisql.Connection) -> None:
    counted(connection, "strict")
    connection.create_function("lenient", lambda a: pc.fill_null(a, 5), [int], int, null_handling="special")
    query = "SELECT t.k FROM t LEFT JOIN t AS u ON t.k = u.k + 1 WHERE {}(u.k) = {} ORDER BY 1"
    assert "Inner hash join" in connection.plan(query.format("strict", 1)).explain()
    assert connection.execute(query.format("strict", 1)).fetchall() == [(2,)]
    assert "Left hash join" in connection.plan(query.format("lenient", 5)).explain()
    assert connection.execute(query.format("lenient", 5)).fetchall() == [(1,), (None,)]


def test_a_function_may_ask_the_database(connection: minisql.Connection) -> None:
    def lookup(array: pa.Array) -> pa.Array:
        found = connection.sql("SELECT d.k, s FROM d LEFT JOIN t USING (k)", d={"k": array}).arrow()
        return found["s"].combine_chunks()

    connection.create_function("lookup", lookup, [int], str)
    assert connection.execute("SELECT lookup(k) FROM t WHERE k = 1").fetchall() == [("a",)]


def test_batches_of_any_size(connection: minisql.Connection) -> None:
    connection.create_function("f", lambda a: pc.multiply(a, 2), [int], int)
    expected = connection.execute("SELECT f(range) FROM range(100) WHERE range % 3 = 0").fetchall()
    assert expected == [(2 * n,) for n in range(0, 100, 3)]
    for rows in (1, 7):
        connection.execute(f"SET batch_rows = {rows}")
        assert connection.execute("SELECT f(range) FROM range(100) WHERE range % 3 = 0").fetchall() == expected


# --- statements of functions ------------------------------------------------------------------------------------------


def test_a_function_may_query(connection: minisql.Connection) -> None:
    def rows(array: pa.Array) -> list[object]:
        assert connection.execute("SHOW TABLES").fetchall() == [("t",)]
        assert connection.execute("EXPLAIN SELECT 1").fetchall()
        return [connection.execute("SELECT count(*) FROM t").fetchall()[0][0]] * len(array)

    connection.create_function("rows", rows, [int], int)
    assert connection.execute("SELECT rows(1), rows(k) FROM t WHERE k = 1").fetchall() == [(3, 3)]
    assert connection.execute("UPDATE t SET k = rows(k) WHERE k = 1 RETURNING k").fetchall() == [(3,)]


def test_a_function_changes_something(connection: minisql.Connection) -> None:
    """In a query it may; what puts a table in the place of the old one would lose what it changed."""

    def insert(array: pa.Array) -> pa.Array:
        connection.execute("INSERT INTO t VALUES (99, 'new')")
        return array

    def commit(array: pa.Array) -> pa.Array:
        connection.commit()
        return array

    connection.create_function("f", insert, [int], int)
    connection.create_function("g", commit, [int], int)
    assert connection.execute("SELECT f(k) FROM t WHERE k = 1").fetchall() == [(1,)]
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (4,)
    connection.execute("BEGIN")
    for sql in ("INSERT INTO t SELECT f(k), s FROM t", "UPDATE t SET k = f(k)", "DELETE FROM t WHERE f(k) = 1",
                "CREATE TABLE u AS SELECT f(1) AS x", "INSERT INTO t VALUES (g(1), 'x')"):  # fmt: skip
        with pytest.raises(minisql.NotSupportedError, match="cannot change anything itself") as caught:
            connection.execute(sql)
        assert caught.value.span is not None
        assert caught.value.span.source[:2] in ("f(", "g(")
    with pytest.raises(minisql.NotSupportedError, match="cannot change anything itself"):
        connection.executemany("INSERT INTO t SELECT f(?), 'x'", [(1,), (2,)])
    connection.execute("INSERT INTO t VALUES (5, 'e')")
    connection.execute("COMMIT")
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (5,)


def test_functions_without_an_end(connection: minisql.Connection) -> None:
    """Also where a call is tried while the statement is planned, which passes over what fails."""
    other = minisql.connect()
    connection.create_function("f", lambda a: other.execute("SELECT g(1)").arrow()[0], [int], int)
    other.create_function("g", lambda a: connection.execute("SELECT f(k) FROM t").arrow()[0], [int], int)
    for sql in ("SELECT f(1)", "SELECT f(k) FROM t"):
        with pytest.raises(minisql.NotSupportedError, match="32 levels deep") as caught:
            connection.execute(sql)
        assert caught.value.span is not None
        assert caught.value.span.text == sql
    assert connection.execute("SELECT 1").fetchone() == (1,)
