"""What the command `minisql` does with its arguments."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from minisql.errors import Error
from minisql.session.connection import connect
from minisql.shell.arguments import argument_parser, read_script
from minisql.shell.display import Display
from minisql.shell.shell import Quit, Shell


def run_command_line(arguments: Sequence[str] | None) -> int:
    """Runs the command and gives its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started the command: `>&-`
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    options = argument_parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a character that the terminal does not have ends nothing
    shell = Shell(connect(), Display(mode=options.mode))
    shell.warns = options.warns
    try:
        views = _open(shell, options.files) if options.files else []
        if views is None:
            return 1
        if not options.scripts and sys.stdin is not None and sys.stdin.isatty():
            return _run_shell(shell, views)
        return _run_scripts(shell, options.scripts or [("file", "-")])
    finally:
        shell.close()


def _open(shell: Shell, files: Sequence[str]) -> list[str] | None:
    from minisql.shell.views import create_views

    try:
        return create_views(shell.connection, files)
    except Error as error:
        shell.print_error(f"minisql: {error}")
        return None


def _run_shell(shell: Shell, views: list[str]) -> int:
    from minisql.shell.repl import greeting, run_interactive

    if sys.stdout.isatty():
        sys.stdout.write(greeting(views))
    return run_interactive(shell, sys.stdin)


def _run_scripts(shell: Shell, scripts: Sequence[tuple[str, str]]) -> int:
    for kind, value in scripts:
        try:
            text = value if kind == "sql" else read_script(value)
        except (OSError, UnicodeDecodeError) as error:
            sys.stderr.write(f"minisql: {value}: {_reason(error)}\n")
            return 1
        try:
            if not shell.run(text, value if kind == "file" and value != "-" else None):
                return 1
        except Quit:
            return 0
    return 0


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return error.strerror or str(error)
