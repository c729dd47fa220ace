from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

import minisql
from minisql.expression.aggregates import AGGREGATES, AGGREGATES_BY_NAME, GROUPING_NAMES, AggregateFunction
from minisql.expression.functions import ALIASES, SCALAR_FUNCTIONS

NUMBERS = "(VALUES (1), (2), (2), (NULL)) AS numbers(x)"


@pytest.fixture
def connection() -> minisql.Connection:
    return minisql.connect()


def value(connection: minisql.Connection, expression: str) -> object:
    ((found,),) = connection.execute(f"SELECT {expression} FROM {NUMBERS}").fetchall()
    return found


@pytest.mark.parametrize("function", AGGREGATES, ids=lambda function: function.name)
def test_the_example_of_an_aggregate(function: AggregateFunction, connection: minisql.Connection) -> None:
    assert value(connection, f"CAST({function.example} AS VARCHAR)") == function.value
    for alias in function.aliases:
        assert alias not in (*SCALAR_FUNCTIONS, *ALIASES)
        if function.example.startswith(f"{function.name}("):
            example = function.example.replace(function.name, alias, 1)
            assert value(connection, f"CAST({example} AS VARCHAR)") == function.value


def test_every_name_is_that_of_one_aggregate() -> None:
    names = [name for function in AGGREGATES for name in (function.name, *function.aliases)]
    assert len(names) == len(set(names)) == len(AGGREGATES_BY_NAME)
    assert not set(names) & set(GROUPING_NAMES)


@pytest.mark.parametrize("function", AGGREGATES, ids=lambda function: function.name)
def test_no_rows_give_null_or_a_count_of_zero(function: AggregateFunction, connection: minisql.Connection) -> None:
    ((found,),) = connection.execute(f"SELECT {function.example} FROM {NUMBERS} WHERE FALSE").fetchall()
    counts = ("count", "count_if", "approx_count_distinct", "regr_count")
    assert found == (0 if function.name in counts else None)


def test_names_of_columns_may_be_words_of_grouping(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE rollup (cube INTEGER, sets INTEGER, within INTEGER, separator INTEGER)")
    connection.execute("INSERT INTO rollup (cube, sets, within, separator) VALUES (1, 2, 3, 4)")
    query = "SELECT cube, sum(within) within, separator FROM rollup GROUP BY cube, sets, separator, (sets)"
    assert connection.execute(query).fetchall() == [(1, 3, 4)]
    query = "WITH rollup AS (SELECT 5 AS x) SELECT x FROM rollup GROUP BY x"
    assert connection.execute(query).fetchall() == [(5,)]


def test_lists_in_python_and_arrow(connection: minisql.Connection) -> None:
    result = connection.execute(f"SELECT array_agg(x ORDER BY x) AS l, array_agg(x / 2.0) AS d FROM {NUMBERS}")
    assert [str(type_) for type_ in result.types] == ["INTEGER[]", "DOUBLE[]"]
    table = result.arrow()
    assert table.schema.field("l").type == pa.large_list(pa.int32())
    assert table.to_pylist() == [{"l": [1, 2, 2, None], "d": [0.5, 1.0, 1.0, None]}]
    assert result.fetchall() == [([1, 2, 2, None], [0.5, 1.0, 1.0, None])]


def test_lists_are_kept_in_tables_and_read_from_arrow(connection: minisql.Connection) -> None:
    table = pa.table({"k": [1, 2], "l": pa.array([["a", None], None], pa.list_(pa.string()))})
    connection.register("lists", table)
    connection.execute("CREATE TABLE kept AS SELECT * FROM lists")
    connection.execute("INSERT INTO kept SELECT 3, array_agg(x) FROM (VALUES ('b')) AS t(x)")
    query = "SELECT kept.l, m.l FROM kept LEFT JOIN kept AS m ON kept.k = m.k + 1 ORDER BY kept.k"
    assert connection.execute(query).fetchall() == [(["a", None], None), (None, ["a", None]), (["b"], None)]
    query = "SELECT CASE WHEN k = 1 THEN l END, CAST(l AS VARCHAR) FROM kept WHERE k <> 2 ORDER BY k"
    assert connection.execute(query).fetchall() == [(["a", None], "[a, NULL]"), (None, "[b]")]


def test_sums_of_decimals_are_exact_in_every_set(connection: minisql.Connection) -> None:
    query = "SELECT g, sum(v) FROM (VALUES (1, 0.10), (1, 0.20), (2, 99999999999999.99)) AS t(g, v) GROUP BY ROLLUP (g)"
    assert sorted(map(repr, connection.execute(query).fetchall())) == sorted(
        map(repr, [(1, Decimal("0.30")), (2, Decimal("99999999999999.99")), (None, Decimal("100000000000000.29"))])
    )


def test_the_greatest_string_of_groups_that_become_one(connection: minisql.Connection) -> None:
    query = "SELECT max(s) FROM (VALUES (1, 'b'), (2, 'c'), (3, 'a')) AS t(g, s) GROUP BY ROLLUP (g)"
    assert sorted(connection.execute(query).fetchall()) == [("a",), ("b",), ("c",), ("c",)]


def test_distinct_values_of_groups_that_become_one(connection: minisql.Connection) -> None:
    query = (
        "SELECT count(DISTINCT v), sum(DISTINCT v) FROM (VALUES (1, 5), (2, 5), (2, 6)) AS t(g, v) GROUP BY ROLLUP (g)"
    )
    assert sorted(connection.execute(query).fetchall()) == [(1, 5), (2, 11), (2, 11)]


def test_equalities_of_columns_without_a_value_have_a_cost(connection: minisql.Connection) -> None:
    for name in "abcde":
        connection.execute(f"CREATE TABLE {name} AS SELECT CAST(NULL AS INTEGER) AS k FROM range(3)")
    query = "SELECT count(*) FROM a JOIN b USING (k) JOIN c USING (k) JOIN d USING (k) JOIN e USING (k)"
    assert connection.execute(query).fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("EXISTS (SELECT 1 FROM t AS u WHERE u.a > 9 AND u.b = t.b GROUP BY ())", [1, 2, 3]),
        ("EXISTS (SELECT u.a FROM t AS u WHERE u.a > 9 AND u.b = t.b GROUP BY ROLLUP (u.a))", [1, 2, 3]),
        ("EXISTS (SELECT u.a FROM t AS u WHERE u.a > 9 AND u.b = t.b GROUP BY u.a)", []),
        ("a IN (SELECT u.a FROM t AS u WHERE u.a < 3 GROUP BY ROLLUP (u.a))", [1, 2]),
        ("a NOT IN (SELECT u.a FROM t AS u WHERE u.b <= t.b AND u.a < 3 GROUP BY ROLLUP (u.a))", []),
        ("a NOT IN (SELECT u.a FROM t AS u WHERE u.b <= t.b AND u.a < 3 GROUP BY u.a)", [3]),
        ("5 = (SELECT 5 FROM t AS u WHERE u.a = t.a - 1 GROUP BY ())", [1, 2, 3]),
    ],
)
def test_subqueries_with_rows_that_only_grouping_sets_give(
    condition: str, expected: list[int], connection: minisql.Connection
) -> None:
    connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, 10), (2, 20), (3, 30)) AS v(a, b)")
    rows = connection.execute(f"SELECT a FROM t WHERE {condition} ORDER BY a").fetchall()
    assert [a for (a,) in rows] == expected


def test_a_grouping_of_which_nothing_is_read(connection: minisql.Connection) -> None:
    for tail in ("GROUP BY ()", "HAVING 1 = 1", "GROUP BY GROUPING SETS ((), ()) LIMIT 1"):
        query = f"SELECT count(*) FROM (SELECT 7 FROM {NUMBERS} WHERE FALSE {tail}) AS q"
        assert connection.execute(query).fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("string_agg(x, '+') OVER (ORDER BY x)", ["1", "1+2+2", "1+2+2", "1+2+2"]),
        ("median(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", [1.0, 1.5, 2.0, 2.0]),
        ("array_agg(x) OVER ()", [[1, 2, 2, None]] * 4),
    ],
)
def test_aggregates_as_window_functions(
    expression: str, expected: list[object], connection: minisql.Connection
) -> None:
    rows = connection.execute(f"SELECT {expression} AS w FROM {NUMBERS} ORDER BY x").fetchall()
    assert [w for (w,) in rows] == expected
