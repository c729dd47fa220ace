"""Where the statements of a script end: at semicolons outside of strings, quoted names and comments.

Comments nest, as in the standard, which no regular expression describes and so no terminal of the grammar. What is
handed to Lark has spaces where a comment held comments.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LANDMARK: Final = re.compile(r"""'[^']*'?|"[^"]*"?|`[^`]*`?|--[^\n]*|/\*|;""")
"""What may hide a semicolon, and semicolons. A string that is not closed hides all that follows."""
_SKIPPED: Final = re.compile(r"\s+|--[^\n]*|/\*")
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")


class Piece(NamedTuple):
    """`text[start:end]`, up to a semicolon or the end of the text; `source` has as many characters."""

    source: str
    start: int
    end: int
    has_semicolon: bool


def next_piece(text: str, start: int) -> Piece:
    """The piece of the text that begins at `start`; it may hold a statement, a wrong one, or none."""
    kept: list[str] = []
    kept_until = position = start
    while (landmark := _LANDMARK.search(text, position)) is not None:
        position = landmark.end()
        if landmark[0] == ";":
            break
        if landmark[0] == "/*":
            position, nested = _comment(text, landmark.start())
            for first, last in nested:
                kept += text[kept_until:first], " " * (last - first)
                kept_until = last
    end = len(text) if landmark is None else landmark.start()
    return Piece("".join([*kept, text[kept_until:end]]), start, end, landmark is not None)


def statement_start(text: str, start: int) -> int:
    """Where the first token of a statement is, behind space and comments; the end of the text where there is none."""
    while (skipped := _SKIPPED.match(text, start)) is not None:
        start = _comment(text, skipped.start())[0] if skipped[0] == "/*" else skipped.end()
    return start


def _comment(text: str, start: int) -> tuple[int, list[tuple[int, int]]]:
    """Where the comment that begins at `start` ends, and the ranges of the comments directly in it.

    One that is not closed ends with the text.
    """
    nested: list[tuple[int, int]] = []
    depth = nested_start = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        if edge[0] == "/*":
            depth += 1
            if depth == 2:
                nested_start = edge.start()
        else:
            depth -= 1
            if depth == 1:
                nested.append((nested_start, edge.end()))
            elif depth == 0:
                return edge.end(), nested
    if depth > 1:
        nested.append((nested_start, len(text)))
    return len(text), nested
