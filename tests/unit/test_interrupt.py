"""An interrupt in the middle of planning leaves the connection as it was."""

from __future__ import annotations

import gc
import inspect
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

import pytest

import minisql


def chain(tables: int) -> str:
    kinds = ("INNER", "LEFT", "FULL")
    joins = "".join(f" {kinds[i % 3]} JOIN t{i % 4} AS a{i} ON a{i - 1}.x = a{i}.y" for i in range(1, tables))
    return f"SELECT count(*) FROM t0 AS a0{joins}"


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("SET plan_cache = off")
    for i in range(4):
        connection.execute(f"CREATE TABLE t{i} AS SELECT range AS x, range % {i + 2} AS y FROM range({10 * (i + 1)})")
    return connection


def check_usable(connection: minisql.Connection, state: tuple[object, ...]) -> None:
    """Nothing has changed, and no lock is held: another thread gets its turn."""
    assert state_of(connection) == state
    answers: list[object] = []
    thread = threading.Thread(
        target=lambda: answers.append(connection.execute("SELECT count(*) FROM t1 JOIN t2 ON t1.x = t2.x").fetchall())
    )
    thread.start()
    thread.join(10)
    assert answers == [[(20,)]]


def state_of(connection: minisql.Connection) -> tuple[object, ...]:
    tables = {name: connection.execute(f"SELECT count(*), sum(x) FROM {name}").fetchall() for name in ("t0", "t3")}
    return connection.execute("SELECT 1").fetchall(), tables, connection._executor.runner.settings


class Interrupted(BaseException):
    """What the handler raises."""


def test_an_interrupt_at_any_call(connection: minisql.Connection) -> None:
    """KeyboardInterrupt is raised at the n-th call of a function of ours while a query is planned, for many n."""
    query = chain(40)
    connection.execute("SET pair_budget = 100")
    expected = connection.plan(query).path.cost
    state = state_of(connection)
    calls = 0
    limit = sys.maxsize

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        # Python drops what is raised while a generator is thrown away.
        if event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR:
            calls += 1
            if calls == limit:
                raise KeyboardInterrupt

    def plan() -> float:
        nonlocal calls
        calls = 0
        before = sys.getprofile()
        # Python drops what is raised in a call that the collection of garbage makes.
        gc.disable()
        sys.setprofile(count)
        try:
            return connection.plan(query).path.cost
        finally:
            sys.setprofile(before)
            gc.enable()

    assert plan() == expected
    assert plan() == expected
    all_calls = calls - 1000
    for part in range(1, 60):
        limit = all_calls * part // 60
        with pytest.raises(KeyboardInterrupt):
            plan()
        check_usable(connection, state)
    limit = sys.maxsize
    assert plan() == expected


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no interval timers on this system")
def test_a_signal_in_the_middle_of_a_thousand_joins(connection: minisql.Connection) -> None:
    query = chain(1000)
    state = state_of(connection)
    expected = connection.plan(query).path.cost  # which loads and computes what later plans find there
    start = time.process_time()
    connection.plan(query)
    seconds = time.process_time() - start

    def handler(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    def plan_until_interrupted() -> None:
        # Python drops what is raised in a call that the collection of garbage makes, and others may have asked for one.
        gc.disable()
        try:
            connection.plan(query)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            gc.enable()

    before = signal.signal(signal.SIGPROF, handler)
    try:
        for part in (0.05, 0.3, 0.5):
            signal.setitimer(signal.ITIMER_PROF, seconds * part, seconds * part / 5)
            with pytest.raises(Interrupted):
                plan_until_interrupted()
            check_usable(connection, state)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    assert connection.plan(query).path.cost == expected
