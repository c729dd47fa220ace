"""WITH RECURSIVE and common table expressions: limits, laziness, interrupts, and what is computed how often."""

from __future__ import annotations

import gc
import signal
import time
from types import FrameType

import pytest

import minisql
from minisql.execution.iterator import RowIterator
from minisql.execution.scan import TableScanIterator

COUNT = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {})"


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE e AS SELECT range AS a, (range * 7 + 1) % 1000 AS b FROM range(1000)")
    return connection


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[RowIterator]:
    """The table scans that are opened from here on, once for each time."""
    scans: list[RowIterator] = []
    before = TableScanIterator.open

    def open_(scan: TableScanIterator) -> None:
        scans.append(scan)
        before(scan)

    monkeypatch.setattr(TableScanIterator, "open", open_)
    return scans


@pytest.mark.parametrize("rounds", [0, 1, 2, 1000])
def test_the_rounds_are_limited(connection: minisql.Connection, rounds: int) -> None:
    connection.execute(f"SET max_recursion = {rounds}")
    if rounds:  # of which the last one gives no row
        assert connection.execute(f"{COUNT.format(rounds)} SELECT count(*) FROM t").fetchall() == [(rounds,)]
    with pytest.raises(minisql.OperationalError, match=f"more than {rounds:,} rounds"):
        connection.execute(f"{COUNT.format(rounds + 1)} SELECT count(*) FROM t")
    connection.execute("SET max_recursion = DEFAULT")
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_the_rows_are_limited(connection: minisql.Connection) -> None:
    connection.execute("SET max_recursive_rows = 10000")
    doubling = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t, (VALUES (1), (2)) AS v) SELECT {} FROM t"
    with pytest.raises(minisql.OperationalError, match="more than 10,000 rows"):
        connection.execute(doubling.format("count(*)"))
    assert len(connection.execute(f"{doubling.format('n')} LIMIT 3000").fetchall()) == 3000


def test_endless_recursion_ends_within_seconds(connection: minisql.Connection) -> None:
    start = time.process_time()
    with pytest.raises(minisql.OperationalError, match="rounds"):
        connection.execute("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT count(*) FROM t")
    with pytest.raises(minisql.OperationalError, match="rows"):
        connection.execute(
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t, range(3)) SELECT count(*) FROM t"
        )
    assert time.process_time() - start < 20


@pytest.mark.parametrize("where", ["", " WHERE n % 2 = 1"])
def test_a_limit_ends_an_endless_recursion(connection: minisql.Connection, where: str) -> None:
    query = f"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t{where} LIMIT 7"
    rows = [n for (n,) in connection.execute(query).fetchall()]
    assert rows == (list(range(1, 15, 2)) if "%" in where else list(range(1, 8)))


def test_a_limit_is_not_told_of_errors_behind_it(connection: minisql.Connection) -> None:
    factorial = (
        "WITH RECURSIVE f(n, x) AS (SELECT 1, 1::bigint UNION ALL SELECT n + 1, x * (n + 1) FROM f)"
        " SELECT x FROM f LIMIT {}"
    )
    assert connection.execute(factorial.format(20)).fetchall()[-1] == (2432902008176640000,)
    with pytest.raises(minisql.DataError):
        connection.execute(factorial.format(21))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no interval timers on this system")
def test_recursion_can_be_interrupted(connection: minisql.Connection) -> None:
    class Interrupted(BaseException):
        pass

    def handler(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    connection.execute("SET max_recursion = 10000000")
    before = signal.signal(signal.SIGALRM, handler)
    gc.disable()  # Python drops what is raised in a call that the collection of garbage makes.
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Interrupted):
            connection.execute("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT count(*) FROM t")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    assert connection.execute("SELECT count(*) FROM e").fetchall() == [(1000,)]


def test_what_does_not_change_is_read_once(connection: minisql.Connection, opened: list[RowIterator]) -> None:
    """The tables of a step, joined to each other or not, whatever the number of rounds."""
    rows = connection.execute(
        "WITH RECURSIVE t(n) AS (SELECT 0::bigint UNION SELECT y.b FROM t JOIN e AS x ON t.n = x.a"
        " JOIN (SELECT a, max(b) AS b FROM e GROUP BY a) AS y ON x.b = y.a) SELECT count(*) FROM t"
    ).fetchall()
    assert rows[0][0] > 5
    assert len(opened) == 2


def test_a_plan_can_be_run_again(connection: minisql.Connection) -> None:
    planned = connection.plan(
        "WITH RECURSIVE t(n) AS (SELECT 0::bigint UNION SELECT b FROM t JOIN e ON n = a)"
        " SELECT count(*) FROM t AS x JOIN t AS y ON x.n = y.n"
    )
    first = planned.execute().fetchall()
    assert planned.execute().fetchall() == first


@pytest.mark.parametrize(
    ("query", "scans"),
    [
        ("WITH w AS (SELECT a, sum(b) AS b FROM e GROUP BY a) SELECT count(*) FROM w AS x JOIN w AS y ON x.a = y.b", 1),
        (
            "WITH w AS NOT MATERIALIZED (SELECT a, sum(b) AS b FROM e GROUP BY a)"
            " SELECT count(*) FROM w AS x JOIN w AS y ON x.a = y.b",
            2,
        ),
        ("WITH w AS (SELECT a, b FROM e) SELECT count(*) FROM w AS x JOIN w AS y ON x.a = y.b", 2),
        ("WITH w AS MATERIALIZED (SELECT a, b FROM e) SELECT count(*) FROM w AS x JOIN w AS y ON x.a = y.b", 1),
        (
            "WITH v AS (SELECT a, sum(b) AS b FROM e GROUP BY a), w AS (SELECT x.a, y.b FROM v AS x JOIN v AS y"
            " ON x.a = y.b) SELECT count(*) FROM w AS x JOIN w AS y ON x.a = y.b",
            1,
        ),
        ("SELECT count(*) FROM grouped AS x JOIN grouped AS y ON x.a = y.b", 1),
    ],
)
def test_what_is_computed_once(
    connection: minisql.Connection, opened: list[RowIterator], query: str, scans: int
) -> None:
    connection.execute("CREATE VIEW grouped AS SELECT a, sum(b) AS b FROM e GROUP BY a")
    shared = connection.execute(query).fetchall()
    assert len(opened) == scans
    connection.execute("SET materialize_common_tables = off")
    assert connection.execute(query).fetchall() == shared
    assert len(opened) > scans + 1


def test_columns_that_no_use_reads_are_not_computed(connection: minisql.Connection) -> None:
    query = (
        "WITH w AS MATERIALIZED (SELECT a, sum(b) AS s, max(1 / (b - 1)) AS failing FROM e GROUP BY a)"
        " SELECT count(*) FROM w AS x JOIN w AS y ON x.a = y.s"
    )
    assert connection.execute(query).fetchall() == [(1000,)]
    with pytest.raises(minisql.DataError):
        connection.execute(query.replace("count(*)", "max(y.failing)"))


def test_many_common_tables_that_each_use_the_one_before_twice(connection: minisql.Connection) -> None:
    """Copies would be a million: it is planned once each, and computed once."""
    tables = ["t0 AS (SELECT a, sum(b) AS b FROM e GROUP BY a)"]
    tables += [f"t{i} AS (SELECT x.a, y.b FROM t{i - 1} AS x JOIN t{i - 1} AS y ON x.a = y.a)" for i in range(1, 20)]
    assert connection.execute(f"WITH {', '.join(tables)} SELECT count(*) FROM t19").fetchall() == [(1000,)]


def test_a_hint_inside_common_tables_that_are_used_twice(connection: minisql.Connection) -> None:
    query = (
        "WITH w AS (SELECT x.a, y.b FROM e AS x JOIN e AS y ON x.a = y.b)"
        " SELECT {}count(*) FROM w AS p JOIN w AS q ON p.a = q.b"
    )
    expected = connection.execute(query.format("")).fetchall()
    assert connection.execute(query.format("/*+ JOIN_TREE((p q)) */ ")).fetchall() == expected
    assert connection.execute(query.format("/*+ JOIN_TREE(((p.x p.y) (q.y q.x))) */ ")).fetchall() == expected


def test_a_common_table_inside_a_recursive_term(connection: minisql.Connection) -> None:
    """It reads other rows in each round, so it is not computed once."""
    rows = connection.execute(
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL (WITH w AS (SELECT n + 1 AS m FROM t WHERE n < 4)"
        " SELECT x.m FROM w AS x JOIN w AS y ON x.m = y.m)) SELECT n FROM t"
    ).fetchall()
    assert rows == [(1,), (2,), (3,), (4,)]
    rows = connection.execute(
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL (WITH w AS MATERIALIZED (SELECT n + 1 AS m FROM t WHERE n < 4),"
        " v AS (SELECT max(m) AS m FROM w) SELECT x.m FROM w AS x JOIN v AS y ON x.m = y.m JOIN v AS z ON x.m = z.m))"
        " SELECT count(*) FROM t AS a JOIN t AS b ON a.n = b.n"
    ).fetchall()
    assert rows == [(4,)]


def test_a_recursion_inside_a_recursive_term(connection: minisql.Connection) -> None:
    rows = connection.execute(
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT t.n + u.m FROM t JOIN (WITH RECURSIVE v(m) AS"
        " (SELECT 1 UNION ALL SELECT m + 1 FROM v WHERE m < 3) SELECT max(m) AS m FROM v) AS u ON t.n < 7)"
        " SELECT n FROM t"
    ).fetchall()
    assert rows == [(1,), (4,), (7,)]
