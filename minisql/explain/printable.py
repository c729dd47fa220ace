"""Text on one line."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with what cannot be printed, line breaks too, written as Python escapes it."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
