"""The callbacks of what only aggregates have, and of GROUP BY: see `transform`."""

from __future__ import annotations

from typing import TypeAlias

from lark import Token, v_args

from minisql.errors import ProgrammingError
from minisql.parser.literals import unquoted
from minisql.parser.parse_tree import (
    Call,
    Constant,
    Expression,
    GroupBy,
    GroupingElement,
    GroupingKind,
    GroupingSets,
    Identifier,
    OrderItem,
    Row,
)
from minisql.parser.transform_expression import ExpressionTransform, is_token

OrderInside: TypeAlias = tuple[tuple[OrderItem, ...], Constant | None]
"""What may follow the arguments of an aggregate in its parentheses: ORDER BY, and MySQL's SEPARATOR."""


@v_args(inline=True)
class AggregateTransform(ExpressionTransform):
    """The callbacks of expressions, those of aggregates included, and of GROUP BY."""

    def call_ordered(
        self,
        name: Identifier,
        quantifier: Token | None,
        arguments: tuple[Expression, ...],
        inside: OrderInside,
        filter_: Expression | None,
    ) -> Call:
        order_by, separator = inside
        if separator is not None and len(arguments) > 1:
            raise ProgrammingError(f"{name.name} has a separator already.", separator.span)
        return Call(
            span=self._span(name),
            name=name,
            arguments=arguments if separator is None else (*arguments, separator),
            distinct=is_token(quantifier, "DISTINCT"),
            order_by=order_by,
            filter=filter_,
        )

    def order_inside(self, order_by: tuple[OrderItem, ...], separator: Constant | None) -> OrderInside:
        return order_by, separator

    def only_separator(self, separator: Constant) -> OrderInside:
        return (), separator

    def separator(self, word: Token, text: Token) -> Constant:
        return Constant(span=self._span(text), value=unquoted(text))

    def call_within_group(
        self,
        name: Identifier,
        quantifier: Token | None,
        arguments: tuple[Expression, ...],
        order_by: tuple[OrderItem, ...],
        filter_: Expression | None,
    ) -> Call:
        return Call(
            span=self._span(name),
            name=name,
            arguments=arguments,
            distinct=is_token(quantifier, "DISTINCT"),
            within_group=order_by,
            filter=filter_,
        )

    def call_of_within_group(
        self, name: Identifier, order_by: tuple[OrderItem, ...], filter_: Expression | None
    ) -> Call:
        return Call(span=self._span(name), name=name, arguments=(), within_group=order_by, filter=filter_)

    def within_group(self, words: Token, order_by: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
        return order_by

    # --- GROUP BY -----------------------------------------------------------------------------------------------------

    def group_by_all(self, all_: Token) -> GroupBy:
        return GroupBy(span=self._span(all_), elements=(), all=True)

    def group_by(
        self, distinct: Token | None, elements: tuple[GroupingElement, ...], with_rollup: Token | None
    ) -> GroupBy:
        span = elements[0].span.to(elements[-1].span)
        if with_rollup is not None:
            elements = (GroupingSets(span=span, kind=GroupingKind.ROLLUP, elements=elements),)
        return GroupBy(span=span, elements=elements, distinct=distinct is not None)

    def grouping_elements(self, *elements: GroupingElement) -> tuple[GroupingElement, ...]:
        return tuple(
            [
                GroupingSets(span=each.span, kind=GroupingKind.SET, elements=each.items)
                if isinstance(each, Row)
                else each
                for each in elements
            ]
        )

    def no_keys(self, opening: Token) -> GroupingSets:
        return GroupingSets(span=self._span(opening), kind=GroupingKind.SET, elements=())

    def grouping_sets(self, word: Token, elements: tuple[GroupingElement, ...]) -> GroupingSets:
        return GroupingSets(span=self._span(word), kind=GroupingKind[word.type], elements=elements)
