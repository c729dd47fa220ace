"""The progress of a query on a terminal: rows, the part that is done, the time that is left."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

from minisql.shell.display import terminal_width

if TYPE_CHECKING:
    from minisql.execution.progress import Progress

DELAY: Final = 2.0
"""Seconds before a bar is drawn: most queries are done by then."""
INTERVAL: Final = 0.1
"""Seconds between two drawings."""
_BAR_WIDTH: Final = 24
_CLEAR_LINE: Final = "\r\x1b[K"


class ProgressBar:
    """A line that appears when a query takes long, and is gone at its end.

        with ProgressBar(sys.stderr) as bar:
            connection.execute(sql, progress=bar)

    It draws by itself, also while the engine reports nothing; without reports it shows the time that has passed.
    """

    def __init__(self, stream: TextIO, *, delay: float = DELAY) -> None:
        self._stream = stream
        self._delay = delay
        self._progress: Progress | None = None
        self._ended = threading.Event()
        self._start = 0.0
        self._thread: threading.Thread | None = None

    def __call__(self, progress: Progress) -> None:
        """Takes a report of the engine."""
        self._progress = progress

    def __enter__(self) -> ProgressBar:
        if self._stream.isatty():
            self._start = time.perf_counter()
            self._thread = threading.Thread(target=self._draw, name="progress bar", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._ended.set()
            self._thread.join()

    def _draw(self) -> None:
        if self._ended.wait(self._delay):
            return
        while not self._ended.wait(INTERVAL):
            progress, elapsed = self._progress, time.perf_counter() - self._start
            rows, fraction = (None, None) if progress is None else (progress.rows, progress.fraction)
            self._write(_CLEAR_LINE + progress_line(rows, fraction, elapsed, terminal_width()))
        self._write(_CLEAR_LINE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def progress_line(rows: int | None, fraction: float | None, elapsed: float, width: int) -> str:
    """What the bar says: `[######      ]  50%  12,000,000 rows  about 4 s left`, as much of it as fits the width."""
    pieces = []
    if fraction is not None:
        fraction = min(max(fraction, 0.0), 1.0)
        pieces.append(f"{fraction:4.0%}")
        # Of the work on rows that are all read, as a sort, nobody knows how long it takes.
        is_guess = 0 < fraction < 1
        pieces.append(f"about {duration(elapsed * (1 / fraction - 1))} left" if is_guess else duration(elapsed))
    else:
        pieces.append(duration(elapsed))
    if rows is not None:
        pieces.insert(1, f"{rows:,} rows")
    if fraction is not None:
        filled = round(fraction * _BAR_WIDTH)
        pieces.insert(0, f"[{'#' * filled}{' ' * (_BAR_WIDTH - filled)}]")
    pieces.append("Ctrl-C cancels")
    while len(pieces) > 1 and len("  ".join(pieces)) >= width:
        pieces.pop(0 if pieces[0].startswith("[") and len(pieces) <= 4 else -1)
    return "  ".join(pieces)[: max(width - 1, 0)]


def duration(seconds: float) -> str:
    """A time for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
