"""Where in the text a thing stands, and every exception that minisql raises.

A mistake of the user is a `SqlError`: it carries the `Span` of the offending text and prints that line with a caret
under it. A bug of ours is an `InternalError`. The class names are those of PEP 249.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from minisql.printable import columns_of, first_columns, printable

LINE_WIDTH: Final = 124
"""The columns of a line of the text, where it is shown."""
_LEAST_ROOM: Final = 20
"""The columns that are shown of it even where there are fewer."""
_CUT: Final = "..."


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range `[start, end)` of characters of one statement's `text`.

    The text travels with the span, so that an error inside a view shows the text of the view.
    """

    text: str
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(self.text, min(self.start, other.start), max(self.end, other.end))

    @property
    def line(self) -> int:
        """The line of the first character, from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """The column of the first character, from 1."""
        return self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1

    @property
    def source(self) -> str:
        """The text that the span covers."""
        return self.text[self.start : self.end]

    def show(self, width: int = LINE_WIDTH) -> str:
        """The line of the first character with carets under what the span covers of it.

        What does not fit the columns of `width` is cut; what a terminal obeys and does not show is escaped.
        """
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line_end = self.text.find("\n", self.start)
        line = self.text[line_start : line_end if line_end >= 0 else len(self.text)].rstrip("\r").replace("\t", " ")
        first, last = self.start - line_start, self.end - line_start
        before, marked, after = map(printable, (line[:first], line[first:last], line[last:]))
        prefix = f"LINE {self.line}: "
        room = max(min(width, LINE_WIDTH) - len(prefix) - 2 * len(_CUT), _LEAST_ROOM)
        if columns_of(before) > room * 6 // 11:
            before = first_columns(before[::-1], room * 5 // 11)[::-1]
            prefix += _CUT
        room -= columns_of(before)
        carets = max(columns_of(first_columns(marked, room)), 1)
        rest = first_columns(marked + after, room)
        end = _CUT if len(rest) < len(marked + after) else ""
        return f"{prefix}{before}{rest}{end}\n{' ' * (len(prefix) + columns_of(before))}{'^' * carets}"


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """What a query most likely does that its author did not mean; it does it all the same.

    Attributes:
        code: the kind, a name that stays the same: `outer_join_undone`, `full_join_key`, `part_of_key`,
            `rows_multiplied`.
        message: one sentence, with the tables and conditions of the query.
        span: the place in the text, None where there is none.
        hint: a second sentence, which says what to write if something else is meant.
    """

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None

    def __str__(self) -> str:
        return with_place(self)


def with_place(told: QueryWarning | SqlError, width: int = LINE_WIDTH) -> str:
    """A mistake or a warning with its place, shown in so many columns, and its hint."""
    parts = [printable(told.message)]
    if told.span is not None:
        parts.append(told.span.show(width))
    if told.hint is not None:
        parts.append(f"HINT: {printable(told.hint)}")
    return "\n".join(parts)


class Warning(Exception):  # noqa: A001, N818  (the name is PEP 249's)
    """PEP 249: an important warning. minisql raises none: see `QueryWarning` and `Result.warnings`."""


class Error(Exception):
    """PEP 249: the base class of every error of minisql."""


class InterfaceError(Error):
    """The API was used in a way that no statement is to blame for: a closed connection, wrong parameters."""


class DatabaseError(Error):
    """PEP 249: the base class of errors that belong to the database."""


class InternalError(DatabaseError):
    """A bug of minisql: an invariant does not hold. Never the user's fault."""


class SqlError(DatabaseError):
    """A mistake in a statement, or in the data it reads.

    `message` is one sentence, `span` says where it applies (None where there is no place, as in a broken file given
    through the API), `hint` is a second sentence that says what to do.
    """

    def __init__(self, message: str, span: Span | None = None, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint

    def __str__(self) -> str:
        return with_place(self)


class ProgrammingError(SqlError):
    """Syntax, unknown or ambiguous names, wrong types, wrong number of arguments."""


class DataError(SqlError):
    """A value that an operation cannot take: division by zero, overflow, a cast that fails."""


class OperationalError(SqlError):
    """The world outside: a missing, broken or empty file; memory; an interrupt."""


class IntegrityError(SqlError):
    """A row that breaks a declared constraint."""


class NotSupportedError(SqlError):
    """A limit of minisql, named as such."""


def counted(count: int, noun: str) -> str:
    """A number of things, for messages: `1 column`, `2 columns`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def enumerated(texts: Sequence[str], word: str = "and") -> str:
    """The texts in a sentence: `a`, `a and b`, `a, b and c`; nothing where there are none."""
    return f"{', '.join(texts[:-1])} {word} {texts[-1]}" if len(texts) > 1 else "".join(texts)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The name of `known` that a user who wrote `name` most likely meant, or None."""
    import difflib  # which only mistakes need

    by_folded = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The hint that names the nearest known name, or None."""
    nearest = nearest_name(name, known)
    return None if nearest is None else f'Did you mean "{nearest}"?'
