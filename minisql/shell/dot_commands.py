"""The dot commands: what they are called, what they take and mean; those that are no more than a setting are here."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from minisql.errors import ProgrammingError, did_you_mean
from minisql.shell import file_commands, plan_commands
from minisql.shell.command_words import first_word, words_of
from minisql.shell.display import terminal_width
from minisql.shell.output import MODES
from minisql.shell.views import quoted_text

if TYPE_CHECKING:
    from minisql.shell.shell import Shell


_ELSEWHERE: Final = {
    "\\q": ".quit", "\\d": ".schema", "\\d+": ".schema", "\\dt": ".tables", "\\dv": ".tables", "\\i": ".read",
    "\\x": "\\G, or .mode vertical,", "\\timing": ".timer", "\\?": ".help", "\\h": ".help", "\\cd": ".cd",
    "\\pset": ".mode", "\\copy": ".import, or .export,", ".exit": ".quit", ".output": ".export", ".once": ".export",
    ".dump": ".schema", ".databases": ".tables", ".maxrows": ".rows",
}  # fmt: skip
"""Commands of psql, sqlite3 and duckdb, and what comes nearest to them."""


class Command(NamedTuple):
    """A command: its name with the dot, what may follow, what it does.

    `completes` says what its arguments are, for completion: FILE, FOLDER, TABLE, COMMAND, SQL, or the words themselves.
    """

    name: str
    arguments: str
    meaning: str
    run: Callable[[Shell, str], None]
    completes: tuple[str, ...] = ()


def run_command(shell: Shell, line: str) -> None:
    """Runs a line that begins with a dot.

    Raises:
        SqlError: there is no such command, it takes something else, or what it does fails.
    """
    name, rest = first_word(line)
    command = COMMANDS.get(name.lower())
    if command is None:
        raise _no_command(name)
    command.run(shell, rest.strip())


def _no_command(name: str) -> ProgrammingError:
    elsewhere = _ELSEWHERE.get(name.lower())
    hint = f"It is {elsewhere} here." if elsewhere else did_you_mean(name, COMMANDS) or ".help lists the commands."
    return ProgrammingError(f'There is no command "{name}".', hint=hint)


# --- what there is ----------------------------------------------------------------------------------------------------


def _tables(shell: Shell, rest: str) -> None:
    pattern = "".join(words_of(rest, ".tables [PATTERN]", most=1))
    where = f" WHERE table_name ILIKE {quoted_text(pattern)}" if pattern else ""
    shell.show(
        shell.connection.execute(
            "SELECT table_name AS name, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS kind,"
            " (SELECT count(*) FROM information_schema.columns AS c WHERE c.table_name = t.table_name) AS columns"
            f" FROM information_schema.tables AS t{where} ORDER BY lower(table_name)"
        )
    )


def _schema(shell: Shell, rest: str) -> None:
    words = words_of(rest, ".schema [TABLE]", most=1)
    statements = shell.connection.create_statements(words[0] if words else None)
    shell.show_text("".join(f"{statement}\n" for statement in statements))


def _help(shell: Shell, rest: str) -> None:
    words = words_of(rest, ".help [COMMAND]", most=1)
    if words:
        name = words[0] if words[0].startswith(".") else f".{words[0]}"
        command = COMMANDS.get(name.lower())
        if command is None:
            raise _no_command(name)
        shell.show_text(f"{command.name} {command.arguments}".rstrip() + f"\n    {command.meaning}\n")
        return
    width = terminal_width() if sys.stdout.isatty() else None
    shell.show_text("".join(f"{line}\n" for line in _help_lines(width)))


def _help_lines(width: int | None) -> Iterator[str]:
    """The commands and their meanings, side by side where there is room for that."""
    column = 36 if width is None or width >= 72 else 4
    for command in COMMANDS.values():
        usage = f"{command.name} {command.arguments}".rstrip()
        meaning = [command.meaning] if width is None else textwrap.wrap(command.meaning, max(width - column, 16))
        if len(usage) + 2 <= column:
            yield f"{usage:{column}}{meaning.pop(0)}"
        else:
            yield usage
        yield from (" " * column + line for line in meaning)
    yield ""
    ends = "A statement ends with ; or with \\G, which shows its rows as lists."
    yield from [ends] if width is None else textwrap.wrap(ends, width)


# --- settings ---------------------------------------------------------------------------------------------------------


def _mode(shell: Shell, rest: str) -> None:
    words = words_of(rest, ".mode [MODE]", most=1)
    if not words:
        shell.show_text(f"{shell.display.mode}\n")
        return
    if words[0].lower() not in MODES:
        hint = did_you_mean(words[0], MODES) or f"The modes are {', '.join(MODES)}."
        raise ProgrammingError(f'There is no mode "{words[0]}".', hint=hint)
    shell.display.mode = words[0].lower()


def _timer(shell: Shell, rest: str) -> None:
    shell.timer = _on_or_off(shell, rest, ".timer on|off", shell.timer)


def _pager(shell: Shell, rest: str) -> None:
    from minisql.shell.pager import check_pager, default_pager

    match rest.lower():
        case "":
            shell.show_text(f"{shell.pager or 'off'}\n")
        case "off":
            shell.pager = None
        case "on":
            shell.pager = default_pager()
            if shell.pager is None:
                raise ProgrammingError("There is no pager.", hint="Name one: .pager COMMAND, or set PAGER.")
        case _:
            if sys.stdout.isatty():  # elsewhere there is none
                check_pager(rest)
            shell.pager = rest


def _width(shell: Shell, rest: str) -> None:
    shell.display.width = _limit(shell, rest, ".width auto|off|N", shell.display.width, "columns")


def _rows(shell: Shell, rest: str) -> None:
    shell.display.rows = _limit(shell, rest, ".rows auto|all|N", shell.display.rows, "rows")


def _null_value(shell: Shell, rest: str) -> None:
    words = words_of(rest, ".nullvalue [TEXT]", most=1)
    shell.display.null = words[0] if words else None


def _quit(shell: Shell, rest: str) -> None:
    from minisql.shell.shell import Quit

    words_of(rest, ".quit", most=0)
    raise Quit


def _on_or_off(shell: Shell, rest: str, usage: str, present: bool) -> bool:
    match rest.lower():
        case "":
            shell.show_text("on\n" if present else "off\n")
            return present
        case "on":
            return True
        case "off":
            return False
    raise ProgrammingError(f'"{rest}" is neither on nor off.', hint=f"Usage: {usage}")


def _limit(shell: Shell, rest: str, usage: str, present: int | None, what: str) -> int | None:
    """A number of things, 0 for no limit, None for what fits."""
    match rest.lower():
        case "":
            shell.show_text({None: "auto\n", 0: "no limit\n"}.get(present, f"{present} {what}\n"))
            return present
        case "auto":
            return None
        case "off" | "all" | "0":
            return 0
    if not (rest.isascii() and rest.isdigit()):
        raise ProgrammingError(f'"{rest}" is no number of {what}.', hint=f"Usage: {usage}")
    return int(rest)


_ON_OFF: Final = ("on", "off")


def _by_name(commands: Sequence[Command]) -> dict[str, Command]:
    return {command.name: command for command in commands}


COMMANDS: Final = _by_name(
    (
        Command(".tables", "[PATTERN]", "tables and views, or those with names LIKE the pattern", _tables, ("TABLE",)),
        Command(".schema", "[TABLE]", "the statements that make one table or view again, or all", _schema, ("TABLE",)),
        Command(".read", "FILE", "run the statements and commands of a file", file_commands.read, ("FILE",)),
        Command(
            ".import",
            "FILE TABLE",
            "add the rows of a file to a table; a new table if there is none",
            file_commands.import_,
            ("FILE", "TABLE"),
        ),
        Command(
            ".export",
            "FILE [SQL]",
            "write the rows of a query to a .parquet, .csv, .tsv or .json file",
            file_commands.export,
            ("FILE", "SQL"),
        ),
        Command(
            ".open",
            "[FILE|FOLDER ...]",
            "start anew with an empty database in memory, and views of the files",
            file_commands.open_,
            ("FILE",),
        ),
        Command(
            ".cd", "[FOLDER]", "change the folder of relative file names, or show it", file_commands.cd, ("FOLDER",)
        ),
        Command(".mode", "[MODE]", f"how results are shown: {', '.join(MODES)}", _mode, tuple(MODES)),
        Command(".width", "[auto|off|N]", "the columns of the screen that results must fit", _width, ("auto", "off")),
        Command(".rows", "[auto|all|N]", "how many rows of a result are shown", _rows, ("auto", "all")),
        Command(".nullvalue", "[TEXT]", "what NULL is shown as; without a text, as usual in the mode", _null_value),
        Command(".timer", "[on|off]", "show how long each statement takes", _timer, _ON_OFF),
        Command(".pager", "[on|off|COMMAND]", "show what is longer than the screen with a pager", _pager, _ON_OFF),
        Command(
            ".explain",
            "[on|off|analyze|tree|json|dot|mermaid|html FILE] [SQL]",
            "show the plan of a query; on: of every query, before its rows",
            plan_commands.explain,
            (*_ON_OFF, "analyze", "tree", "json", "dot", "mermaid", "html", "SQL"),
        ),
        Command(".graph", "[SQL]", "the join hypergraph of a query", plan_commands.graph, ("SQL",)),
        Command(".orders", "[SQL]", "the legal orders of the joins of a query", plan_commands.orders, ("SQL",)),
        Command(
            ".why",
            "TREE [SQL]",
            "why the plan does not join in the order of the tree, as ((a b) c)",
            plan_commands.why,
            ("SQL",),
        ),
        Command(".replay", "[SQL]", "the search for the cheapest order, step by step", plan_commands.replay, ("SQL",)),
        Command(".help", "[COMMAND]", "this list, or what one command takes", _help, ("COMMAND",)),
        Command(".quit", "", "leave, as Ctrl-D does", _quit),
    )
)
"""All commands by their names. `[SQL]` may be left out: the command is then about the query that was run last."""
