"""The keywords of the grammar, for those who show or write SQL: highlighting, completion, quoting of names."""

from __future__ import annotations

import functools
import re
from typing import Final

from lark.lexer import PatternStr

from minisql.parser.parse import loaded_parser

_LOOKAHEAD: Final = re.compile(r"\(\?[=!]")
_WORD: Final = re.compile(r"[A-Z]{2,}")
_NAME: Final = re.compile(r"[^\W\d]\w*")


@functools.cache
def keywords() -> frozenset[str]:
    """All the words that some rule of the grammar knows, in capitals: `SELECT`, and `WITHIN` of `WITHIN GROUP`."""
    words = set[str]()
    for terminal in loaded_parser().terminals:
        if isinstance(terminal.pattern, PatternStr):
            words.update(_NAME.findall(terminal.pattern.value))
        else:
            # A terminal of words says what may stand between them and what must follow, which is no part of it.
            words.update(_WORD.findall(_LOOKAHEAD.split(terminal.pattern.value)[0]))
    return frozenset(words)


@functools.cache
def reserved_words() -> frozenset[str]:
    """The keywords that are no names unless they are quoted, in capitals, and the words that are kept for later."""
    parser = loaded_parser()
    free = {symbol.name for rule in parser.rules if rule.origin.name == "word" for symbol in rule.expansion}
    words = {
        terminal.pattern.value
        for terminal in parser.terminals
        if isinstance(terminal.pattern, PatternStr) and terminal.name not in free
    }
    name = next(terminal.pattern.value for terminal in parser.terminals if terminal.name == "NAME")
    return frozenset(word for word in words if _NAME.fullmatch(word)) | frozenset(_WORD.findall(name))


@functools.lru_cache(4096)
def quoted_name(name: str) -> str:
    """A name as it is written in SQL: in double quotes where a plain word would be another name, or is reserved."""
    if _NAME.fullmatch(name) and name == name.lower() and name.upper() not in reserved_words():
        return name
    return '"' + name.replace('"', '""') + '"'


def last_name(text: str) -> str:
    """The last of the names of `a."b.c"`, as it is written there."""
    if not text.endswith('"'):
        return text.rpartition(".")[2]
    # A quote inside of a name is there twice.
    start = len(text) - 1
    while (start := text.rfind('"', 0, start)) > 0 and text[start - 1] == '"':
        start -= 1
    return text[max(start, 0) :]
