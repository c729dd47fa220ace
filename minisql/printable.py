"""Texts of users on a terminal and in messages: escaped where they cannot be printed, measured and cut."""

from __future__ import annotations

from typing import Final

_HARMLESS: Final = "\u200d\u00a0\u3000"
"""Not printable to Python, but to a terminal: the joiner of emoji, spaces."""

MESSAGE_WIDTH: Final = 80
"""Values in messages are cut to so many characters."""


def printable(text: str) -> str:
    """The text on one line: what a terminal obeys and does not show, line ends too, is escaped as in Python."""
    return text if text.isprintable() else "".join(map(_printable_character, text))


def printable_lines(text: str) -> str:
    """The same of a text whose lines and tabs stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _printable_character(character: str) -> str:
    return character if character.isprintable() or character in _HARMLESS else ascii(character)[1:-1]


def columns_of(text: str) -> int:
    """The columns of a terminal that a printable text takes: two for a Chinese character, none for an accent.

    Of an emoji that is put together from several this is too much: only tables of all emoji know better.
    """
    return len(text) if text.isascii() else sum(map(_columns_of_character, text))


def first_columns(text: str, limit: int) -> str:
    """The start of a printable text that takes no more than so many columns."""
    if text.isascii():
        return text[:limit]
    taken = 0
    for place, character in enumerate(text):
        taken += _columns_of_character(character)
        if taken > limit:
            return text[:place]
    return text


def _columns_of_character(character: str) -> int:
    from unicodedata import category, east_asian_width  # which few texts need

    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def cut(text: str, longest: int) -> str:
    """A text, shortened where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
