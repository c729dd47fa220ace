"""What may be written at a place of a statement or a dot command. Knows nothing of terminals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from minisql.catalog.paths import user_path
from minisql.parser.keywords import keywords, quoted_name
from minisql.query_block.resolve_from import TABLE_FUNCTIONS
from minisql.query_block.type_names import TYPE_NAMES
from minisql.session.information_schema import INFORMATION_TABLES
from minisql.settings import CHOICES, Settings
from minisql.shell.command_words import Word, first_word, quoted_word, words_in
from minisql.shell.dot_commands import COMMANDS
from minisql.shell.highlighting import function_names
from minisql.shell.script import parts
from minisql.shell.statement_scope import StatementScope, awaits_table, awaits_type, scope_of, significant_tokens
from minisql.shell.tokens import Token, tokens_of
from minisql.shell.views import SUFFIXES

_SET_WORDS: Final = ("=", "TO")
_MOST_TABLES: Final = 100
"""How many tables are asked for their columns where the statement names none yet."""

_ENDS: Final = ("(", "'", '"', "`")
_NAME_RUNS_ON: Final = re.compile(r'^\w*"?')


class Completion(NamedTuple):
    """A text that may replace the last `replaced` characters before the cursor, and what it is, for the user."""

    text: str
    replaced: int
    kind: str


class Names(Protocol):
    """Where the names of tables and columns come from."""

    def tables(self) -> list[str]:
        """All tables and views."""

    def columns(self, query: str) -> list[str]:
        """The columns of a query; none where it is wrong."""


def complete(text: str, cursor: int, names: Names) -> list[Completion]:
    """What may stand at the cursor, the most likely first."""
    before, after = text[:cursor], text[cursor:]
    last = next(iter(reversed(list(parts(before)))), None)
    if last is None:
        found = _complete_statement(before, after, names)
    elif last.is_command and last.end == len(before):
        found = _complete_command(before[last.start :], after.partition("\n")[0], names)
    else:
        found = _complete_statement(before[last.end if last.is_complete else last.start :], after, names)
    by_text: dict[str, Completion] = {}
    for completion in found:
        by_text.setdefault(completion.text, completion)
    return [_without_what_is_there(completion, after) for completion in by_text.values()]


def _without_what_is_there(completion: Completion, after: str) -> Completion:
    """The completion without the quote or parenthesis that it ends with, where the same is behind the cursor."""
    end = completion.text[-1:]
    is_there = end in _ENDS and after.startswith(end)
    return completion._replace(text=completion.text[:-1]) if is_there else completion


# --- statements -------------------------------------------------------------------------------------------------------


def _complete_statement(before: str, after: str, names: Names) -> Iterator[Completion]:
    """What may come behind `before`, in a statement that goes on with what is behind the cursor."""
    last = next(iter(reversed(list(tokens_of(before)))), None)
    if last is not None and last.kind == "comment" and (last.is_open or last.text.startswith("--")):
        return
    if last is not None and last.kind == "string":
        if last.is_open:
            yield from file_completions(last.name, before_quote=True)
        return
    is_name = last is not None and (last.kind == "word" or (last.kind == "quoted_name" and last.is_open))
    tokens = significant_tokens(before)
    typed = tokens.pop() if is_name else None
    if typed is None and last is not None and last.kind == "number":
        return
    # A name that is still being written is left out: an open quote would hide what follows.
    rest = _NAME_RUNS_ON.sub("", after) if typed is not None else after
    start = before[: typed.start] if typed is not None else before
    whole = next(parts(start + rest), None)
    scope = StatementScope((), ()) if whole is None else scope_of(whole.text, len(start) - whole.start)
    if tokens and tokens[-1].text == ".":
        yield from _after_dot(tokens, typed, scope, names)
    elif tokens and tokens[0].upper == "SET":
        yield from _setting(tokens, typed)
    elif awaits_type(tokens):
        yield from _keywords(TYPE_NAMES, typed, "type")
    elif awaits_table(tokens):
        yield from _tables(typed, scope, names)
    else:
        yield from _in_expression(tokens, typed, scope, names)


def _after_dot(
    tokens: Sequence[Token], typed: Token | None, scope: StatementScope, names: Names
) -> Iterator[Completion]:
    """The columns of the table whose name or alias stands before the dot; FROM may still have to be written."""
    qualifier = tokens[-2].name.lower() if len(tokens) > 1 else ""
    if qualifier == "information_schema":
        yield from _matching(INFORMATION_TABLES, typed, "table")
    queries = [table.query for table in scope.tables if table.name.lower() == qualifier]
    if not queries:
        queries = [_all_of(table) for table in names.tables() if table.lower() == qualifier]
    for query in queries:
        yield from _matching(names.columns(query), typed, "column")


def _all_of(table: str) -> str:
    return f"SELECT * FROM {quoted_name(table)}"


def _setting(tokens: Sequence[Token], typed: Token | None) -> Iterator[Completion]:
    known = {name: getattr(Settings(), name) for name in Settings.__dataclass_fields__}
    if len(tokens) == 1:
        yield from _matching(known, typed, "setting")
    elif tokens[-1].upper in _SET_WORDS:
        value = known.get(tokens[1].name.lower())
        words = ("on", "off") if isinstance(value, bool) else CHOICES.get(tokens[1].name.lower(), ())
        yield from _plain([*words, "DEFAULT"], typed, "value")


def _tables(typed: Token | None, scope: StatementScope, names: Names) -> Iterator[Completion]:
    yield from _matching([table.name for table in scope.common_tables], typed, "common table")
    yield from _matching(names.tables(), typed, "table")
    yield from _plain(["information_schema."], typed, "schema")
    yield from _plain([f"{name}(" for name in TABLE_FUNCTIONS], typed, "function")
    yield from _keywords(("LATERAL", "SELECT", "IF", "EXISTS"), typed)


def _in_expression(
    tokens: Sequence[Token], typed: Token | None, scope: StatementScope, names: Names
) -> Iterator[Completion]:
    if tokens:
        queries = [table.query for table in scope.tables]
        if not queries and typed is not None and tokens[0].upper in ("SELECT", "WITH"):
            queries = [_all_of(table) for table in names.tables()[:_MOST_TABLES]]  # FROM is still to be written
        for query in queries:
            yield from _matching(names.columns(query), typed, "column")
        yield from _matching([table.name for table in scope.tables if table.name], typed, "table")
    yield from _keywords(sorted(keywords()), typed)
    if tokens and typed is not None:
        yield from _plain([f"{name}(" for name in sorted(function_names())], typed, "function")


def _matching(known: Iterable[str], typed: Token | None, kind: str) -> Iterator[Completion]:
    """The names that begin as what is typed, in quotes where that is needed or typed."""
    prefix = "" if typed is None else typed.name.lower()
    replaced = 0 if typed is None else len(typed.text)
    in_quotes = typed is not None and typed.kind == "quoted_name"
    for name in known:
        if name.lower().startswith(prefix):
            # Letters of either case are the same to SQL; who wants the quotes writes them.
            plain = quoted_name(name.lower()) == name.lower()
            written = name if plain else quoted_name(name)
            if in_quotes:
                written = '"' + name.replace('"', '""') + '"'
            yield Completion(written, replaced, kind)


def _plain(known: Iterable[str], typed: Token | None, kind: str) -> Iterator[Completion]:
    prefix = "" if typed is None else typed.text
    for word in known:
        if word.lower().startswith(prefix.lower()):
            yield Completion(word, len(prefix), kind)


def _keywords(known: Iterable[str], typed: Token | None, kind: str = "keyword") -> Iterator[Completion]:
    """Words of the language, in small letters where the user writes them so."""
    is_lower = typed is not None and typed.text.islower()
    for completion in _plain(known, typed, kind):
        yield completion._replace(text=completion.text.lower()) if is_lower else completion


# --- dot commands -----------------------------------------------------------------------------------------------------


def _complete_command(before: str, after: str, names: Names) -> Iterator[Completion]:
    name, rest = first_word(before)
    if not before[len(name) :]:
        yield from (Completion(known, len(name), "command") for known in COMMANDS if known.startswith(name.lower()))
        return
    command = COMMANDS.get(name.lower())
    if command is None:
        return
    rest = before[len(name) :].lstrip()
    words = words_in(rest)
    typed, is_first = words[-1], len(words) == 1
    # Of `.explain json SELECT` and `.export FILE SELECT`, the SQL begins with the second word.
    has_option = not is_first and (words[0].value.lower() in command.completes or "FILE" in command.completes)
    for kind in command.completes:
        match kind:
            case "FILE" | "FOLDER":
                if is_first or kind == command.completes[-1]:
                    any_file = command.name == ".read"
                    yield from _quoted_files(typed, folders_only=kind == "FOLDER", any_file=any_file)
            case "TABLE":
                if not is_first or command.completes[0] == "TABLE":
                    yield from _words([quoted_word(table, typed.quote) for table in names.tables()], typed, "table")
            case "COMMAND":
                yield from _words(
                    [known if typed.value[:1] in ("", ".") else known[1:] for known in COMMANDS], typed, kind
                )
            case "SQL":
                yield from _complete_statement(rest[words[0].end :] if has_option else rest, after, names)
            case word:
                if is_first:
                    yield from _words([word], typed, "option")


def _words(known: Iterable[str], typed: Word, kind: str) -> Iterator[Completion]:
    """The words, in quotes or without, that begin as what is typed of one."""
    for word in known:
        if word.strip("\"'").lower().startswith(typed.value.lower()):
            yield Completion(word, typed.end - typed.start, kind.lower())


def _quoted_files(typed: Word, *, folders_only: bool, any_file: bool) -> Iterator[Completion]:
    """The files as words of a command: the whole word anew where it needs quotes, closed behind a file."""
    for found in file_completions(typed.value, folders_only=folders_only, any_file=any_file):
        path = typed.value[: len(typed.value) - found.replaced] + found.text
        word = quoted_word(path, typed.quote)
        if word == path:
            yield found
        else:
            yield Completion(word[:-1] if found.kind == "folder" else word, typed.end - typed.start, found.kind)


# --- files ------------------------------------------------------------------------------------------------------------


def file_completions(
    typed: str, *, folders_only: bool = False, any_file: bool = False, before_quote: bool = False
) -> Iterator[Completion]:
    """The folders, and the files that can be tables, whose paths begin as `typed`. What is hidden has to be begun.

    `before_quote`: the path is a string of SQL, in which quotes are doubled and which ends with the file.
    """
    folder, slash, start = typed.rpartition("/")
    place = user_path(folder + slash) if slash else Path()
    try:
        entries = sorted(place.iterdir())
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(start) or (entry.name.startswith(".") and not start):
            continue
        is_folder = entry.is_dir()
        if is_folder or (not folders_only and (any_file or entry.suffix.lower() in SUFFIXES)):
            text = entry.name.replace("'", "''") if before_quote else entry.name
            replaced = len(start.replace("'", "''") if before_quote else start)
            end = "/" if is_folder else "'" if before_quote else ""
            yield Completion(text + end, replaced, "folder" if is_folder else "file")
