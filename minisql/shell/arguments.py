"""The command line of `minisql`, and the scripts that it names."""

from __future__ import annotations

import argparse
import io
import sys

from minisql.catalog.paths import user_path
from minisql.shell.output import MODES


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import minisql

        how = "compiled" if minisql.planner_is_compiled() else "interpreted"
        print(f"minisql {minisql.__version__}, planner {how}")
        parser.exit()


def argument_parser() -> argparse.ArgumentParser:
    """What `minisql` takes."""
    parser = argparse.ArgumentParser(
        prog="minisql",
        description="Runs SQL: the shell on a terminal, otherwise what standard input has.",
        epilog="Exit codes: 0, 1 after the first statement that fails, 2 for a wrong command line, 130 after Ctrl-C.",
    )
    parser.add_argument(
        "files",
        metavar="FILE|FOLDER",
        nargs="*",
        help="a Parquet, CSV or JSON file, which becomes a view with the name of the file, or a folder of such files",
    )
    parser.add_argument(
        "-c",
        dest="scripts",
        metavar="SQL",
        action="append",
        type=lambda text: ("sql", text),
        help="run these statements and dot commands",
    )
    parser.add_argument(
        "-f",
        dest="scripts",
        metavar="FILE",
        action="append",
        type=lambda path: ("file", path),
        help="run the statements and dot commands of a file; - is standard input",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the version, and whether the planner is compiled"
    )
    parser.add_argument("--mode", choices=tuple(MODES), default="table", help="how results are printed")
    parser.add_argument(
        "--warnings",
        dest="warns",
        action=argparse.BooleanOptionalAction,
        help="print warnings on standard error, or do not; without either they are printed where that is a terminal",
    )
    return parser


def read_script(path: str) -> str:
    """The text of a script, without a byte order mark; `-` is standard input.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not in UTF-8.
    """
    if path != "-":
        return user_path(path).read_text(encoding="utf-8-sig")
    if isinstance(sys.stdin, io.TextIOWrapper) and sys.stdin.encoding.lower() == "utf-8":
        sys.stdin.reconfigure(errors="strict")  # not the "surrogateescape" of some locales
    return "" if sys.stdin is None else sys.stdin.read().removeprefix("\ufeff")
