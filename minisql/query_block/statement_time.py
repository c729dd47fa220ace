"""The time of the statement that is being planned, for NOW and its like: one for the whole statement.

They become literals, of which the optimizer knows everything. A plan with such a literal is good for one run.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class StatementTime:
    """The time at which it was first asked for, in UTC; None as long as nobody has asked."""

    def __init__(self) -> None:
        self.read: datetime.datetime | None = None

    def now(self) -> datetime.datetime:
        """The time of the statement."""
        if self.read is None:
            self.read = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        return self.read


_current: ContextVar[StatementTime | None] = ContextVar("statement_time", default=None)


@contextmanager
def statement_time() -> Iterator[StatementTime]:
    """The time of what is resolved inside."""
    time = StatementTime()
    token = _current.set(time)
    try:
        yield time
    finally:
        _current.reset(token)


def now() -> datetime.datetime:
    """The time of the statement that is being resolved."""
    return (_current.get() or StatementTime()).now()
