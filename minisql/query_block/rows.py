"""Comparisons of rows: `(a, b) = (c, d)` is `a = c AND b = d`, `(a, b) < (c, d)` is `a < c OR a = c AND b < d`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from minisql.errors import ProgrammingError, Span, counted
from minisql.expression.nodes import And, Comparison, Expression, Not, Or
from minisql.parser import parse_tree
from minisql.query_block.coerce import coerce_to_common

Resolve = Callable[[parse_tree.Expression], Expression]
Pairs = Sequence[Sequence[Expression]]


def row_comparison(
    resolve: Resolve, operator: str, left: parse_tree.Row, right: parse_tree.Expression, span: Span
) -> Expression:
    """`left operator right`, both of them rows."""
    return compare_rows(operator, _pairs(resolve, left, right, operator), span)


def row_in_list(resolve: Resolve, operand: parse_tree.Row, tree: parse_tree.InPredicate) -> Expression:
    """`(a, b) [NOT] IN ((c, d), ...)`."""
    alternatives = [compare_rows("=", _pairs(resolve, operand, item, "IN"), item.span) for item in tree.items]
    found = alternatives[0] if len(alternatives) == 1 else Or(operands=tuple(alternatives), span=tree.span)
    return Not(operand=found, span=tree.span) if tree.negated else found


def compare_rows(operator: str, pairs: Pairs, span: Span) -> Expression:
    """The comparison of rows, given as pairs of values of one type (SQL:2016, 8.2)."""
    if operator == "=":
        return _and([_compare("=", pair, span) for pair in pairs], span)
    if operator == "<>":
        different = [_compare("<>", pair, span) for pair in pairs]
        return different[0] if len(different) == 1 else Or(operands=tuple(different), span=span)
    strict = operator[0]
    alternatives = []
    for place, pair in enumerate(pairs):
        equal = [_compare("=", earlier, span) for earlier in pairs[:place]]
        is_last = place == len(pairs) - 1
        alternatives.append(_and([*equal, _compare(operator if is_last else strict, pair, span)], span))
    return alternatives[0] if len(alternatives) == 1 else Or(operands=tuple(alternatives), span=span)


_NEGATED: Final = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def compare_rows_negated(operator: str, pairs: Pairs, span: Span) -> Expression:
    """NOT of the comparison."""
    if len(pairs) == 1 or operator in ("=", "<>"):
        return compare_rows(_NEGATED[operator], pairs, span)
    return Not(operand=compare_rows(operator, pairs, span), span=span)


def _pairs(resolve: Resolve, left: parse_tree.Row, right: parse_tree.Expression, what: str) -> Pairs:
    if not isinstance(right, parse_tree.Row):
        raise ProgrammingError(
            f"A row of {len(left.items)} values is compared with rows only.",
            right.span,
            hint="Write it as (c, d, ...).",
        )
    if len(left.items) != len(right.items):
        raise ProgrammingError(
            f"A row of {counted(len(left.items), 'value')} is compared with one of {len(right.items)}.", right.span
        )
    return [
        coerce_to_common((resolve(one), resolve(other)), what, one.span.to(other.span))
        for one, other in zip(left.items, right.items, strict=True)
    ]


def _compare(operator: str, pair: Sequence[Expression], span: Span) -> Expression:
    left, right = pair
    return Comparison(operator=operator, left=left, right=right, span=span)


def _and(operands: Sequence[Expression], span: Span) -> Expression:
    return operands[0] if len(operands) == 1 else And(operands=tuple(operands), span=span)
