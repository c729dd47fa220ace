"""Runs scripts, and a plain read loop for a terminal."""

from __future__ import annotations

import sys
from typing import Final, TextIO

from minisql.errors import Error
from minisql.parser.parse import statement_end
from minisql.session.connection import Connection
from minisql.shell.output import print_result, print_warnings

PROMPT: Final = "minisql> "
CONTINUATION: Final = "    ...> "


def run_script(connection: Connection, text: str, mode: str, *, warns: bool | None = None) -> bool:
    """Runs the statements of a text and prints their results up to the first that fails; whether all went well.

    The error goes to standard error, and so do warnings where it `warns`; None is where that is a terminal.
    """
    warns = sys.stderr.isatty() if warns is None else warns
    try:
        for result in connection.execute_script(text):
            print_result(result, mode, sys.stdout)
            if warns and result.warnings:
                sys.stdout.flush()
                print_warnings(result, sys.stderr)
    except Error as error:
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        return False
    return True


def run_interactive(connection: Connection, stream: TextIO, mode: str) -> int:
    """Reads statements from a terminal until its end; an error ends the statement, not the loop. Gives 0."""
    pending = ""
    while True:
        sys.stdout.write(CONTINUATION if pending.strip() else PROMPT)
        sys.stdout.flush()
        line = stream.readline()
        if not line:
            sys.stdout.write("\n")
            return 0
        pending += line
        while (end := statement_end(pending, 0)) is not None:
            run_script(connection, pending[:end], mode)
            pending = pending[end:]
        if not pending.strip():
            pending = ""
