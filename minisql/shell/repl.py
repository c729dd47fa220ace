"""Reads what the user types until the end: with editing on a terminal, or line by line."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from minisql.catalog.paths import user_path
from minisql.errors import counted
from minisql.printable import printable
from minisql.shell.arguments import read_script
from minisql.shell.script import is_farewell, parts
from minisql.shell.shell import Quit, Shell

PROMPT: Final = "minisql> "
CONTINUATION: Final = "    ...> "


def run_interactive(shell: Shell, stream: TextIO) -> int:
    """Runs what is typed, after the user's rc file; an error ends the statement, not the loop. Gives 0."""
    shell.is_interactive = True
    # Ctrl-C cancels also where whoever started this process had its own reasons to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    read = _line_editor(shell) if _can_edit(stream) else None
    try:
        _run_rc_file(shell)
        if read is None:
            _read_lines(shell, stream)
        else:
            _read_entries(shell, read)
    except Quit:
        pass
    return 0


def _can_edit(stream: TextIO) -> bool:
    return stream is sys.stdin and stream.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _line_editor(shell: Shell) -> Callable[[], str] | None:
    """What reads an entry from the terminal; None where the packages for it are missing."""
    try:
        from minisql.shell.line_editor import LineEditor
    except ImportError as error:
        sys.stderr.write(
            f"minisql: {error.name} is not installed: no editing, no completion, no history."
            " To have them: pip install prompt_toolkit Pygments\n"
        )
        return None
    return LineEditor(shell, PROMPT, CONTINUATION).read


def _read_entries(shell: Shell, read: Callable[[], str]) -> None:
    while True:
        try:
            text = read()
            if is_farewell(text):
                return
            shell.run(text)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _read_lines(shell: Shell, stream: TextIO) -> None:
    pending = ""
    while True:
        sys.stdout.write(CONTINUATION if pending.strip() else PROMPT)
        sys.stdout.flush()
        try:
            line = stream.readline()
            if not line:
                sys.stdout.write("\n")
                return
            pending += line
            if is_farewell(pending):
                return
            complete = max((part.end for part in parts(pending) if part.is_complete), default=0)
            entry, pending = pending[:complete], pending[complete:].lstrip()
            shell.run(entry)
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            pending = ""


def rc_file() -> Path | None:
    """What is run before the first prompt: $MINISQLRC, or else ~/.minisqlrc; None if $MINISQLRC is empty."""
    named = os.environ.get("MINISQLRC")
    if named is None:
        return user_path("~/.minisqlrc")
    return user_path(named) if named else None


def _run_rc_file(shell: Shell) -> None:
    """Runs the rc file up to its first mistake, which is told; that there is none is none."""
    file = rc_file()
    if file is None or (not file.exists() and "MINISQLRC" not in os.environ):
        return
    try:
        text = read_script(str(file))
    except (OSError, UnicodeDecodeError) as error:
        shell.print_error(f"minisql: {file}: {getattr(error, 'strerror', None) or 'it is not in UTF-8'}")
        return
    shell.is_interactive = False
    try:
        if not shell.run(text, str(file)):
            shell.print_error(f"minisql: {file} was run up to there.")
    except KeyboardInterrupt:
        shell.print_error(f"Cancelled.\nminisql: {file} was run up to there.")
    finally:
        shell.is_interactive = True


def greeting(views: list[str]) -> str:
    """What the shell says first."""
    import minisql

    opened = f"{counted(len(views), 'view')}: {printable(', '.join(views))}\n" if views else ""
    return f"minisql {minisql.__version__}. A statement ends with ;  .help lists the commands, Ctrl-D leaves.\n{opened}"
