"""Resolves GROUP BY: its keys, and the grouping sets that ROLLUP, CUBE and GROUPING SETS stand for.

SQL:2016, 7.13: the elements of GROUP BY are multiplied out, each set of one with each set of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import combinations, product
from typing import Final, TypeAlias, assert_never

from minisql.errors import ProgrammingError, Span
from minisql.expression.aggregates import AGGREGATES_BY_NAME, GROUPING_NAMES
from minisql.expression.nodes import Expression
from minisql.parser import parse_tree
from minisql.parser.parse_tree import GroupingKind

MOST_SETS: Final = 4096
"""As in PostgreSQL."""

GroupingSet: TypeAlias = tuple[int, ...]
"""The places of the keys of a set, ascending."""


class GroupingResolver:
    """Collects the keys of a GROUP BY, each once, and multiplies out its sets."""

    def __init__(self, resolve: Callable[[parse_tree.Expression], Expression]) -> None:
        """`resolve` gives a key: a column, an expression, a position or an alias of the select list."""
        self._resolve = resolve
        self.keys: list[Expression] = []

    def sets(self, tree: parse_tree.GroupBy) -> tuple[GroupingSet, ...]:
        """The grouping sets in the order in which they are written; nothing where there is but one, of all keys."""
        sets = self._product([self._sets_of(element) for element in tree.elements], tree.span)
        if tree.distinct:
            sets = list(dict.fromkeys(sets))
        return tuple(sets) if len(sets) > 1 else ()

    def _sets_of(self, element: parse_tree.GroupingElement) -> list[GroupingSet]:
        if not isinstance(element, parse_tree.GroupingSets):
            return [(self.add(self._resolve(element), element.span),)]
        match element.kind:
            case GroupingKind.SET:
                return [_union(self._sets_of_one(element))]
            case GroupingKind.ROLLUP:
                parts = [self._part(part, "ROLLUP") for part in element.elements]
                return [_union(parts[:length]) for length in range(len(parts), -1, -1)]
            case GroupingKind.CUBE:
                parts = [self._part(part, "CUBE") for part in element.elements]
                if 2 ** len(parts) > MOST_SETS:
                    raise _too_many(element.span)
                lengths = range(len(parts), -1, -1)
                return [_union(chosen) for length in lengths for chosen in combinations(parts, length)]
            case GroupingKind.GROUPING_SETS:
                found = [each for part in element.elements for each in self._sets_of(part)]
                if len(found) > MOST_SETS:
                    raise _too_many(element.span)
                return found
            case _:
                assert_never(element.kind)

    def _sets_of_one(self, element: parse_tree.GroupingSets) -> list[GroupingSet]:
        return [each for part in element.elements for each in self._sets_of(part)]

    def _part(self, part: parse_tree.GroupingElement, word: str) -> GroupingSet:
        """An element of ROLLUP or CUBE, which is a key or several in parentheses."""
        if isinstance(part, parse_tree.GroupingSets) and part.kind is not GroupingKind.SET:
            raise ProgrammingError(
                f"{part.kind.value} cannot stand inside {word}.",
                part.span,
                hint="It can stand beside it, or inside GROUPING SETS.",
            )
        return self._sets_of(part)[0]

    def add(self, key: Expression, span: Span) -> int:
        """The place of a key."""
        if not key.type.is_ordered:
            raise ProgrammingError(f"GROUP BY takes no {key.type}: lists do not compare.", span)
        if key not in self.keys:
            self.keys.append(key)
        return self.keys.index(key)

    @staticmethod
    def _product(elements: Sequence[list[GroupingSet]], span: Span) -> list[GroupingSet]:
        count = 1
        for element in elements:
            count *= len(element)
            if count > MOST_SETS:
                raise _too_many(span)
        return [_union(chosen) for chosen in product(*elements)]


def _union(sets: Sequence[GroupingSet]) -> GroupingSet:
    return tuple(sorted({place for each in sets for place in each}))


def _too_many(span: Span) -> ProgrammingError:
    return ProgrammingError(f"There are more than {MOST_SETS:,} grouping sets.", span)


def has_aggregate(tree: object) -> bool:
    """Whether an aggregate or GROUPING is called anywhere in a parse tree: then GROUP BY ALL makes no key of it."""
    return any(
        isinstance(node, parse_tree.Call)
        and (node.name.name.lower() in AGGREGATES_BY_NAME or node.name.name.lower() in GROUPING_NAMES)
        for node in _walk(tree)
    )


def _walk(tree: object) -> Iterator[object]:
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, tuple):
            stack.extend(node)
        elif is_dataclass(node) and not isinstance(node, Span):
            stack.extend(getattr(node, field.name) for field in fields(node))
