"""The words behind a dot command."""

from __future__ import annotations

import shlex

from minisql.errors import ProgrammingError


def words_of(rest: str, usage: str, *, least: int = 0, most: int | None = None) -> list[str]:
    """The arguments, which may be quoted.

    Raises:
        ProgrammingError: a quote is not closed, or there are too many or too few.
    """
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise ProgrammingError("A quote is not closed.", hint=f"Usage: {usage}") from error
    if most is not None and len(words) > most:
        raise ProgrammingError(f'"{words[most]}" is too much.', hint=f"Usage: {usage}")
    if len(words) < least:
        raise ProgrammingError("Something is missing.", hint=f"Usage: {usage}")
    return words


def first_word(rest: str) -> tuple[str, str]:
    """The first word, which may be quoted, and what follows it as it is: SQL has quotes of its own."""
    if rest[:1] in ("'", '"'):
        word, closed, after = rest[1:].partition(rest[0])
        if closed:
            return word, after.strip()
    word, *after_word = rest.split(maxsplit=1) or [""]
    return word, "".join(after_word)
