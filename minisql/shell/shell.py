"""The state of the shell, and how it runs what it is given: statements and dot commands, one after the other."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from typing import Final

from minisql.errors import LINE_WIDTH, Error, OperationalError, SqlError, with_place
from minisql.parser.split import statement_start
from minisql.printable import printable_lines
from minisql.session.connection import Connection
from minisql.session.result import Result
from minisql.shell.display import Display, has_colours, terminal_height, terminal_width
from minisql.shell.mistakes import Told, coloured, in_the_whole
from minisql.shell.output import counted_rows, print_result
from minisql.shell.progress_bar import ProgressBar
from minisql.shell.script import Part, parts

_QUERY: Final = re.compile(r"\(|(SELECT|WITH|FROM|VALUES|TABLE)\b", re.IGNORECASE)
_MAX_DEPTH: Final = 20
"""How deep scripts may read each other."""


class Quit(Exception):  # noqa: N818
    """The user leaves."""


class ScriptFailed(Exception):  # noqa: N818
    """A script that another one reads has failed, and has said so."""


class Shell:
    """A connection, and what its user has set."""

    def __init__(self, connection: Connection, display: Display | None = None, *, is_interactive: bool = False) -> None:
        self.connection = connection
        self.display = display or Display()
        self.is_interactive = is_interactive
        """Whether somebody types: an error or Ctrl-C ends the statement and not the whole."""
        self.timer = False
        self.explains = False
        """Whether the plan of each query is shown before its rows."""
        self.warns: bool | None = None
        """Whether warnings are printed on standard error; None is where that is a terminal."""
        self.pager: str | None = None
        self.last_query: str | None = None
        """The query that was run last, for the commands about plans."""
        self.generation = 0
        """A number that grows with everything that is run: what was known of the tables may no longer be so."""
        self._depth = 0

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, text: str, file: str | None = None) -> bool:
        """Runs the statements and commands of a text, and prints what they give; whether all went well.

        A script ends with the first that fails, of what was typed the next one is run. The error is on standard error,
        with the name of the file and the number of its line if the text is of a file.

        Raises:
            Quit: the text says so.
        """
        went_well = True
        for part in parts(text):
            if not self._run_part(part, text, file):
                went_well = False
                if not self.is_interactive or self._depth:
                    break
        return went_well

    def run_nested(self, text: str, file: str | None) -> None:
        """Runs a script that another one reads, or the user, from a file: up to the first mistake.

        Raises:
            ScriptFailed: there was one.
        """
        if self._depth >= _MAX_DEPTH:
            raise OperationalError(f"More than {_MAX_DEPTH} scripts read each other.")
        self._depth += 1
        try:
            if not self.run(text, file):
                raise ScriptFailed
        finally:
            self._depth -= 1

    def _run_part(self, part: Part, text: str, file: str | None) -> bool:
        self.generation += 1
        try:
            if part.is_command:
                from minisql.shell.dot_commands import run_command

                run_command(self, part.text)
            else:
                self._run_statement(part, text)
        except Error as error:
            if isinstance(error, SqlError):
                error = self._in_the_whole(error, part, text)
            place = "" if file is None else f"{file}:{_line_of(error, part, text)}: "
            self.print_error(error, place)
            return False
        except ScriptFailed:
            return False
        except KeyboardInterrupt:
            if not self.is_interactive:
                raise
            self.print_error("Cancelled.")
            return False
        except (BrokenPipeError, Quit):
            raise
        except Exception:
            if not self.is_interactive:
                raise
            import traceback

            traceback.print_exc()  # a bug of ours takes nothing with it that the user has in memory
            return False
        return True

    def _in_the_whole(self, told: Told, part: Part, text: str) -> Told:
        is_script = not self.is_interactive or self._depth > 0
        return in_the_whole(told, part, text, last_query=self.last_query, is_script=is_script)

    def _run_statement(self, part: Part, text: str) -> None:
        """Runs one statement and prints its result."""
        sql = part.text
        is_query = _QUERY.match(sql, statement_start(sql, 0)) is not None
        if is_query and self.explains:
            self.show(self.execute(f"EXPLAIN {sql}"))
        start = time.perf_counter()
        try:
            result = self.execute(sql)
        except KeyboardInterrupt:
            if is_query:
                self.last_query = sql
            raise
        seconds = time.perf_counter() - start
        if is_query:
            self.last_query = sql
        self.show(result, is_vertical=part.is_vertical)
        if result.warnings and (sys.stderr.isatty() if self.warns is None else self.warns):
            sys.stdout.flush()
            for warning in result.warnings:
                shown = with_place(self._in_the_whole(warning, part, text), _error_width())
                sys.stderr.write(f"WARNING: {shown}\n")
        if self.timer:
            sys.stdout.flush()
            sys.stderr.write(f"Run time: {seconds:.3f} s\n")

    def execute(self, sql: str) -> Result:
        """Runs one statement; on a terminal there is a bar where it takes long."""
        if not (sys.stdout.isatty() and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
            return self.connection.execute(sql)
        with ProgressBar(sys.stderr) as bar:
            return self.connection.execute(sql, progress=bar)

    # --- printing -----------------------------------------------------------------------------------------------------

    def show(self, result: Result, *, is_vertical: bool = False) -> None:
        """Prints a result, through the pager if there is one and the screen is too small."""
        stream = sys.stdout
        mode = "vertical" if is_vertical else self.display.mode
        if not result.names:
            if stream.isatty() and result.rowcount >= 0:
                stream.write(f"({counted_rows(result.rowcount)} changed)\n")
            return
        if self.pager is None or not stream.isatty():
            print_result(result, mode, stream, self.display.limits(stream))
            return
        whole = io.StringIO()
        print_result(result, mode, whole, self.display.limits(stream, paged=True))
        self.show_text(whole.getvalue())

    def show_text(self, text: str) -> None:
        """Prints a text, through the pager if there is one and the screen is too small."""
        if sys.stdout.isatty():
            text = printable_lines(text)
        if self.pager is not None and sys.stdout.isatty() and text.count("\n") >= terminal_height():
            from minisql.shell.pager import page

            sys.stdout.flush()
            page(text, self.pager)
        else:
            sys.stdout.write(text)

    def print_error(self, error: Error | str, place: str = "") -> None:
        """Prints an error on standard error, after all that was printed before."""
        sys.stdout.flush()
        text = place + (with_place(error, _error_width()) if isinstance(error, SqlError) else str(error))
        sys.stderr.write(f"{coloured(text) if has_colours(sys.stderr) else text}\n")
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """Tells the user, where there is one."""
        if self.is_interactive and sys.stdout.isatty():
            sys.stdout.write(f"{printable_lines(text)}\n")

    def close(self) -> None:
        """Closes the database."""
        self.connection.close()


def _error_width() -> int:
    """The columns that a line of a statement is shown in, below an error."""
    return terminal_width() if sys.stderr.isatty() else LINE_WIDTH


def _line_of(error: Error, part: Part, text: str) -> int:
    """The line of a script in which a mistake is, or the statement that has it."""
    span = error.span if isinstance(error, SqlError) else None
    return span.line if span is not None and span.text == text else text.count("\n", 0, part.start) + 1
