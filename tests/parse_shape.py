"""Parse trees without their spans, as nested tuples that compare by value."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from minisql.errors import Span
from minisql.parser.parse import parse_statement
from minisql.parser.parse_tree import DerivedTable, Expression, QueryBlock, QueryExpression, Star, TableReference


def shape(node: object) -> object:
    """The class and the fields of a node, of every node in it, and of tuples of nodes."""
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    if is_dataclass(node) and not isinstance(node, Span):
        values = (getattr(node, field.name) for field in fields(node))
        return (type(node).__name__, *(shape(value) for value in values if not isinstance(value, Span)))
    # 1, 1.0, Decimal(1) and True are equal, and not the same literal.
    return type(node).__name__, node


def block(sql: str) -> QueryBlock:
    """The query block of a statement that is a plain SELECT."""
    statement = parse_statement(sql).statement
    assert isinstance(statement, QueryExpression)
    assert isinstance(statement.term, QueryBlock)
    return statement.term


def expression(sql: str) -> Expression:
    """The tree of one expression."""
    (item,) = block(f"SELECT {sql}").items
    assert not isinstance(item.expression, Star)
    return item.expression


def table(sql: str) -> TableReference:
    """The tree of what stands after FROM."""
    from_ = block(f"SELECT 1 FROM {sql}").from_
    assert from_ is not None
    return from_


def derived(sql: str) -> QueryExpression:
    """The query of a derived table."""
    reference = table(sql)
    assert isinstance(reference, DerivedTable)
    return reference.query
