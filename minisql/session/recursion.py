"""Room for deep queries: planning and execution walk trees that may be thousands of nodes deep.

Python counts frames, and its default limit of 1,000 is made for mistakes. Calls between Python functions cost no C
stack, so the limit can be far higher; what exceeds even that is a query that we do not support, and no crash.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from minisql.errors import NotSupportedError

FRAME_LIMIT: Final = 40_000


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raises the recursion limit of the interpreter, for good: another thread may need it when this one is done."""
    if sys.getrecursionlimit() < FRAME_LIMIT:
        sys.setrecursionlimit(FRAME_LIMIT)
    try:
        yield
    except RecursionError as error:
        raise NotSupportedError("The statement is nested too deeply.") from error
