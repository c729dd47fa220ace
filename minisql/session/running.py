"""Statements that are running, and how another thread, or the clock, stops them.

What stops a statement is an exception that the interpreter raises in its thread at the next bytecode (as it does for
KeyboardInterrupt, but in any thread), so planning, execution and functions of the user all stop without looking for a
flag. One call into numpy, Arrow or compiled code is always finished first. A statement that is stopped has changed
nothing, unless it was done with its work when the exception came.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from minisql.errors import InterfaceError, NotSupportedError, OperationalError

T = TypeVar("T")

_PATIENCE: Final = 0.25
"""Seconds after which a statement that goes on is stopped again: Python drops what is raised in a finalizer."""
_LONGEST: Final = 1e9
_MOST_NESTED: Final = 32
"""How deep functions and progress callbacks may run statements that call them."""


class _Nesting(threading.local):
    """How many statements of this thread are running, whatever their connections: each is called by the one before."""

    depth = 0


_nesting: Final = _Nesting()


class _Stop(BaseException):
    """Raised in the thread of a statement. A BaseException, so that no function of the user takes it for its own."""


class _Statement:
    """One that is running. `is_ended` is set under the lock of the module."""

    __slots__ = ("done", "is_caught", "is_ended", "reason", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.reason = ""
        self.is_ended = self.is_caught = False
        self.done: threading.Event | None = None


_lock: Final = threading.Lock()


class RunningStatements:
    """Those of one connection."""

    def __init__(self) -> None:
        self._statements: set[_Statement] = set()

    def run(self, work: Callable[[], T], timeout: float | None = None) -> T:
        """Does the work of a statement, for `timeout` seconds at most.

        Raises:
            OperationalError: the statement was interrupted, or the time is up.
            NotSupportedError: functions run statements that call functions, too deeply.
        """
        if _nesting.depth >= _MOST_NESTED:
            raise NotSupportedError(f"Functions run statements that call functions, {_MOST_NESTED} levels deep.")
        statement, depth = _Statement(), _nesting.depth
        try:
            _nesting.depth = depth + 1
            try:
                with _lock:
                    self._statements.add(statement)
                if timeout is not None:
                    statement.done = threading.Event()
                    _watch(statement, timeout, f"The statement took longer than its timeout, {timeout:g} seconds.")
                return work()
            finally:
                self._end(statement)
        except _Stop:
            statement.is_caught = True
            self._end(statement)
        finally:
            _nesting.depth = depth
        raise OperationalError(statement.reason)

    def interrupt(self) -> None:
        """Stops what is running now; returns at once."""
        with _lock:
            statements = list(self._statements)
            for statement in statements:
                statement.done = statement.done or threading.Event()
        for statement in statements:
            _watch(statement, 0.0, "The statement was interrupted.")

    def _end(self, statement: _Statement) -> None:
        """From here on nothing is raised in the thread of the statement for its sake; what is due is taken here.

        The interpreter can also be told to forget it, but CPython 3.11 goes on looking for it then, at every bytecode,
        and without end where the thread is traced.
        """
        while not statement.is_ended:
            try:
                with _lock:
                    self._statements.discard(statement)
                    statement.is_ended = True
                    if statement.done is not None:
                        statement.done.set()
                for _ in range(2):
                    pass  # a loop is where the interpreter looks for exceptions that are due
            except _Stop:
                continue


def checked_timeout(timeout: object) -> float | None:
    """A number of seconds, or None.

    Raises:
        InterfaceError: it is neither.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise InterfaceError(f"A timeout is a number of seconds greater than 0, not {timeout!r}.")
    return min(float(timeout), _LONGEST)


def _watch(statement: _Statement, seconds: float, reason: str) -> None:
    """Starts a thread that stops the statement, if it is still running after so many seconds."""
    done = statement.done
    assert done is not None

    def stop() -> None:
        wait = seconds
        while not done.wait(wait):
            with _lock:
                if statement.is_ended or statement.is_caught:
                    return
                statement.reason = statement.reason or reason
                _stop_thread(statement.thread)
            wait = _PATIENCE

    threading.Thread(target=stop, name="minisql-stop", daemon=True).start()


def _stop_thread(thread: int) -> None:
    """Has the exception raised in a thread, at its next bytecode that looks for such things: a call, a loop."""
    import ctypes  # which few statements need

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Stop))
