"""The words behind a dot command."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from minisql.errors import ProgrammingError

_WORD: Final = re.compile(
    r"""\s*(?:(?P<quote>["'])(?P<quoted>.*?)(?P<end>(?P=quote)|$)|(?P<plain>(?:[^\s"']\S*)?))""", re.DOTALL
)
_PLAIN: Final = re.compile(r"""[^\s"']\S*""")


class Word(NamedTuple):
    """A word in quotes of either kind, which it has none of inside, or without."""

    start: int
    end: int
    value: str
    """What the word is, without its quotes."""
    quote: str
    """The quote that the word begins with, if any."""
    is_open: bool
    """Whether that quote is not closed."""


def words_in(text: str) -> list[Word]:
    """The words of a text. Behind a space at its end there is an empty one, which somebody may still write."""
    words = []
    position = 0
    while True:
        found = _WORD.match(text, position)
        assert found is not None  # a word may be empty
        kind = "quoted" if found["quote"] else "plain"
        start = found.start("quote" if found["quote"] else "plain")
        words.append(Word(start, found.end(), found[kind], found["quote"] or "", found["end"] == ""))
        if found.end() == len(text):
            return words
        position = found.end()


def words_of(rest: str, usage: str, *, least: int = 0, most: int | None = None) -> list[str]:
    """The arguments, which may be quoted.

    Raises:
        ProgrammingError: a quote is not closed, or there are too many or too few.
    """
    words = [word for word in words_in(rest) if word.start < word.end]
    if words and words[-1].is_open:
        raise ProgrammingError("A quote is not closed.", hint=f"Usage: {usage}")
    if most is not None and len(words) > most:
        raise ProgrammingError(f'"{words[most].value}" is too much.', hint=f"Usage: {usage}")
    if len(words) < least:
        raise ProgrammingError("Something is missing.", hint=f"Usage: {usage}")
    return [word.value for word in words]


def quoted_word(text: str, quote: str = "") -> str:
    """A text as a word of a command: in quotes where that is needed, or where there is one already."""
    if not quote and _PLAIN.fullmatch(text):
        return text
    if not quote or quote in text:
        quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}"


def first_word(rest: str) -> tuple[str, str]:
    """The first word, which may be quoted, and what follows it as it is: SQL has quotes of its own.

    Raises:
        ProgrammingError: a quote is not closed.
    """
    word = words_in(rest)[0]
    if word.is_open:
        raise ProgrammingError("A quote is not closed.")
    return word.value, rest[word.end :].strip()
