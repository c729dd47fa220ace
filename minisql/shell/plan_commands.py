"""The dot commands about plans: short forms of EXPLAIN, mostly about the query that was run last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from minisql.catalog.paths import user_path
from minisql.errors import OperationalError, ProgrammingError
from minisql.parser.split import statement_start
from minisql.session.value_text import text_of
from minisql.shell.command_words import first_word
from minisql.shell.output import FOR_PEOPLE
from minisql.shell.script import parts

if TYPE_CHECKING:
    from minisql.shell.shell import Shell

_EXPLAIN: Final = ".explain [on|off|analyze|tree|json|dot|mermaid|html FILE] [SQL]"
_FORMATS: Final = {
    "analyze": "EXPLAIN ANALYZE",
    "tree": "EXPLAIN FORMAT=TREE",
    "json": "EXPLAIN FORMAT=JSON",
    "dot": "EXPLAIN FORMAT=DOT",
    "mermaid": "EXPLAIN FORMAT=MERMAID",
}
_TREE_EDGE: Final = re.compile(r'"[^"]*"?|`[^`]*`?|[()]')


def explain(shell: Shell, rest: str) -> None:
    """`.explain`, with a format or without."""
    word, after = first_word(rest)
    match word.lower():
        case "on" | "off" if not after:
            shell.explains = word.lower() == "on"
        case "html":
            _explain_html(shell, after)
        case "analyze" | "tree" | "json" | "dot" | "mermaid":
            shell.show(shell.execute(f"{_FORMATS[word.lower()]} {query_or_last(shell, after, _EXPLAIN)}"))
        case _:
            shell.show(shell.execute(f"EXPLAIN {query_or_last(shell, rest, _EXPLAIN)}"))


def _explain_html(shell: Shell, rest: str) -> None:
    path, sql = first_word(rest)
    if not path:
        raise ProgrammingError("A file is missing.", hint=f"Usage: {_EXPLAIN}")
    result = shell.execute(f"EXPLAIN HTML {query_or_last(shell, sql, _EXPLAIN)}")
    try:
        user_path(path).write_text("".join(text_of(text) for (text,) in result), encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"'{path}' cannot be written: {error.strerror or error}.") from error
    shell.say(f"The page is in {path}.")


def graph(shell: Shell, rest: str) -> None:
    """`.graph [SQL]`"""
    shell.show(shell.execute(f"EXPLAIN HYPERGRAPH {query_or_last(shell, rest, '.graph [SQL]')}"))


def orders(shell: Shell, rest: str) -> None:
    """`.orders [SQL]`"""
    shell.show(shell.execute(f"EXPLAIN ORDERS {query_or_last(shell, rest, '.orders [SQL]')}"))


def why(shell: Shell, rest: str) -> None:
    """`.why TREE [SQL]`"""
    usage = ".why TREE [SQL], where TREE is as ((a b) c)"
    end = _tree_end(rest)
    if end is None:
        raise ProgrammingError("There is no order of joins, with its parentheses.", hint=f"Usage: {usage}")
    shell.show(shell.execute(f"EXPLAIN WHY NOT {rest[:end]} {query_or_last(shell, rest[end:], usage)}"))


def replay(shell: Shell, rest: str) -> None:
    """`.replay [SQL]`: in words where people read, otherwise the records of the trace."""
    from minisql.shell.replay import replay_lines

    result = shell.execute(f"EXPLAIN TRACE {query_or_last(shell, rest, '.replay [SQL]')}")
    if shell.display.mode not in FOR_PEOPLE:
        shell.show(result)
        return
    shell.show_text("".join(f"{line}\n" for line in replay_lines(text_of(row[0]) for row in result)))


def query_or_last(shell: Shell, sql: str, usage: str) -> str:
    """The query behind a command, or else the one that was run last; without a semicolon.

    Raises:
        ProgrammingError: there is none, or more than one.
    """
    found = list(parts(sql))
    if len(found) > 1:
        raise ProgrammingError("There is more than one statement.", hint=f"Usage: {usage}")
    query = found[0].text if found else shell.last_query
    if query is None:
        raise ProgrammingError("There is no query: none has been run yet.", hint=f"Usage: {usage}")
    query = query[statement_start(query, 0) :]
    return query.removesuffix(";").rstrip()


def _tree_end(text: str) -> int | None:
    """The end of the parentheses that the text begins with."""
    depth = 0
    if text.startswith("("):
        for edge in _TREE_EDGE.finditer(text):
            depth += {"(": 1, ")": -1}.get(edge[0], 0)
            if depth == 0:
                return edge.end()
    return None
