"""The tables that a hint can name: those of the FROM of its block, and those in derived tables there, as `d.a`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from minisql.node_set import NodeSet, lowest
from minisql.parser.keywords import quoted_name
from minisql.query_block.query_block import (
    DerivedTable,
    FromTree,
    JoinedTable,
    OrderedJoin,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    RecursiveUnion,
    SetOperation,
    TableUse,
    Values,
    WorkingTable,
)

FromItem: TypeAlias = TableUse | DerivedTable | WorkingTable


def from_items(tree: FromTree | None) -> list[FromItem]:
    """The tables of a FROM from left to right. Not recursive: joins may be as deep as the query is long."""
    items: list[FromItem] = []
    waiting = [] if tree is None else [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, JoinedTable):
            waiting += [node.right, node.left]
        else:
            items.append(node)
    return items


def joins_of(tree: FromTree | None) -> list[JoinedTable]:
    """The joins of a FROM, each before those in its sides. Not recursive."""
    joins: list[JoinedTable] = []
    waiting = [] if tree is None else [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, JoinedTable):
            joins.append(node)
            waiting += [node.right, node.left]
    return joins


def blocks_of(query: QueryExpression) -> list[QueryBlock]:
    """All query blocks, those of subqueries and of common table expressions included, each once."""
    return [term for term in _terms(query, in_expressions=True) if isinstance(term, QueryBlock)]


def _terms(query: QueryExpression, *, in_expressions: bool) -> Iterator[QueryTerm]:
    """The query and all below it in FROM, each once; the subqueries `in_expressions` as well, or not."""
    waiting: list[QueryTerm] = [query]
    visited = set[int]()  # by identity: a common query may be used by the thousand
    while waiting:
        term = waiting.pop()
        if id(term) in visited:
            continue
        visited.add(id(term))
        yield term
        match term:
            case QueryExpression():
                waiting.append(term.term)
            case SetOperation():
                waiting += [term.right, term.left]
            case RecursiveUnion():
                waiting += [term.step, term.anchor]
            case QueryBlock():
                if in_expressions:
                    subqueries = [*term.input_subqueries, *term.subqueries]
                    subqueries += [each for join in joins_of(term.from_) for each in join.subqueries]
                    waiting += [subquery.query for subquery in subqueries]
                waiting += [item.query for item in from_items(term.from_) if isinstance(item, DerivedTable)]
            case Values():
                pass


def inner_items(item: FromItem) -> list[FromItem]:
    """The tables of the FROM of a derived table; none where it is a table, or no plain SELECT."""
    block = _block_of(item.query) if isinstance(item, DerivedTable) else None
    return [] if block is None else from_items(block.from_)


def _block_of(query: QueryTerm) -> QueryBlock | None:
    """The block of a query that is a plain SELECT."""
    term: QueryTerm = query
    while isinstance(term, QueryExpression):
        term = term.term
    return term if isinstance(term, QueryBlock) else None


def _own_tables(block: QueryBlock) -> set[int]:
    """The numbers of what the block itself computes: groups, window functions, columns before and after DISTINCT."""
    grouping = None if block.grouping is None else block.grouping.table
    windows = None if block.windows is None else block.windows.table
    return {table for table in (block.table, block.distinct_from, grouping, windows) if table is not None}


def table_names(block: QueryBlock, copies: Mapping[int, Mapping[int, int]] | None = None) -> dict[int, str]:
    """What a hint of the block calls each table, by its number.

    The groups of a derived table, and the only table in one, go by the name of the derived table. What has no alias has
    no name here. Where a use of a common query is a copy of it, `copies` has the tables of the copy by the use's.
    """
    names: dict[int, str] = {}
    numbers: Mapping[int, int] = {}
    waiting = [(item, quoted_name(item.alias), numbers) for item in from_items(block.from_) if item.alias]
    while waiting:
        item, name, numbers = waiting.pop()
        table = numbers.get(item.table, item.table)
        names[table] = name
        if copies and table in copies:
            numbers = copies[table]
        if isinstance(item, DerivedTable) and (block_inside := _block_of(item.query)) is not None:
            names |= dict.fromkeys([numbers.get(own, own) for own in _own_tables(block_inside)], name)
        inner = inner_items(item)
        if len(inner) == 1:
            waiting.append((inner[0], name, numbers))
        else:
            waiting += [(each, f"{name}.{quoted_name(each.alias)}", numbers) for each in inner if each.alias]
    return names


def name_of_whole(parts: Iterable[str], names: Iterable[str]) -> str:
    """What the smallest table of these names is called that all parts are in, or are; '' where there is none."""
    inside = list(parts)
    around = [name for name in names if all(each == name or each.startswith(f"{name}.") for each in inside)]
    return max(around, key=len, default="")


def block_of_tables(query: QueryExpression) -> dict[int, QueryBlock]:
    """The block of a query that computes each table, for all numbers that stand for what a block computes.

    What subqueries in expressions compute is not among them.
    """
    blocks: dict[int, QueryBlock] = {}
    for term in _terms(query, in_expressions=False):
        if isinstance(term, QueryBlock):
            blocks |= dict.fromkeys(_own_tables(term), term)
        elif isinstance(term, SetOperation):
            for operand, casts in ((term.left, term.left_casts), (term.right, term.right_casts)):
                if casts is not None and (block := _block_of(operand)) is not None:
                    blocks[casts.table] = block
    return blocks


def format_order(joins: Iterable[OrderedJoin], names: Mapping[int, str]) -> str:
    """The order in the hint's syntax, `((a b) c)`; a table without a name is its number, which no hint takes."""
    texts: dict[int, str] = {}

    def text_of(side: NodeSet) -> str:
        # A side is made once and used once.
        return texts.pop(side) if side in texts else names.get(lowest(side), f"#{lowest(side)}")

    text = ""
    for join in joins:
        text = texts[join.left | join.right] = f"({text_of(join.left)} {text_of(join.right)})"
    return text
