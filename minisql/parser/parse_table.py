"""Lark's LALR parser with a table whose rows are read from the cache when a statement first comes to their state.

The table has some 1,200 states with 46,000 actions, and to make objects of all of them was a sixth of the time in which
the command starts. A statement comes to a few dozen states.
"""

from __future__ import annotations

from collections.abc import Sequence
from pickle import dumps, loads
from typing import Any, TypeAlias

from lark.grammar import Rule
from lark.parsers.lalr_analysis import Reduce, Shift
from lark.parsers.lalr_parser import LALR_Parser

_Row: TypeAlias = dict[str, tuple[Any, Any]]
"""The action of each terminal or rule that may come: `(Shift, state)` or `(Reduce, rule)`."""


class LazyParser(LALR_Parser):
    """What Lark calls to make a parser of the grammar, to write it to the cache and to make one of what it wrote."""

    def serialize(self, memo: Any = None) -> dict[str, Any]:
        """The table as Lark writes it, but with each row in a pickle of its own."""
        data: dict[str, Any] = super().serialize(memo)
        data["states"] = {state: dumps(row) for state, row in data["states"].items()}
        return data

    @classmethod
    def deserialize(  # type: ignore[override]  # as in Lark itself
        cls, data: Any, memo: Any, callbacks: Any, debug: bool = False
    ) -> LazyParser:
        """The parser whose table `serialize` gave; `memo` has the rules by number."""
        make: Any = super().deserialize
        parser: Any = make({**data, "states": {}}, memo, callbacks, debug)
        parser._parse_table.states = _Rows(data["states"], data["tokens"], memo)
        assert isinstance(parser, LazyParser)
        return parser


class _Rows(dict[int, _Row]):
    """The rows by state. Those that nobody asked for are not in it yet."""

    def __init__(self, pickles: dict[int, bytes], tokens: Sequence[str], rules: dict[int, Rule]) -> None:
        self._pickles = pickles
        self._tokens = tokens
        self._rules = rules

    def __missing__(self, state: int) -> _Row:
        row: _Row = {
            self._tokens[token]: (Reduce, self._rules[target["@"]]) if reduces else (Shift, target)
            for token, (reduces, target) in loads(self._pickles[state]).items()
        }
        self[state] = row
        return row
