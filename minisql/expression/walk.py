"""Walking over bound expressions: children, rebuilding, the columns and tables they use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from minisql.expression.nodes import (
    AggregateCall,
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    OuterReference,
)
from minisql.node_set import NodeSet


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct operands, in the order in which they are written."""
    match expression:
        case Literal() | ColumnRef() | OuterReference():
            return ()
        case Arithmetic() | Comparison() | IsDistinctFrom():
            return (expression.left, expression.right)
        case Negate() | Cast() | Not() | IsNull() | IsTruth():
            return (expression.operand,)
        case And() | Or() | Coalesce():
            return expression.operands
        case FunctionCall():
            return expression.arguments
        case InList():
            return (expression.operand, *expression.items)
        case Like():
            return (expression.operand, expression.pattern)
        case Case():
            return (*(part for branch in expression.branches for part in branch), expression.otherwise)
        case _:
            assert_never(expression)


def with_children(expression: Expression, new: tuple[Expression, ...]) -> Expression:
    """The same node over other operands, given in the order of `children`; itself where none differs."""
    if all(a is b for a, b in zip(children(expression), new, strict=True)):
        return expression
    match expression:
        case Literal() | ColumnRef() | OuterReference():
            return expression
        case Arithmetic() | Comparison() | IsDistinctFrom():
            return replace(expression, left=new[0], right=new[1])
        case Negate() | Cast() | Not() | IsNull() | IsTruth():
            return replace(expression, operand=new[0])
        case And() | Or() | Coalesce():
            return replace(expression, operands=new)
        case FunctionCall():
            return replace(expression, arguments=new)
        case InList():
            return replace(expression, operand=new[0], items=new[1:])
        case Like():
            return replace(expression, operand=new[0], pattern=new[1])
        case Case():
            branches = tuple(zip(new[:-1:2], new[1:-1:2], strict=True))
            return replace(expression, branches=branches, otherwise=new[-1])
        case _:
            assert_never(expression)


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything in it, parents first. Iterative: depth does not matter."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def transform(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Rebuilds bottom-up: `change` is given every node with its operands already changed."""
    old = children(expression)
    if old:
        expression = with_children(expression, tuple([transform(child, change) for child in old]))
    return change(expression)


def columns_of(expression: Expression) -> set[ColumnId]:
    """The columns that the expression reads."""
    columns = set()
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, ColumnRef):
            columns.add(node.column)
        else:
            stack += children(node)
    return columns


def column_references(expression: Expression) -> list[ColumnRef]:
    """The columns that the expression reads, each time that it does."""
    return [node for node in walk(expression) if isinstance(node, ColumnRef)]


def outer_references(expression: Expression) -> list[OuterReference]:
    """The references to columns of the queries around."""
    return [node for node in walk(expression) if isinstance(node, OuterReference)]


def reads_outer_columns_only(expression: Expression) -> bool:
    """Whether the expression has columns, and all of them are those of queries around."""
    return not columns_of(expression) and bool(outer_references(expression))


def replace_outer_references(expression: Expression, new: Mapping[ColumnId, Expression]) -> Expression:
    """The expression with the references to these columns replaced by expressions; others stay."""

    def change(node: Expression) -> Expression:
        return new.get(node.column, node) if isinstance(node, OuterReference) else node

    return transform(expression, change)


def tables_of(expression: Expression) -> NodeSet:
    """The tables whose columns the expression reads: for a predicate, its SES."""
    tables = 0
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, ColumnRef):
            tables |= 1 << node.column.table
        else:
            stack += children(node)
    return NodeSet(tables)


def replace_columns(expression: Expression, new: Mapping[ColumnId, Expression]) -> Expression:
    """The expression with these columns replaced by expressions; other columns stay."""

    def change(node: Expression) -> Expression:
        return new.get(node.column, node) if isinstance(node, ColumnRef) else node

    return transform(expression, change)


def map_aggregate(call: AggregateCall, change: Callable[[Expression], Expression]) -> AggregateCall:
    """The aggregate with each of its input expressions changed; itself where none differs."""
    old = aggregate_inputs(call)
    new = [change(expression) for expression in old]
    if all(a is b for a, b in zip(old, new, strict=True)):
        return call
    changed = iter(new)
    return replace(
        call,
        argument=None if call.argument is None else next(changed),
        others=tuple([next(changed) for _ in call.others]),
        order=tuple([replace(key, expression=next(changed)) for key in call.order]),
        filter=None if call.filter is None else next(changed),
    )


def aggregate_inputs(call: AggregateCall) -> tuple[Expression, ...]:
    """The expressions that an aggregate evaluates on its input rows."""
    argument, filter_ = call.argument, call.filter
    return (
        *(() if argument is None else (argument,)),
        *call.others,
        *[key.expression for key in call.order],
        *(() if filter_ is None else (filter_,)),
    )


def conjuncts(expression: Expression | None) -> tuple[Expression, ...]:
    """The operands of a conjunction, one expression for what is none, nothing for None."""
    if expression is None:
        return ()
    return expression.operands if isinstance(expression, And) else (expression,)


def conjunction(conditions: Iterable[Expression]) -> Expression | None:
    """The AND of the conditions, flat; None where there is none."""
    flat = tuple(operand for condition in conditions for operand in conjuncts(condition))
    if len(flat) <= 1:
        return flat[0] if flat else None
    return And(operands=flat)
