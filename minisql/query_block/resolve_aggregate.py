"""Resolves calls of aggregates and of GROUPING to `AggregateCall`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from minisql.datatypes import BIGINT, DOUBLE, VARCHAR
from minisql.errors import NotSupportedError, ProgrammingError, Span
from minisql.expression.aggregates import (
    AGGREGATES_BY_NAME,
    AggregateFunction,
    WithinGroup,
    argument_type,
    wanted,
)
from minisql.expression.nodes import AggregateCall, Expression, Literal, SortKey
from minisql.expression.walk import columns_of, conjunction, reads_outer_columns_only
from minisql.parser import parse_tree
from minisql.query_block.coerce import coerce, require_boolean

if TYPE_CHECKING:
    from minisql.query_block.resolve_expression import ExpressionResolver


def resolve_aggregate(tree: parse_tree.Call, name: str, resolver: ExpressionResolver) -> AggregateCall:
    """The aggregate of this name over what its arguments mean here."""
    function = AGGREGATES_BY_NAME[name]
    condition = None if tree.filter is None else require_boolean(resolver.resolve(tree.filter), "FILTER")
    if tree.star:
        if name != "count" or tree.distinct:
            raise ProgrammingError("Only count(*) takes a star.", tree.span)
        return AggregateCall(name="count", argument=None, distinct=False, filter=condition, type=BIGINT, span=tree.span)
    order_by, argument_key = _order_items(tree, function, name)
    trees = tree.arguments if argument_key is None else (argument_key.expression, *tree.arguments)
    _check_count(tree, function, name, len(trees))
    resolved = [resolver.resolve(argument) for argument in trees]
    if resolved and reads_outer_columns_only(resolved[0]):
        raise NotSupportedError(
            f"This {name} is over columns of the query around, and would be an aggregate of that query.",
            tree.span,
            hint="Compute it in a derived table around which the subquery stands.",
        )
    arguments = [_argument(*each, function, name, tree.span) for each in zip(function.accepts, resolved, strict=False)]
    order = [_sort_key(item, resolver) for item in order_by]
    if tree.distinct:
        _check_distinct(resolved[0], order, order_by, name)
    if argument_key is not None:
        order = [_sort_key(argument_key, resolver)]
    return _call(tree, function, arguments, order, condition)


def _order_items(
    tree: parse_tree.Call, function: AggregateFunction, name: str
) -> tuple[Sequence[parse_tree.OrderItem], parse_tree.OrderItem | None]:
    """The ORDER BY of the rows, and the key of WITHIN GROUP where it is an argument."""
    within = function.within_group
    if not tree.within_group:
        if within is WithinGroup.ONLY:
            raise ProgrammingError(f"{name} needs WITHIN GROUP.", tree.span, hint=f"It is {function.signature}.")
        return tree.order_by, None
    if within is WithinGroup.NOT:
        raise ProgrammingError(f"{name} takes no WITHIN GROUP.", tree.span, hint=f"It is {function.signature}.")
    if within is WithinGroup.ROWS:
        return tree.within_group, None
    if len(tree.within_group) > 1:
        raise ProgrammingError(f"WITHIN GROUP of {name} takes one ORDER BY key.", tree.within_group[1].span)
    if tree.distinct:
        raise ProgrammingError(f"{name} takes no DISTINCT beside WITHIN GROUP.", tree.span)
    return (), tree.within_group[0]


def _check_count(tree: parse_tree.Call, function: AggregateFunction, name: str, given: int) -> None:
    fewest, most = function.fewest, len(function.accepts)
    if fewest <= given <= most:
        return
    words = {1: "one argument", 2: "two arguments"}
    what = words[most] if fewest == most else "one or two arguments"
    if function.name == "count":
        what += " or *"
    raise ProgrammingError(f"{name} takes {what}, not {given}.", tree.span, hint=f"It is {function.signature}.")


def _argument(letter: str, argument: Expression, function: AggregateFunction, name: str, span: Span) -> Expression:
    type_ = argument_type(letter, argument.type)
    if type_ is None:
        raise ProgrammingError(
            f"{name} takes {wanted(letter)}, not {argument.type}.",
            argument.span or span,
            hint=f"It is {function.signature}." if len(function.accepts) > 1 else None,
        )
    if letter in "SF" and columns_of(argument):
        what = "fraction" if letter == "F" else "separator"
        raise ProgrammingError(f"The {what} of {name} is a constant, not a column.", argument.span or span)
    return coerce(argument, type_)


def _sort_key(item: parse_tree.OrderItem, resolver: ExpressionResolver) -> SortKey:
    expression = resolver.resolve(item.expression)
    if not expression.type.is_ordered:
        raise ProgrammingError(f"ORDER BY takes no {expression.type}: lists have no order.", item.span)
    nulls_first = item.descending if item.nulls_first is None else item.nulls_first
    return SortKey(expression=expression, descending=item.descending, nulls_first=nulls_first)


def _check_distinct(
    argument: Expression, order: Sequence[SortKey], items: Sequence[parse_tree.OrderItem], name: str
) -> None:
    """Rows that DISTINCT makes one have one place in the order only if it is that of the argument."""
    if not argument.type.is_ordered:
        raise ProgrammingError(f"{name} takes no DISTINCT {argument.type}: lists do not compare.", argument.span)
    for key, item in zip(order, items, strict=True):
        if key.expression != argument:
            raise ProgrammingError(
                f"With {name}(DISTINCT ...), ORDER BY takes only the argument itself.",
                item.span,
                hint="Several rows may have one value of the argument, and only one of them remains.",
            )


def _call(
    tree: parse_tree.Call,
    function: AggregateFunction,
    arguments: Sequence[Expression],
    order: Sequence[SortKey],
    condition: Expression | None,
) -> AggregateCall:
    """The call as it is computed: `median(x)` is `quantile_cont(x, 0.5)`, `count_if(x)` a count with a filter."""
    argument, *others = arguments
    distinct = tree.distinct and function.duplicates_matter
    match function.name:
        case "count_if":
            condition = argument if condition is None else conjunction((condition, argument))
        case "approx_count_distinct":
            distinct = True
        case "median":
            others = [Literal(value=0.5, type=DOUBLE)]
        case "string_agg" if not others:
            others = [Literal(value=",", type=VARCHAR)]
    if function.within_group is WithinGroup.ONLY:
        # The values are ordered anyway; all that is left to say is at which end they begin.
        order = [replace(key, expression=argument) for key in order if key.descending]
    elif not function.order_matters:
        order = []
    return AggregateCall(
        name=function.canonical,
        argument=argument,
        others=tuple(others),
        order=tuple(order),
        distinct=distinct,
        filter=condition,
        type=function.result_type(argument.type),
        span=tree.span,
    )


def resolve_grouping(
    tree: parse_tree.Call, name: str, keys: Sequence[Expression], resolver: ExpressionResolver
) -> AggregateCall:
    """A call of GROUPING over some of the keys."""
    if tree.star or tree.distinct or tree.filter is not None or tree.order_by or tree.within_group:
        raise ProgrammingError(f"{name} takes keys of GROUP BY and nothing else.", tree.span)
    if not 1 <= len(tree.arguments) <= 63:
        raise ProgrammingError(f"{name} takes 1 to 63 keys of GROUP BY, not {len(tree.arguments)}.", tree.span)
    arguments = [resolver.resolve(argument) for argument in tree.arguments]
    for argument in arguments:
        if argument not in keys:
            hint = "Write it as it is written in GROUP BY." if keys else "The query has no GROUP BY."
            raise ProgrammingError(
                f"The argument of {name} is no key of GROUP BY.",
                argument.span or tree.span,
                hint=hint,
            )
    return AggregateCall(
        name="grouping", argument=None, others=tuple(arguments), distinct=False, filter=None, type=BIGINT,
        span=tree.span,
    )  # fmt: skip
