"""The dot commands about files: `.read .import .export .open .cd`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from minisql.catalog.paths import user_path
from minisql.errors import OperationalError, ProgrammingError
from minisql.parser.keywords import quoted_name
from minisql.session.connection import connect
from minisql.shell.arguments import read_script
from minisql.shell.command_words import first_word, words_of
from minisql.shell.output import counted_rows
from minisql.shell.plan_commands import query_or_last
from minisql.shell.views import create_views, quoted_text

if TYPE_CHECKING:
    from minisql.shell.shell import Shell


def read(shell: Shell, rest: str) -> None:
    """`.read FILE`"""
    (path,) = words_of(rest, ".read FILE", least=1, most=1)
    try:
        text = read_script(path)
    except OSError as error:
        raise OperationalError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise OperationalError(f"'{path}' cannot be read: byte {error.start} is not UTF-8.") from error
    shell.run_nested(text, None if path == "-" else path)


def import_(shell: Shell, rest: str) -> None:
    """`.import FILE TABLE`"""
    path, table = words_of(rest, ".import FILE TABLE", least=2, most=2)
    connection = shell.connection
    known = {name.lower() for (name,) in connection.execute("SHOW TABLES") if isinstance(name, str)}
    if table.lower() in known:
        shell.show(shell.execute(f"COPY {quoted_name(table)} FROM {quoted_text(path)}"))
    else:
        result = shell.execute(f"CREATE TABLE {quoted_name(table)} AS SELECT * FROM {quoted_text(path)}")
        shell.say(f"New table {table}: {counted_rows(result.rowcount)}.")


def export(shell: Shell, rest: str) -> None:
    """`.export FILE [SQL]`"""
    path, sql = first_word(rest)
    if not path:
        raise ProgrammingError("A file is missing.", hint="Usage: .export FILE [SQL]")
    query = query_or_last(shell, sql, ".export FILE [SQL]")
    end = "\n" if "--" in query.rpartition("\n")[2] else ""  # of what may be a comment
    result = shell.execute(f"COPY ({query}{end}) TO {quoted_text(path)}")
    shell.say(f"{counted_rows(result.rowcount)} written to {path}.")


def open_(shell: Shell, rest: str) -> None:
    """`.open [FILE|FOLDER ...]`"""
    paths = words_of(rest, ".open [FILE|FOLDER ...]")
    connection = connect()
    views = create_views(connection, paths)
    shell.connection.close()
    shell.connection, shell.last_query = connection, None
    shell.say(f"A new database in memory{': ' if views else '.'}{', '.join(views)}")


def cd(shell: Shell, rest: str) -> None:
    """`.cd [FOLDER]`"""
    words = words_of(rest, ".cd [FOLDER]", most=1)
    if not words:
        shell.show_text(f"{Path.cwd()}\n")
        return
    try:
        os.chdir(user_path(words[0]))
    except OSError as error:
        raise OperationalError(f"'{words[0]}': {error.strerror or error}.") from error
