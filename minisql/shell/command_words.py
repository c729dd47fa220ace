"""The words behind a dot command."""

from __future__ import annotations

import re
import shlex
from typing import Final, NamedTuple

from minisql.errors import ProgrammingError

_WORD: Final = re.compile(
    r"""\s*(?:(?P<quote>["'])(?P<quoted>.*?)(?:(?P=quote)|$)|(?P<plain>(?:[^\s"']\S*)?))""", re.DOTALL
)
_PLAIN: Final = re.compile(r"""[^\s"'\\]+""")


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


class Word(NamedTuple):
    """A word behind a command that somebody is still writing: `text[start:end]` of what follows the command."""

    start: int
    end: int
    value: str
    """What the word is, without its quotes."""
    quote: str
    """The quote that the word begins with, if any."""


def unfinished_words(text: str) -> list[Word]:
    """The words of a text, the last one up to its end: that is an empty one behind a space."""
    words = []
    position = 0
    while position <= len(text):
        found = _WORD.match(text, position)
        assert found is not None  # a word may be empty
        quote = found["quote"] or ""
        start = found.start("quote" if quote else "plain")
        words.append(Word(start, found.end(), found["quoted" if quote else "plain"], quote))
        if found.end() == len(text):
            break
        position = found.end()
    return words


def quoted_word(text: str, quote: str = "") -> str:
    """A text as a word of a command: in quotes where that is needed, or where there is one already."""
    if not quote and _PLAIN.fullmatch(text):
        return text
    if not quote or quote in text:
        quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}"


def first_word(rest: str) -> tuple[str, str]:
    """The first word, which may be quoted, and what follows it as it is: SQL has quotes of its own."""
    if rest[:1] in ("'", '"'):
        word, closed, after = rest[1:].partition(rest[0])
        if closed:
            return word, after.strip()
    word, *after_word = rest.split(maxsplit=1) or [""]
    return word, "".join(after_word)
