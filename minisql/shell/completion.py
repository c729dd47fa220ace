"""What may be written at a place of a statement or a dot command. Knows nothing of terminals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from minisql.parser.keywords import keywords, quoted_name
from minisql.query_block.resolve_from import TABLE_FUNCTIONS
from minisql.session.information_schema import INFORMATION_TABLES
from minisql.settings import CHOICES, Settings
from minisql.shell.command_words import first_word
from minisql.shell.dot_commands import COMMANDS
from minisql.shell.highlighting import function_names
from minisql.shell.script import parts
from minisql.shell.statement_scope import StatementScope, awaits_table, scope_of, significant_tokens
from minisql.shell.tokens import Token, tokens_of
from minisql.shell.views import SUFFIXES

_SET_WORDS: Final = ("=", "TO")


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
        return _unique(_complete_statement(before, after, names))
    if last.is_command and last.end == len(before):
        return _unique(_complete_command(before[last.start :], after.partition("\n")[0], names))
    return _unique(_complete_statement(before[last.end if last.is_complete else last.start :], after, names))


def _unique(completions: Iterable[Completion]) -> list[Completion]:
    by_text: dict[str, Completion] = {}
    for completion in completions:
        by_text.setdefault(completion.text, completion)
    return list(by_text.values())


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
    whole = next((part.text for part in parts((before[: typed.start] if typed is not None else before) + rest)), "")
    if tokens and tokens[-1].text == ".":
        yield from _after_dot(tokens, typed, whole, names)
    elif tokens and tokens[0].upper == "SET":
        yield from _setting(tokens, typed)
    elif awaits_table(tokens):
        yield from _tables(typed, scope_of(whole), names)
    else:
        yield from _in_expression(tokens, typed, scope_of(whole), names)


def _after_dot(tokens: Sequence[Token], typed: Token | None, whole: str, names: Names) -> Iterator[Completion]:
    """The columns of the table whose name or alias stands before the dot."""
    qualifier = tokens[-2].name.lower() if len(tokens) > 1 else ""
    if qualifier == "information_schema":
        yield from _matching(INFORMATION_TABLES, typed, "table")
    for table in scope_of(whole).tables:
        if table.name.lower() == qualifier:
            yield from _matching(names.columns(table.query), typed, "column")


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
        for table in scope.tables:
            yield from _matching(names.columns(table.query), typed, "column")
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


def _keywords(known: Iterable[str], typed: Token | None) -> Iterator[Completion]:
    """Keywords, in small letters where the user writes them so."""
    is_lower = typed is not None and typed.text.islower()
    for completion in _plain(known, typed, "keyword"):
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
    typed = rest.rpartition(" ")[2]
    is_first = typed == rest
    option = rest.split(maxsplit=1)[0] if not is_first else ""
    # Of `.explain json SELECT` and `.export FILE SELECT`, the SQL begins with the second word.
    sql = rest[len(option) :] if option.lower() in command.completes or "FILE" in command.completes else rest
    for kind in command.completes:
        match kind:
            case "FILE" | "FOLDER":
                if is_first or kind == command.completes[-1]:
                    yield from file_completions(typed, folders_only=kind == "FOLDER", any_file=name == ".read")
            case "TABLE":
                if not is_first or command.completes[0] == "TABLE":
                    yield from _matching(names.tables(), Token("word", typed, 0) if typed else None, "table")
            case "COMMAND":
                yield from (Completion(known, len(typed), "command") for known in COMMANDS if known.startswith(typed))
            case "SQL":
                yield from _complete_statement(sql, after, names)
            case word:
                if is_first:
                    yield from _plain([word], Token("word", typed, 0), "option")


# --- files ------------------------------------------------------------------------------------------------------------


def file_completions(
    typed: str, *, folders_only: bool = False, any_file: bool = False, before_quote: bool = False
) -> Iterator[Completion]:
    """The folders, and the files that can be tables, whose paths begin as `typed`. What is hidden has to be begun.

    `before_quote`: the path is a string of SQL, in which quotes are doubled and which ends with the file.
    """
    folder, slash, start = typed.rpartition("/")
    place = Path(folder + slash).expanduser() if slash else Path()
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
