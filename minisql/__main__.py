"""`minisql`, the command: runs SQL from the command line, from files, or from standard input."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code: 0, or 1 after the first statement that fails."""
    options = _parser().parse_args(arguments)
    # Nothing that loading the engine makes is garbage; to look for it would take a tenth of the start-up.
    gc.disable()
    from minisql.session.connection import connect
    from minisql.shell.repl import run_interactive, run_script

    gc.freeze()
    gc.set_threshold(100_000)  # which the grammar's tables do not reach
    gc.enable()
    with connect() as connection:
        if not options.scripts and sys.stdin.isatty():
            return run_interactive(connection, sys.stdin, options.mode)
        for kind, value in options.scripts or [("file", "-")]:
            if kind == "sql":
                text = value
            else:
                text_or_error = _read(value)
                if isinstance(text_or_error, OSError | UnicodeDecodeError):
                    sys.stderr.write(f"minisql: {value}: {_reason(text_or_error)}\n")
                    return 1
                text = text_or_error
            if not run_script(connection, text, options.mode):
                return 1
    return 0


def run() -> None:
    """The command: runs `main` and ends the process.

    Everything is written and closed by then, so the interpreter need not be taken apart piece by piece, which would
    take as long as many a query.
    """
    try:
        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 1  # the reader has seen enough, as `head` does
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minisql", description="Runs SQL. Without -c and -f it reads statements from standard input."
    )
    parser.add_argument(
        "-c",
        dest="scripts",
        metavar="SQL",
        action="append",
        type=lambda text: ("sql", text),
        help="run these statements",
    )
    parser.add_argument(
        "-f",
        dest="scripts",
        metavar="FILE",
        action="append",
        type=lambda path: ("file", path),
        help="run the statements of a file; - is standard input",
    )
    parser.add_argument("--mode", choices=("table", "csv", "json"), default="table", help="how results are printed")
    return parser


def _read(path: str) -> str | OSError | UnicodeDecodeError:
    try:
        if path == "-":
            return sys.stdin.read()
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  (pathlib costs start-up time)
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        return error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return error.strerror or str(error)


if __name__ == "__main__":
    run()
