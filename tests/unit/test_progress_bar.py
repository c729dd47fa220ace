from __future__ import annotations

import io
import threading

import pytest

from minisql.execution.progress import Progress
from minisql.shell.progress_bar import ProgressBar, duration, progress_line
from tests.shell import Terminal


def report(rows: int, fraction: float | None) -> Progress:
    progress = Progress(lambda _: None)
    progress.rows, progress.fraction = rows, fraction
    return progress


class Watched(Terminal):
    """A terminal that says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()
        self.wanted = ""

    def write(self, text: str) -> int:
        count = super().write(text)
        if self.wanted in text:
            self.written.set()
        return count


@pytest.mark.parametrize(
    ("rows", "fraction", "elapsed", "line"),
    [
        (12_000_000, 0.5, 4.0, f"[{'#' * 12}{' ' * 12}]   50%  12,000,000 rows  about 4.0 s left  Ctrl-C cancels"),
        (0, 0.0, 3.0, f"[{' ' * 24}]    0%  0 rows  3.0 s  Ctrl-C cancels"),
        (None, 1.0, 30.0, f"[{'#' * 24}]  100%  30 s  Ctrl-C cancels"),
        (None, 0.01, 10.0, f"[{' ' * 24}]    1%  about 16 min 30 s left  Ctrl-C cancels"),
        (7, None, 65.0, "1 min 5 s  7 rows  Ctrl-C cancels"),
        (None, None, 2.25, "2.2 s  Ctrl-C cancels"),
        (None, 1.5, 2.0, f"[{'#' * 24}]  100%  2.0 s  Ctrl-C cancels"),  # an estimate that was too low
    ],
)
def test_what_the_bar_says(rows: int | None, fraction: float | None, elapsed: float, line: str) -> None:
    assert progress_line(rows, fraction, elapsed, 100) == line


@pytest.mark.parametrize("width", range(1, 100))
def test_the_bar_fits_the_screen(width: int) -> None:
    line = progress_line(12_000_000, 0.5, 4.0, width)
    assert len(line) < max(width, 2)
    assert "50%" in line or width < 25


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_bar_appears_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Watched()
    terminal.wanted = "1,234 rows"
    with ProgressBar(terminal, delay=0.0) as bar:
        bar(report(1234, 0.25))
        assert terminal.written.wait(30)
    assert "25%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_the_time_is_shown_where_nothing_is_reported() -> None:
    terminal = Watched()
    terminal.wanted = " s"
    with ProgressBar(terminal, delay=0.0):
        assert terminal.written.wait(30)


def test_short_queries_and_files_have_no_bar() -> None:
    for stream, delay in ((Terminal(), 60.0), (io.StringIO(), 0.0)):
        with ProgressBar(stream, delay=delay) as bar:
            bar(report(1, 0.5))
        assert stream.getvalue() == ""


def test_the_bar_is_gone_after_an_error() -> None:
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), ProgressBar(Terminal(), delay=0.0):
        raise KeyboardInterrupt
    assert threading.active_count() == before
