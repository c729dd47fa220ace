"""Lark with the grammar in `grammar/sql.lark`, and the cache that makes it start quickly.

To analyse the grammar takes Lark a third of a second. It keeps the result in a file, and looks by itself whether that
fits the grammar, the options, its own version and Python's. The file is a pickle, and who can write it can run code: so
it lies in a folder of the user's own. Where there can be no such folder, parsing works without a cache.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lark import Lark, Transformer
from lark.lark import PostLex

from minisql.errors import InternalError
from minisql.parser.parse_table import LazyParser

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LARK_OPTIONS: Final[dict[str, Any]] = {
    "start": "statement",
    "parser": "lalr",
    # The rules know which keywords may be names, so a contextual lexer would find the same tokens. This one is made of
    # one regular expression instead of one for each kind of place.
    "lexer": "basic",
    "maybe_placeholders": True,
    "g_regex_flags": re.IGNORECASE,
    "_plugins": {"LALR_Parser": LazyParser},
}
"""How Lark reads the grammar."""

_GRAMMAR_FILE: Final = "sql.lark"


def make_parser(transformer: Transformer[Any, Any], postlex: PostLex) -> Lark:
    """A parser that calls the methods of `transformer` while it reduces, on the tokens that `postlex` lets through."""
    grammar = read_grammar()
    with _cache_file() as cache:
        return Lark(grammar, transformer=transformer, postlex=postlex, cache=cache, **LARK_OPTIONS)


def read_grammar() -> str:
    """The text of the grammar: in `minisql/grammar` where minisql is installed, in `grammar` in a source tree."""
    package = Path(__file__).parent.parent
    for folder in (package / "grammar", package.parent / "grammar"):
        if (folder / _GRAMMAR_FILE).exists():
            return (folder / _GRAMMAR_FILE).read_text(encoding="utf-8")
    raise InternalError(f"The grammar {_GRAMMAR_FILE} is missing from the installation.")


@contextmanager
def _cache_file() -> Iterator[str | bool]:
    """The path of the cache, while other processes are kept from it; False where there can be none.

    Lark writes the file in place, and not the same bytes twice: what two processes write at once might be read as
    a table that neither of them made.
    """
    # Two versions of Python that take turns would each undo the other's work. "rows" is how `LazyParser` writes the
    # table, which is not among what Lark looks at.
    name = f"sql-rows.{sys.implementation.cache_tag}"
    try:
        folder = _make_private_folder(_user_cache_folder() / "minisql")
        lock = (folder / f"{name}.lock").open("a")
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        yield False
        return
    with lock:
        if sys.platform == "win32":
            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield str(folder / f"{name}.lark")


def _make_private_folder(folder: Path) -> Path:
    """Makes the folder if need be.

    Raises:
        OSError: it cannot be made, or others can write to it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        status = folder.stat()
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o022:
            raise PermissionError(f"{folder} is not the user's alone.")
    return folder


def _user_cache_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    folder = os.environ.get("XDG_CACHE_HOME", "")
    return Path(folder) if folder.startswith("/") else Path.home() / ".cache"
