"""How results are shown: what `.mode`, `.width`, `.rows` and `.nullvalue` set, and what the terminal allows."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import Final, TextIO

MAX_ROWS: Final = 40
"""The rows that are shown on a terminal where nobody asked for more."""
PAGED_ROWS: Final = 10_000
"""The same where there is a pager."""


@dataclass
class Display:
    """What the user wants. `None` is what fits: the terminal's width, `MAX_ROWS` on a terminal; 0 is no limit."""

    mode: str = "table"
    width: int | None = None
    rows: int | None = None
    null: str | None = None
    """What NULL is shown as; `None` is what the mode has for it."""

    def limits(self, stream: TextIO, *, paged: bool = False) -> Limits:
        """What holds for results on this stream. Where it is no terminal, only what the user asked for is cut."""
        on_terminal = stream.isatty()
        width = terminal_width() if self.width is None and on_terminal else self.width
        rows = (PAGED_ROWS if paged else MAX_ROWS) if self.rows is None and on_terminal else self.rows
        return Limits(width or None, rows or None, self.null, on_terminal)


@dataclass(frozen=True)
class Limits:
    """What is shown of a result: the columns of the terminal, the rows; `None` is no limit."""

    width: int | None = None
    rows: int | None = None
    null: str | None = None
    on_terminal: bool = False
    """Whether people look at it: control characters are shown as escapes, and the footer has the types."""


def terminal_width() -> int:
    """The columns of the terminal, 80 where it does not say."""
    return shutil.get_terminal_size().columns


def terminal_height() -> int:
    """The lines of the terminal, 24 where it does not say."""
    return shutil.get_terminal_size().lines


def has_colours(stream: TextIO) -> bool:
    """Whether colours may be written: to a terminal that has them, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
