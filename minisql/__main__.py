"""`minisql`, the command: runs SQL from the command line, from files, or from standard input."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code: 0, or 1 after the first statement that fails."""
    from minisql.session.connection import connect
    from minisql.shell.repl import run_interactive, run_script

    options = _parser().parse_args(arguments)
    with connect() as connection:
        if not options.scripts and sys.stdin.isatty():
            return run_interactive(connection, sys.stdin, options.mode)
        for kind, value in options.scripts or [("file", "-")]:
            try:
                text = value if kind == "sql" else _read(value)
            except (OSError, UnicodeDecodeError) as error:
                sys.stderr.write(f"minisql: {value}: {_reason(error)}\n")
                return 1
            if not run_script(connection, text, options.mode, warns=options.warns):
                return 1
    return 0


def run() -> None:
    """The command as a process: starts and ends quickly around `main`.

    Nothing that loading the engine makes is garbage, and to look for it would take a tenth of the start-up. At the end
    everything is written and closed, so the interpreter need not be taken apart piece by piece.
    """
    gc.disable()
    import_module("minisql.shell.repl")
    gc.freeze()
    gc.set_threshold(1_000_000)  # which the tables of the grammar do not reach
    gc.enable()
    try:
        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 1  # the reader has seen enough, as `head` does
    os._exit(code)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import minisql

        how = "compiled" if minisql.planner_is_compiled() else "interpreted"
        parser.exit(message=f"minisql {minisql.__version__}, planner {how}\n")


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
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the version, and whether the planner is compiled"
    )
    parser.add_argument("--mode", choices=("table", "csv", "json"), default="table", help="how results are printed")
    parser.add_argument(
        "--warnings",
        dest="warns",
        action=argparse.BooleanOptionalAction,
        help="print warnings on standard error, or do not; without either they are printed where that is a terminal",
    )
    return parser


def _read(path: str) -> str:
    return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return error.strerror or str(error)


if __name__ == "__main__":
    run()
