"""The tokens of SQL that somebody is still writing: for colours and completion. Nothing is a mistake here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>--[^\n]*|/\*)
      | (?P<string>'[^']*(?:''[^']*)*'?)
      | (?P<quoted_name>"[^"]*(?:""[^"]*)*"?|`[^`]*(?:``[^`]*)*`?)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)
      | (?P<word>[^\W\d]\w*)
      | (?P<symbol><=>|[<>!]=|<>|\|\||::|//|<<|>>|!~\*|!~|~\*|.)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_QUOTES: Final = "'\"`"


class Token(NamedTuple):
    """A piece of the text: `kind` is space, comment, string, quoted_name, number, word or symbol."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def upper(self) -> str:
        """A word in capitals, a symbol as it is; nothing of what is quoted."""
        return self.text.upper() if self.kind in ("word", "symbol") else ""

    @property
    def is_open(self) -> bool:
        """Whether a string, a quoted name or a comment is not closed."""
        if self.kind == "comment":
            return self.text.startswith("/*") and _comment_end(self.text, 0) is None
        if self.kind not in ("string", "quoted_name"):
            return False
        return self.text.count(self.text[0]) % 2 == 1

    @property
    def name(self) -> str:
        """The name that a word or a quoted name is, the text of a string."""
        if self.text[:1] not in _QUOTES:
            return self.text
        quote = self.text[0]
        inner = self.text[1:] if self.is_open else self.text[1:-1]
        return inner.replace(quote * 2, quote)


def tokens_of(text: str) -> Iterator[Token]:
    """All of the text as tokens, one behind the other."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        assert found is not None  # the last alternative takes every character
        end = found.end()
        if found[0] == "/*":
            closed = _comment_end(text, position)
            end = len(text) if closed is None else closed
        yield Token(str(found.lastgroup), text[position:end], position)
        position = end


def _comment_end(text: str, start: int) -> int | None:
    """The end of the comment at `start`, which may hold others; None where it is not closed."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return None
