"""The shift-reduce loop over Lark's tables: tokens in, the value of the start rule out.

Lark's own loop would do, and the tests compare the two. This one takes a third of the time, starts without importing
Lark, and knows where every symbol starts and ends, parentheses included. It is the textbook's (Aho, Lam, Sethi,
Ullman: Compilers, 4.5 and 4.7) with one addition: a grammar with a rule for each level of precedence reduces every
literal a dozen times, from level to level, without making anything of it. The end of such a chain is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from minisql.errors import Span
from minisql.parser.parse_tables import END, ParseTables
from minisql.parser.scanner import Scanner, Token
from minisql.parser.syntax_error import syntax_error

Context = TypeVar("Context")


class LalrParser(Generic[Context]):
    """A parser that calls `callbacks[name](context, span, *arguments)` for the rules that it reduces by."""

    def __init__(self, tables: ParseTables, scanner: Scanner, callbacks: Mapping[str, Callable[..., Any]]) -> None:
        self._tables = tables
        self._scanner = scanner
        self._rules = [
            (
                rule.result,
                rule.size,
                callbacks[rule.callback] if rule.callback else None,
                rule.callback == "",
                None if rule.recipe == tuple(range(rule.size)) else rule.recipe,
            )
            for rule in tables.rules
        ]
        self._chains: dict[tuple[int, int, int], int] = {}

    def parse(self, text: str, position: int, context: Context) -> tuple[Any, Token, int]:
        """Parses one statement.

        Args:
            text: the whole text.
            position: where the statement starts.
            context: the first argument of the callbacks.

        Returns:
            The value of the statement, or None where there is nothing but space and comments; the END token, which is
            a semicolon or the end of the text; and the number of tokens before it.

        Raises:
            ProgrammingError: a syntax error.
            SqlError: whatever a callback raises.
        """
        next_token, rules, actions, chains = self._scanner.next_token, self._rules, self._tables.actions, self._chains
        states: list[int] = [0]
        values: list[Any] = []
        starts: list[int] = []
        end = position
        count = 0
        while True:
            token = next_token(text, end, states)
            kind = token.kind
            row = actions[states[-1]]
            while (action := row.get(kind)) is not None and action < 0:
                result, size, callback, is_repetition, recipe = rules[~action]
                if size:
                    start = starts[-size]
                    symbols = values[-size:]
                    del states[-size:], values[-size:], starts[-size:]
                else:
                    start, symbols = end, []
                if recipe is not None:
                    symbols = _arguments(symbols, recipe)
                if callback is not None:
                    values.append(callback(context, Span(text, start, end), *symbols))
                else:
                    values.append(symbols if is_repetition else symbols[0])
                starts.append(start)
                chain = (states[-1], result, kind)
                state = chains.get(chain)
                if state is None:
                    state = chains[chain] = self._end_of_chain(*chain)
                states.append(state)
                row = actions[state]
            if action is None:
                if kind == END and count == 0:
                    return None, token, 0
                raise syntax_error(self._tables, self._scanner, text, position, token)
            if kind == END:
                return values[-1], token, count
            states.append(action)
            values.append(token.value)
            starts.append(token.start)
            end = token.end
            count += 1

    def _end_of_chain(self, state: int, result: int, lookahead: int) -> int:
        """The state after the reduction to `result` and all those after it that only rename its value."""
        while True:
            new_state = self._tables.gotos[state][result]
            action = self._tables.actions[new_state].get(lookahead)
            if action is None or action >= 0:
                return new_state
            rule = self._tables.rules[~action]
            if rule.size != 1 or rule.callback is not None:
                return new_state
            result = rule.result


def _arguments(symbols: list[Any], recipe: tuple[int | None, ...]) -> list[Any]:
    """What the recipe picks. A repetition that comes first is extended in place, so that long ones take linear time."""
    arguments: list[Any] = []
    for index in recipe:
        if index is None:
            arguments.append(None)
        elif index >= 0:
            arguments.append(symbols[index])
        elif arguments:
            arguments += symbols[~index]
        else:
            arguments = symbols[~index]
    return arguments
