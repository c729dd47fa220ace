"""What the tests of the shell share: a terminal that is none, and a shell on it."""

from __future__ import annotations

import io

import pytest

import minisql
from minisql.shell.shell import Shell


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def terminal_shell(monkeypatch: pytest.MonkeyPatch, columns: int = 80, lines: int = 24) -> tuple[Shell, Terminal]:
    """An interactive shell that prints, errors too, on a terminal of this size."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setenv("NO_COLOR", "1")
    return Shell(minisql.connect(), is_interactive=True), terminal


def printed(terminal: Terminal) -> str:
    """What was printed since the last call."""
    text = terminal.getvalue()
    terminal.seek(0)
    terminal.truncate()
    return text
