"""Interrupts from other threads, timeouts, progress callbacks, and threads that share a connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count

import pyarrow as pa
import pytest

import minisql
from minisql.execution import progress as progress_module
from minisql.session import running

# What is raised in a thread is dropped where it hits a finalizer; the statement is then stopped once more.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ENDLESS = "SELECT count(*) FROM range(10000000) AS a JOIN range(10000000) AS b ON a.range + b.range < 0"
"""A nested loop that would run for days, in small steps."""


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t AS SELECT range AS k, range % 7 AS g FROM range(1000)")
    return connection


def later(seconds: float, action: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def run_until_stopped(run: Callable[[str], object]) -> None:
    with pytest.raises(minisql.OperationalError, match="was interrupted"):
        run(ENDLESS)


def check_usable(connection: minisql.Connection) -> None:
    """Nothing has changed, and another thread gets its turn."""
    answers: list[object] = []
    query = "SELECT count(*), sum(k) FROM t"
    thread = threading.Thread(target=lambda: answers.append(connection.execute(query).fetchall()))
    thread.start()
    thread.join(10)
    assert answers == [[(1000, 499500)]]
    assert not connection._executor.running._statements


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS,
        "SELECT (SELECT max(b.range) FROM range(100000) b WHERE b.range % 3 + a.range % 7 > 8) FROM range(10000000) a",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "CREATE TABLE u AS " + ENDLESS,
        "INSERT INTO t SELECT a.range, 1 FROM range(10000000) AS a JOIN range(10000000) AS b ON a.range + b.range < 0",
        "UPDATE t SET k = 0 FROM range(1000000000) AS b JOIN range(100000) AS c ON b.range + c.range < 0",
        "SELECT 1; " + ENDLESS,
    ],
)
def test_interrupts(connection: minisql.Connection, sql: str) -> None:
    timer = later(0.05, connection.interrupt)
    start = time.perf_counter()
    with pytest.raises(minisql.OperationalError, match="was interrupted"):
        connection.execute(sql)
    assert time.perf_counter() - start < 5
    timer.join()
    check_usable(connection)


def test_an_interrupt_stops_planning(connection: minisql.Connection) -> None:
    connection.execute("SET plan_cache = off")
    joins = "".join(f" LEFT JOIN t AS t{i} ON t{i - 1}.k = t{i}.g" for i in range(1, 400))
    query = f"SELECT count(*) FROM t AS t0{joins}"
    start = time.perf_counter()
    connection.plan(query)
    seconds = time.perf_counter() - start
    for run in (connection.plan, connection.execute):
        timer = later(seconds / 4, connection.interrupt)
        with pytest.raises(minisql.OperationalError, match="was interrupted"):
            run(query)
        timer.join()
        check_usable(connection)


def test_an_interrupt_with_nothing_to_stop_does_nothing(connection: minisql.Connection) -> None:
    connection.interrupt()
    check_usable(connection)


def test_interrupts_at_any_time_lose_nothing(connection: minisql.Connection) -> None:
    """A row is there or not, and what is known of the keys agrees. The error may come when all is done, and seldom."""
    connection.execute("CREATE TABLE log (n INTEGER PRIMARY KEY, m INTEGER UNIQUE)")
    connection.execute("INSERT INTO log SELECT -range - 1, -range - 1 FROM range(5000)")
    stop = threading.Event()

    def interrupt() -> None:
        while not stop.wait(0.002):
            connection.interrupt()

    def until_done(sql: str, *values: object) -> list[tuple[object, ...]]:
        while True:
            try:
                return list(connection.execute(sql, values).fetchall())
            except minisql.OperationalError:
                pass

    thread = threading.Thread(target=interrupt)
    thread.start()
    n = failed = late = 0
    try:
        end = time.perf_counter() + 1
        while time.perf_counter() < end:
            try:
                connection.execute("INSERT INTO log VALUES ($1, $1)", [n])
            except minisql.OperationalError:
                failed += 1
                if until_done("SELECT n FROM log WHERE n = ?", n):
                    late += 1
                else:
                    continue
            n += 1
    finally:
        stop.set()
        thread.join()
    time.sleep(0.01)
    assert n > 5
    assert failed > late
    rows = connection.execute("SELECT n FROM log WHERE n >= 0 AND n = m ORDER BY n").fetchall()
    assert rows == [(k,) for k in range(n)]
    check_usable(connection)


def test_only_statements_of_this_connection_are_stopped(connection: minisql.Connection) -> None:
    other = minisql.connect()
    timers = [later(0.02, other.interrupt), later(0.05, connection.interrupt)]
    with pytest.raises(minisql.OperationalError):
        connection.execute(ENDLESS)
    for timer in timers:
        timer.join()


def test_an_interrupt_stops_the_statements_of_all_threads(connection: minisql.Connection) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            connection.cursor().execute(ENDLESS)
        except minisql.OperationalError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(connection._executor.running._statements) < 3:
        time.sleep(0.001)
    connection.interrupt()
    for thread in threads:
        thread.join(10)
    assert len(errors) == 3
    check_usable(connection)


def test_a_stop_that_is_swallowed_is_made_again(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_PATIENCE", 0.01)
    swallowed: list[BaseException] = []

    def stubborn(array: pa.Array) -> pa.Array:
        try:
            if not swallowed:
                connection.interrupt()
            while len(swallowed) < 3:
                sum(range(1000))
        except BaseException as error:
            swallowed.append(error)
            return stubborn(array)
        while True:
            sum(range(1000))

    connection.create_function("stubborn", stubborn, [int], int)
    with pytest.raises(minisql.OperationalError, match="was interrupted"):
        connection.execute("SELECT stubborn(k) FROM t")
    assert swallowed  # how many, depends on where the stops arrive
    check_usable(connection)


@pytest.mark.parametrize("timeout", [0.05, 1e-9])
def test_timeouts(connection: minisql.Connection, timeout: float) -> None:
    message = rf"took longer than its timeout, {timeout:g} seconds"
    for run in (connection.execute, connection.sql, connection.cursor().execute, connection.prepare(ENDLESS).execute):
        start = time.perf_counter()
        with pytest.raises(minisql.OperationalError, match=message):
            run(*([] if run.__qualname__.startswith("Prepared") else [ENDLESS]), timeout=timeout)
        assert time.perf_counter() - start < 5
    with pytest.raises(minisql.OperationalError, match=message):
        connection.executemany("DELETE FROM t WHERE k + 1 = (SELECT 0) + ?", [(0,)] * 1_000_000, timeout=timeout)
    check_usable(connection)


def test_a_timeout_that_is_not_reached(connection: minisql.Connection) -> None:
    assert connection.execute("SELECT count(*) FROM t", timeout=1000).fetchone() == (1000,)
    assert connection.execute("SELECT count(*) FROM t", timeout=float("inf")).fetchone() == (1000,)
    check_usable(connection)


# --- progress ---------------------------------------------------------------------------------------------------------


def test_progress(connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
    connection.execute("SET batch_rows = 100")
    seen: list[tuple[int, float | None]] = []
    threads = set()

    def note(progress: minisql.Progress) -> None:
        seen.append((progress.rows, progress.fraction))
        threads.add(threading.get_ident())

    sql = "SELECT count(*) FROM t AS a JOIN range(500) AS b ON a.k = b.range"
    assert connection.execute(sql, progress=note).fetchone() == (500,)
    assert len(set(seen)) == 15, "each scan gives its batches, and says that it is at its end"
    assert seen[0] == (100, 100 / 1500)
    assert seen[-1] == (1500, 1.0)
    assert seen == sorted(seen)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT k, g FROM t",
        "UPDATE t SET g = 0",
        "CREATE TABLE u AS SELECT * FROM t",
        "SELECT * FROM t UNION ALL SELECT * FROM t",
        "SELECT k, (SELECT max(k) FROM t AS b WHERE b.g > a.g) FROM t AS a",
    ],
)
def test_progress_of_other_statements(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
    seen: list[float | None] = []
    connection.execute(sql, progress=lambda progress: seen.append(progress.fraction))
    assert seen[-1] == 1.0


def test_progress_of_what_has_no_known_end(connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
    seen: list[tuple[int, float | None]] = []
    connection.execute(
        "WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r JOIN t ON n = k WHERE n < 5) SELECT * FROM r",
        progress=lambda progress: seen.append((progress.rows, progress.fraction)),
    )
    assert seen
    assert {fraction for _, fraction in seen} == {None}


def test_progress_is_reported_ten_times_a_second_at_most(connection: minisql.Connection) -> None:
    connection.execute("SET batch_rows = 10")
    calls: list[float] = []
    start = time.perf_counter()
    connection.execute(
        "SELECT count(*) FROM range(200000) AS a WHERE range % 7 = 3",
        progress=lambda progress: calls.append(time.perf_counter()),
    )
    assert len(calls) <= 1 + (time.perf_counter() - start) / progress_module.INTERVAL


def test_progress_is_reported_before_a_join_works_long(connection: minisql.Connection) -> None:
    """What the callback has been given goes on to say how far the query is."""
    given: list[minisql.Progress] = []
    connection.execute("SELECT count(*) FROM t AS a JOIN range(500) AS b ON a.k = b.range", progress=given.append)
    assert len(given) >= 1
    assert (given[0].rows, given[0].fraction) == (1500, 1.0)


@pytest.mark.parametrize("condition", ["a.range % 2 = b.range % 2 AND a.range < b.range", "a.range * b.range = -1"])
def test_progress_of_a_join_of_few_rows(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    """Whose scans have long been read: it is told, and can stop the query, all the same."""
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
    connection.execute("SET batch_rows = 1000")
    seen: list[float | None] = []
    connection.execute(
        f"SELECT count(*) FROM range(1000) AS a JOIN range(1000) AS b ON {condition}",
        progress=lambda progress: seen.append(progress.fraction),
    )
    assert seen.count(1.0) > 100
    assert seen == sorted(seen, key=lambda fraction: fraction or 0.0)


@pytest.mark.parametrize("sql", [ENDLESS, "INSERT INTO t SELECT range, 1 FROM range(100000000000)"])
def test_a_callback_can_stop_the_query(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
    with pytest.raises(minisql.OperationalError, match="stopped by its progress callback"):
        connection.execute(sql, progress=lambda progress: False)

    def fail(progress: minisql.Progress) -> None:
        raise KeyError(repr(progress))

    with pytest.raises(KeyError, match="Progress"):
        connection.execute(sql, progress=fail)
    check_usable(connection)


# --- threads ----------------------------------------------------------------------------------------------------------


def test_eight_threads_on_one_database(connection: minisql.Connection) -> None:
    """Four threads write and four read. What was written is there, all of it, and what is read was there once."""
    connection.execute("CREATE TABLE log (thread INTEGER, n INTEGER); CREATE TABLE total (n INTEGER)")
    connection.execute("INSERT INTO total VALUES (0)")
    rounds, failures = 25, []
    start = threading.Barrier(8)

    def write(thread: int) -> None:
        cursor = connection.cursor()
        for n in range(rounds):
            cursor.execute("INSERT INTO log SELECT ?, ? FROM range(10)", (thread, n))
            cursor.executemany("INSERT INTO log VALUES (?, ?)", [(thread, n)] * 10)
            cursor.execute("UPDATE total SET n = n + 1")

    def read(thread: int) -> None:
        cursor, before = connection.cursor(), 0
        for n in range(rounds):
            query = "SELECT a.g, count(*), sum(b.k) FROM t AS a JOIN t AS b USING (k) GROUP BY a.g ORDER BY a.g"
            rows = cursor.execute(query).fetchall()
            assert [row[:2] for row in rows] == [(g, 143 if g < 6 else 142) for g in range(7)]
            groups = cursor.execute("SELECT thread, n, count(*) FROM log GROUP BY thread, n").fetchall()
            assert all(count in (10, 20) for _, _, count in groups)
            ((total,),) = cursor.execute("SELECT n FROM total").fetchall()
            assert before <= total
            before = total
            cursor.execute("SELECT ? + 1", (n,))
            assert cursor.fetchone() == (n + 1,)

    def guarded(work: Callable[[int], None], thread: int) -> None:
        start.wait()
        try:
            work(thread)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(write if i % 2 else read, i)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not failures
    assert connection.execute("SELECT n FROM total").fetchone() == (4 * rounds,)
    query = "SELECT count(*), count(DISTINCT (thread * 1000 + n)), min(thread), max(thread) FROM log"
    assert connection.execute(query).fetchone() == (4 * rounds * 20, 4 * rounds, 1, 7)


def test_a_query_does_not_wait_for_another_one(connection: minisql.Connection) -> None:
    thread = threading.Thread(target=run_until_stopped, args=(connection.execute,))
    thread.start()
    while not connection._executor.running._statements:
        time.sleep(0.001)
    time.sleep(0.02)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
    assert connection.execute("DELETE FROM t WHERE k < 10").rowcount == 10
    connection.interrupt()
    thread.join(10)
    assert not thread.is_alive()


def test_two_threads_on_one_cursor(connection: minisql.Connection) -> None:
    cursor = connection.cursor()
    thread = threading.Thread(target=run_until_stopped, args=(cursor.execute,))
    thread.start()
    while not connection._executor.running._statements:
        time.sleep(0.001)
    for use in (
        lambda: cursor.execute("SELECT 1"),
        cursor.fetchone,
        cursor.fetchall,
        lambda: list(cursor),
        cursor.close,
    ):
        with pytest.raises(minisql.InterfaceError, match="cursor for each thread"):
            use()
    connection.interrupt()
    thread.join(10)
    assert not thread.is_alive()
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_two_threads_on_one_result(connection: minisql.Connection) -> None:
    """The rows are shared out among the threads, or one of them is told; none is lost or comes twice."""
    result = connection.execute("SELECT range FROM range(100000)")
    rows: list[object] = []
    told = []

    def fetch() -> None:
        while True:
            try:
                if (row := result.fetchone()) is None:
                    return
            except minisql.InterfaceError as error:
                told.append(error)
            else:
                rows.append(row)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(rows) == [(n,) for n in range(100000)]  # type: ignore[type-var]
    assert all("Another thread is fetching" in str(error) for error in told)


def test_a_timeout_is_for_the_sets_of_values_too() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        with pytest.raises(minisql.OperationalError, match="timeout"):
            connection.executemany("INSERT INTO t VALUES (?)", ([i] for i in count()), timeout=0.05)
        assert connection.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
