"""Hands long output to a pager."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from minisql.errors import OperationalError

_LESS_OPTIONS: Final = "-FRSX"
"""Of less, unless LESS is set: leave at once what fits, keep colours, cut lines and do not clear the screen."""


def default_pager() -> str | None:
    """$PAGER, or else what is there of the usual ones."""
    chosen = os.environ.get("PAGER", "").strip()
    return chosen or next((name for name in ("less", "more") if shutil.which(name)), None)


def check_pager(command: str) -> list[str]:
    """The words of a command.

    Raises:
        OperationalError: a quote is not closed, or there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise OperationalError(f"The pager '{command}' cannot be started: a quote is not closed.") from error
    if not words or shutil.which(words[0]) is None:
        raise OperationalError(f"The pager '{command}' cannot be started: there is no such program.")
    return words


def page(text: str, command: str) -> None:
    """Shows the text with the pager. That the user leaves it before the end is no error.

    Raises:
        OperationalError: the pager cannot be started.
    """
    environment = os.environ | {"LESS": os.environ.get("LESS", _LESS_OPTIONS)}
    words = check_pager(command)
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, text=True, encoding="utf-8", env=environment)
    except OSError as error:
        reason = error.strerror or error
        raise OperationalError(f"The pager '{command}' cannot be started: {reason}.", hint=".pager off") from error
    with _left_to_the_pager():
        with suppress(BrokenPipeError):
            process.communicate(text)
        process.wait()


@contextmanager
def _left_to_the_pager() -> Iterator[None]:
    """Ctrl-C is for the pager, as long as it runs."""

    def ignore(number: int, frame: FrameType | None) -> None:
        """Does nothing; SIG_IGN would be handed down to the pager's children."""

    before = signal.signal(signal.SIGINT, ignore)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
